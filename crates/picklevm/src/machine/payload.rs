//! Payloads, and the limit on bytes held.

use super::graph_builder::GraphBuilder;
use crate::error::Result;
use crate::graph::{Arena, Cell, Span, Tag};
use crate::limits;

impl GraphBuilder<'_> {
    /// Copies a short input as a whole, which is faster than copying payloads one by one. Does nothing if the limits
    /// are so low that payloads must be counted.
    #[inline]
    pub(crate) fn copy_input(&mut self, input: &[u8]) {
        if self.options.limits.first_check >= input.len() as u64 && self.roots == 0 {
            self.arena.copy_input(input);
            self.copied = (input.as_ptr().addr(), input.len());
        }
    }

    /// Fails if a container could not grow.
    pub(super) fn check_growth(&self) -> Result<()> {
        let refused = (self.arena.growth.refused * size_of::<Cell>()) as u64;
        limits::check("bytes", "bytes held", self.options.limits.bytes, refused)
    }

    /// Fails if memory for the hash tables of all dicts and sets, and for `rows` more rows, would exceed the limit.
    pub(super) fn check_tables(&self, rows: usize) -> Result<()> {
        if rows < limits::CHECK_INTERVAL as usize && self.arena.unsettled.is_empty() {
            return Ok(());
        }
        let held = self.arena.held_bytes() + rows * (size_of::<Cell>() + Arena::TABLE_ROW);
        limits::check("bytes", "bytes held", self.options.limits.bytes, held as u64)
    }

    /// Counts a payload against the limit on bytes.
    #[inline(always)]
    pub(super) fn pay(&mut self, len: usize) -> Result<()> {
        match self.payload_left.checked_sub(len as u64) {
            Some(left) => {
                self.payload_left = left;
                Ok(())
            }
            None => Err(limits::exceeded(
                "bytes",
                "bytes held",
                self.options.limits.bytes,
                self.arena.held_bytes() as u64 + len as u64,
            )),
        }
    }

    #[inline(always)]
    pub(super) fn payload(&mut self, tag: Tag, bytes: &[u8], surrogates: bool) -> Result<Cell> {
        // Only a part of the input has an address inside it.
        let at = bytes.as_ptr().addr().wrapping_sub(self.copied.0);
        let span = if at < self.copied.1 {
            Span::in_text(at, bytes.len())
        } else {
            self.pay(bytes.len())?;
            self.arena.payloads.keep(bytes)
        };
        Ok(self.arena.push_text(tag, bytes, span.with_surrogates(surrogates)))
    }
}
