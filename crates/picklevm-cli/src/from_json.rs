//! `picklevm from-json`: pickles made from JSON, plain or tagged.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use picklevm::literal::from_json_prefix;
use picklevm::{Pickler, PicklerVersion, Protocol};

use crate::failure::{Failure, reason};
use crate::input;
use crate::output::Destination;

/// Make pickles from JSON: plain JSON, or what `show --json` prints
///
/// Each document becomes a pickle, one after the other. Objects become dicts, arrays lists. The tags that `show --json` writes
/// become what they stand for, so that every pickle comes back from its JSON as it was.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm from-json settings.json -o settings.pkl
  picklevm show --json old.pkl | sed s/oldpkg/newpkg/ | picklevm from-json -o new.pkl
  echo '{\"$set\":[1,2]}' | picklevm from-json --protocol 2 -o set.pkl")]
pub(crate) struct Args {
    /// Read this file [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    /// Write this protocol, from 0 to 5
    #[arg(short, long, value_name = "N", default_value_t = Protocol::DEFAULT)]
    protocol: Protocol,
    /// Emulate this pickler: VERSION-c or VERSION-py, of CPython 2.7 and 3.6 to 3.15
    #[arg(short, long, value_name = "WRITER", default_value_t = PicklerVersion::default())]
    writer: PicklerVersion,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    args.destination.check()?;
    let path = input::or_standard(args.file.as_slice())?.swap_remove(0);
    let name = input::name(&path);
    let read = match input::is_standard(&path) {
        true => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => fs::read(&path),
    };
    let bytes = read.map_err(|error| Failure::Usage(format!("{name}: cannot read: {}", reason(&error))))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::data(&name, format!("offset {at}: expected JSON in UTF-8, found a byte that is none"))
    })?;
    let pickler = Pickler::new().protocol(args.protocol).writer(args.writer);
    let mut pickles = Vec::new();
    let mut at = 0;
    loop {
        let (graph, len) = from_json_prefix(&text[at..], args.protocol)
            .map_err(|error| Failure::data(&name, error.offset_by(at as u64)))?;
        pickles.push(pickler.to_bytes(graph.root()).map_err(|error| Failure::data(&name, error))?);
        // Blanks before the line end are no part of the next document, those behind it may be.
        at += len;
        let rest = text[at..].trim_start_matches(['\n', '\r', ' ', '\t']);
        if rest.is_empty() {
            break;
        }
        at += text[at..text.len() - rest.len()].rfind('\n').map_or(0, |end| end + 1);
    }
    let mut out = args.destination.create()?;
    for pickle in pickles {
        out.write_all(&pickle).map_err(|error| out.failure(error))?;
    }
    out.finish()
}
