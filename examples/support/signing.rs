//! Implements `django.core.signing`: `DATA:TIME:SIGNATURE`, where DATA is Base64, and compressed if it starts with a
//! dot.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Maximum decompressed size in bytes.
const MAX_INFLATED: u64 = 4 << 20;

type Error = Box<dyn std::error::Error>;

/// Signs and verifies: `TimestampSigner(key, salt=salt)`.
pub(crate) struct Signer {
    key: [u8; 32],
}

impl Signer {
    /// Creates a signer with the `SECRET_KEY` of a site and a salt.
    pub(crate) fn new(secret: &str, salt: &str) -> Signer {
        // `salted_hmac`.
        let key = Sha256::new().chain_update(salt).chain_update("signer").chain_update(secret).finalize();
        Signer { key: key.into() }
    }

    /// `signing.loads(signed)`: returns the data and the time of signing in seconds since 1970. If the signature is
    /// invalid, nothing is decoded.
    pub(crate) fn loads(&self, signed: &str) -> Result<(Vec<u8>, u64), Error> {
        let (value, signature) = signed.rsplit_once(':').ok_or("no signature")?;
        // Compare in constant time.
        self.mac(value)?.verify_slice(&URL_SAFE_NO_PAD.decode(signature)?).map_err(|_| "invalid signature")?;
        let (data, time) = value.rsplit_once(':').ok_or("no timestamp")?;
        let compressed = data.strip_prefix('.');
        let data = URL_SAFE_NO_PAD.decode(compressed.unwrap_or(data))?;
        let mut inflated = Vec::new();
        if compressed.is_some() {
            ZlibDecoder::new(&data[..]).take(MAX_INFLATED).read_to_end(&mut inflated)?;
        }
        Ok((if compressed.is_some() { inflated } else { data }, from_base62(time).ok_or("no timestamp")?))
    }

    /// `signing.dumps(data, compress=True)`, signed at `time` in seconds since 1970.
    pub(crate) fn dumps(&self, data: &[u8], time: u64) -> Result<String, Error> {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(data)?;
        let deflated = deflated.finish()?;
        let data = match deflated.len() + 1 < data.len() {
            true => format!(".{}", URL_SAFE_NO_PAD.encode(deflated)),
            false => URL_SAFE_NO_PAD.encode(data),
        };
        let value = format!("{data}:{}", to_base62(time));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&value)?.finalize().into_bytes());
        Ok(format!("{value}:{signature}"))
    }

    fn mac(&self, value: &str) -> Result<Hmac<Sha256>, Error> {
        Ok(Hmac::<Sha256>::new_from_slice(&self.key)?.chain_update(value))
    }
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn to_base62(mut number: u64) -> String {
    let mut digits = Vec::new();
    while digits.is_empty() || number > 0 {
        digits.push(char::from(BASE62[(number % 62) as usize]));
        number /= 62;
    }
    digits.into_iter().rev().collect()
}

fn from_base62(text: &str) -> Option<u64> {
    text.bytes().try_fold(0u64, |number, byte| {
        let digit = BASE62.iter().position(|digit| *digit == byte)?;
        number.checked_mul(62)?.checked_add(digit as u64)
    })
}
