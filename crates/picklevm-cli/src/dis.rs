//! `picklevm dis`: the ops of pickles, as `python -m pickletools` prints them.

use std::io::{self, Write};
use std::path::PathBuf;

use picklevm_ops::{Disassembler, ErrorKind};

use crate::failure::{self, Failure};
use crate::input::{self, Input};
use crate::output::Output;

/// The column from about which on annotations stand, as `python -m pickletools` has it.
const ANNOTATE_COLUMN: usize = 30;

/// Prints the ops of pickles, one a line, as `python -m pickletools` does
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pickles
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Where to write
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// End each line with a sentence on its opcode
    #[arg(short, long)]
    annotate: bool,
    /// Keep the memo from one pickle to the next
    #[arg(short, long)]
    memo: bool,
    /// By how many blanks to indent what follows a MARK
    #[arg(short = 'l', long, value_name = "BLANKS", default_value_t = 4)]
    indentlevel: usize,
    /// What to print before each of several pickles; {name} is its file
    #[arg(short, long, default_value = "==> {name} <==")]
    preamble: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut disassembler = Disassembler::new()
        .indent_level(args.indentlevel)
        .annotate(if args.annotate { ANNOTATE_COLUMN } else { 0 })
        .keep_memo(args.memo);
    let mut out = Output::create(&args.output)?;
    failure::each(&args.files, |file| {
        if args.files.len() > 1 {
            let preamble = args.preamble.replace("{name}", &input::name(file));
            writeln!(out, "{preamble}").map_err(|error| out.failure(error))?;
        }
        let Input { name, data } = Input::read(file)?;
        match disassembler.dis(&data, &mut out) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Io => Err(out.failure(into_io(error))),
            Err(error) => {
                // The lines up to the error are worth having before the message.
                out.flush().map_err(|error| out.failure(error))?;
                Err(Failure::data(&name, error))
            }
        }
    })?;
    out.finish()
}

/// What the output said when it failed.
fn into_io(error: picklevm_ops::Error) -> io::Error {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
    io::Error::new(source.map_or(io::ErrorKind::Other, io::Error::kind), error.to_string())
}
