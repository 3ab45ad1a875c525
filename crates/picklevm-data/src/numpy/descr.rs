//! Records as Python writes them: `[('a', '<i4'), ('v', '<f4', (2,))]`, and the literals that .npy files begin with.

use std::fmt::{self, Write};

use picklevm::ops::repr;

use super::dtype::{ByteOrder, DType, DTypeKind, Field};
use crate::error::{Error, Result};

/// How deep records may be nested in each other.
pub(crate) const MAX_DEPTH: usize = 32;

/// Writes a record or a subarray as `str(dtype)` does.
pub(crate) fn write(dtype: &DType, out: &mut impl Write) -> fmt::Result {
    match &dtype.kind {
        DTypeKind::Subarray { base, shape } => {
            out.write_char('(')?;
            write_arg(base, out)?;
            write!(out, ", {})", Tuple(shape))
        }
        DTypeKind::Record { fields, aligned } if *aligned || !is_packed(dtype) => {
            write_dict(fields, dtype, *aligned, out)
        }
        DTypeKind::Record { fields, .. } => write_list(fields, out),
        _ => write!(out, "'{dtype}'"),
    }
}

fn write_arg(dtype: &DType, out: &mut impl Write) -> fmt::Result {
    match &dtype.kind {
        DTypeKind::Object => out.write_str("'O'"),
        _ => write(dtype, out),
    }
}

/// Whether the fields lie one after the other without gaps.
fn is_packed(dtype: &DType) -> bool {
    let mut end = 0;
    dtype.fields().iter().all(|field| std::mem::replace(&mut end, field.offset + field.dtype.size) == field.offset)
        && end == dtype.size
}

/// A field's type without the shape of a subarray, and the shape.
fn parts(dtype: &DType) -> (&DType, &[usize]) {
    match &dtype.kind {
        DTypeKind::Subarray { base, shape } => (base, shape),
        _ => (dtype, &[]),
    }
}

fn write_list(fields: &[Field], out: &mut impl Write) -> fmt::Result {
    out.write_char('[')?;
    for (at, field) in fields.iter().enumerate() {
        out.write_str(if at > 0 { ", (" } else { "(" })?;
        match &field.title {
            Some(title) => write!(out, "({}, {})", Quoted(title), Quoted(&field.name))?,
            None => write!(out, "{}", Quoted(&field.name))?,
        }
        let (base, shape) = parts(&field.dtype);
        out.write_str(", ")?;
        write_arg(base, out)?;
        if !shape.is_empty() {
            write!(out, ", {}", Tuple(shape))?;
        }
        out.write_char(')')?;
    }
    out.write_char(']')
}

fn write_dict(fields: &[Field], dtype: &DType, aligned: bool, out: &mut impl Write) -> fmt::Result {
    let list = |out: &mut dyn Write, item: &dyn Fn(&Field, &mut dyn Write) -> fmt::Result| {
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                out.write_str(", ")?;
            }
            item(field, out)?;
        }
        Ok(())
    };
    out.write_str("{'names': [")?;
    list(out, &|field, out| write!(out, "{}", Quoted(&field.name)))?;
    out.write_str("], 'formats': [")?;
    list(out, &|field, mut out| {
        let (base, shape) = parts(&field.dtype);
        if shape.is_empty() {
            return write_arg(base, &mut out);
        }
        out.write_char('(')?;
        write_arg(base, &mut out)?;
        write!(out, ", {})", Tuple(shape))
    })?;
    out.write_str("], 'offsets': [")?;
    list(out, &|field, out| write!(out, "{}", field.offset))?;
    if fields.iter().any(|field| field.title.is_some()) {
        out.write_str("], 'titles': [")?;
        list(out, &|field, out| match &field.title {
            Some(title) => write!(out, "{}", Quoted(title)),
            None => out.write_str("None"),
        })?;
    }
    write!(out, "], 'itemsize': {}", dtype.size)?;
    out.write_str(if aligned { ", 'aligned': True}" } else { "}" })
}

/// The `descr` of a .npy header: gaps between fields are nameless fields of `V`.
///
/// # Errors
///
/// If NumPy has no such description: overlapping fields, types that are not its own.
pub(crate) fn npy_descr(dtype: &DType) -> Result<String> {
    let mut out = String::new();
    write_npy(dtype, &mut out)?;
    Ok(out)
}

