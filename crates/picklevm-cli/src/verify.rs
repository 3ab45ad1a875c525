//! `picklevm verify`: signed pickles.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use picklevm::signed::{Digest, Error, Signer};

use crate::failure::{Failure, note, reason};
use crate::input::{is_standard, name};
use crate::output::Destination;

/// Verify the signature of a signed pickle, and write what was signed
///
/// Nothing of it is decoded before the signature is right; then the pickle, or whatever was signed, is written as it is: pipe it to
/// `show` or `scan`. The exit status is 1 if the signature does not match or is too old.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm verify --key-file secret.key signed.bin -o data.pkl
  picklevm verify --layout django --salt cart --key-env SECRET_KEY cookie.txt | picklevm show
  picklevm verify --layout itsdangerous --key-file key token.txt --check")]
pub(crate) struct Args {
    /// The signed data; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
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
    /// Refuse what was signed longer ago, where the layout has the time
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Only check the signature
    #[arg(long, conflicts_with = "output")]
    check: bool,
    #[command(flatten)]
    destination: Destination,
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

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if !args.check {
        args.destination.check()?;
    }
    let data = read(&args.file)?;
    // An editor adds a line end to text, which no layout of text has.
    let data = if args.layout == Layout::Digest { &data[..] } else { data.trim_ascii() };
    let name = name(&args.file);
    let verified = signer(args)?.verify(data).map_err(|error| match error {
        Error::Signature => Failure::data(&name, error).hint("check the key, --salt, --layout and --digest"),
        error => Failure::data(&name, error),
    })?;
    if args.check {
        let signed = verified.timestamp.map_or(String::new(), |seconds| format!(", signed {seconds} s after 1970"));
        note(&format!("{name}: the signature matches{signed}"));
        return Ok(());
    }
    let mut out = args.destination.create()?;
    out.write_all(&verified.payload).map_err(|error| out.failure(error))?;
    out.finish()
}

fn signer(args: &Args) -> Result<Signer, Failure> {
    let mut keys = Vec::new();
    for file in &args.key_file {
        keys.push(read(file)?);
    }
    for variable in &args.key_env {
        let key = std::env::var_os(variable);
        let key = key.ok_or_else(|| Failure::Usage(format!("the variable {variable} is not set")))?;
        keys.push(key.into_encoded_bytes());
    }
    let mut keys = keys.into_iter();
    let key = keys.next().unwrap_or_default();
    let salt = args.salt.as_deref();
    let signer = match args.layout {
        Layout::Digest => Signer::digest(key),
        Layout::Django => Signer::django(key, salt.unwrap_or("django.core.signing")),
        Layout::Itsdangerous => Signer::itsdangerous(key, salt.unwrap_or("itsdangerous")),
        Layout::ItsdangerousTimed => Signer::itsdangerous_timed(key, salt.unwrap_or("itsdangerous")),
    };
    let signer = keys.fold(signer, |signer, key| signer.fallback_key(key));
    let signer = args.digest.map_or(signer.clone(), |digest| signer.with_digest(digest.into()));
    Ok(args.max_age.map_or(signer.clone(), |seconds| signer.max_age(Duration::from_secs(seconds))))
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let read = if is_standard(path) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| Failure::Usage(format!("{}: cannot read: {}", name(path), reason(&error))))
}
