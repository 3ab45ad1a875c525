//! Signed pickles: nothing is decoded before its signature is verified.
//!
//! Python's manual advises to sign pickles with [`hmac`](https://docs.python.org/3/library/hmac.html) where they could be
//! changed on their way. A [`Signer`] writes and reads the layouts that Python programs use:
//!
//! | layout | what it writes |
//! | --- | --- |
//! | [`Signer::digest`] | the HMAC in front of the pickle, as bytes |
//! | [`Signer::django`] | `django.core.signing`: payload in base64, time, HMAC, with colons between |
//! | [`Signer::itsdangerous`] | `itsdangerous.URLSafeSerializer`: the same with points |
//!
//! ```
//! use picklevm::signed::Signer;
//! use picklevm::value;
//!
//! let signer = Signer::digest("a long random key");
//! let signed = signer.dumps(value!({"user": 42}).root())?;
//! assert_eq!(signer.loads(&signed)?.root().at("user").as_i64(), Some(42));
//!
//! let other = Signer::digest("another key");
//! assert_eq!(other.loads(&signed).unwrap_err().to_string(), "the signature does not match");
//! # Ok::<(), picklevm::signed::Error>(())
//! ```
//!
//! A signature says who wrote a pickle, not that it is harmless: loading is as careful as ever. Keys are secrets of 32 random
//! bytes or more; whoever has one can sign. Celery's `auth` serializer signs with certificates, which need a library of
//! their own, and is left out.

mod digest;
mod text;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::digest::Digest;
use self::text::Text;
use crate::{Graph, Pickler, Unpickler, Value};

/// The result of signing and verifying.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why signed data was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The signature is that of other data, or of another key.
    Signature,
    /// The data are not in the layout: there is no signature in them.
    Layout(&'static str),
    /// The signature is older than it may be.
    Expired {
        /// How old it is.
        age: Duration,
    },
    /// The signature is right, and what was signed cannot be unpacked: it is no base64, damaged or too long.
    Payload(&'static str),
    /// The pickle could not be read or written.
    Pickle(crate::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Signature => f.write_str("the signature does not match"),
            Error::Layout(missing) => write!(f, "expected signed data, found {missing}"),
            Error::Expired { age } => write!(f, "the signature is {} seconds old", age.as_secs()),
            Error::Payload(what) => write!(f, "the signature matches, but what was signed {what}"),
            Error::Pickle(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Pickle(error) => Some(error),
            _ => None,
        }
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        Error::Pickle(error)
    }
}

/// Data whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What was signed: a pickle, or for Django and itsdangerous often JSON.
    pub payload: Vec<u8>,
    /// When it was signed, in seconds since 1970, if the layout says so.
    pub timestamp: Option<u64>,
}

#[derive(Clone)]
enum Layout {
    Digest,
    Text(Text),
}

/// Signs and verifies, with a key.
///
/// ```
/// use std::time::Duration;
///
/// use picklevm::signed::{Digest, Signer};
/// use picklevm::value;
///
/// // `django.core.signing.dumps(value, key, salt="cart", serializer=PickleSerializer)`.
/// let signer = Signer::django("secret", "cart").max_age(Duration::from_secs(3600));
/// let signed = signer.dumps(value!([1, 2]).root())?;
/// assert_eq!(signer.loads(&signed)?.root().to_string(), "[1, 2]");
///
/// // A key that was replaced is accepted for a while.
/// let signer = Signer::digest("new key").fallback_key("old key").with_digest(Digest::Sha512);
/// # Ok::<(), picklevm::signed::Error>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    layout: Layout,
    digest: Digest,
    /// The first one signs.
    keys: Vec<Vec<u8>>,
    max_age: Option<Duration>,
    max_len: usize,
    pickler: Pickler,
    unpickler: Unpickler,
}

impl Signer {
    fn new(layout: Layout, digest: Digest, key: &[u8]) -> Self {
        Signer {
            layout,
            digest,
            keys: vec![key.to_vec()],
            max_age: None,
            max_len: 256 << 20,
            pickler: Pickler::new(),
            unpickler: Unpickler::new(),
        }
    }

    /// The HMAC-SHA256 in front of the pickle: `hmac.digest(key, pickled, "sha256") + pickled`.
    pub fn digest(key: impl AsRef<[u8]>) -> Self {
        Signer::new(Layout::Digest, Digest::Sha256, key.as_ref())
    }

