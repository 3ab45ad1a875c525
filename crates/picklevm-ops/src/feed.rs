//! Sources of bytes that are asked for exactly what an op needs.

use std::io;

/// Where a [`FeedReader`](crate::FeedReader) gets its bytes.
///
/// An [`io::BufRead`] decides itself how much it reads ahead. A feed is told what the next op needs, so that it can read
/// that much from a file that it shares with others and whose position must be right after the pickle. `&[u8]` is a feed.
pub trait Feed {
    /// Returns the bytes at hand, from the current position on.
    fn bytes(&self) -> &[u8];

    /// Moves the position behind the first `len` bytes at hand.
    fn consume(&mut self, len: usize);

    /// Gets bytes until at least `len` are at hand. Returns whether they are; if not, the data end before.
    ///
    /// # Errors
    ///
    /// If reading fails.
    fn fill(&mut self, len: u64) -> io::Result<bool>;

    /// Gets the payload of an op for bytes: `len` bytes, of which the first stands `from` bytes after the position. Returns whether they
    /// are at hand, as [`fill`](Self::fill) does, which it calls unless a feed has a better way for long payloads.
    ///
    /// # Errors
    ///
    /// If reading fails.
    fn fill_payload(&mut self, from: usize, len: u64) -> io::Result<bool> {
        self.fill(len.saturating_add(from as u64))
    }

    /// Gets bytes until there is a newline at hand, `from` bytes or more after the position. Returns whether there is;
    /// if not, the data end before.
    ///
    /// # Errors
    ///
    /// If reading fails.
    fn fill_line(&mut self, from: usize) -> io::Result<bool>;
}

impl Feed for &[u8] {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn consume(&mut self, len: usize) {
        *self = self.get(len..).unwrap_or_default();
    }

    #[inline]
    fn fill(&mut self, len: u64) -> io::Result<bool> {
        Ok(len <= self.len() as u64)
    }

    #[inline]
    fn fill_line(&mut self, from: usize) -> io::Result<bool> {
        Ok(self.get(from..).is_some_and(|rest| memchr::memchr(b'\n', rest).is_some()))
    }
}
