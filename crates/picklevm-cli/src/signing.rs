//! Keys and layouts of signed pickles, which `verify` and `sign` share.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use picklevm::signed::{Digest, Signer};

use crate::failure::{Failure, reason};
use crate::input::{is_standard, name};

/// How data are signed.
#[derive(clap::Args)]
pub(crate) struct Signing {
    /// Read the key from this file, to its end; may be given again for keys that were replaced
    #[arg(long, value_name = "FILE", required_unless_present = "key_env")]
    key_file: Vec<PathBuf>,
    /// Take the key from this variable of the environment
    #[arg(long, value_name = "NAME")]
    key_env: Vec<String>,
    /// How the data are signed
    #[arg(long, value_name = "LAYOUT", default_value = "digest")]
    layout: Layout,
    /// The salt of Django or itsdangerous [default: `django.core.signing`, `itsdangerous`]
    #[arg(long, value_name = "TEXT")]
    salt: Option<String>,
    /// The hash function [default: sha1 for itsdangerous, else sha256]
    #[arg(long, value_name = "NAME")]
    digest: Option<Hash>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Layout {
    /// The HMAC in front of the data, as bytes
    Digest,
    /// django.core.signing
    Django,
    /// itsdangerous.URLSafeSerializer
    Itsdangerous,
    /// itsdangerous.URLSafeTimedSerializer
    ItsdangerousTimed,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl From<Hash> for Digest {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Sha1 => Digest::Sha1,
            Hash::Sha256 => Digest::Sha256,
            Hash::Sha384 => Digest::Sha384,
            Hash::Sha512 => Digest::Sha512,
        }
    }
}

impl Signing {
    /// Whether signed data are text.
    pub(crate) fn is_text(&self) -> bool {
        self.layout != Layout::Digest
    }

    /// What signs and verifies so, with the keys.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if a key is not there.
    pub(crate) fn signer(&self) -> Result<Signer, Failure> {
        let mut keys = Vec::new();
        for file in &self.key_file {
            keys.push(read(file)?);
        }
        for variable in &self.key_env {
            let key = std::env::var_os(variable);
            let key = key.ok_or_else(|| Failure::Usage(format!("the variable {variable} is not set")))?;
            keys.push(key.into_encoded_bytes());
        }
        let mut keys = keys.into_iter();
        let key = keys.next().unwrap_or_default();
        let salt = self.salt.as_deref();
        let signer = match self.layout {
            Layout::Digest => Signer::digest(key),
            Layout::Django => Signer::django(key, salt.unwrap_or("django.core.signing")),
            Layout::Itsdangerous => Signer::itsdangerous(key, salt.unwrap_or("itsdangerous")),
            Layout::ItsdangerousTimed => Signer::itsdangerous_timed(key, salt.unwrap_or("itsdangerous")),
        };
        let signer = keys.fold(signer, |signer, key| signer.fallback_key(key));
        Ok(self.digest.map_or(signer.clone(), |digest| signer.with_digest(digest.into())))
    }
}

/// Reads a file, or standard input.
///
/// # Errors
///
/// [`Failure::Usage`].
pub(crate) fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let read = if is_standard(path) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| Failure::Usage(format!("{}: cannot read: {}", name(path), reason(&error))))
}
