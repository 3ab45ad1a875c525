//! A vector in pieces: it grows without being copied, and takes no more memory than it has entries.

/// Entries of a piece.
const PIECE: usize = 1 << 14;

/// A vector whose entries stay where they are.
pub(crate) struct Chunks<T> {
    pieces: Vec<Vec<T>>,
    len: usize,
}

impl<T> Chunks<T> {
    pub(crate) const fn new() -> Self {
        Chunks { pieces: Vec::new(), len: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn push(&mut self, entry: T) {
        if self.len.is_multiple_of(PIECE) {
            self.pieces.push(Vec::new());
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(entry);
            self.len += 1;
        }
    }

    #[inline]
    pub(crate) fn get(&self, i: u32) -> Option<&T> {
        self.pieces.get(i as usize / PIECE)?.get(i as usize % PIECE)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, i: u32) -> Option<&mut T> {
        self.pieces.get_mut(i as usize / PIECE)?.get_mut(i as usize % PIECE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunks, PIECE};

    #[test]
    fn entries_are_found_in_every_piece() {
        let mut chunks = Chunks::new();
        for n in 0..3 * PIECE {
            chunks.push(n);
        }
        assert_eq!(chunks.len(), 3 * PIECE);
        assert!([0, PIECE - 1, PIECE, 3 * PIECE - 1].iter().all(|&n| chunks.get(n as u32) == Some(&n)));
        assert_eq!(chunks.get(3 * PIECE as u32), None);
        assert_eq!(chunks.get(u32::MAX), None);
    }
}
