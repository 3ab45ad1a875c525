//! The size of an item of a NumPy type, from how the type is pickled.
//!
//! `numpy.dtype(code, align, copy)` with a state `(version, order, subarray, names, fields, size, alignment, flags)`:
//! `arraydescr_reduce` in NumPy's `descriptor.c`.

use super::evaluate::{Evaluation, Value};

/// What counts of a type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dtype {
    /// What `numpy.dtype` was called with.
    pub(crate) code: String,
    /// The bytes of an item.
    pub(crate) size: u64,
    /// Whether items hold Python objects.
    pub(crate) objects: bool,
}

/// Types within types that are looked at.
const MOST_FIELDS: usize = 10_000;
/// In the flags of a type: items hold Python objects.
const HAS_OBJECT: i64 = 1;

/// The type that a value stands for, if it is one of NumPy's own.
pub(crate) fn dtype(evaluation: &Evaluation, value: Value) -> Option<Dtype> {
    let (class, args, state) = evaluation.object(value)?;
    if evaluation.global(class)? != ("numpy", "dtype") {
        return None;
    }
    let code = String::from_utf8(evaluation.text(*evaluation.items(args)?.first()?)?.to_vec()).ok()?;
    let (kind, size) = size_of_code(&code)?;
    let state = evaluation.items(state).unwrap_or_default();
    // The size in the state counts for types without a size of their own.
    let size = match (kind, state.get(5)) {
        ('V' | 'S' | 'U', Some(Value::Int(size))) if *size >= 0 => *size as u64,
        _ => size,
    };
    Some(Dtype { code, size, objects: kind == 'O' || has_objects(evaluation, state) })
}

/// Whether a type with this state, or one in its fields, has items that hold objects.
fn has_objects(evaluation: &Evaluation, state: &[Value]) -> bool {
    let mut work: Vec<&[Value]> = vec![state];
    let mut looked_at = 0;
    while let Some(state) = work.pop() {
        looked_at += 1;
        if looked_at > MOST_FIELDS || matches!(state.get(7), Some(Value::Int(flags)) if flags & HAS_OBJECT != 0) {
            return true;
        }
        let base = state.get(2).and_then(|subarray| evaluation.items(*subarray)?.first());
        let fields = state.get(4).and_then(|fields| evaluation.entries(*fields)).unwrap_or_default();
        let fields = fields.iter().filter_map(|(_, field)| evaluation.items(*field)?.first());
        for inner in base.into_iter().chain(fields) {
            let Some((_, args, state)) = evaluation.object(*inner) else { continue };
            let code = evaluation.items(args).and_then(|args| evaluation.text(*args.first()?)).unwrap_or_default();
            if code.first() == Some(&b'O') {
                return true;
            }
            work.extend(evaluation.items(state));
        }
    }
    false
}

/// The kind and the size of an item for codes such as `f8`, `<U5`, `M8[ns]`, and for those of one character.
pub(crate) fn size_of_code(code: &str) -> Option<(char, u64)> {
    /// `NPY_TYPES` by their characters.
    const CHARACTERS: &[(&str, u64)] =
        &[("?bBcSUaV", 1), ("hHe", 2), ("iIf", 4), ("lLqQpPdFmMO", 8), ("gD", 16), ("G", 32)];
    let code = code.trim_start_matches(['<', '>', '|', '=']);
    let kind = code.chars().next()?;
    let digits = code.get(kind.len_utf8()..)?.split('[').next()?;
    if digits.is_empty() {
        let row = CHARACTERS.iter().find(|(characters, _)| characters.contains(kind))?;
        return Some((kind, if matches!(kind, 'S' | 'U' | 'a' | 'V') { 0 } else { row.1 }));
    }
    if !"biufcSUaVmMO".contains(kind) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size: u64 = digits.parse().ok()?;
    Some((kind, if kind == 'U' { size.checked_mul(4)? } else { size }))
}

#[cfg(test)]
mod tests {
    use super::size_of_code;

    #[test]
    fn a_code_tells_the_kind_and_the_size_of_an_item() {
        let cases = [
            ("f8", Some(('f', 8))),
            ("<U5", Some(('U', 20))),
            ("M8[ns]", Some(('M', 8))),
            ("O8", Some(('O', 8))),
            ("d", Some(('d', 8))),
            ("?", Some(('?', 1))),
            ("V", Some(('V', 0))),
            ("", None),
            ("f8x", None),
            ("x4", None),
        ];
        for (code, expected) in cases {
            assert_eq!(size_of_code(code), expected, "{code}");
        }
    }
}