fn write_npy(dtype: &DType, out: &mut String) -> Result<()> {
    match &dtype.kind {
        DTypeKind::Record { fields, .. } => {
            out.push('[');
            let mut end = 0;
            let gap = |from: usize, to: usize, out: &mut String| {
                if to > from {
                    let _ = write!(out, "('', '|V{}'), ", to - from);
                }
            };
            for field in fields {
                if field.offset < end {
                    return Err(Error::unsupported(
                        "a record whose fields overlap or are out of order has no .npy form",
                    ));
                }
                gap(end, field.offset, out);
                end = field.offset + field.dtype.size;
                let _ = match &field.title {
                    Some(title) => write!(out, "(({}, {}), ", Quoted(title), Quoted(&field.name)),
                    None => write!(out, "({}, ", Quoted(&field.name)),
                };
                let (base, shape) = parts(&field.dtype);
                write_npy(base, out)?;
                if !shape.is_empty() {
                    let _ = write!(out, ", {}", Tuple(shape));
                }
                out.push_str("), ");
            }
            gap(end, dtype.size, out);
            out.push(']');
        }
        DTypeKind::Object => out.push_str("'|O'"),
        DTypeKind::Small(small) => {
            return Err(Error::unsupported(format!(".npy has no type for {}", small.0.name)));
        }
        DTypeKind::String(_) => return Err(Error::unsupported(".npy has no type for StringDType")),
        DTypeKind::Subarray { .. } => return Err(Error::unsupported(".npy has no type for an array of subarrays")),
        _ => {
            let _ = write!(out, "'{dtype}'");
        }
    }
    Ok(())
}

/// A Python literal: what a .npy header is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    None,
    Bool(bool),
    Int(i64),
    Str(String),
    List(Vec<Literal>),
    Tuple(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

/// Reads a literal.
pub(crate) fn literal(text: &str) -> Option<Literal> {
    let mut rest = text;
    let literal = read(&mut rest, MAX_DEPTH)?;
    rest.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty().then_some(literal)
}

fn read(rest: &mut &str, depth: usize) -> Option<Literal> {
    *rest = rest.trim_start();
    let first = rest.chars().next()?;
    match first {
        '[' | '(' | '{' => {
            let depth = depth.checked_sub(1)?;
            *rest = &rest[1..];
            let close = match first {
                '[' => ']',
                '(' => ')',
                _ => '}',
            };
            let (mut items, mut pairs, mut commas) = (Vec::new(), Vec::new(), 0);
            loop {
                *rest = rest.trim_start();
                if let Some(after) = rest.strip_prefix(close) {
                    *rest = after;
                    return Some(match first {
                        '[' => Literal::List(items),
                        // One item in parentheses is no tuple.
                        '(' if items.len() == 1 && commas == 0 => items.pop()?,
                        '(' => Literal::Tuple(items),
                        _ => Literal::Dict(pairs),
                    });
                }
                let item = read(rest, depth)?;
                *rest = rest.trim_start();
                if first == '{' {
                    *rest = rest.strip_prefix(':')?;
                    pairs.push((item, read(rest, depth)?));
                    *rest = rest.trim_start();
                } else {
                    items.push(item);
                }
                match rest.strip_prefix(',') {
                    Some(after) => (*rest, commas) = (after, commas + 1),
                    None if !rest.starts_with(close) => return None,
                    None => {}
                }
            }
        }
        '\'' | '"' => {
            let mut out = String::new();
            let mut characters = rest.char_indices().skip(1);
            loop {
                match characters.next()? {
                    (at, c) if c == first => {
                        *rest = &rest[at + 1..];
                        return Some(Literal::Str(out));
                    }
                    (_, '\\') => match characters.next()?.1 {
                        'n' => out.push('\n'),
                        't' => out.push('\t'),
                        'r' => out.push('\r'),
                        marker @ ('x' | 'u' | 'U') => {
                            let digits = match marker {
                                'x' => 2,
                                'u' => 4,
                                _ => 8,
                            };
                            let code: String = characters.by_ref().take(digits).map(|(_, c)| c).collect();
                            out.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                        }
                        c => out.push(c),
                    },
                    (_, c) => out.push(c),
                }
            }
        }
        // The prefixes of Python 2 and the letter behind its long integers.
        'u' | 'b' if rest[1..].starts_with(['\'', '"']) => {
            *rest = &rest[1..];
            read(rest, depth)
        }
        _ => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            Some(match word {
                "None" => Literal::None,
                "True" => Literal::Bool(true),
                "False" => Literal::Bool(false),
                number => Literal::Int(number.trim_end_matches('L').parse().ok()?),
            })
        }
    }
}

