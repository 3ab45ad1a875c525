//! HMACs (RFC 2104) by the crates of RustCrypto.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A hash function of Python's `hashlib`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digest {
    /// `sha1`, the default of itsdangerous: good enough for an HMAC, and for nothing new.
    Sha1,
    /// `sha256`.
    Sha256,
    /// `sha384`.
    Sha384,
    /// `sha512`.
    Sha512,
}

/// Runs code with the type of the hash function.
macro_rules! with_type {
    ($digest:expr, $hash:ident => $code:expr) => {
        match $digest {
            Digest::Sha1 => {
                type $hash = Sha1;
                $code
            }
            Digest::Sha256 => {
                type $hash = Sha256;
                $code
            }
            Digest::Sha384 => {
                type $hash = Sha384;
                $code
            }
            Digest::Sha512 => {
                type $hash = Sha512;
                $code
            }
        }
    };
}

impl Digest {
    /// The length of a signature in bytes.
    pub(super) fn len(self) -> usize {
        with_type!(self, H => <H as sha2::Digest>::output_size())
    }

    /// The hash of several pieces.
    pub(super) fn hash(self, pieces: &[&[u8]]) -> Vec<u8> {
        with_type!(self, H => {
            let mut hash = H::new();
            pieces.iter().for_each(|piece| hash.update(piece));
            hash.finalize().to_vec()
        })
    }

    pub(super) fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        with_type!(self, H => {
            match Hmac::<H>::new_from_slice(key) {
                Ok(mac) => mac.chain_update(data).finalize().into_bytes().to_vec(),
                // A key of any length will do.
                Err(_) => Vec::new(),
            }
        })
    }

    /// Whether a tag is the HMAC, compared in constant time.
    pub(super) fn verify(self, key: &[u8], data: &[u8], tag: &[u8]) -> bool {
        with_type!(self, H => {
            Hmac::<H>::new_from_slice(key).is_ok_and(|mac| mac.chain_update(data).verify_slice(tag).is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmacs_are_those_of_python() {
        // `hmac.new(b"key", b"The quick brown fox jumps over the lazy dog", name).hexdigest()`
        let text = b"The quick brown fox jumps over the lazy dog";
        for (digest, hex) in [
            (Digest::Sha1, "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"),
            (Digest::Sha256, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"),
        ] {
            let tag = digest.hmac(b"key", text);
            assert_eq!(picklevm_testing::hex(&tag), hex);
            assert_eq!(tag.len(), digest.len());
            assert!(digest.verify(b"key", text, &tag) && !digest.verify(b"keys", text, &tag));
        }
    }
}
