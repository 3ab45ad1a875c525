//! Bytes spelled in text: hexadecimal digits, as databases print them (`\x8004…`, `0x8004…`, `X'8004…'`), and Python's notation
//! (`b'\x80\x04…'`).

use std::io::Write;

use bytes::Bytes;

use super::base64::holds_something;
use super::{Change, Layout, copy, put};
use crate::contents::Contents;
use crate::error::Error;
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::region::Region;

/// Digits of the shortest pickle that is taken for one.
const FEWEST_DIGITS: usize = 16;

/// How bytes are spelled.
#[derive(Debug)]
pub(crate) struct Spelling {
    before: Bytes,
    after: Bytes,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    LowerHex,
    UpperHex,
    /// What Python's `repr` writes, quotes included.
    Repr,
}

pub(super) fn open(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    let head = region.head(64)?;
    if !head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        return Ok(None);
    }
    let text = region.bytes()?;
    let Some((spelling, spelled)) = hex(&text).or_else(|| repr(&text)) else { return Ok(None) };
    member.shared().budget.expand(spelled.len() as u64)?;
    let inner = member.child("", Source::Plain(Region::memory(spelled.into())), Expect::Pickle);
    if !holds_something(&inner) {
        return Ok(None);
    }
    let kind = if spelling.form == Form::Repr { Kind::BytesLiteral } else { Kind::Hex };
    let mut contents = Contents::new(kind, region.clone(), Layout::Spelled(spelling));
    contents.members.push(inner);
    Ok(Some(contents))
}

/// The text between blanks, and where it begins.
fn trimmed(text: &[u8]) -> (usize, &[u8]) {
    let start = text.len() - text.trim_ascii_start().len();
    (start, text[start..].trim_ascii_end())
}

fn hex(text: &Bytes) -> Option<(Spelling, Vec<u8>)> {
    let (start, body) = trimmed(text);
    let bare = [(&b"\\x"[..], &b""[..]), (b"0x", b""), (b"0X", b""), (b"X'", b"'"), (b"x'", b"'"), (b"", b"")];
    let (before, digits) = bare.iter().find_map(|(before, after)| {
        let digits = body.strip_prefix(*before)?.strip_suffix(*after)?;
        Some((before.len(), digits))
    })?;
    if digits.len() < FEWEST_DIGITS || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let bytes = digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
    let bytes = bytes.collect::<Option<Vec<u8>>>()?;
    let form = if digits.iter().any(u8::is_ascii_uppercase) { Form::UpperHex } else { Form::LowerHex };
    let at = start + before;
    Some((Spelling { before: text.slice(..at), after: text.slice(at + digits.len()..), form }, bytes))
}

fn repr(text: &Bytes) -> Option<(Spelling, Vec<u8>)> {
    let (start, body) = trimmed(text);
    let (quote, inner) = match body {
        [b'b', quote @ (b'\'' | b'"'), inner @ .., end] if quote == end => (*quote, inner),
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
                    digit(rest.next()?)? << 4 | digit(rest.next()?)?
                }
                byte @ (b'\\' | b'\'' | b'"') => byte,
                _ => return None,
            },
            b' '..=b'~' if byte != quote => byte,
            _ => return None,
        });
    }
    let (before, after) = (text.slice(..start), text.slice(start + body.len()..));
    Some((Spelling { before, after, form: Form::Repr }, bytes))
}

pub(super) fn write(
    region: &Region,
    spelling: &Spelling,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let Some((_, bytes)) = changes.first() else { return copy(region, out) };
    put(out, &spelling.before)?;
    match spelling.form {
        Form::Repr => put(out, picklevm_ops::repr::Bytes(bytes).to_string().as_bytes())?,
        form => {
            for piece in bytes.chunks(1 << 12) {
                let digits: String = match form {
                    Form::UpperHex => piece.iter().map(|byte| format!("{byte:02X}")).collect(),
                    _ => piece.iter().map(|byte| format!("{byte:02x}")).collect(),
                };
                put(out, digits.as_bytes())?;
            }
        }
    }
    put(out, &spelling.after)
}
