//! Memory for the next ops: a value is written into it with one check, and all of it is appended to the writer at once.

use picklevm_ops::internal::OpRun;

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
    /// Creates a chunk that asks for the end of the frame before the first value.
    pub(super) fn new(bytes: &'w mut [u8; CHUNK_LEN]) -> Self {
        Chunk { bytes, len: 0, full_at: 0 }
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

    /// Writes up to 128 bytes. There must be [space](Self::has_no_space), as there is where a value may
    /// [begin](Self::is_full).
    #[inline(always)]
    pub(super) fn ops(&mut self, write: impl FnOnce(&mut OpRun<'_>)) {
        debug_assert!(!self.has_no_space());
        // The compiler sees that this lies in the array, and has nothing to check for what is written.
        let at = self.len % FULL_LEN;
        let mut run = OpRun::over(&mut self.bytes[at..at + OpRun::SLACK]);
        write(&mut run);
        self.len += run.len();
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
