//! Text as pickles encode it.

use std::fmt::{self, Write as _};
use std::str;

/// Texts from this length on are looked at for code points below 256 alone.
const LONG: usize = 256;

/// Text in UTF-8 that may contain surrogates, of three bytes each, as Python's `utf-8` codec reads it with
/// `surrogatepass`.
///
/// ```
/// use picklevm_ops::Text;
///
/// let text = Text::new("naïve".as_bytes()).unwrap();
/// assert_eq!(text.as_str(), Some("naïve"));
///
/// let lone = Text::new(b"\xed\xa0\x80").unwrap(); // U+D800
/// assert_eq!(lone.as_str(), None);
/// assert!(Text::new(b"\xff").is_none());
/// assert_eq!(format!("{lone:?}"), r"'\ud800'");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'a> {
    bytes: &'a [u8],
    utf8: bool,
}

impl<'a> Text<'a> {
    /// Returns the text if `bytes` are valid.
    #[inline(always)]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        Self::short_ascii(bytes).or_else(|| Self::new_slowly(bytes))
    }

    /// Returns the text if it is ASCII and at most 32 bytes.
    #[inline(always)]
    pub(crate) fn short_ascii(bytes: &'a [u8]) -> Option<Self> {
        is_short_ascii(bytes).then_some(Text { bytes, utf8: true })
    }

    #[inline(never)]
    fn new_slowly(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_ascii() || bytes.len() >= LONG && is_latin1(bytes) {
            return Some(Text { bytes, utf8: true });
        }
        let mut rest = bytes;
        let mut utf8 = true;
        while let Err(error) = str::from_utf8(rest) {
            // Refused by `from_utf8` but not by `surrogatepass`: U+D800 to U+DFFF in three bytes.
            let [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] = &rest[error.valid_up_to()..] else {
                return None;
            };
            rest = after;
            utf8 = false;
        }
        Some(Text { bytes, utf8 })
    }

    /// Creates text from `bytes` without a check; `utf8` says that they are UTF-8 without surrogates. For callers that
    /// have checked the bytes: invalid bytes lead to invalid pickles.
    #[inline]
    pub fn trusted(bytes: &'a [u8], utf8: bool) -> Self {
        Text { bytes, utf8 }
    }

    /// Returns the encoded text.
    #[inline(always)]
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the text, or `None` if it contains surrogates.
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        if self.utf8 { str::from_utf8(self.bytes).ok() } else { None }
    }

    /// Iterates over the code points, including surrogates.
    ///
    /// ```
    /// use picklevm_ops::Text;
    ///
    /// let text = Text::new(b"a\xed\xa0\x80").unwrap();
    /// assert!(text.code_points().eq([0x61, 0xd800]));
    /// ```
    pub fn code_points(self) -> impl Iterator<Item = u32> + 'a {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (code, after) = split_code_point(rest)?;
            rest = after;
            Some(code)
        })
    }

    /// Returns whether the text is UTF-8, without surrogates. Constant time.
    #[inline(always)]
    pub fn is_utf8(self) -> bool {
        self.utf8
    }
}

impl<'a> From<&'a str> for Text<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Text { bytes: text.as_bytes(), utf8: true }
    }
}

/// ```
/// assert!(picklevm_ops::Text::from("set") == "set");
/// ```
impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

/// Writes the text, with U+FFFD in place of surrogates.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code_points()
            .try_for_each(|code| f.write_char(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

/// Whether bytes are UTF-8 of code points below 256. No branch depends on a byte, so that vector instructions do it: bytes are
/// such text below protocol 3, where `from_utf8` would guess at every other one of them.
fn is_latin1(bytes: &[u8]) -> bool {
    /// Bytes between which it is asked whether all fit so far.
    const CHUNK: usize = 4096;
    let is_lead = |byte: u8| byte & 0xfe == 0xc2;
    let is_wrong = |before: u8, byte: u8| {
        let continues = byte & 0xc0 == 0x80;
        (continues != is_lead(before)) | (byte >= 0xc0) & !is_lead(byte)
    };
    let mut before = 0;
    for chunk in bytes.chunks(CHUNK) {
        let [first, rest @ ..] = chunk else { break };
        let wrong = chunk.iter().zip(rest).fold(is_wrong(before, *first), |wrong, (a, b)| wrong | is_wrong(*a, *b));
        if wrong {
            return false;
        }
        before = *chunk.last().unwrap_or(first);
    }
    !is_lead(before)
}

/// Returns the first code point of checked text, and the text after it.
pub(crate) fn split_code_point(text: &[u8]) -> Option<(u32, &[u8])> {
    let (&first, after) = text.split_first()?;
    let (mut code, len) = match first {
        0..=0x7f => (first.into(), 0),
        0x80..=0xdf => (u32::from(first & 0x1f), 1),
        0xe0..=0xef => (u32::from(first & 0x0f), 2),
        0xf0.. => (u32::from(first & 0x07), 3),
    };
    let (tail, after) = after.split_at_checked(len).unwrap_or((after, &[]));
    for &byte in tail {
        code = code << 6 | u32::from(byte & 0x3f);
    }
    Some((code, after))
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Returns whether `bytes` are ASCII and at most 32. Overlapping words are read, so that no length needs a loop.
#[inline(always)]
fn is_short_ascii(bytes: &[u8]) -> bool {
    let len = bytes.len();
    match len {
        0 => true,
        1..=3 => (bytes[0] | bytes[len / 2] | bytes[len - 1]) < 0x80,
        4..=7 => {
            let word = |at: &[u8]| at.first_chunk().map_or(u32::MAX, |four| u32::from_ne_bytes(*four));
            (word(bytes) | word(&bytes[len - 4..])) & HIGH_BITS as u32 == 0
        }
        8..=16 => (word(bytes) | word(&bytes[len - 8..])) & HIGH_BITS == 0,
        17..=32 => {
            let middle = word(&bytes[8..]) | word(&bytes[len - 16..]);
            (word(bytes) | middle | word(&bytes[len - 8..])) & HIGH_BITS == 0
        }
        _ => false,
    }
}

/// Reads the first eight bytes as a word.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(u64::MAX, |eight| u64::from_ne_bytes(*eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_below_256_is_told_from_other_bytes() {
        let all: String = (0..256).map(|code| char::from_u32(code).unwrap()).collect();
        let long = all.repeat(100);
        assert!(is_latin1(long.as_bytes()) && is_latin1(b""));
        for at in [0, 100, 4094, 4095, 4096, 4097, long.len() - 2, long.len() - 1] {
            for byte in [0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xe2, 0xf0, 0xff] {
                let mut bytes = long.clone().into_bytes();
                bytes[at] = byte;
                let is_right = str::from_utf8(&bytes).is_ok_and(|text| text.chars().all(|c| u32::from(c) < 256));
                assert_eq!(is_latin1(&bytes), is_right, "{byte:#x} at {at}");
                assert_eq!(Text::new(&bytes).is_some(), str::from_utf8(&bytes).is_ok(), "{byte:#x} at {at}");
            }
        }
    }
}
