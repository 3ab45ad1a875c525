//! An output that may not grow out of all proportion to what is shown.

use std::io::{self, Write};

use crate::failure::Failure;
use crate::output::Output;

/// Bytes that may be printed for each byte that is shown: a small integer, alone on a deeply indented line, takes ten
/// times its cell, and some more in colour.
const FACTOR: usize = 16;
/// Bytes that may be printed besides.
const BASE: usize = 64 << 20;

/// Passes on what is written until it is too much: a long text that many places share is printed at each of them.
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

    /// What a failed write comes to, if `name` was shown.
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
