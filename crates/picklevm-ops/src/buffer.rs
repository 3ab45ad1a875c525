//! `Buffer`: bytes that grow at the end, with room ahead.

/// What ops are encoded to.
pub(crate) trait Out {
    /// How many bytes there are.
    fn len(&self) -> usize;

    /// Appends bytes of which the compiler knows the number.
    fn put<const N: usize>(&mut self, bytes: [u8; N]);

    /// Appends bytes.
    fn put_all(&mut self, bytes: &[u8]);

    /// Takes back what is behind the first `len` bytes.
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

/// Bytes that were written, and behind them bytes that may be written over.
///
/// That these are there already is what a vector of written bytes has not: a run of ops goes into a slice of them, with
/// its position in a register, where a vector's length goes through memory from op to op.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// What was written, then what may be written over.
    bytes: Vec<u8>,
    len: usize,
}

/// How many bytes are made ready at a time: few enough that they are in the nearest cache when they are written.
const AHEAD: usize = 4096;

impl Buffer {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Buffer { len: bytes.len(), bytes }
    }

    /// Nothing, with room where `memory` has bytes.
    #[inline]
    pub(crate) fn from_vec(memory: Vec<u8>) -> Self {
        Buffer { len: 0, bytes: memory }
    }

    /// What was written, and the bytes behind it that are ready to be written over.
    #[inline]
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// What was written.
    #[inline(always)]
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// What was written in a range, to be changed.
    #[inline]
    pub(crate) fn written_mut(&mut self, from: usize, to: usize) -> &mut [u8] {
        &mut self.bytes[from..to]
    }

    /// Takes back what was written in a range.
    pub(crate) fn remove(&mut self, from: usize, to: usize) {
        self.bytes.copy_within(to..self.len, from);
        self.len -= to - from;
    }

    /// Room for at least so many bytes.
    #[inline(always)]
    pub(crate) fn reserve(&mut self, least: usize) -> &mut [u8] {
        if self.bytes.len() - self.len < least {
            self.grow(least);
        }
        &mut self.bytes[self.len..]
    }

    /// Takes over what was written into the room, of which no more is taken than there was.
    #[inline(always)]
    pub(crate) fn advance(&mut self, by: usize) {
        self.len = (self.len + by).min(self.bytes.len());
    }

    /// Makes room for at least so many bytes, and for more where the memory is there.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, least: usize) {
        let spare = self.bytes.capacity() - self.len;
        let run = if spare < least { least.max(AHEAD) } else { spare.min(least.max(AHEAD)) };
        self.bytes.resize(self.len + run, 0);
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
            None => self.put_beyond(&bytes),
        }
    }

    #[inline(always)]
    fn put_all(&mut self, bytes: &[u8]) {
        // Most ops have no payload, which is known where they are encoded.
        if bytes.is_empty() {
            return;
        }
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.extend_beyond(bytes),
        }
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl Buffer {
    /// Makes room, and appends a few bytes.
    #[cold]
    #[inline(never)]
    fn put_beyond(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Appends more than there is room for, without making it ready first.
    #[cold]
    #[inline(never)]
    fn extend_beyond(&mut self, bytes: &[u8]) {
        self.bytes.truncate(self.len);
        self.bytes.extend_from_slice(bytes);
        self.len = self.bytes.len();
    }
}
