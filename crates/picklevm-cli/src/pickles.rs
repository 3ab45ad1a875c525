//! The pickles of a file: where each begins and ends, and at which protocol it is.

use std::path::PathBuf;

use bytes::Bytes;
use picklevm::{Error, ErrorKind, Graph, Protocol, Unpickler};
use picklevm_ops::{Op, Opcode};

use crate::failure::{self, Failure};
use crate::input::{self, Input};

/// One pickle of a file.
pub(crate) struct Pickle {
    /// Where it begins, in bytes from the start of the file.
    pub(crate) offset: usize,
    /// Its bytes: to STOP, or to the end of the file where no STOP can be reached.
    pub(crate) data: Bytes,
    /// Whether STOP was reached.
    pub(crate) is_whole: bool,
    /// The protocol that it names, or where it names none the one of its newest opcode.
    pub(crate) protocol: Protocol,
}

impl Pickle {
    /// The pickle that begins at `offset` of a file.
    pub(crate) fn at(file: &Bytes, offset: usize) -> Pickle {
        let data = file.slice(offset..);
        let mut ops = picklevm_ops::ops(&data);
        let (mut named, mut newest, mut is_whole) = (None, Protocol::V0, true);
        for op in ops.by_ref() {
            let Ok((_, op)) = op else {
                is_whole = false;
                break;
            };
            if let (Op::Proto(version @ 2..), None) = (op, named) {
                named = Protocol::try_from(version).ok();
            }
            newest = newest.max(Protocol::try_from(op.opcode().proto()).unwrap_or_default());
        }
        let len = if is_whole { ops.offset() } else { data.len() };
        Pickle { offset, data: data.slice(..len), is_whole, protocol: named.unwrap_or(newest) }
    }

    /// Where it ends, in bytes from the start of the file.
    pub(crate) fn end(&self) -> usize {
        self.offset + self.data.len()
    }

    /// Loads it. The offset of an error counts from the start of the file.
    pub(crate) fn load(&self, unpickler: &Unpickler) -> picklevm::Result<Graph> {
        unpickler.load_bytes(self.data.clone()).map_err(|error| error.offset_by(self.offset as u64))
    }

    /// What an error in this pickle of the file `name` comes to. Its offset, if it has one, counts from the start of the
    /// file.
    pub(crate) fn failure(&self, name: &str, error: impl Into<Error>) -> Failure {
        let error = error.into();
        let is_first = self.offset == 0;
        match error.kind() {
            ErrorKind::End if is_first => Failure::data(name, "empty: expected a pickle, found 0 bytes"),
            ErrorKind::End | ErrorKind::Truncated => Failure::data(name, format!("truncated: {error}")),
            _ if is_first && !self.is_whole && self.data.first() != Some(&Opcode::Proto.byte()) => {
                Failure::data(name, format!("not a pickle: {error}"))
            }
            _ if error.offset().is_none() && !is_first => {
                Failure::data(name, format!("pickle at offset {}: {error}", self.offset))
            }
            _ => Failure::data(name, error),
        }
    }
}

/// The pickle files that a command prints, and how much of them.
#[derive(clap::Args)]
pub(crate) struct PickleFiles {
    /// Read these files [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print every pickle in a file, not only the first
    #[arg(long)]
    all: bool,
}

impl PickleFiles {
    /// Whether several files are named, so that what is printed of each needs a heading.
    pub(crate) fn are_several(&self) -> bool {
        self.files.len() > 1
    }

    /// Runs a command on each pickle that is asked for, given where it begins; the command returns where it ends. Says how
    /// many bytes of a file are left out.
    ///
    /// # Errors
    ///
    /// The worst of all files; at once if the output is closed.
    pub(crate) fn each(&self, mut run: impl FnMut(&Input, usize) -> Result<usize, Failure>) -> Result<(), Failure> {
        failure::each(&input::or_standard(&self.files)?, |file| {
            let input = Input::read(file)?;
            let mut at = run(&input, 0)?;
            while self.all && at < input.data.len() {
                at = run(&input, at)?;
            }
            tell_rest(&input, at, "use --all to print every pickle");
            Ok(())
        })
    }
}

/// Says on standard error how many bytes of an input were left out, if any, and what can be done.
pub(crate) fn tell_rest(input: &Input, end: usize, remedy: &str) {
    let rest = input.data.len().saturating_sub(end);
    if rest > 0 {
        let (name, bytes) = (&input.name, failure::count(rest, "byte"));
        failure::note(&format!("{name}: {bytes} after the first pickle, from offset {end} on, not read; {remedy}"));
    }
}
