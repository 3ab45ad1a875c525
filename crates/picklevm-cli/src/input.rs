//! What a command reads: a file, or standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use crate::failure::Failure;

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
            Err(error) => Err(Failure::Usage(format!("{name}: cannot read: {error}"))),
        }
    }
}

/// Whether a path is `-`: standard input, or standard output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What an input is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}
