//! `picklevm dis`: the ops of pickles, as `python -m pickletools` prints them.

use std::io::{self, Write};
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use picklevm_ops::{Disassembler, ErrorKind};

use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::pickles::PickleFiles;

/// The column at which annotations begin, as in `python -m pickletools`.
const ANNOTATE_COLUMN: usize = 30;

/// Print the opcodes of pickles, one a line, as `python -m pickletools` does
///
/// Each line shows the offset in the file or member, the opcode, its name and its argument. What follows a MARK is indented.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  picklevm dis data.pkl
  picklevm dis --all --annotate data.pkl
  curl -s https://example.org/data.pkl | picklevm dis")]
pub(crate) struct Args {
    #[command(flatten)]
    pickles: PickleFiles,
    /// Write to this file
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// End each line with a sentence on its opcode
    #[arg(short, long)]
    annotate: bool,
    /// Keep the memo from one pickle to the next
    #[arg(short, long)]
    memo: bool,
    /// Indent what follows a MARK by this many blanks
    #[arg(short = 'l', long, value_name = "BLANKS", default_value_t = 4)]
    indentlevel: usize,
    /// Print this before each of several files or members; {name} is the file, or FILE: MEMBER
    #[arg(short, long, default_value = "==> {name} <==")]
    preamble: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let is_stdout = input::is_standard(&args.output);
    let mut disassembler = Disassembler::new()
        .indent_level(args.indentlevel)
        .annotate(if args.annotate { ANNOTATE_COLUMN } else { 0 })
        .keep_memo(args.memo)
        .color(is_stdout && AutoStream::choice(&io::stdout()) != ColorChoice::Never);
    let mut out = if is_stdout { Output::paged() } else { Output::create(&args.output)? };
    args.pickles.each(false, |pickle, heading| {
        if let Some(heading) = heading {
            let preamble = args.preamble.replace("{name}", heading);
            writeln!(out, "{preamble}").map_err(|error| out.failure(error))?;
        }
        disassembler.set_base(usize::try_from(pickle.offset).unwrap_or(usize::MAX));
        disassembler.dis(&pickle.data, &mut out).map(drop).map_err(|error| {
            if error.kind() == ErrorKind::Io
                && let Some(failure) = out.failure_in(&error)
            {
                return failure;
            }
            // The lines up to the error are worth having before the message.
            match out.flush() {
                Ok(()) if error.kind() == ErrorKind::Memo && pickle.index > 0 && !args.memo => {
                    pickle.failure(error).hint("use --memo if the pickles share one memo")
                }
                Ok(()) => pickle.failure(error),
                Err(error) => out.failure(error),
            }
        })
    })?;
    out.finish()
}
