//! An output that is limited in proportion to the shown data.

use std::io::{self, Write};

use crate::failure::Failure;
use crate::output::Output;

/// Bytes that may be printed for each byte that is shown: a small integer, alone on a deeply indented line, takes ten
/// times its cell, and some more in colour.
const FACTOR: usize = 16;
/// Bytes that may be printed besides.
const BASE: usize = 64 << 20;

/// The limit on the output of the whole command.
pub(super) struct Limit {
    left: Option<usize>,
    is_reached: bool,
}

impl Limit {
    /// At most so many bytes, or any number.
    pub(super) fn new(most: Option<usize>) -> Limit {
        Limit { left: most, is_reached: false }
    }

    /// Whether there was more to print.
    pub(super) fn is_reached(&self) -> bool {
        self.is_reached
    }

    /// Returns how many of these bytes may be printed, whole characters.
    fn allow(&mut self, bytes: &[u8]) -> usize {
        let Some(left) = &mut self.left else { return bytes.len() };
        let mut len = bytes.len().min(*left);
        self.is_reached = len < bytes.len();
        while self.is_reached && len > 0 && bytes[len] & 0xc0 == 0x80 {
            len -= 1;
        }
        *left -= len;
        len
    }
}

/// Passes on the output up to a limit: a long text with many references is printed for each of them.
pub(super) struct Budget<'o> {
    out: &'o mut Output,
    limit: &'o mut Limit,
    most: usize,
    left: usize,
}

impl<'o> Budget<'o> {
    /// For a value of so many bytes.
    pub(super) fn new(out: &'o mut Output, shown: usize, limit: &'o mut Limit) -> Self {
        let most = shown.saturating_mul(FACTOR).saturating_add(BASE);
        Budget { out, limit, most, left: most }
    }

    /// Whether the command has printed what it may.
    pub(super) fn is_cut(&self) -> bool {
        self.limit.is_reached
    }

    /// Prints the line that ends an output that was cut.
    pub(super) fn end(&mut self, line: &str) -> io::Result<()> {
        self.out.write_all(line.as_bytes())
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
        let allowed = self.limit.allow(bytes);
        self.out.write_all(&bytes[..allowed])?;
        match allowed == bytes.len() {
            true => Ok(allowed),
            false => Err(io::Error::other("the output has reached its limit")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
