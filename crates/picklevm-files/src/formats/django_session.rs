//! Sessions of Django with pickled values (`django/contrib/sessions`, `PickleSerializer`).
//!
//! Up to 3.0 a row is base64 of a hash, a colon and the pickle; what is read here is what base64 decodes to. Since 3.1, and in
//! cookies before, it is `django.core.signing`: base64 of the pickle, behind a dot if it is compressed by zlib, then the time and
//! the signature, with colons between. Whoever changes the pickle has to sign it anew, with the secret key of the site.

use ::base64::Engine;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Layout;
use super::base64::holds_something;
use crate::contents::Contents;
use crate::error::Error;
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::region::Region;

/// Digits of SHA-1 and SHA-256.
const HASHES: [usize; 2] = [40, 64];

pub(super) fn open(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    let head = region.head(HASHES[1] + 1)?;
    let is_hash = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let len = HASHES.iter().find(|len| head.get(**len) == Some(&b':') && head[..**len].iter().all(is_hash));
    let child = match len {
        Some(len) => region.from(*len as u64 + 1),
        None => match signed(region)? {
            Some(bytes) => {
                member.shared().budget.expand(bytes.len() as u64)?;
                Region::memory(bytes.into())
            }
            None => return Ok(None),
        },
    };
    let inner = member.child("", Source::Plain(child), Expect::Pickle);
    if !holds_something(&inner) {
        return Ok(None);
    }
    let layout = Layout::ReadOnly("its signature needs the secret key of the site");
    let mut contents = Contents::new(Kind::DjangoSession, region.clone(), layout);
    contents.members.push(inner);
    Ok(Some(contents))
}

/// The value of `django.core.signing.dumps`: `[.]VALUE:TIME:SIGNATURE`.
fn signed(region: &Region) -> Result<Option<Vec<u8>>, Error> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let head = region.head(64)?;
    if !head.trim_ascii().iter().all(|byte| is_digit(byte) || matches!(byte, b':' | b'.')) {
        return Ok(None);
    }
    let text = region.bytes()?;
    let mut parts = text.trim_ascii().rsplitn(3, |byte| *byte == b':');
    let (Some(signature), Some(time), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let value = value.strip_prefix(b".").unwrap_or(value);
    let is_signed = [signature, time, value].iter().all(|part| !part.is_empty() && part.iter().all(is_digit));
    Ok(URL_SAFE_NO_PAD.decode(value).ok().filter(|_| is_signed))
}
