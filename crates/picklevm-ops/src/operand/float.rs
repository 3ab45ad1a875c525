//! Floats written as text.

use super::number::trim;
use crate::buffer::Out;
use crate::repr;

/// Parses a float like Python's `float(text)`: surrounding whitespace, underscores between digits, and `inf`,
/// `infinity` and `nan` in any case are accepted.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(trim(text)).ok()?;
    if !text.contains('_') {
        return text.parse().ok();
    }
    let mut plain = String::with_capacity(text.len());
    let bytes = text.as_bytes();
    for (i, c) in text.char_indices() {
        if c != '_' {
            plain.push(c);
            continue;
        }
        let between_digits = i > 0 && bytes[i - 1].is_ascii_digit() && bytes.get(i + 1).is_some_and(u8::is_ascii_digit);
        if !between_digits {
            return None;
        }
    }
    plain.parse().ok()
}

/// Writes a float like C's `%.17g`, as the cPickle of Python 2 does; a negative NaN keeps its sign here too.
pub(crate) fn write_17_digits(value: f64, out: &mut impl Out) {
    if !value.is_finite() {
        return write(value, out);
    }
    let text = format!("{value:.16e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let text =
        if (-4..17).contains(&exponent) { format!("{value:.*}", (16 - exponent) as usize) } else { digits.to_owned() };
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    out.put_all(trimmed.as_bytes());
    if !(-4..17).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        out.put_all(format!("e{sign}{:02}", exponent.unsigned_abs()).as_bytes());
    }
}

/// Writes a float like Python's `repr(float)`, but a negative NaN keeps its sign, which `float` reads.
pub(crate) fn write(value: f64, out: &mut impl Out) {
    if value.is_nan() && value.is_sign_negative() {
        out.put(*b"-");
    }
    out.put_all(repr::Float(value).to_string().as_bytes());
}
