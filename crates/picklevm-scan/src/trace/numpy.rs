//! Types and arrays of NumPy: what a state claims, held against itself and against the data.
//!
//! NumPy believes the state of a `dtype`: flags that deny its objects, or fields beyond the item, turn bytes of the pickle into
//! pointers. `descriptor.c` (`arraydescr_setstate`) and `methods.c` (`array_setstate`) of NumPy 1.11 to 2.4.

use super::Tracer;
use crate::nature::Nature;
use crate::policy::Check;
use crate::token::{NOT_KEPT, Token};
use crate::verdict::Rule;

/// What is known of a `numpy.dtype`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DType {
    /// The character of its kind; `E` for a type of another library, `?` if it is not known.
    kind: u8,
    /// The bytes of an item.
    pub(crate) size: Option<u64>,
    /// Whether items hold objects.
    pub(crate) objects: bool,
    /// Whether the call made a new one, that no one else has.
    copied: bool,
    /// Whether something else relies on it by now.
    used: bool,
}

const UNKNOWN: DType = DType { kind: b'?', size: None, objects: true, copied: false, used: false };
/// Flags of types whose items hold objects: they must be counted, and are pickled as a list.
const HOLDS_OBJECTS: i32 = 0x01 | 0x02;
/// Flags that only types with objects have.
const OF_OBJECTS: i32 = HOLDS_OBJECTS | 0x04 | 0x20;
/// All flags of the type of objects.
const FLAGS_OF_O: i32 = 0x3f;

