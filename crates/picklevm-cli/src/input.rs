//! What a command reads: files, or standard input.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::failure::{Failure, reason};
use crate::printable::{Printable, escape_bytes};

/// The bytes of a file, and what to call it in messages.
pub(crate) struct Input {
    /// The path, or `<stdin>`.
    pub(crate) name: String,
    /// All that is in it.
    pub(crate) data: Bytes,
}

impl Input {
    /// Reads a file; standard input where the path is `-`.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Input, Failure> {
        let name = name(path);
        let data = if is_standard(path) {
            let mut data = Vec::new();
            io::stdin().lock().read_to_end(&mut data).map(|_| data)
        } else {
            fs::read(path)
        };
        match data {
            Ok(data) => Ok(Input { name, data: data.into() }),
            Err(error) => Err(Failure::Usage(format!("{name}: cannot read: {}", reason(&error)))),
        }
    }
}

/// The files that a command is given; standard input where it is given none and that is not a terminal.
///
/// # Errors
///
/// [`Failure::Usage`] if there is nothing to read.
pub(crate) fn or_standard(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    match files {
        [] if io::stdin().is_terminal() => Err(Failure::Usage(
            "expected a FILE, found none; name one, or pipe a pickle to standard input (--help shows examples)".into(),
        )),
        [] => Ok(vec![PathBuf::from("-")]),
        files => Ok(files.to_vec()),
    }
}

/// Whether a path is `-`: standard input, or standard output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What an input is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "<stdin>".to_owned() } else { shown(path) }
}

/// A path as text that is safe to print: what is not UTF-8 is `\xNN`.
pub(crate) fn shown(path: &Path) -> String {
    Printable(&escape_bytes(path.as_os_str().as_encoded_bytes())).to_string()
}
