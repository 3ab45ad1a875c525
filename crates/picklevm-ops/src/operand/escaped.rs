//! 8-bit strings written as text: the operand of STRING.

use std::borrow::Cow;
use std::io::Write as _;

use memchr::memchr;

use crate::repr;

/// The checked operand of STRING: a quoted 8-bit string with the escapes of Python 2's `repr`.
///
/// ```
/// use picklevm_ops::Escaped;
///
/// let string = Escaped::new(br"'tab\t\x00\351'").unwrap();
/// assert_eq!(*string.decode(), *b"tab\t\x00\xe9");
/// assert!(Escaped::new(b"'unclosed").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Escaped<'a> {
    /// With the quotes, without the newline.
    quoted: &'a [u8],
}

impl<'a> Escaped<'a> {
    /// Returns the operand if `quoted` (with its quotes, without the newline) is valid.
    pub fn new(quoted: &'a [u8]) -> Option<Self> {
        let ([b'"', .., b'"'] | [b'\'', .., b'\'']) = quoted else {
            return None;
        };
        let escaped = Escaped { quoted };
        if quoted.contains(&b'\n') {
            return None;
        }
        let mut rest = escaped.inner();
        while let Some(at) = memchr(b'\\', rest) {
            (_, rest) = unescape(&rest[at + 1..])?;
        }
        Some(escaped)
    }

    /// Returns the text as it is in the pickle, with the quotes.
    pub fn text(self) -> &'a [u8] {
        self.quoted
    }

    fn inner(self) -> &'a [u8] {
        &self.quoted[1..self.quoted.len() - 1]
    }

    /// Returns the string, borrowed if it contains no escapes.
    pub fn decode(self) -> Cow<'a, [u8]> {
        unescape_all(self.inner()).unwrap_or(Cow::Borrowed(self.inner()))
    }

    /// Appends the operand for `string` to `out`: what Python 2's `repr` returns.
    ///
    /// ```
    /// use picklevm_ops::Escaped;
    ///
    /// let mut operand = Vec::new();
    /// Escaped::escape(b"it's\n", &mut operand);
    /// assert_eq!(operand, br#""it's\n""#);
    /// ```
    pub fn escape(string: &[u8], out: &mut Vec<u8>) {
        // Writing to a `Vec` does not fail.
        let _ = write!(out, "{}", repr::EightBit(string));
    }
}

/// Decodes `text` by the rules of Python's `codecs.escape_decode`, or returns `None` if an escape is invalid.
pub(crate) fn unescape_all(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut rest = text;
    let mut bytes = Vec::new();
    while let Some(at) = memchr(b'\\', rest) {
        bytes.extend_from_slice(&rest[..at]);
        let (unescaped, after) = unescape(&rest[at + 1..])?;
        match unescaped {
            Unescaped::Byte(byte) => bytes.push(byte),
            Unescaped::Unknown(byte) => bytes.extend_from_slice(&[b'\\', byte]),
            Unescaped::Nothing => {}
        }
        rest = after;
    }
    if rest.len() == text.len() {
        return Some(Cow::Borrowed(text));
    }
    bytes.extend_from_slice(rest);
    Some(Cow::Owned(bytes))
}

/// The value of an escape.
enum Unescaped {
    Byte(u8),
    /// A backslash and this byte, both of which Python keeps.
    Unknown(u8),
    Nothing,
}

/// Decodes one escape, and returns the text after it. `text` begins after the backslash.
fn unescape(text: &[u8]) -> Option<(Unescaped, &[u8])> {
    let (&letter, rest) = text.split_first()?;
    let byte = match letter {
        b'\n' => return Some((Unescaped::Nothing, rest)),
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'x' => {
            let (&[high, low], rest) = rest.split_first_chunk()?;
            let digit = |byte: u8| (byte as char).to_digit(16);
            return Some((Unescaped::Byte((digit(high)? * 16 + digit(low)?) as u8), rest));
        }
        b'0'..=b'7' => {
            let len = text.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            // Above `\377` the ninth bit is dropped, as in CPython.
            let byte = text[..len].iter().fold(0u8, |value, digit| (value << 3) | (digit - b'0'));
            return Some((Unescaped::Byte(byte), &text[len..]));
        }
        _ => return Some((Unescaped::Unknown(letter), rest)),
    };
    Some((Unescaped::Byte(byte), rest))
}