impl Tracer<'_> {
    /// `numpy.dtype(…)`.
    pub(super) fn make_dtype(&mut self, args: &[Token], object: Token) {
        let [first, rest @ ..] = args else { return };
        let copied = matches!(rest.get(1), Some(Token::Bool(true) | Token::Int(1)));
        let known = match *first {
            Token::Text(_) | Token::Bytes(_) => self.values.bytes_of(*first).map(read_code),
            Token::Global(_) => Some(of_class(&self.name_of(*first))),
            Token::Object(_) => self.dtype_of(*first),
            _ => Some(UNKNOWN),
        };
        let number = self.dtypes.len() as u32;
        self.dtypes.push(DType { copied, used: false, ..known.unwrap_or(UNKNOWN) });
        self.values.change_object(object, |object| object.detail = number);
    }

    /// The type that a value is, from now on relied upon; `None` if it is none.
    pub(crate) fn dtype_of(&mut self, token: Token) -> Option<DType> {
        let object = self.values.object_of(token)?;
        if let Some(dtype) = self.dtypes.get_mut(object.detail as usize) {
            dtype.used = true;
            return Some(*dtype);
        }
        // Types without a state, such as those of texts of any length.
        let is_numpy = self.name_of(object.class).starts_with("numpy.");
        (is_numpy && !object.built).then_some(UNKNOWN)
    }

    /// The state of a `numpy.dtype`: `(version, order, subarray, names, fields, size, alignment, flags[, metadata])`.
    pub(super) fn check_dtype_state(&mut self, target: Token, state: Token) {
        let number = self.values.object_of(target).map_or(NOT_KEPT, |object| object.detail) as usize;
        let Some(dtype) = self.dtypes.get(number).copied() else {
            return self.suspect(Rule::State, "sets the state of a numpy.dtype whose kind cannot be known");
        };
        match self.read_dtype_state(dtype, state) {
            Ok((size, objects)) => {
                if let Some(dtype) = self.dtypes.get_mut(number) {
                    (dtype.size, dtype.objects) = (size, objects);
                }
            }
            Err(why) => self.suspect(Rule::State, format!("sets the state of a numpy.dtype {why}")),
        }
    }

    fn read_dtype_state(&mut self, dtype: DType, state: Token) -> Result<(Option<u64>, bool), &'static str> {
        if dtype.used {
            return Err("that something relies on already");
        }
        if !dtype.copied {
            return Err("which may be that of the whole process");
        }
        let state = self.values.items_of(state).unwrap_or_default().to_vec();
        let [version, order, subarray, names, fields, size, alignment, flags, metadata @ ..] = &*state else {
            return Err("that is none");
        };
        let (Token::Int(size), Token::Int(alignment), Token::Int(flags)) = (*size, *alignment, *flags) else {
            return Err("whose size and flags are no small numbers");
        };
        let is_order = self.values.bytes_of(*order).is_some_and(|order| order.len() <= 1);
        if !matches!(version, Token::Int(3 | 4)) || !is_order || metadata.len() > 1 || size < -1 || alignment < -1 {
            return Err("that is none");
        }
        let is_plain = matches!((*subarray, *names), (Token::None, Token::None))
            && (*fields == Token::None || self.values.len_of(*fields) == Some(0));
        if dtype.kind != b'V' && !is_plain {
            return Err("which gives parts to what has none");
        }
        let flags_for = |objects: bool| match objects {
            true => flags & HOLDS_OBJECTS == HOLDS_OBJECTS,
            false => flags & OF_OBJECTS == 0,
        };
        let claims = u64::try_from(size).ok();
        let (size, objects) = match dtype.kind {
            b'?' => return Err("of a kind that cannot be known"),
            b'O' if flags == FLAGS_OF_O => (Some(8), true),
            b'O' => return Err("whose flags deny that it holds objects"),
            b'V' => {
                let size = claims.ok_or("that has no size")?;
                (Some(size), self.parts_hold_objects(size, *subarray, *names, *fields)?)
            }
            b'S' | b'a' | b'U' => (claims, false),
            b'E' if claims.is_none() || claims == dtype.size => (dtype.size, false),
            b'E' => return Err("whose size is another than that of its kind"),
            _ => (dtype.size, false),
        };
        if dtype.kind == b'U' && size.is_some_and(|size| size % 4 != 0) {
            return Err("of texts whose size is no number of characters");
        }
        match flags_for(objects) {
            true => Ok((size, objects)),
            false => Err("whose flags are not those of its parts"),
        }
    }

    /// Whether parts of a structured type or a subarray hold objects, all of which lie within the item.
    fn parts_hold_objects(
        &mut self,
        size: u64,
        subarray: Token,
        names: Token,
        fields: Token,
    ) -> Result<bool, &'static str> {
        const BEYOND: &str = "whose parts lie beyond the item";
        const NO_PART: &str = "whose parts cannot be known";
        let mut objects = false;
        if subarray != Token::None {
            let [base, shape] = *self.values.items_of(subarray).unwrap_or_default() else { return Err(NO_PART) };
            let base = self.dtype_of(base).ok_or(NO_PART)?;
            let count = match shape {
                Token::Int(len) => u64::try_from(len).ok(),
                _ => self.product(shape),
            };
            if count.zip(base.size).and_then(|(count, size)| count.checked_mul(size)) != Some(size) {
                return Err(BEYOND);
            }
            objects = base.objects;
        }
        if fields == Token::None {
            return Ok(objects);
        }
        let Some(pairs) = self.contents(fields) else { return Err(NO_PART) };
        let names = self.values.len_of(names).unwrap_or(0);
        // A field with a title stands in the dict twice.
        if !matches!(fields, Token::Dict(_)) || pairs.len() / 2 < names || names == 0 {
            return Err(NO_PART);
        }
        for field in pairs.chunks_exact(2).map(|pair| pair[1]) {
            let Some(&[dtype, offset, ..]) = self.values.items_of(field) else { return Err(NO_PART) };
            let part = self.dtype_of(dtype).ok_or(NO_PART)?;
            let Token::Int(offset) = offset else { return Err(BEYOND) };
            let end = u64::try_from(offset).ok().zip(part.size).and_then(|(offset, size)| offset.checked_add(size));
            if end.is_none_or(|end| end > size) {
                return Err(BEYOND);
            }
            objects |= part.objects;
        }
        Ok(objects)
    }

    /// Whether a value is a class of arrays.
    pub(crate) fn is_array_class(&self, class: Token) -> bool {
        self.check_of(class) == Some(Check::Array)
    }

    /// The product of the lengths of a shape, if they are small numbers.
    pub(crate) fn product(&self, shape: Token) -> Option<u64> {
        let Token::Tuple(_) = shape else { return None };
        self.values.items_of(shape)?.iter().try_fold(1u64, |product, len| match len {
            Token::Int(len) => product.checked_mul(u64::try_from(*len).ok()?),
            _ => None,
        })
    }

    /// The state of an array: `([version,] shape, dtype, is_fortran, data[, mask, fill value])`.
    pub(super) fn check_array_state(&mut self, target: Token, state: Token) {
        let items = self.values.items_of(state).unwrap_or_default().to_vec();
        let parts = match *items {
            [shape, dtype, _, data] | [_, shape, dtype, _, data] => Some((shape, dtype, data, None)),
            [_, shape, dtype, _, data, mask, _] => Some((shape, dtype, data, Some(mask))),
            _ => None,
        };
        let Some((shape, dtype, data, mask)) = parts.filter(|_| matches!(state, Token::Tuple(_))) else {
            return self.suspect(Rule::State, "sets the state of an array that is none");
        };
        let Some(dtype) = self.dtype_of(dtype) else {
            return self.suspect(Rule::State, "sets the state of an array whose type cannot be known");
        };
        let mask_is_data = mask.is_none_or(|mask| matches!(mask, Token::Bytes(_) | Token::Text(_)));
        let count = self.product(shape);
        if count == Some(0) || dtype.size == Some(0) {
            // It has no data, but an iteration over it may take unbounded time.
            let lens =
                self.values.items_of(shape).unwrap_or_default().iter().copied().take_while(|len| *len != Token::Int(0));
            let len = lens.map(|len| if let Token::Int(len) = len { len.unsigned_abs() } else { u32::MAX });
            self.values.add_cost(target, len.fold(1, u32::saturating_mul));
        }
        let fits = match data {
            Token::Bytes(_) | Token::Text(_) if dtype.kind == b'?' => count.is_some(),
            Token::Bytes(_) | Token::Text(_) => {
                // Below protocol 3 a text spells the bytes in Latin-1: numpy.core decodes it.
                let len = self.values.bytes_of(data).map_or(0, <[u8]>::len) as u64;
                let is_text = matches!(data, Token::Text(_));
                let needed = count.zip(dtype.size).and_then(|(count, size)| count.checked_mul(size));
                self.forget_numbers(dtype, data);
                !dtype.objects && needed.is_some_and(|needed| needed == len || is_text && needed <= len)
            }
            // Below protocol 3 no bytes are a call of `bytes`.
            Token::Object(_) => {
                count == Some(0) && !dtype.objects && self.name_of(self.class_of(data)) == "builtins.bytes"
            }
            Token::List(_) => {
                let len = self.values.len_of(data).unwrap_or(0) as u64;
                dtype.objects && count.is_some_and(|count| count <= len)
            }
            _ => false,
        };
        if !fits || !mask_is_data {
            self.suspect(Rule::State, "sets the state of an array whose data are not what its shape and type claim");
        }
    }

    /// The memory of an array of numbers holds no pickle that anybody reads.
    fn forget_numbers(&mut self, dtype: DType, data: Token) {
        if matches!(dtype.kind, b'f' | b'i' | b'u' | b'c' | b'M' | b'm' | b'b' | b'E') && dtype.size > Some(1) {
            let start = self.values.bytes_of(data).and_then(|data| data.first_chunk::<2>());
            if !matches!(start, Some([0x80, 0..=5]))
                && let Token::Bytes(number) | Token::Text(number) = data
            {
                self.numbers.insert(number);
            }
        }
    }

    /// `_reconstruct(class, shape, dtype)`, or `_mareconstruct` of two classes: an empty array, whose state follows.
    pub(super) fn check_reconstruct(&mut self, args: &[Token]) {
        const SMALL: u64 = 1 << 12;
        let &[_, .., shape, dtype] = args else { return };
        let is_code = self.values.bytes_of(dtype).is_some_and(|code| code.len() <= 4);
        if self.product(shape).is_none_or(|count| count > SMALL) || !is_code {
            self.suspect(Rule::Use, "makes an array whose size or type the pickle claims, without its data");
        }
    }

    /// `_frombuffer(buffer, dtype, shape, order)`: numbers over bytes.
    pub(super) fn check_from_buffer(&mut self, args: &[Token]) {
        let [buffer, dtype, rest @ ..] = args else {
            return self.suspect(Rule::Use, "makes an array of a buffer without its type");
        };
        let dtype = self.dtype_of(*dtype);
        let is_data = self.values.nature_of(*buffer).is_within(Nature::VALUE);
        if let Some(dtype) = dtype {
            self.forget_numbers(dtype, *buffer);
        }
        let has_shape = rest.first().is_some_and(|shape| self.product(*shape).is_some());
        if dtype.is_none_or(|dtype| dtype.objects && dtype.kind != b'?') || !is_data || !has_shape {
            self.suspect(Rule::Use, "makes an array of a buffer whose bytes would become pointers");
        }
    }

    /// `scalar(dtype, data)`.
    pub(super) fn check_scalar(&mut self, args: &[Token]) {
        let [dtype, data @ ..] = args else { return };
        let dtype = self.dtype_of(*dtype);
        let is_bytes = |data: &Token| matches!(data, Token::Bytes(_) | Token::Text(_));
        let fits = match (dtype, data) {
            (None, _) => false,
            (Some(dtype), [data]) if is_bytes(data) && dtype.kind != b'O' => {
                let len = self.values.bytes_of(*data).map_or(0, <[u8]>::len) as u64;
                !dtype.objects && dtype.size.is_none_or(|size| size <= len)
            }
            (Some(dtype), [_]) => dtype.objects,
            (Some(_), data) => data.is_empty(),
        };
        if !fits {
            self.suspect(Rule::Use, "makes a scalar of NumPy whose bytes would become pointers");
        }
    }
}

