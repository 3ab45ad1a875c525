//! Calls that stand for plain data in old protocols, such as `_codecs.encode(…)` for bytes.

use std::borrow::Cow;

use super::complex_text;
use super::iterables::{Detached, Elements, MAX_CALLS};
use super::signature::{Signature, index, real};
use crate::graph::{BoundCall, Construction, Dict, InstanceView, Items, Kind, Tag, Value};
use crate::python::Builtin;

/// Plain data that a call returns.
pub(crate) enum Plain<'g> {
    /// The members of a set or frozenset.
    Members(Tag, Elements<'g>),
    /// Bytes or a bytearray.
    Bytes(Tag, Vec<u8>),
    /// Real and imaginary part.
    Complex(f64, f64),
}

/// Maximum number of zeros that `bytes(n)` stands for: `n` is a claim.
pub(crate) const MAX_ZEROS: usize = 1 << 20;

impl Builtin {
    /// Returns the result of a call, or `None` if Python would reject it.
    pub(crate) fn make<'g>(self, how: Construction, args: Items<'g>, kwargs: Option<Dict<'g>>) -> Option<Plain<'g>> {
        // As picklers write it: binding parameters takes as long as the rest of the load.
        if let (Builtin::Complex, None, Some([re, im])) = (self, kwargs, args.as_array())
            && let (Kind::Float(re), Kind::Float(im)) = (re.kind(), im.kind())
        {
            return Some(Plain::Complex(re, im));
        }
        self.make_within(how, [args, args.from(usize::MAX)], kwargs, MAX_CALLS)
    }

    /// The same for arguments in two parts, evaluating at most `calls` calls inside one another.
    fn make_within<'g>(
        self,
        how: Construction,
        args: [Items<'g>; 2],
        kwargs: Option<Dict<'g>>,
        calls: u8,
    ) -> Option<Plain<'g>> {
        let is_new = matches!(how, Construction::NewObj | Construction::NewObjEx);
        Some(match self {
            Builtin::Set | Builtin::FrozenSet => {
                const SIGNATURE: Signature<1> = Signature::new(["iterable"], 0).positional_only(1);
                let is_set = matches!(self, Builtin::Set);
                let members = match SIGNATURE.bind_both(args, kwargs) {
                    // `set.__new__` ignores its arguments: `__init__` adds the members.
                    _ if is_set && is_new => Elements::Items(args[0].from(usize::MAX)),
                    bound => match bound? {
                        [Some(iterable)] => Elements::of(iterable, calls)?,
                        [None] => Elements::Items(args[0]),
                    },
                };
                Plain::Members(if is_set { Tag::Set } else { Tag::FrozenSet }, members)
            }
            Builtin::Bytes | Builtin::ByteArray => {
                const SIGNATURE: Signature<3> = Signature::new(["source", "encoding", "errors"], 0);
                let is_bytes = matches!(self, Builtin::Bytes);
                let bytes = match SIGNATURE.bind_both(args, kwargs) {
                    _ if is_new && !is_bytes => Vec::new(),
                    bound => bytes_of(bound?, calls)?,
                };
                Plain::Bytes(if is_bytes { Tag::Bytes } else { Tag::ByteArray }, bytes)
            }
            Builtin::Complex => {
                const SIGNATURE: Signature<2> = Signature::new(["real", "imag"], 0);
                let (re, im) = complex_of(SIGNATURE.bind_both(args, kwargs)?, calls)?;
                Plain::Complex(re, im)
            }
            Builtin::Encode if is_new => return None,
            Builtin::Encode => {
                const SIGNATURE: Signature<3> = Signature::new(["obj", "encoding", "errors"], 1);
                let [text, encoding, errors] = SIGNATURE.bind_both(args, kwargs)?;
                Plain::Bytes(Tag::Bytes, encoded(text?, encoding, errors)?)
            }
        })
    }
}

