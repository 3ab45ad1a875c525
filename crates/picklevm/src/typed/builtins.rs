//! Calls that stand for plain data in old protocols, such as `_codecs.encode(…)` for bytes.

use std::borrow::Cow;

use super::signature::{Signature, real};
use crate::graph::{Construction, Items, Kind, Tag, Value};
use crate::python::Builtin;

/// Plain data that a call returns.
pub(crate) enum Plain<'g> {
    /// The members of a set or frozenset.
    Members(Tag, Items<'g>),
    /// Bytes or a bytearray.
    Bytes(Tag, Vec<u8>),
    /// Real and imaginary part.
    Complex(f64, f64),
}

impl Builtin {
    /// Returns the result of a call with these arguments, or `None` if Python would reject them.
    pub(crate) fn make<'g>(self, args: Items<'g>) -> Option<Plain<'g>> {
        Some(match self {
            Builtin::Set | Builtin::FrozenSet => {
                let tag = if matches!(self, Builtin::Set) { Tag::Set } else { Tag::FrozenSet };
                if args.is_empty() {
                    return Some(Plain::Members(tag, args));
                }
                let [items] = args.as_array()?;
                match items.kind() {
                    Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                        Plain::Members(tag, items)
                    }
                    _ => return None,
                }
            }
            Builtin::Bytes | Builtin::ByteArray => {
                let tag = if matches!(self, Builtin::Bytes) { Tag::Bytes } else { Tag::ByteArray };
                Plain::Bytes(tag, bytes_of(args)?)
            }
            Builtin::Complex => {
                const SIGNATURE: Signature<2> = Signature::new(["real", "imag"], 0);
                let part = |part: Option<Value<'_>>| part.map_or(Some(0.0), real);
                let [re, im] = SIGNATURE.bind(args, None)?;
                Plain::Complex(part(re)?, part(im)?)
            }
            Builtin::Encode => Plain::Bytes(Tag::Bytes, latin_1(args)?),
        })
    }
}

/// Returns the result of `bytes(…)` or `bytearray(…)` for arguments that a pickler writes.
fn bytes_of(args: Items<'_>) -> Option<Vec<u8>> {
    let only = match args.len() {
        0 => return Some(Vec::new()),
        1 => args.get(0)?,
        _ => return latin_1(args),
    };
    match only.kind() {
        Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes) => Some(bytes.to_vec()),
        Kind::List(items) | Kind::Tuple(items) => items.map(|item| item.as_i64()?.try_into().ok()).collect(),
        _ => None,
    }
}

/// Encodes a text as Latin-1. The arguments are the text and the name of the encoding (an 8-bit string in Python 2).
fn latin_1(args: Items<'_>) -> Option<Vec<u8>> {
    let [text, encoding] = args.as_array()?;
    let name = encoding.as_str().map(str::as_bytes).or_else(|| encoding.as_bytes())?;
    if !matches!(name, b"latin1" | b"latin-1") {
        return None;
    }
    text.as_text()?.code_points().map(|code| u8::try_from(code).ok()).collect()
}

/// Returns the plain data that an object stands for, if it is such a call and was not changed afterwards.
pub(crate) fn plain(value: Value<'_>) -> Option<Plain<'_>> {
    let object = value
        .as_object()
        .filter(|object| object.construction() == Construction::Reduce && object.changes().next().is_none())?;
    let class = object.class().as_global()?;
    Builtin::of_names(class.module().as_str()?, class.name().as_str()?)?.make(object.args())
}

/// Returns bytes in any representation: bytes, a Python 2 8-bit string, a call, or the text that such a string was
/// decoded to.
pub(crate) fn octets(value: Value<'_>) -> Option<Cow<'_, [u8]>> {
    match value.kind() {
        Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes) => Some(Cow::Borrowed(bytes)),
        Kind::Str(text) => text.code_points().map(|code| u8::try_from(code).ok()).collect(),
        Kind::Object(_) => match plain(value)? {
            Plain::Bytes(_, bytes) => Some(Cow::Owned(bytes)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns exactly `N` bytes in any representation. Longer values are not decoded, since many objects may share them.
pub(crate) fn octets_of<const N: usize>(value: Value<'_>) -> Option<[u8; N]> {
    let written = value.as_object().map_or(Some(value), |object| object.args().get(0))?;
    // Each byte is a character of one or two bytes in UTF-8.
    if written.as_text().is_some_and(|text| text.as_bytes().len() > 2 * N) {
        return None;
    }
    octets(value)?.as_ref().try_into().ok()
}

/// Returns text, or a UTF-8 8-bit string of Python 2.
pub(crate) fn text(value: Value<'_>) -> Option<&str> {
    match value.kind() {
        Kind::Str(text) => text.as_str(),
        Kind::ByteStr(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Returns the items of a list, tuple or set, including a set created by a call.
pub(crate) fn members(value: Value<'_>) -> Option<Items<'_>> {
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => Some(items),
        Kind::Object(_) => match plain(value)? {
            Plain::Members(_, items) => Some(items),
            _ => None,
        },
        _ => None,
    }
}