/// The type that a code such as `<f8` names.
fn read_code(code: &[u8]) -> DType {
    let code = code.trim_ascii();
    let plain = match code {
        [b'<' | b'>' | b'|' | b'=', rest @ ..] => rest,
        _ => code,
    };
    let known = |kind, size, objects| DType { kind, size: Some(size), objects, ..UNKNOWN };
    let Some((&kind, rest)) = plain.split_first() else { return UNKNOWN };
    let (digits, unit) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
    if number.is_none() && !digits.is_empty() {
        return UNKNOWN;
    }
    let has_unit = unit.first() == Some(&b'[') && unit.last() == Some(&b']') && !unit.contains(&b',');
    let is_whole = unit.is_empty() || has_unit && matches!(kind, b'M' | b'm');
    if !is_whole {
        return of_name(plain);
    }
    match (kind, number) {
        (b'O', None | Some(8 | 4)) => known(b'O', 8, true),
        (b'S' | b'a' | b'V', size) => known(if kind == b'V' { b'V' } else { b'S' }, size.unwrap_or(0), false),
        (b'U', count) if count < Some(1 << 28) => known(b'U', count.unwrap_or(0) * 4, false),
        (b'M' | b'm', None | Some(8)) => known(kind, 8, false),
        (b'f' | b'i' | b'u' | b'c' | b'b', Some(size @ (1 | 2 | 4 | 8 | 12 | 16 | 24 | 32))) => {
            known(kind, size, false)
        }
        (b'?' | b'b' | b'B', None) => known(b'b', 1, false),
        (b'h' | b'H', None) => known(b'i', 2, false),
        (b'e', None) => known(b'f', 2, false),
        (b'i' | b'I', None) => known(b'i', 4, false),
        (b'f', None) => known(b'f', 4, false),
        (b'l' | b'L' | b'q' | b'Q' | b'p' | b'P', None) => known(b'i', 8, false),
        (b'd', None) => known(b'f', 8, false),
        (b'F', None) => known(b'c', 8, false),
        (b'D', None) => known(b'c', 16, false),
        (b'g', None) => known(b'f', 16, false),
        (b'G', None) => known(b'c', 32, false),
        _ => UNKNOWN,
    }
}

