//! What commands have in common that write the pickles of a file again: `optimize`, `repickle`.

use std::path::PathBuf;

use bytes::Bytes;
use picklevm::Error;

use crate::failure::{Failure, count};
use crate::input::{self, Input};
use crate::pickles::Pickle;

/// The file whose pickles are written again. All of it is: pickles, and on request what follows them.
#[derive(clap::Args)]
pub(crate) struct Source {
    /// Read this file [default: standard input, which is also `-`]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Copy what follows the pickles and is none, instead of refusing the file
    #[arg(long)]
    keep_rest: bool,
}

impl Source {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if it cannot be read.
    pub(crate) fn read(&self) -> Result<Input, Failure> {
        let files = input::or_standard(self.file.as_slice())?;
        Input::read(&files[0])
    }

    /// What follows the pickles and is none: what begins as `pickle` and could not be read.
    ///
    /// # Errors
    ///
    /// What `error` comes to, if that was a pickle, or is not to be copied.
    pub(crate) fn rest(&self, input: &Input, pickle: &Pickle, error: impl Into<Error>) -> Result<Bytes, Failure> {
        let failure = pickle.failure(&input.name, error);
        if pickle.offset == 0 || pickle.is_whole {
            return Err(failure);
        }
        if self.keep_rest {
            return Ok(pickle.data.clone());
        }
        let bytes = count(pickle.data.len(), "byte");
        Err(failure.hint(&format!("use --keep-rest to copy what follows offset {} ({bytes}) unchanged", pickle.offset)))
    }
}
