//! Base64 text (RFC 4648) of a pickle, or of a file that holds pickles: task queues, session rows, `data:` URLs.

use std::io::Write;

use ::base64::Engine;
use ::base64::alphabet::{STANDARD, URL_SAFE};
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::{Change, Layout, put};
use crate::contents::Contents;
use crate::error::Error;
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::region::Region;

/// The byte order mark of UTF-8, which editors of Windows put before text.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// Shorter texts are words.
const SHORTEST: usize = 8;
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// How a text spells bytes, so that others can be spelled the same way.
#[derive(Debug)]
pub(crate) struct Spelling {
    /// What stands before the text: a `data:` URL, a quote.
    before: Bytes,
    after: Bytes,
    url_safe: bool,
    padded: bool,
    /// The length of a line and what ends it, if there are several.
    lines: Option<(usize, &'static [u8])>,
}

pub(super) fn open(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    let head = region.head(64)?;
    let head = head.strip_prefix(MARK).unwrap_or(&head);
    if head.len() < SHORTEST || !head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        return Ok(None);
    }
    let text = region.bytes()?;
    let Some((spelling, decoded)) = decode(&text) else { return Ok(None) };
    member.shared().budget.expand(decoded.len() as u64)?;
    let inner = member.child("", Source::Plain(Region::memory(decoded.into())), Expect::Pickle);
    if !holds_something(&inner) {
        return Ok(None);
    }
    let is_url_safe = spelling.url_safe;
    let mut contents = Contents::new(Kind::Base64, region.clone(), Layout::Base64(spelling));
    contents.members.push(inner);
    // `base64.b64decode` leaves out what is not of its alphabet, as `-` and `_`.
    if is_url_safe && member.shared().options.every_reading {
        let left: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'-' | b'_')).collect();
        if let Some((_, decoded)) = decode(&left.into()) {
            member.shared().budget.expand(decoded.len() as u64)?;
            let other = member.child("", Source::Plain(Region::memory(decoded.into())), Expect::Pickle);
            if holds_something(&other) {
                contents.members.push(other.diverging("base64.b64decode leaves out - and _"));
            }
        }
    }
    Ok(Some(contents))
}

/// Whether what a text spells is a pickle or a container: words are base64 as well, and numbers hexadecimal.
pub(super) fn holds_something(inner: &Member) -> bool {
    inner.open().is_ok_and(|contents| {
        let begins_with_pickle =
            contents.pickles.first().is_some_and(|pickle| pickle.problem.is_none() || pickle.protocol >= 2);
        begins_with_pickle || !contents.members.is_empty()
    })
}

/// The bytes that a text spells as a whole, but for blanks, quotes and the beginning of a `data:` URL around it.
fn decode(text: &Bytes) -> Option<(Spelling, Vec<u8>)> {
    let unmarked = text.strip_prefix(MARK).unwrap_or(text);
    let mut start = text.len() - unmarked.trim_ascii_start().len();
    let mut end = text.trim_ascii_end().len().max(start);
    if text[start..end].starts_with(b"data:") {
        start += memchr::memmem::find(&text[start..end.min(start + 256)], b"base64,")? + b"base64,".len();
    }
    for quotes in [&b"b'"[..], b"b\"", b"'", b"\""] {
        let body = &text[start..end];
        if body.len() > quotes.len() && body.starts_with(quotes) && body.last() == quotes.last() {
            start += quotes.len();
            end -= 1;
            break;
        }
    }
    let body = &text[start..end];
    let mut digits = Vec::with_capacity(body.len());
    let mut url_safe = false;
    let mut padding = 0;
    for byte in body {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => digits.push(*byte),
            b'-' | b'_' if padding == 0 => {
                url_safe = true;
                digits.push(*byte);
            }
            b'=' if padding < 2 => padding += 1,
            b'\r' | b'\n' | b' ' | b'\t' => {}
            _ => return None,
        }
    }
    if digits.len() < SHORTEST {
        return None;
    }
    let alphabet = if url_safe { URL_SAFE } else { STANDARD };
    let decoded = GeneralPurpose::new(&alphabet, LENIENT).decode(digits).ok()?;
    let line = memchr::memchr(b'\n', body).map(|at| match at.checked_sub(1) {
        Some(before) if body[before] == b'\r' => (before, &b"\r\n"[..]),
        _ => (at, &b"\n"[..]),
    });
    let (before, after) = (text.slice(..start), text.slice(end..));
    let padded = padding > 0 || (body.len() - padding).is_multiple_of(4);
    Some((Spelling { before, after, url_safe, padded, lines: line.filter(|(len, _)| *len > 0) }, decoded))
}

pub(super) fn write(
    region: &Region,
    spelling: &Spelling,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let Some((_, bytes)) = changes.first() else { return super::copy(region, out) };
    let alphabet = if spelling.url_safe { URL_SAFE } else { STANDARD };
    let config = GeneralPurposeConfig::new().with_encode_padding(spelling.padded);
    let text = GeneralPurpose::new(&alphabet, config).encode(bytes);
    put(out, &spelling.before)?;
    match spelling.lines {
        None => put(out, text.as_bytes())?,
        Some((len, end)) => {
            for (index, line) in text.as_bytes().chunks(len).enumerate() {
                if index > 0 {
                    put(out, end)?;
                }
                put(out, line)?;
            }
        }
    }
    put(out, &spelling.after)
}
