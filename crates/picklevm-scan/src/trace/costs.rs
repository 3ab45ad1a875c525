//! Short arguments that cost a call unbounded time.

use crate::shadow::Values;
use crate::token::Token;

/// Digits of a number in text: Python refuses longer ones since 3.11.
const DIGITS: usize = 4300;
/// The longest regular expression, and the characters of its sets: compiling goes through each of them.
const PATTERN: usize = 1 << 14;
const CHARACTERS: usize = 5 << 20;
/// The greatest number that a call may take for a size.
const COUNT: i32 = 1 << 20;
/// The longest name of something that Python looks up part by part.
const LABEL: usize = 256;
/// The characters there are.
const ALL: usize = 0x11_0000;

/// Whether a value is a number, or a text of one, that is short.
pub(super) fn is_number(values: &Values<'_>, token: Token) -> bool {
    match token {
        Token::None | Token::Bool(_) | Token::Int(_) | Token::Number(_) => true,
        Token::Text(_) | Token::Bytes(_) => values.bytes_of(token).is_some_and(|text| text.len() <= DIGITS),
        _ => false,
    }
}

/// Whether a value is a number, or the text of a fraction whose exponent is small.
pub(super) fn is_rational(values: &Values<'_>, token: Token) -> bool {
    let Token::Text(_) = token else { return is_number(values, token) && !matches!(token, Token::Bytes(_)) };
    let Some(text) = values.text_of(token) else { return false };
    let exponent = text.split(['e', 'E']).nth(1).map_or(0, str::len);
    text.len() <= DIGITS && exponent <= 4
}

/// Whether a value is a number that may be the size of something.
pub(super) fn is_count(token: Token) -> bool {
    matches!(token, Token::None | Token::Bool(_)) || matches!(token, Token::Int(count) if count <= COUNT)
}

/// Whether a value is a short text, such as the name of a logger.
pub(super) fn is_label(values: &Values<'_>, token: Token) -> bool {
    matches!(token, Token::None) || values.bytes_of(token).is_some_and(|text| text.len() <= LABEL)
}

/// The characters that compiling a regular expression goes through, or nothing for the number of its flags; `None` if there are
/// too many or it is neither.
pub(super) fn pattern_cost(values: &Values<'_>, token: Token) -> Option<u64> {
    if matches!(token, Token::Int(_) | Token::Bool(_)) {
        return Some(0);
    }
    let text = values.text_of(token)?;
    // A range of a set is gone through character by character.
    let mut characters = 0usize;
    let mut rest: &str = &text;
    while let Some((_, after)) = rest.split_once('-') {
        characters += match after.chars().next() {
            Some('\\') if after.starts_with("\\U") || after.starts_with("\\N") => ALL,
            Some('\\') if after.starts_with("\\u") => 0x1_0000,
            Some(c) if u32::from(c) > 0xff => u32::from(c) as usize,
            _ => 0,
        };
        rest = after;
    }
    (text.len() <= PATTERN && characters <= CHARACTERS).then_some(characters as u64)
}
