//! Keys and names as text.

use picklevm::{Kind, Value};

/// Bytes as text: UTF-8, or else Latin-1.
pub(crate) fn text_of_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// A key as Python writes it. Only short keys are written out: tuples to a depth of eight.
pub(crate) fn repr(value: Value<'_>) -> String {
    let mut out = String::new();
    write_repr(value, 8, &mut out);
    out
}

fn write_repr(value: Value<'_>, depth: usize, out: &mut String) {
    use picklevm::ops::repr;
    match value.kind() {
        Kind::None => out.push_str("None"),
        Kind::Bool(true) => out.push_str("True"),
        Kind::Bool(false) => out.push_str("False"),
        Kind::Int(int) => out.push_str(&int.to_string()),
        Kind::Float(float) => out.push_str(&repr::Float(float).to_string()),
        Kind::Str(text) => out.push_str(&repr::Str(text).to_string()),
        Kind::ByteStr(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => out.push_str(&repr::Str(text.into()).to_string()),
            Err(_) => out.push_str(&repr::Bytes(bytes).to_string()),
        },
        Kind::Bytes(bytes) => out.push_str(&repr::Bytes(bytes).to_string()),
        Kind::Tuple(items) if depth > 0 => {
            out.push('(');
            for (at, item) in items.enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_repr(item, depth - 1, out);
            }
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        _ => out.push_str(&cut(format!("{value:?}"))),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
