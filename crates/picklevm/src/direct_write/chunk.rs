//! Memory for the next ops: a value is written into it with one check, and all of it is appended to the writer at once.

use picklevm_ops::internal::{OpRun, START_LEN};

use super::cursor::Position;

/// Length from which no op begins in a chunk: a power of two, of memory that stays in the L1 cache.
const FULL_LEN: usize = 16 << 10;

/// Length of a chunk: there is space for what begins at its last place.
pub(super) const CHUNK_LEN: usize = FULL_LEN + OpRun::SLACK;

/// Ops that the writer does not have yet.
pub(super) struct Chunk<'w> {
    bytes: &'w mut [u8; CHUNK_LEN],
    /// Length from which no value begins here: the frame may end before it.
    full_at: usize,
}

impl<'w> Chunk<'w> {
    /// Creates a chunk with the start of the pickle. In an empty one no value begins unless there `is_space`.
    #[inline]
    pub(super) fn new(bytes: &'w mut [u8; CHUNK_LEN], start: [u8; START_LEN], is_space: bool) -> Self {
        bytes[..START_LEN].copy_from_slice(&start);
        Chunk { bytes, full_at: if is_space { FULL_LEN } else { 0 } }
    }

    /// Whether a value must not begin at a position.
    #[inline(always)]
    pub(super) fn is_full_at(&self, Position(at): Position) -> bool {
        at >= self.full_at
    }

    /// Whether nothing must begin at a position.
    #[inline(always)]
    pub(super) fn has_no_space_at(&self, Position(at): Position) -> bool {
        at >= FULL_LEN
    }

    /// Returns space for up to 128 bytes of ops at a position. There must [be some](Self::has_no_space_at), as there is where a
    /// value may [begin](Self::is_full_at).
    #[inline(always)]
    pub(super) fn run_at(&mut self, Position(at): Position) -> OpRun<'_> {
        debug_assert!(at < FULL_LEN);
        // The compiler sees that this lies in the array, and has nothing to check for what is written.
        let at = at % FULL_LEN;
        OpRun::over(&mut self.bytes[at..at + OpRun::SLACK])
    }

    /// Sets the length of the frame that the start begins.
    #[inline]
    pub(super) fn set_frame_len(&mut self, len: usize) {
        self.bytes[START_LEN - 8..START_LEN].copy_from_slice(&(len as u64).to_le_bytes());
    }

    /// Returns the ops before a position. No value begins here until [`begin`](Self::begin).
    #[inline]
    pub(super) fn take(&mut self, Position(at): Position) -> &[u8] {
        self.full_at = 0;
        &self.bytes[..at]
    }

    /// Begins again, with a number of bytes until the frame is full.
    pub(super) fn begin(&mut self, left: usize) {
        self.full_at = left.min(FULL_LEN);
    }
}
