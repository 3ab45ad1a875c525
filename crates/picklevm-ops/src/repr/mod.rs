//! Floats, text and bytes in the notation of Python's `repr`.

use std::fmt::{self, Display, Write as _};

use crate::text::{Text, split_code_point};

mod printable;

/// A float: the shortest digits that read back the same, with an exponent where Python writes one.
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
        let text = half_even(value).unwrap_or_else(|| format!("{value:e}"));
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        // CPython writes an exponent if the decimal point would be far from the digits.
        if !(-4..16).contains(&exponent) {
            let sign = if exponent < 0 { '-' } else { '+' };
            return write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs());
        }
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
        let digits = digits.replacen('.', "", 1);
        match usize::try_from(exponent) {
            Ok(exponent) if exponent + 1 < digits.len() => {
                write!(f, "{sign}{}.{}", &digits[..exponent + 1], &digits[exponent + 1..])
            }
            Ok(exponent) => write!(f, "{sign}{digits:0<0$}.0", exponent + 1),
            Err(_) => write!(f, "{sign}0.{:0>1$}", digits, digits.len() + exponent.unsigned_abs() as usize - 1),
        }
    }
}

/// Returns the shortest digits if two candidates are equally near: CPython's `dtoa` takes the even one, Rust the upper
/// one.
fn half_even(value: f64) -> Option<String> {
    // Only numbers with few binary places are half way between decimals of at most 17 digits.
    if value.abs() < 2f64.powi(53) && (value * 2f64.powi(17)).fract() != 0.0 {
        return None;
    }
    let shortest = format!("{value:e}");
    let (digits, exponent) = shortest.split_once('e')?;
    let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
    // Different decimals of up to 15 digits are different numbers.
    if places < 14 {
        return None;
    }
    // With one more digit the decimal is exact, and that digit is 5.
    let exact = format!("{value:.*e}", places + 1);
    let (longer, _) = exact.split_once('e')?;
    let lower = longer.strip_suffix('5')?.trim_end_matches('.');
    let all = format!("{value:.*e}", places + 100);
    if !all.split_once('e')?.0.strip_prefix(longer)?.bytes().all(|digit| digit == b'0') {
        return None;
    }
    let even = format!("{lower}e{exponent}");
    let is_even = lower.bytes().next_back().is_some_and(|digit| digit.is_ascii_digit() && digit % 2 == 0);
    (is_even && even.parse() == Ok(value)).then_some(even)
}

/// Text: in single quotes, or in double quotes if that saves escapes. Unprintable characters and surrogates are
/// escaped.
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
        Quote::around(self.0.as_bytes()).write(f, self.0.as_bytes(), |quote, f, rest| {
            let Some((code, rest)) = split_code_point(rest) else { return Ok(rest) };
            quote.write_code_point(f, code).map(|()| rest)
        })
    }
}

/// Writes the text like Python's `repr`.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Str(*self), f)
    }
}

/// Latin-1 text, quoted like [`Str`].
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
        Quote::around(self.0)
            .write(f, self.0, |quote, f, rest| quote.write_code_point(f, rest[0].into()).map(|()| &rest[1..]))
    }
}

/// Bytes in the notation of Python 3.
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

/// A bytearray.
///
/// ```
/// use picklevm_ops::repr::ByteArray;
///
/// assert_eq!(ByteArray(b"it's").to_string(), r#"bytearray(b"it\'s")"#);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ByteArray<'a>(pub &'a [u8]);

impl Display for ByteArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytearray(b")?;
        // CPython's `bytearray_repr` escapes the single quote in double ones, too.
        Quote { escaped: b'\'', ..Quote::around(self.0) }.write_bytes(f, self.0)?;
        f.write_char(')')
    }
}

/// An 8-bit string in the notation of Python 2.
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
        Quote::around(self.0).write_bytes(f, self.0)
    }
}

/// The quotes of a string.
#[derive(Clone, Copy)]
struct Quote {
    around: char,
    /// The quote that needs a backslash.
    escaped: u8,
}

impl Quote {
    fn around(bytes: &[u8]) -> Self {
        let double = bytes.contains(&b'\'') && !bytes.contains(&b'"');
        if double { Quote { around: '"', escaped: b'"' } } else { Quote { around: '\'', escaped: b'\'' } }
    }

    /// Writes a string in quotes. Runs of plain bytes are written as they are; `write_one` writes one other character
    /// and returns the rest.
    fn write<'a>(
        self,
        f: &mut fmt::Formatter<'_>,
        string: &'a [u8],
        write_one: impl Fn(Self, &mut fmt::Formatter<'_>, &'a [u8]) -> Result<&'a [u8], fmt::Error>,
    ) -> fmt::Result {
        f.write_char(self.around)?;
        let mut rest = string;
        while !rest.is_empty() {
            let plain = rest.iter().take_while(|&&byte| self.is_plain(byte)).count();
            // ASCII, so `unwrap_or_default` never takes the default.
            f.write_str(str::from_utf8(&rest[..plain]).unwrap_or_default())?;
            rest = &rest[plain..];
            if !rest.is_empty() {
                rest = write_one(self, f, rest)?;
            }
        }
        f.write_char(self.around)
    }

    fn write_bytes(self, f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
        self.write(f, bytes, |quote, f, rest| quote.write_escape(f, rest[0]).map(|()| &rest[1..]))
    }

    fn is_plain(self, byte: u8) -> bool {
        matches!(byte, b' '..=b'~') && byte != b'\\' && byte != self.escaped
    }

    fn write_code_point(self, f: &mut fmt::Formatter<'_>, code: u32) -> fmt::Result {
        match char::from_u32(code) {
            Some('\0'..='\x7f') => self.write_escape(f, code as u8),
            Some(c) if is_printable(code) => f.write_char(c),
            _ if code <= 0xff => write!(f, "\\x{code:02x}"),
            _ if code <= 0xffff => write!(f, "\\u{code:04x}"),
            _ => write!(f, "\\U{code:08x}"),
        }
    }

    /// Writes a byte that is not plain.
    fn write_escape(self, f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
        match byte {
            b'\n' => f.write_str("\\n"),
            b'\r' => f.write_str("\\r"),
            b'\t' => f.write_str("\\t"),
            b'\\' | b'"' | b'\'' => write!(f, "\\{}", char::from(byte)),
            _ => write!(f, "\\x{byte:02x}"),
        }
    }
}

/// Returns whether `repr` does not escape the code point: Python's `str.isprintable`.
fn is_printable(code: u32) -> bool {
    let after = printable::UNPRINTABLE.partition_point(|&(first, _)| first <= code);
    after == 0 || printable::UNPRINTABLE[after - 1].1 < code
}
