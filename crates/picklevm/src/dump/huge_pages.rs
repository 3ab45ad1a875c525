//! `LongPickle`: memory for a long pickle, in huge pages.

use std::io;

use bytes::Bytes;
use memmap2::MmapMut;

/// Pickles from this length on are written into mapped memory. The malloc of glibc keeps freed blocks up to this length
/// (its `DEFAULT_MMAP_THRESHOLD_MAX`), and reused memory is faster than mapped memory.
pub(crate) const MIN_MAPPED_LEN: usize = 32 << 20;

/// The length of a huge page on systems with pages of 4 KiB. A map whose length is a multiple of it can use them.
const HUGE_PAGE: usize = 2 << 20;

/// Memory that a pickle is written to: a vector while it is short, then huge pages.
///
/// Falls back to ordinary memory if there are no huge pages or mapping fails.
pub(crate) struct LongPickle {
    memory: Memory,
    expected: usize,
}

enum Memory {
    Ordinary(Vec<u8>),
    Mapped { map: MmapMut, len: usize },
}

impl LongPickle {
    /// Creates empty memory for a pickle of about `expected` bytes.
    pub(crate) fn new(expected: usize) -> Self {
        LongPickle { memory: Memory::Ordinary(Vec::with_capacity(expected.min(HUGE_PAGE))), expected }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self.memory {
            Memory::Ordinary(bytes) => Bytes::from(bytes),
            memory @ Memory::Mapped { .. } => Bytes::from_owner(memory),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.memory.put(bytes) {
            return;
        }
        let written = self.memory.as_ref();
        let least = (written.len() + bytes.len()).max(2 * written.len());
        let wanted = self.expected.max(least);
        let mut memory = Memory::mapped(wanted).unwrap_or_else(|| Memory::ordinary(wanted, least));
        memory.put(written);
        memory.put(bytes);
        self.memory = memory;
    }
}

impl Memory {
    /// Maps memory, which uses physical memory only for what is written.
    fn mapped(len: usize) -> Option<Memory> {
        let map = MmapMut::map_anon(len.checked_next_multiple_of(HUGE_PAGE)?).ok()?;
        // Without huge pages the map still works.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Some(Memory::Mapped { map, len: 0 })
    }

    fn ordinary(wanted: usize, least: usize) -> Memory {
        let mut vec = Vec::new();
        if vec.try_reserve_exact(wanted).is_err() {
            vec.reserve_exact(least);
        }
        Memory::Ordinary(vec)
    }

    /// Appends bytes if they fit; returns whether they did.
    fn put(&mut self, bytes: &[u8]) -> bool {
        match self {
            Memory::Ordinary(vec) => {
                let fits = bytes.len() <= vec.capacity() - vec.len();
                if fits {
                    vec.extend_from_slice(bytes);
                }
                fits
            }
            Memory::Mapped { map, len } => match map[*len..].get_mut(..bytes.len()) {
                Some(place) => {
                    place.copy_from_slice(bytes);
                    *len += bytes.len();
                    true
                }
                None => false,
            },
        }
    }
}

/// The bytes written so far.
impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        match self {
            Memory::Ordinary(vec) => vec,
            Memory::Mapped { map, len } => &map[..*len],
        }
    }
}

impl io::Write for LongPickle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `len` bytes in pieces of several lengths, and checks the result.
    #[track_caller]
    fn written(mut pickle: LongPickle, len: usize) -> LongPickle {
        let bytes: Vec<u8> = (0..len).map(|at| (at / 251) as u8).collect();
        let (mut rest, mut piece) = (&bytes[..], 1);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            pickle.put(now);
            (rest, piece) = (later, piece * 3);
        }
        assert!(pickle.memory.as_ref() == bytes, "{len} bytes");
        pickle
    }

    #[test]
    fn a_pickle_as_long_as_expected_is_mapped_once() {
        let pickle = written(LongPickle::new(5 << 20), 5 << 20);
        let Memory::Mapped { map, .. } = pickle.memory else { panic!("ordinary memory") };
        assert_eq!(map.len(), 6 << 20);
    }

    #[test]
    fn a_pickle_that_is_longer_than_expected_is_complete() {
        for expected in [0, 1, HUGE_PAGE - 1, HUGE_PAGE + 1] {
            let pickle = written(LongPickle::new(expected), 3 * HUGE_PAGE + 7);
            assert_eq!(pickle.into_bytes().len(), 3 * HUGE_PAGE + 7);
        }
    }

    #[test]
    fn a_short_pickle_where_a_long_one_was_expected_uses_ordinary_memory() {
        let pickle = written(LongPickle::new(usize::MAX), 1000);
        assert!(matches!(pickle.memory, Memory::Ordinary(_)));
    }
}
