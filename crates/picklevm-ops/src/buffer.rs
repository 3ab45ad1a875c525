//! `Buffer`: a growing byte buffer with initialized space after its end.

/// A destination for encoded ops.
pub(crate) trait Out {
    /// Returns the number of bytes.
    fn len(&self) -> usize;

    /// Appends a number of bytes that is known at compile time.
    fn put<const N: usize>(&mut self, bytes: [u8; N]);

    /// Appends bytes.
    fn put_all(&mut self, bytes: &[u8]);

    /// Removes the bytes after the first `len`.
    fn truncate(&mut self, len: usize);
}

impl Out for Vec<u8> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.extend_from_slice(&bytes);
    }

    #[inline(always)]
    fn put_all(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }
}

/// Written bytes, followed by initialized bytes that may be overwritten.
///
/// With the initialized bytes, a run of ops can be written into a slice, with its position in a register. The length of
/// a `Vec` would be stored to memory after each op.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// The first `len` bytes are written, the others may be overwritten.
    bytes: Vec<u8>,
    len: usize,
    /// Expected number of bytes, if it is long: memory for them is allocated at once.
    expected: usize,
}

/// Number of bytes initialized at a time: few enough to be in the L1 cache when they are written.
const RESERVE_LEN: usize = 4096;

impl Buffer {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Buffer { len: bytes.len(), bytes, expected: 0 }
    }

    /// Creates an empty buffer that overwrites the bytes of `memory`.
    #[inline]
    pub(crate) fn from_vec(memory: Vec<u8>) -> Self {
        Buffer { len: 0, bytes: memory, expected: 0 }
    }

    /// Sets the number of bytes that will probably be written. It counts when the memory at hand is used up.
    pub(crate) fn expect(&mut self, len: usize) {
        self.expected = len;
    }

    /// Returns the written bytes and the initialized bytes after them.
    #[inline]
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// Returns the written bytes.
    #[inline(always)]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns a range of the written bytes, to be changed.
    #[inline]
    pub(crate) fn written_mut(&mut self, from: usize, to: usize) -> &mut [u8] {
        &mut self.bytes[from..to]
    }

    /// Removes a range of the written bytes.
    pub(crate) fn remove(&mut self, from: usize, to: usize) {
        self.bytes.copy_within(to..self.len, from);
        self.len -= to - from;
    }

    /// Returns the initialized space after the end, at least `least` bytes.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, least: usize) -> &mut [u8] {
        if self.bytes.len() - self.len < least {
            self.grow(least);
        }
        &mut self.bytes[self.len..]
    }

    /// Adds bytes that were written into the reserved space, at most as many as there are.
    #[inline(always)]
    pub(crate) fn advance(&mut self, by: usize) {
        self.len = (self.len + by).min(self.bytes.len());
    }

    /// Allocates memory for all that is expected, if `least` bytes need an allocation.
    fn reserve_expected(&mut self, least: usize) {
        if self.bytes.capacity() - self.len < least && self.expected > self.len + least {
            self.bytes.reserve_exact(self.expected - self.bytes.len());
        }
    }

    /// Initializes at least `least` bytes, and more if the capacity allows.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, least: usize) {
        self.reserve_expected(least);
        let spare = self.bytes.capacity() - self.len;
        let reserve = if spare < least { least.max(RESERVE_LEN) } else { spare.min(least.max(RESERVE_LEN)) };
        self.bytes.resize(self.len + reserve, 0);
    }
}

impl Out for Buffer {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.bytes.get_mut(self.len..).and_then(|run| run.first_chunk_mut()) {
            Some(place) => {
                *place = bytes;
                self.len += N;
            }
            None => self.grow_and_put(&bytes),
        }
    }

    #[inline(always)]
    fn put_all(&mut self, bytes: &[u8]) {
        // Most ops have no payload, which is known at compile time.
        if bytes.is_empty() {
            return;
        }
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.grow_and_extend(bytes),
        }
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl Buffer {
    /// Grows the buffer and appends a few bytes.
    #[cold]
    #[inline(never)]
    fn grow_and_put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Appends more bytes than are initialized, without initializing them first.
    #[cold]
    #[inline(never)]
    fn grow_and_extend(&mut self, bytes: &[u8]) {
        self.bytes.truncate(self.len);
        self.reserve_expected(bytes.len());
        self.bytes.extend_from_slice(bytes);
        self.len = self.bytes.len();
    }
}
