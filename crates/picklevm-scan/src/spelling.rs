//! How bytes may hide a pickle: as one, compressed, in a container, or spelled as text.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memchr2_iter};

/// The beginning of a 7z archive.
pub(crate) const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf\x27\x1c";

/// Whether bytes begin as something that can hold pickles.
#[inline]
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    // A quick answer for what does not even begin like one.
    matches!(bytes.first(), Some(b'P' | 0x93 | 0x1f | b'B' | 0xfd | 0x28 | 0x04 | b'7' | 0x78 | 0x5d | b'Z' | b'R'))
        && (picklevm_files::recognise(bytes).is_some() || bytes.starts_with(SEVEN_ZIP))
}

/// Fewer bytes hold no pickle that imports anything.
const SHORTEST: usize = 6;
/// Characters of text that are tried as base64 or hexadecimal.
const TRIED: usize = 16;

/// Whether a string may hold a pickle: a quick look that errs on the side of yes.
#[inline]
pub(crate) fn may_hide(bytes: &[u8]) -> bool {
    bytes.len() >= SHORTEST && may_hide_within(bytes)
}

#[inline(never)]
fn may_hide_within(bytes: &[u8]) -> bool {
    // A header, or the ends of the two lines of GLOBAL. Any other import needs a header from all picklers; a string that a
    // call unpickles does not come here: it is scanned whatever it holds.
    let mut lines = 0;
    for at in memchr2_iter(0x80, b'\n', bytes) {
        lines += usize::from(bytes[at] == b'\n');
        if lines == 2 || bytes[at] == 0x80 && bytes.get(at + 1).is_some_and(|&protocol| protocol <= 5) {
            return true;
        }
    }
    has_magic(bytes) || bytes.len() >= TRIED && spelling(bytes).is_some()
}

/// How text spells bytes.
#[derive(Clone, Copy)]
pub(crate) enum Spelling {
    Hex,
    Base64,
}

/// How a text spells what could be the beginning of something worth a look, judged by its first characters.
pub(crate) fn spelling(text: &[u8]) -> Option<Spelling> {
    let text = text.trim_ascii_start();
    let head = text.get(..TRIED)?;
    if head.iter().all(u8::is_ascii_hexdigit) && is_worth_a_look(&unhex(head)?) {
        return Some(Spelling::Hex);
    }
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    (head.iter().all(is_base64) && is_worth_a_look(&unbase64(head)?)).then_some(Spelling::Base64)
}

/// Whether decoded bytes begin as a pickle, as something compressed, or as text.
fn is_worth_a_look(head: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    matches!(head, [0x80, 0..=5, ..]) || has_magic(head) || head.iter().all(is_text)
}

pub(crate) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let digit = |byte: u8| (byte as char).to_digit(16);
    digits.chunks_exact(2).map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8)).collect()
}

/// Standard or URL-safe base64, in lines or not, padded or not, up to the first character that is none.
pub(crate) fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    let mut digits = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'-' => digits.push(b'+'),
            b'_' => digits.push(b'/'),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => digits.push(byte),
            byte if byte.is_ascii_whitespace() => {}
            _ => break,
        }
    }
    if digits.len() % 4 == 1 {
        digits.pop();
    }
    ENGINE.decode(digits).ok()
}

/// What bytes are that were written as text, a character a byte, as Python 3 writes bytes below protocol 3.
pub(crate) fn latin_1(bytes: &[u8]) -> Option<Vec<u8>> {
    memchr(0xc2, bytes)?;
    let text = str::from_utf8(bytes).ok()?;
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_hide_nothing() {
        for text in ["user_name", "The quick brown fox jumps.", "2024-01-01T00:00:00", "x".repeat(4).as_str()] {
            assert!(!may_hide(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn headers_lines_and_spellings_are_looked_at() {
        for bytes in [
            &b"\x80\x04\x95\0\0\0\0"[..],
            b"junk\x80\x02]q\0.",
            b"cos\nsystem\n.",
            b"gASVHAAAAAAAAACMBXBvc2l4",
            b"80049523000000000000008c05",
            b"\x1f\x8b\x08\0\0\0\0\0",
        ] {
            assert!(may_hide(bytes), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn base64_is_read_in_lines_and_url_safe() {
        assert_eq!(unbase64(b"-_-_\nAAAA=="), Some(vec![0xfb, 0xff, 0xbf, 0, 0, 0]));
    }
}
