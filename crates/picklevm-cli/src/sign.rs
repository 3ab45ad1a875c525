//! `picklevm sign`: signs a pickle.

use std::io::Write;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::input;
use crate::output::Destination;
use crate::signing::{Signing, read};

/// Sign a pickle, so that Django, itsdangerous or `hmac` accepts it
///
/// Writes the pickle, or whatever it is given, with its signature: the other way of `verify`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm sign --key-file secret.key data.pkl -o signed.bin
  picklevm sign --layout django --salt cart --key-env SECRET_KEY data.pkl -o cookie.txt
  picklevm edit session.txt --set user.age=42 --bare |
    picklevm sign --layout django --salt django.contrib.sessions.SessionStore --key-env SECRET_KEY")]
pub(crate) struct Args {
    /// What is signed [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if !args.signing.is_text() {
        args.destination.check()?;
    }
    let file = input::or_standard(args.file.as_slice())?.swap_remove(0);
    let signed = args.signing.signer()?.sign(&read(&file)?);
    let mut out = args.destination.create()?;
    out.write_all(&signed).map_err(|error| out.failure(error))?;
    out.finish()
}
