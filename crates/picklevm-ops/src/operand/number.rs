//! Integers written in text.

use std::borrow::Cow;

/// The operand of INT or LONG: an integer literal that was checked, as Python's `int(text, 0)` reads it.
///
/// Whitespace may surround it, underscores may stand between its digits, and it may be hexadecimal, octal or binary.
/// A decimal does not begin with zero, but for zero itself. INT has two texts of its own, `00` and `01`, that are
/// booleans; LONG may end with `L`.
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

/// What was understood while checking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Parsed {
    Bool(bool),
    Small(i64),
    Big,
}

/// What a [`Number`] says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IntValue<'a> {
    /// A boolean: `00` or `01` after INT.
    Bool(bool),
    /// An integer that fits.
    Small(i64),
    /// An integer that does not.
    Big {
        /// Whether it is below zero.
        negative: bool,
        /// The base of `digits`: 2, 8, 10 or 16.
        radix: u32,
        /// The digits in ASCII, the most significant first, without sign, prefix and underscores.
        digits: Cow<'a, [u8]>,
    },
}

impl<'a> Number<'a> {
    /// The operand of INT that `text` (without the newline) is, if it is one.
    #[inline]
    pub fn int(text: &'a [u8]) -> Option<Self> {
        let value = match text {
            b"00" => Parsed::Bool(false),
            b"01" => Parsed::Bool(true),
            _ => Parsed::of(&Literal::parse(text, Base::Prefixed)?),
        };
        Some(Number { text, value })
    }

    /// The operand of LONG that `text` (without the newline) is, if it is one.
    #[inline]
    pub fn long(text: &'a [u8]) -> Option<Self> {
        let value = Parsed::of(&Literal::parse(without_suffix(text), Base::Prefixed)?);
        Some(Number { text, value })
    }

    /// The text, as it lies in the pickle.
    pub fn text(self) -> &'a [u8] {
        self.text
    }

    /// What it says.
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

/// LONG's text without the `L` that Python 2 ended it with.
pub(crate) fn without_suffix(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"L").unwrap_or(text)
}

/// An integer literal taken apart.
pub(crate) struct Literal<'a> {
    negative: bool,
    radix: u32,
    digits: &'a [u8],
    pub(crate) small: Option<i64>,
}

/// Which literals are integers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// `int(text)`: decimals, leading zeros or not.
    Ten,
    /// `int(text, 0)`: decimals and the prefixes of Python's literals.
    Prefixed,
}

impl<'a> Literal<'a> {
    /// As CPython's `PyLong_FromString`.
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

    /// The integer as an index.
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
    /// The value of one digit or more; single underscores may separate them.
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

/// Without the whitespace around it, as `Py_ISSPACE` knows it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}