impl Literal {
    /// The value of a key of a dict.
    pub(crate) fn get(&self, key: &str) -> Option<&Literal> {
        let Literal::Dict(pairs) = self else { return None };
        pairs.iter().find(|(k, _)| matches!(k, Literal::Str(k) if k == key)).map(|(_, value)| value)
    }

    /// A tuple of lengths.
    pub(crate) fn shape(&self) -> Option<Vec<usize>> {
        let one = |literal: &Literal| match literal {
            Literal::Int(int) => usize::try_from(*int).ok(),
            _ => None,
        };
        match self {
            Literal::Tuple(items) | Literal::List(items) => items.iter().map(one).collect(),
            int => one(int).map(|int| vec![int]),
        }
    }

    /// The type that a `descr` stands for.
    pub(crate) fn dtype(&self) -> Option<DType> {
        match self {
            Literal::Str(text) => DType::parse(text),
            Literal::List(items) => {
                let mut fields = Vec::new();
                let mut offset = 0usize;
                for item in items {
                    let Literal::Tuple(parts) = item else { return None };
                    let (title, name) = match parts.first()? {
                        Literal::Str(name) => (None, name.clone()),
                        Literal::Tuple(both) => match &both[..] {
                            [Literal::Str(title), Literal::Str(name)] => (Some(title.clone()), name.clone()),
                            _ => return None,
                        },
                        _ => return None,
                    };
                    let mut dtype = parts.get(1)?.dtype()?;
                    if let Some(shape) = parts.get(2) {
                        dtype = subarray(dtype, shape.shape()?)?;
                    }
                    let size = dtype.size;
                    if !name.is_empty() {
                        fields.push(Field { name, title, offset, dtype });
                    }
                    offset = offset.checked_add(size)?;
                }
                let kind = DTypeKind::Record { fields, aligned: false };
                Some(DType { kind, size: offset, order: ByteOrder::None })
            }
            _ => None,
        }
    }
}

/// The type of several elements.
pub(crate) fn subarray(base: DType, shape: Vec<usize>) -> Option<DType> {
    let count = shape.iter().try_fold(1usize, |count, len| count.checked_mul(*len))?;
    let size = count.checked_mul(base.size)?;
    Some(DType { kind: DTypeKind::Subarray { base: Box::new(base), shape }, size, order: ByteOrder::None })
}

/// A string in Python's quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        repr::Str(self.0.into()).fmt(f)
    }
}

/// A shape as Python writes it.
pub(crate) struct Tuple<'a>(pub(crate) &'a [usize]);

impl fmt::Display for Tuple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [one] => write!(f, "({one},)"),
            several => write!(f, "({})", several.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_the_list_that_makes_it() {
        let text = "[('a', '<i4'), ('v', '<f4', (2,)), ('p', [('x', '<i2')])]";
        let dtype = literal(text).unwrap().dtype().unwrap();
        assert_eq!(dtype.to_string(), text);
        assert_eq!(dtype.size(), 14);
    }

    #[test]
    fn nameless_fields_are_gaps() {
        let dtype = literal("[('a', '|i1'), ('', '|V7'), ('b', '<f8')]").unwrap().dtype().unwrap();
        let text = "{'names': ['a', 'b'], 'formats': ['|i1', '<f8'], 'offsets': [0, 8], 'itemsize': 16}";
        assert_eq!(dtype.to_string(), text);
        assert_eq!(npy_descr(&dtype).unwrap(), "[('a', '|i1'), ('', '|V7'), ('b', '<f8'), ]");
    }

    #[test]
    fn a_deep_literal_is_refused() {
        assert_eq!(literal(&"[".repeat(100_000)), None);
    }
}
