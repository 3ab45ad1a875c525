//! Text in raw-unicode-escape: the operand of UNICODE.

use std::borrow::Cow;

use memchr::memchr;

use crate::text::Text;

/// The checked operand of UNICODE: Latin-1 text with `\uXXXX` and `\UXXXXXXXX` for other characters. All other
/// backslashes, also doubled ones, are literal.
///
/// ```
/// use picklevm_ops::RawUnicode;
///
/// let text = RawUnicode::new(b"na\xefve \\u20ac").unwrap();
/// assert_eq!(*text.decode(), *"naïve €".as_bytes());
/// assert!(RawUnicode::new(b"\\u20").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawUnicode<'a> {
    raw: &'a [u8],
}

impl<'a> RawUnicode<'a> {
    /// Returns the operand if `raw` (without the newline) is valid.
    pub fn new(raw: &'a [u8]) -> Option<Self> {
        if raw.contains(&b'\n') {
            return None;
        }
        let mut rest = raw;
        while let Some(at) = memchr(b'\\', rest) {
            (_, rest) = unescape(&rest[at + 1..])?;
        }
        Some(RawUnicode { raw })
    }

    /// Returns the text as it is in the pickle.
    pub fn text(self) -> &'a [u8] {
        self.raw
    }

    /// Returns the text in UTF-8 that may contain surrogates, like [`Text`]. Borrowed if it is plain ASCII.
    pub fn decode(self) -> Cow<'a, [u8]> {
        if self.raw.is_ascii() && memchr(b'\\', self.raw).is_none() {
            return Cow::Borrowed(self.raw);
        }
        let mut text = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr(b'\\', rest) {
            push_latin1(&rest[..at], &mut text);
            let escape = &rest[at..];
            let Some((code, after)) = unescape(&escape[1..]) else {
                break;
            };
            match code {
                Some(code) => push(code, &mut text),
                None => push_latin1(&escape[..escape.len() - after.len()], &mut text),
            }
            rest = after;
        }
        push_latin1(rest, &mut text);
        Cow::Owned(text)
    }

    /// The characters that CPython escapes since 3.7 in addition to the backslash and the newline.
    pub const CONTROLS: &'static [u8] = b"\0\r\x1a";

    /// Appends the operand for `text` to `out`, as CPython's pickler writes it: the backslash, the newline, the ASCII
    /// characters in `controls` and all characters above U+00FF are escaped.
    ///
    /// ```
    /// use picklevm_ops::RawUnicode;
    ///
    /// let mut operand = Vec::new();
    /// RawUnicode::escape("é\n€".into(), RawUnicode::CONTROLS, &mut operand);
    /// assert_eq!(operand, b"\xe9\\u000a\\u20ac");
    /// ```
    pub fn escape(text: Text<'_>, controls: &[u8], out: &mut Vec<u8>) {
        for code in text.code_points() {
            match u8::try_from(code) {
                Ok(byte) if !matches!(byte, b'\\' | b'\n') && !controls.contains(&byte) => out.push(byte),
                _ if code <= 0xffff => out.extend_from_slice(format!("\\u{code:04x}").as_bytes()),
                _ => out.extend_from_slice(format!("\\U{code:08x}").as_bytes()),
            }
        }
    }
}

/// Decodes an escape, and returns the text after it; `text` begins after the backslash. Returns `None` for an invalid
/// escape, and no code point for a literal backslash.
fn unescape(text: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let len = match text.first() {
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(_) => return Some((None, &text[1..])),
        None => return Some((None, text)), // A backslash at the end stands for itself.
    };
    let mut code = 0;
    for &digit in text.get(1..1 + len)? {
        code = code << 4 | (digit as char).to_digit(16)?;
    }
    (code <= char::MAX.into()).then_some((Some(code), &text[1 + len..]))
}

/// Appends bytes as code points.
fn push_latin1(bytes: &[u8], text: &mut Vec<u8>) {
    for &byte in bytes {
        push(byte.into(), text);
    }
}

/// Appends a code point, which may be a surrogate.
fn push(code: u32, text: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.extend_from_slice(&[
            0xe0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3f) as u8,
            0x80 | (code & 0x3f) as u8,
        ]),
    }
}
