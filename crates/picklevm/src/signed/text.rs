//! The layouts of Django (`django/core/signing.py`) and itsdangerous (`url_safe.py`, `signer.py`, `timed.py`), which differ in little:
//! the payload in base64, with a point in front if it is compressed; the time; the HMAC in base64.

use std::io::Read;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};

use super::digest::Digest;
use super::{Error, Result, Verified};

/// Base64 for URLs, written without padding and read with or without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How the time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    /// Digits, capitals, small letters: Django's `b62_encode`.
    Base62,
    /// Base64 of big-endian bytes: itsdangerous.
    Base64,
}

/// A layout of text.
#[derive(Clone)]
pub(super) struct Text {
    salt: Vec<u8>,
    separator: u8,
    time: Option<Time>,
    /// itsdangerous compresses what becomes shorter by it; Django if asked for.
    compresses: bool,
}

impl Text {
    pub(super) fn django(salt: &str) -> Self {
        Text { salt: salt.into(), separator: b':', time: Some(Time::Base62), compresses: false }
    }

    pub(super) fn itsdangerous(salt: &str, timed: bool) -> Self {
        Text { salt: salt.into(), separator: b'.', time: timed.then_some(Time::Base64), compresses: true }
    }

    /// The key of the HMAC: both derive it so (`django-concat`).
    fn derived_key(&self, digest: Digest, key: &[u8]) -> Vec<u8> {
        digest.hash(&[&self.salt, b"signer", key])
    }

    pub(super) fn sign(&self, digest: Digest, key: &[u8], payload: &[u8], now: u64) -> Vec<u8> {
        let compressed = if self.compresses { compress(payload) } else { None };
        let mut text = String::new();
        if compressed.is_some() {
            text.push('.');
        }
        BASE64.encode_string(compressed.as_deref().unwrap_or(payload), &mut text);
        if let Some(time) = self.time {
            text.push(self.separator.into());
            text += &time.write(now);
        }
        let tag = digest.hmac(&self.derived_key(digest, key), text.as_bytes());
        text.push(self.separator.into());
        BASE64.encode_string(tag, &mut text);
        text.into_bytes()
    }

    pub(super) fn verify(&self, digest: Digest, keys: &[Vec<u8>], data: &[u8], max_len: usize) -> Result<Verified> {
        let missing = Error::Layout("text without a signature");
        let (signed, tag) = self.split(data).ok_or(missing)?;
        let tag = BASE64.decode(tag).map_err(|_| Error::Signature)?;
        if !keys.iter().any(|key| digest.verify(&self.derived_key(digest, key), signed, &tag)) {
            return Err(Error::Signature);
        }
        let (payload, timestamp) = match self.time {
            None => (signed, None),
            Some(time) => {
                let (payload, written) = self.split(signed).ok_or(Error::Payload("has no time"))?;
                (payload, Some(time.read(written).ok_or(Error::Payload("has no time"))?))
            }
        };
        let (is_compressed, payload) = match payload {
            [b'.', rest @ ..] => (true, rest),
            payload => (false, payload),
        };
        let payload = BASE64.decode(payload).map_err(|_| Error::Payload("is no base64"))?;
        let payload = if is_compressed { decompress(&payload, max_len)? } else { payload };
        Ok(Verified { payload, timestamp })
    }

    /// What stands before and behind the last separator.
    fn split<'d>(&self, data: &'d [u8]) -> Option<(&'d [u8], &'d [u8])> {
        let at = data.iter().rposition(|byte| *byte == self.separator)?;
        Some((&data[..at], &data[at + 1..]))
    }
}

impl Time {
    fn write(self, seconds: u64) -> String {
        match self {
            Time::Base64 => {
                let bytes = seconds.to_be_bytes();
                BASE64.encode(&bytes[seconds.leading_zeros() as usize / 8..])
            }
            Time::Base62 => {
                let mut digits = Vec::new();
                let mut rest = seconds;
                while rest > 0 || digits.is_empty() {
                    digits.push(DIGITS[(rest % 62) as usize]);
                    rest /= 62;
                }
                digits.iter().rev().map(|digit| char::from(*digit)).collect()
            }
        }
    }

    fn read(self, text: &[u8]) -> Option<u64> {
        let fold = |base: u64, mut digits: Box<dyn Iterator<Item = Option<u64>> + '_>| {
            digits.try_fold(0u64, |number, digit| number.checked_mul(base)?.checked_add(digit?))
        };
        match self {
            Time::Base64 => {
                let bytes = BASE64.decode(text).ok()?;
                fold(256, Box::new(bytes.iter().map(|byte| Some((*byte).into()))))
            }
            Time::Base62 if text.is_empty() => None,
            Time::Base62 => {
                let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte).map(|digit| digit as u64);
                fold(62, Box::new(text.iter().map(digit)))
            }
        }
    }
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The compressed bytes, if they are shorter by two at least.
fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    ZlibEncoder::new(bytes, Compression::default()).read_to_end(&mut out).ok()?;
    Some(out).filter(|out| out.len() + 1 < bytes.len())
}

fn decompress(bytes: &[u8], max_len: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let most = u64::try_from(max_len).unwrap_or(u64::MAX).saturating_add(1);
    ZlibDecoder::new(bytes).take(most).read_to_end(&mut out).map_err(|_| Error::Payload("cannot be decompressed"))?;
    if out.len() > max_len {
        return Err(Error::Payload("decompresses to more than the limit"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for time in [Time::Base62, Time::Base64] {
            for seconds in [0, 1, 61, 62, 255, 256, 1_700_000_000, u64::MAX] {
                assert_eq!(time.read(time.write(seconds).as_bytes()), Some(seconds), "{seconds}");
            }
        }
        assert_eq!(Time::Base62.write(1_700_000_000), "1r31eq");
        assert_eq!(Time::Base62.read(b"zzzzzzzzzzzzzzz"), None);
    }
}
