//! Text as Python's numbers read it: digits and whitespace of all scripts, and underscores.

use std::borrow::Cow;

/// The zeros of the decimal digits of Unicode 17 outside ASCII. The other nine follow each.
const ZEROS: [u32; 76] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50,
    0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// Returns whether `str.isspace` is true.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// Returns the ASCII character that CPython reads for a character of a number: a digit, a space, or itself.
fn as_ascii(c: char) -> char {
    match c {
        _ if c.is_ascii() => c,
        _ if is_space(c) => ' ',
        _ => {
            let before = ZEROS.partition_point(|zero| *zero <= c as u32);
            let value = before.checked_sub(1).map(|at| c as u32 - ZEROS[at]);
            value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
        }
    }
}

fn transformed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { text.chars().map(as_ascii).collect::<String>().into() }
}

/// Returns the text that `int`, `float` and `complex` read, without surrounding whitespace.
pub(super) fn number_text(text: &str) -> Cow<'_, str> {
    let is_ascii_space = |c: char| matches!(c, '\t'..='\r' | ' ');
    match transformed(text) {
        Cow::Borrowed(text) => text.trim_matches(is_ascii_space).into(),
        Cow::Owned(text) => text.trim_matches(is_space).to_owned().into(),
    }
}

/// Returns the text that `decimal.Decimal` and `fractions.Fraction` read, without surrounding whitespace.
pub(super) fn stripped_text(text: &str) -> Cow<'_, str> {
    transformed(text.trim_matches(is_space))
}

/// Removes the underscores between digits; returns `None` if there are others.
pub(super) fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(text.into());
    }
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let is_between = |(at, _): (usize, &str)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    text.match_indices('_').all(is_between).then(|| text.replace('_', "").into())
}

/// Parses a hexadecimal integer like `int(text, 16)`; `None` if it is negative or has more than 128 bits.
pub(super) fn hexadecimal(text: &str) -> Option<u128> {
    let text = number_text(text);
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let prefixed = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"));
    // An underscore may follow the prefix.
    let digits = prefixed.map_or(unsigned, |digits| digits.strip_prefix('_').unwrap_or(digits));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !digits.split('_').all(is_number) {
        return None;
    }
    u128::from_str_radix(&digits.replace('_', ""), 16).ok().filter(|number| !is_negative || *number == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_other_scripts_become_ascii() {
        assert_eq!(stripped_text("\u{1c}\u{661}\u{1d7ff}.\u{ff10}\u{3000}"), "19.0");
        assert_eq!(number_text("\u{660}\u{669}"), "09");
        // A Roman numeral and a superscript are numeric, but no decimal digits.
        assert_eq!(stripped_text("\u{2168}\u{b2}"), "\u{2168}\u{b2}");
    }

    #[test]
    fn int_strips_other_whitespace_than_decimal() {
        assert_eq!((number_text("\x1c5"), stripped_text("\x1c5")), ("\x1c5".into(), "5".into()));
        assert_eq!((number_text("\u{85}5\t"), stripped_text("\u{85}5\t")), ("5".into(), "5".into()));
    }

    #[test]
    fn underscores_are_allowed_between_digits_only() {
        assert_eq!(without_underscores("1_0.2_5").as_deref(), Some("10.25"));
        for text in ["_1", "1_", "1__0", "1_.5", "1._5", "+_1", "1e_5"] {
            assert_eq!(without_underscores(text), None, "{text}");
        }
    }
}