/// The type that a name such as `float64` names.
fn of_name(name: &[u8]) -> DType {
    const NAMES: &[(&[u8], &[u8])] = &[
        (b"bool", b"?"),
        (b"int", b"i8"),
        (b"uint", b"u8"),
        (b"float", b"f8"),
        (b"complex", b"c16"),
        (b"object", b"O"),
        (b"str", b"U"),
        (b"bytes", b"S"),
        (b"void", b"V"),
    ];
    let name = name.strip_suffix(b"_").unwrap_or(name);
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return read_code(code);
    }
    let bits_at = name.iter().position(u8::is_ascii_digit).unwrap_or(name.len());
    let (stem, bits) = name.split_at(bits_at);
    let bits = str::from_utf8(bits).ok().and_then(|bits| bits.parse::<u64>().ok());
    let kind = match (stem, bits) {
        (b"int", Some(8 | 16 | 32 | 64)) => b'i',
        (b"uint", Some(8 | 16 | 32 | 64)) => b'u',
        (b"float", Some(16 | 32 | 64 | 96 | 128)) => b'f',
        (b"complex", Some(64 | 128 | 192 | 256)) => b'c',
        _ => return UNKNOWN,
    };
    DType { kind, size: bits.map(|bits| bits / 8), objects: false, ..UNKNOWN }
}

/// The type that a class stands for.
fn of_class(name: &str) -> DType {
    match name.split_once('.') {
        Some(("numpy", name)) if !name.contains('.') => match name {
            "record" | "void" => read_code(b"V"),
            name => of_name(name.as_bytes()),
        },
        Some(("builtins", "object")) => read_code(b"O"),
        Some(("ml_dtypes", name)) => {
            let size = if name == "bfloat16" { 2 } else { 1 };
            DType { kind: b'E', size: Some(size), objects: false, ..UNKNOWN }
        }
        Some((_, name)) if name == "records.record" || name.ends_with(".records.record") => read_code(b"V"),
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_name, read_code};

    fn size(code: &str) -> Option<(char, u64, bool)> {
        let dtype = read_code(code.as_bytes());
        dtype.size.map(|size| (dtype.kind as char, size, dtype.objects))
    }

    #[test]
    fn a_code_tells_the_kind_and_the_size_of_an_item() {
        assert_eq!(size("f8"), Some(('f', 8, false)));
        assert_eq!(size("d"), Some(('f', 8, false)));
        assert_eq!(size("<U5"), Some(('U', 20, false)));
        assert_eq!(size("M8[ns]"), Some(('M', 8, false)));
        assert_eq!(size("|O"), Some(('O', 8, true)));
        assert_eq!(size("float64"), Some(('f', 8, false)));
        assert_eq!(of_name(b"object").size, Some(8));
        for code in ["", "f8,O", "(2,)O", "f8,f8", "U99999999999999999999"] {
            assert_eq!(size(code), None, "{code}");
        }
    }
}