/// Returns the result of `bytes(source, encoding, errors)`, or of `bytearray`.
fn bytes_of([source, encoding, errors]: [Option<Value<'_>>; 3], calls: u8) -> Option<Vec<u8>> {
    let Some(source) = source else { return (encoding.is_none() && errors.is_none()).then(Vec::new) };
    match source.kind() {
        Kind::Str(_) => encoding.and_then(|encoding| encoded(source, Some(encoding), errors)),
        _ if encoding.is_some() || errors.is_some() => None,
        Kind::ByteStr(bytes) => Some(bytes.to_vec()),
        Kind::Int(_) | Kind::Bool(_) => {
            let zeros = usize::try_from(index(source)?).ok().filter(|zeros| *zeros <= MAX_ZEROS)?;
            Some(vec![0; zeros])
        }
        _ => match Elements::of(source, calls)? {
            Elements::Bytes(bytes) => Some(bytes.into_owned()),
            Elements::Chars(_) | Elements::ByteChars(_) => None,
            Elements::Range(range) => range.small_items()?.map(|item| u8::try_from(item).ok()).collect(),
            elements => {
                let Detached::Values(cells) = elements.detach()? else { return None };
                cells.into_iter().map(|cell| byte(Value::new(source.arena(), cell))).collect()
            }
        },
    }
}

fn byte(value: Value<'_>) -> Option<u8> {
    index(value)?.try_into().ok()
}

/// Encodes a text. The name of the encoding is an 8-bit string in Python 2.
fn encoded(value: Value<'_>, encoding: Option<Value<'_>>, errors: Option<Value<'_>>) -> Option<Vec<u8>> {
    let name = encoding.map_or(Some("utf-8"), text)?;
    if errors.is_some_and(|errors| text(errors) != Some("strict")) || name.len() > 20 {
        return None;
    }
    match &*name.to_ascii_lowercase().replace(['_', ' '], "-") {
        "latin1" | "latin-1" | "iso-8859-1" | "iso8859-1" | "l1" => latin1(value.as_text()?.as_bytes()),
        "ascii" | "us-ascii" => Some(value.as_text()?.as_bytes()).filter(|text| text.is_ascii()).map(<[u8]>::to_vec),
        "utf-8" | "utf8" => Some(value.as_str()?.as_bytes().to_vec()),
        _ => None,
    }
}

/// Encodes UTF-8 in Latin-1. No branch depends on the text: below protocol 3 this is how the memory of arrays is pickled, and
/// nothing predicts which of its bytes are above 127.
fn latin1(text: &[u8]) -> Option<Vec<u8>> {
    /// The first bytes of the code points from 128 to 255.
    const LEADS: std::ops::RangeInclusive<u8> = 0xc2..=0xc3;
    if text.iter().any(|byte| byte > LEADS.end()) {
        return None;
    }
    let len = text.iter().filter(|byte| **byte < *LEADS.start()).count();
    let mut out = vec![0; len];
    let (mut at, mut lead) = (0, 0);
    for &byte in text {
        // A lead is written over by what follows it.
        if let Some(place) = out.get_mut(at) {
            *place = if byte & 0xc0 == 0x80 { lead << 6 | byte & 0x3f } else { byte };
        }
        at += usize::from(byte < *LEADS.start());
        lead = byte;
    }
    Some(out)
}

/// Returns the result of `complex(real, imag)`.
fn complex_of([real, imag]: [Option<Value<'_>>; 2], calls: u8) -> Option<(f64, f64)> {
    if let Some(written) = real.filter(|real| matches!(real.kind(), Kind::Str(_) | Kind::ByteStr(_))) {
        return imag.is_none().then(|| complex_text::parse(text(written)?)).flatten();
    }
    let (re, im) = real.map_or(Some((0.0, None)), |real| part_of(real, calls))?;
    let Some(imag) = imag else { return Some((re, im.unwrap_or(0.0))) };
    let (imag_re, imag_im) = part_of(imag, calls)?;
    Some((imag_im.map_or(re, |imag_im| re - imag_im), im.map_or(imag_re, |im| imag_re + im)))
}

/// Returns the real part of a number, and the imaginary part if it is complex.
fn part_of(number: Value<'_>, calls: u8) -> Option<(f64, Option<f64>)> {
    match number.kind() {
        Kind::Complex(re, im) => Some((re, Some(im))),
        Kind::Object(_) => match plain_within(&InstanceView::of(number)?, calls) {
            Some(Plain::Complex(re, im)) => Some((re, Some(im))),
            _ => Some((real(number)?, None)),
        },
        _ => Some((real(number)?, None)),
    }
}

/// Returns the plain data that an object stands for, if it is such a call and was not changed afterwards.
pub(crate) fn plain(value: Value<'_>) -> Option<Plain<'_>> {
    plain_of(&InstanceView::of(value)?)
}

/// The same for the view of an object.
pub(crate) fn plain_of<'g>(instance: &InstanceView<'g>) -> Option<Plain<'g>> {
    plain_within(instance, MAX_CALLS)
}

/// The same, evaluating at most `calls` calls inside one another.
pub(super) fn plain_within<'g>(instance: &InstanceView<'g>, calls: u8) -> Option<Plain<'g>> {
    let is_changed = instance.is_incomplete || instance.items.is_some() || instance.pairs.is_some();
    if is_changed || instance.state.is_some() || instance.base.is_some() {
        return None;
    }
    let calls = calls.checked_sub(1)?;
    if let Some(builtin) = Builtin::of(instance.class) {
        let args = [instance.args, instance.args.from(usize::MAX)];
        return builtin.make_within(instance.construction, args, instance.kwargs(), calls);
    }
    let BoundCall { class, bound, kwargs, .. } = instance.bound_call()?;
    let kwargs = kwargs.and_then(Value::as_dict);
    Builtin::of(class)?.make_within(Construction::Reduce, [bound, instance.args], kwargs, calls)
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
    let is_longer = match written.kind() {
        // Each byte is a character of one or two bytes in UTF-8.
        Kind::Str(text) => text.as_bytes().len() > 2 * N,
        Kind::List(items) | Kind::Tuple(items) => items.len() > N,
        Kind::Int(_) => index(written) != i64::try_from(N).ok(),
        _ => false,
    };
    if is_longer {
        return None;
    }
    let bytes = match value.kind() {
        // Python takes only bytes for these.
        Kind::ByteArray(_) => return None,
        Kind::Object(_) => match plain(value)? {
            Plain::Bytes(Tag::Bytes, bytes) => bytes.into(),
            _ => return None,
        },
        _ => octets(value)?,
    };
    bytes.as_ref().try_into().ok()
}

/// Returns text, or a UTF-8 8-bit string of Python 2.
pub(crate) fn text(value: Value<'_>) -> Option<&str> {
    match value.kind() {
        Kind::Str(text) => text.as_str(),
        Kind::ByteStr(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}