    /// What `django.core.signing.dumps(obj, key=key, salt=salt)` writes, of a pickle; with SHA-256, as Django since 3.1. The salt
    /// of Django's `dumps` is `django.core.signing` if none is given.
    pub fn django(key: impl AsRef<[u8]>, salt: &str) -> Self {
        Signer::new(Layout::Text(Text::django(salt)), Digest::Sha256, key.as_ref())
    }

    /// What `itsdangerous.URLSafeSerializer(key, salt, serializer=pickle).dumps` writes; with SHA-1, as itsdangerous has it if
    /// nothing else is asked for. The salt is `itsdangerous` if none is given.
    pub fn itsdangerous(key: impl AsRef<[u8]>, salt: &str) -> Self {
        Signer::new(Layout::Text(Text::itsdangerous(salt, false)), Digest::Sha1, key.as_ref())
    }

    /// What `itsdangerous.URLSafeTimedSerializer` writes: as [`itsdangerous`](Self::itsdangerous), with the time.
    pub fn itsdangerous_timed(key: impl AsRef<[u8]>, salt: &str) -> Self {
        Signer::new(Layout::Text(Text::itsdangerous(salt, true)), Digest::Sha1, key.as_ref())
    }

    /// Sets the hash function.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// Accepts another key too, which signs nothing: for keys that are replaced now and then.
    #[must_use]
    pub fn fallback_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.keys.push(key.as_ref().to_vec());
        self
    }

    /// Refuses what was signed longer ago, in layouts that have the time. No limit by default.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Refuses what decompresses to more bytes. 256 MiB by default.
    #[must_use]
    pub fn max_len(mut self, bytes: usize) -> Self {
        self.max_len = bytes;
        self
    }

    /// Sets how pickles are written.
    #[must_use]
    pub fn pickler(mut self, pickler: Pickler) -> Self {
        self.pickler = pickler;
        self
    }

    /// Sets how pickles are read, once they are verified.
    #[must_use]
    pub fn unpickler(mut self, unpickler: Unpickler) -> Self {
        self.unpickler = unpickler;
        self
    }

    /// Pickles a value, and signs it.
    ///
    /// # Errors
    ///
    /// [`Error::Pickle`] if the value cannot be pickled.
    pub fn dumps(&self, value: Value<'_>) -> Result<Vec<u8>> {
        Ok(self.sign(&self.pickler.dumps(value)?))
    }

    /// Verifies signed data, and reads the pickle in it.
    ///
    /// # Errors
    ///
    /// As those of [`verify`](Self::verify); [`Error::Pickle`] if the pickle cannot be read.
    pub fn loads(&self, data: impl AsRef<[u8]>) -> Result<Graph> {
        let verified = self.verify(data)?;
        Ok(self.unpickler.load_bytes(verified.payload)?)
    }

    /// Signs bytes.
    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        let key = self.keys.first().map(Vec::as_slice).unwrap_or_default();
        match &self.layout {
            Layout::Digest => [&self.digest.hmac(key, payload)[..], payload].concat(),
            Layout::Text(text) => text.sign(self.digest, key, payload, now()),
        }
    }

    /// Verifies signed data. Nothing of the payload is looked at before its signature is right; signatures are compared in
    /// constant time.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`], [`Error::Layout`], [`Error::Expired`], [`Error::Payload`].
    pub fn verify(&self, data: impl AsRef<[u8]>) -> Result<Verified> {
        let data = data.as_ref();
        let verified = match &self.layout {
            Layout::Digest => {
                let Some((tag, payload)) = data.split_at_checked(self.digest.len()) else {
                    return Err(Error::Layout("less bytes than a signature has"));
                };
                if !self.keys.iter().any(|key| self.digest.verify(key, payload, tag)) {
                    return Err(Error::Signature);
                }
                Verified { payload: payload.to_vec(), timestamp: None }
            }
            Layout::Text(text) => text.verify(self.digest, &self.keys, data, self.max_len)?,
        };
        if let (Some(max_age), Some(timestamp)) = (self.max_age, verified.timestamp) {
            let age = Duration::from_secs(now().saturating_sub(timestamp));
            if age > max_age {
                return Err(Error::Expired { age });
            }
        }
        Ok(verified)
    }
}

/// Shows no key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("digest", &self.digest).field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
