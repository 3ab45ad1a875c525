//! Readers that return less than they are asked for.

use std::io::{self, BufRead, Read};

/// A reader that returns one byte at a time.
#[derive(Clone, Copy, Debug)]
pub struct OneByte<'a>(pub &'a [u8]);

impl Read for OneByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

impl BufRead for OneByte<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.0.get(..1).unwrap_or(self.0))
    }

    fn consume(&mut self, count: usize) {
        self.0 = &self.0[count..];
    }
}
