//! An output that is limited in proportion to the shown data.

use std::io::{self, Write};

use crate::failure::Failure;
use crate::output::Output;

/// Bytes that may be printed for each byte that is shown: a small integer, alone on a deeply indented line, takes ten
/// times its cell, and some more in colour.
const FACTOR: usize = 16;
/// Bytes that may be printed besides.
const BASE: usize = 64 << 20;

/// Passes on the output up to a limit: a long text with many references is printed for each of them.
pub(super) struct Budget<'o> {
    out: &'o mut Output,
    most: usize,
    left: usize,
}

impl<'o> Budget<'o> {
    /// For a value of so many bytes.
    pub(super) fn new(out: &'o mut Output, shown: usize) -> Self {
        let most = shown.saturating_mul(FACTOR).saturating_add(BASE);
        Budget { out, most, left: most }
    }

    /// Returns the failure for a failed write of what `name` holds.
    pub(super) fn failure(&self, name: &str, error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Failure::data(name, error),
            _ => self.out.failure(error),
        }
    }
}

impl Write for Budget<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| {
            let most = self.most;
            let message = format!("expected at most {most} bytes to print, {FACTOR} times what is shown, found more");
            io::Error::new(io::ErrorKind::FileTooLarge, message)
        })?;
        // Whatever is not written is an error for those who show.
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
