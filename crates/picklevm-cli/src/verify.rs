//! `picklevm verify`: signed pickles.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use picklevm::signed::Error;

use crate::failure::{Failure, note};
use crate::input::name;
use crate::output::Destination;
use crate::signing::{Signing, read};

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
    #[command(flatten)]
    signing: Signing,
    /// Refuse what was signed longer ago, where the layout has the time
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Only check the signature
    #[arg(long, conflicts_with = "output")]
    check: bool,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if !args.check {
        args.destination.check()?;
    }
    let data = read(&args.file)?;
    // An editor adds a line end to text, which no layout of text has.
    let data = if args.signing.is_text() { data.trim_ascii() } else { &data[..] };
    let name = name(&args.file);
    let signer = args.signing.signer()?;
    let signer = args.max_age.map_or(signer.clone(), |seconds| signer.max_age(Duration::from_secs(seconds)));
    let verified = signer.verify(data).map_err(|error| match error {
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
