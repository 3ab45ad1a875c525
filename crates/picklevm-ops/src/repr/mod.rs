//! Floats, text and bytes as Python's `repr` writes them.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;

use crate::operand::Text;

mod printable;

/// A float: the shortest digits that read back the same, with an exponent where Python has one.
///
/// ```
/// use picklevm_ops::repr::Float;
///
/// assert_eq!(Float(1.0).to_string(), "1.0");
/// assert_eq!(Float(1e16).to_string(), "1e+16");
/// assert_eq!(Float(f64::NEG_INFINITY).to_string(), "-inf");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Float(pub f64);

impl Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value.is_nan() {
            return f.write_str("nan");
        }
        if value.is_infinite() {
            return f.write_str(if value < 0.0 { "-inf" } else { "inf" });
        }
        // CPython's `float_repr_style`: no exponent for 1e-4 <= |value| < 1e16.
        if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
            let point = if value.fract() == 0.0 { ".0" } else { "" };
            return write!(f, "{value}{point}");
        }
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |exponent| ("-", exponent));
        write!(f, "{digits}e{sign}{exponent:0>2}")
    }
}

/// Text: in single quotes unless double ones save escapes; what is not printable escaped, surrogates too.
///
/// ```
/// use picklevm_ops::repr::Str;
///
/// assert_eq!(Str("it's\n€".into()).to_string(), r#""it's\n€""#);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Str<'a>(pub Text<'a>);

impl Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = Quote::around(self.0.as_bytes());
        f.write_char(quote.0)?;
        for code in self.0.code_points() {
            quote.write_code_point(f, code)?;
        }
        f.write_char(quote.0)
    }
}

/// Bytes that are text in Latin-1, quoted like [`Str`].
///
/// ```
/// use picklevm_ops::repr::Latin1;
///
/// assert_eq!(Latin1(b"\xe9\xff\x80").to_string(), r"'éÿ\x80'");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Latin1<'a>(pub &'a [u8]);

impl Display for Latin1<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = Quote::around(self.0);
        f.write_char(quote.0)?;
        for &byte in self.0 {
            quote.write_code_point(f, byte.into())?;
        }
        f.write_char(quote.0)
    }
}

/// Bytes, as Python 3 writes them.
///
/// ```
/// use picklevm_ops::repr::Bytes;
///
/// assert_eq!(Bytes(b"\x00a\xff").to_string(), r"b'\x00a\xff'");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('b')?;
        EightBit(self.0).fmt(f)
    }
}

/// An 8-bit string, as Python 2 writes it.
///
/// ```
/// use picklevm_ops::repr::EightBit;
///
/// assert_eq!(EightBit(b"\x00a\xff").to_string(), r"'\x00a\xff'");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct EightBit<'a>(pub &'a [u8]);

impl Display for EightBit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = Quote::around(self.0);
        f.write_char(quote.0)?;
        for &byte in self.0 {
            quote.write_ascii(f, byte)?;
        }
        f.write_char(quote.0)
    }
}

/// The quotes around a string.
#[derive(Clone, Copy)]
struct Quote(char);

impl Quote {
    fn around(bytes: &[u8]) -> Self {
        let double = bytes.contains(&b'\'') && !bytes.contains(&b'"');
        Quote(if double { '"' } else { '\'' })
    }

    fn write_code_point(self, f: &mut fmt::Formatter<'_>, code: u32) -> fmt::Result {
        match char::from_u32(code) {
            Some('\0'..='\x7f') => self.write_ascii(f, code as u8),
            Some(c) if is_printable(code) => f.write_char(c),
            _ if code <= 0xff => write!(f, "\\x{code:02x}"),
            _ if code <= 0xffff => write!(f, "\\u{code:04x}"),
            _ => write!(f, "\\U{code:08x}"),
        }
    }

    fn write_ascii(self, f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
        match byte {
            b'\n' => f.write_str("\\n"),
            b'\r' => f.write_str("\\r"),
            b'\t' => f.write_str("\\t"),
            b'\\' => f.write_str("\\\\"),
            _ if char::from(byte) == self.0 => write!(f, "\\{}", self.0),
            b' '..=b'~' => f.write_char(byte.into()),
            _ => write!(f, "\\x{byte:02x}"),
        }
    }
}

/// Whether `repr` writes the code point as it is: Python's `str.isprintable`.
fn is_printable(code: u32) -> bool {
    let after = printable::UNPRINTABLE.partition_point(|&(first, _)| first <= code);
    after == 0 || printable::UNPRINTABLE[after - 1].1 < code
}

/// Appends what `value` displays.
pub(crate) fn write_to_vec(out: &mut Vec<u8>, value: impl Display) {
    // Writing to a `Vec` does not fail.
    let _ = write!(out, "{value}");
}
