//! Integers written as text.

use std::borrow::Cow;

/// The checked operand of INT or LONG: an integer literal in the syntax of Python's `int(text, 0)`.
///
/// It may be surrounded by whitespace, contain underscores between digits, and be hexadecimal, octal or binary. A
/// decimal other than zero does not begin with zero. For INT, `00` and `01` are booleans; for LONG, the text may end
/// with `L`.
///
/// ```
/// use picklevm_ops::{IntValue, Number};
///
/// assert_eq!(Number::int(b"-42").unwrap().value(), IntValue::Small(-42));
/// assert_eq!(Number::int(b"01").unwrap().value(), IntValue::Bool(true));
/// assert_eq!(Number::long(b"0x_ffL").unwrap().value(), IntValue::Small(255));
/// assert!(Number::int(b"010").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number<'a> {
    text: &'a [u8],
    value: Parsed,
}

/// What the check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Parsed {
    Bool(bool),
    Small(i64),
    Big,
}

/// The value of a [`Number`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IntValue<'a> {
    /// A boolean: `00` or `01` after INT.
    Bool(bool),
    /// An integer that fits into 64 bits.
    Small(i64),
    /// A larger integer.
    Big {
        /// Whether it is negative.
        negative: bool,
        /// The base of `digits`: 2, 8, 10 or 16.
        radix: u32,
        /// The digits in ASCII, most significant first, without sign, prefix and underscores.
        digits: Cow<'a, [u8]>,
    },
}

impl<'a> Number<'a> {
    /// Returns the operand of INT if `text` (without the newline) is valid.
    #[inline]
    pub fn int(text: &'a [u8]) -> Option<Self> {
        let value = match text {
            b"00" => Parsed::Bool(false),
            b"01" => Parsed::Bool(true),
            _ => Parsed::of(&Literal::parse(text, Base::Prefixed)?),
        };
        Some(Number { text, value })
    }

    /// Returns the operand of LONG if `text` (without the newline) is valid.
    #[inline]
    pub fn long(text: &'a [u8]) -> Option<Self> {
        let value = Parsed::of(&Literal::parse(without_suffix(text), Base::Prefixed)?);
        Some(Number { text, value })
    }

    /// Returns the text as it is in the pickle.
    pub fn text(self) -> &'a [u8] {
        self.text
    }

    /// Returns the value.
    #[inline]
    pub fn value(self) -> IntValue<'a> {
        match self.value {
            Parsed::Bool(value) => IntValue::Bool(value),
            Parsed::Small(value) => IntValue::Small(value),
            Parsed::Big => self.big(),
        }
    }

    #[cold]
    fn big(self) -> IntValue<'a> {
        match Literal::parse(without_suffix(self.text), Base::Prefixed) {
            Some(literal) => literal.value(),
            None => IntValue::Small(0), // The text was checked.
        }
    }
}

impl Parsed {
    fn of(literal: &Literal<'_>) -> Self {
        literal.small.map_or(Parsed::Big, Parsed::Small)
    }
}

/// Removes the `L` that Python 2 writes after the digits of LONG.
pub(crate) fn without_suffix(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"L").unwrap_or(text)
}

/// A parsed integer literal.
pub(crate) struct Literal<'a> {
    negative: bool,
    radix: u32,
    digits: &'a [u8],
    pub(crate) small: Option<i64>,
}

/// The accepted syntax of literals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// `int(text)`: decimals, with or without leading zeros.
    Ten,
    /// `int(text, 0)`: decimals and the prefixes of Python's literals.
    Prefixed,
}

impl<'a> Literal<'a> {
    /// Parses a literal like CPython's `PyLong_FromString`.
    pub(crate) fn parse(text: &'a [u8], base: Base) -> Option<Self> {
        let text = trim(text);
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let (radix, digits) = match (base, text) {
            (Base::Prefixed, [b'0', letter, rest @ ..]) if prefix(*letter).is_some() => {
                (prefix(*letter)?, rest.strip_prefix(b"_").unwrap_or(rest))
            }
            _ => (10, text),
        };
        let magnitude = Magnitude::of(digits, radix)?;
        if base == Base::Prefixed && radix == 10 && digits[0] == b'0' && magnitude != Magnitude::Small(0) {
            return None;
        }
        let small = match magnitude {
            Magnitude::Small(value) if negative => 0i64.checked_sub_unsigned(value),
            Magnitude::Small(value) => i64::try_from(value).ok(),
            Magnitude::Big => None,
        };
        Some(Literal { negative, radix, digits, small })
    }

    /// Returns the integer as a memo index.
    pub(crate) fn index(&self) -> Option<u64> {
        match Magnitude::of(self.digits, self.radix)? {
            Magnitude::Small(value) if !self.negative || value == 0 => Some(value),
            _ => None,
        }
    }

    pub(crate) fn value(&self) -> IntValue<'a> {
        if let Some(value) = self.small {
            return IntValue::Small(value);
        }
        let digits = if self.digits.contains(&b'_') {
            Cow::Owned(self.digits.iter().copied().filter(|&byte| byte != b'_').collect())
        } else {
            Cow::Borrowed(self.digits)
        };
        IntValue::Big { negative: self.negative, radix: self.radix, digits }
    }
}

fn prefix(letter: u8) -> Option<u32> {
    match letter {
        b'x' | b'X' => Some(16),
        b'o' | b'O' => Some(8),
        b'b' | b'B' => Some(2),
        _ => None,
    }
}

#[derive(PartialEq, Eq)]
enum Magnitude {
    Small(u64),
    Big,
}

impl Magnitude {
    /// Parses one or more digits, which single underscores may separate.
    fn of(digits: &[u8], radix: u32) -> Option<Self> {
        let mut value = Some(0u64);
        let mut after_digit = false;
        for &byte in digits {
            if byte == b'_' {
                if !after_digit {
                    return None;
                }
                after_digit = false;
                continue;
            }
            let digit = (byte as char).to_digit(radix)?;
            value = value
                .and_then(|value| value.checked_mul(radix.into()))
                .and_then(|value| value.checked_add(digit.into()));
            after_digit = true;
        }
        after_digit.then_some(value.map_or(Magnitude::Big, Magnitude::Small))
    }
}

/// Removes surrounding whitespace, as defined by `Py_ISSPACE`.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
