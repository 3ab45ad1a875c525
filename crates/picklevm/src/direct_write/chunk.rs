//! Memory for the next ops: a value is written into it with one check, and all of it is appended to the writer at once.

use std::ops::{Deref, DerefMut};

use picklevm_ops::internal::{OpRun, START_LEN};

/// Length from which no op begins in a chunk: a power of two, of memory that stays in the L1 cache.
const FULL_LEN: usize = 16 << 10;

/// Length of a chunk: there is space for what begins at its last place.
pub(super) const CHUNK_LEN: usize = FULL_LEN + OpRun::SLACK;

/// Ops that the writer does not have yet.
pub(super) struct Chunk<'w> {
    bytes: &'w mut [u8; CHUNK_LEN],
    len: usize,
    /// Length from which no value begins here: the frame may end before it.
    full_at: usize,
}

impl<'w> Chunk<'w> {
    /// Creates a chunk with space for the start of the pickle. In an empty one no value begins unless there `is_space`.
    #[inline]
    pub(super) fn new(bytes: &'w mut [u8; CHUNK_LEN], start_len: usize, is_space: bool) -> Self {
        Chunk { bytes, len: start_len, full_at: if is_space { FULL_LEN } else { 0 } }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether a value must not begin here.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.full_at
    }

    /// Whether nothing must begin here.
    #[inline(always)]
    pub(super) fn has_no_space(&self) -> bool {
        self.len >= FULL_LEN
    }

    /// Returns space for up to 128 bytes of ops. There must [be some](Self::has_no_space), as there is where a value may
    /// [begin](Self::is_full).
    #[inline(always)]
    pub(super) fn run(&mut self) -> Run<'_> {
        debug_assert!(!self.has_no_space());
        // The compiler sees that this lies in the array, and has nothing to check for what is written.
        let at = self.len % FULL_LEN;
        Run { ops: OpRun::over(&mut self.bytes[at..at + OpRun::SLACK]), len: &mut self.len }
    }

    /// Writes the start of the pickle into its space.
    #[inline]
    pub(super) fn set_start(&mut self, start: [u8; START_LEN]) {
        self.bytes[..START_LEN].copy_from_slice(&start);
    }

    /// Returns the ops, which are removed.
    #[inline]
    pub(super) fn take(&mut self) -> &[u8] {
        let ops = &self.bytes[..self.len];
        (self.len, self.full_at) = (0, 0);
        ops
    }

    /// Begins again, with a number of bytes until the frame is full.
    pub(super) fn begin(&mut self, left: usize) {
        self.full_at = left.min(FULL_LEN);
    }
}

/// Ops being written, which the chunk has when this is dropped. Not a function that writes them: the compiler makes calls of some.
pub(super) struct Run<'c> {
    ops: OpRun<'c>,
    len: &'c mut usize,
}

impl<'c> Deref for Run<'c> {
    type Target = OpRun<'c>;

    #[inline(always)]
    fn deref(&self) -> &OpRun<'c> {
        &self.ops
    }
}

impl<'c> DerefMut for Run<'c> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut OpRun<'c> {
        &mut self.ops
    }
}

impl Drop for Run<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.len += self.ops.len();
    }
}
