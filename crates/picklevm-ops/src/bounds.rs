//! The ranges of the pickles in a slice.

use std::ops::Range;

use crate::error::Error;
use crate::opcode::Opcode;
use crate::undecoded::raw_ops;

/// Iterator over the ranges of the pickles in a slice, returned by [`pickle_bounds`].
#[derive(Clone, Debug)]
pub struct PickleBounds<'a> {
    data: &'a [u8],
    offset: usize,
}

/// Returns the byte range of each pickle in `data`, where one follows another. Use it to load them in parallel, or only
/// some.
///
/// Operands are skipped, not decoded, which costs a small part of a load. A range may still fail to load. The iterator
/// ends after an error.
///
/// ```
/// let data = b"\x80\x04K\x01.\x80\x04]\x94.";
/// let bounds: Vec<_> = picklevm_ops::pickle_bounds(data).collect::<Result<_, _>>()?;
/// assert_eq!(bounds, [0..5, 5..10]);
///
/// let error = picklevm_ops::pickle_bounds(b"N.X\xff\0\0\0abc").nth(1).unwrap().unwrap_err();
/// assert_eq!(error.offset(), 2);
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
pub fn pickle_bounds(data: &[u8]) -> PickleBounds<'_> {
    PickleBounds { data, offset: 0 }
}

impl PickleBounds<'_> {
    /// Returns the offset of the next pickle.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// # Errors
///
/// Each item may fail like [`Decoder::next_op`](crate::Decoder::next_op) where an op does not end. Offsets count from
/// the beginning of the slice.
impl Iterator for PickleBounds<'_> {
    type Item = Result<Range<usize>, Error>;

    fn next(&mut self) -> Option<Result<Range<usize>, Error>> {
        let start = self.offset;
        if start >= self.data.len() {
            return None;
        }
        // Nothing can be read after a pickle that does not end.
        self.offset = self.data.len();
        let mut end = start;
        for op in raw_ops(self.data, start) {
            match op {
                Ok(op) => end = op.end() as usize,
                Err(error) => return Some(Err(error)),
            }
        }
        debug_assert_eq!(self.data.get(end - 1), Some(&Opcode::Stop.byte()));
        self.offset = end;
        Some(Ok(start..end))
    }
}

impl std::iter::FusedIterator for PickleBounds<'_> {}

#[cfg(test)]
mod tests {
    use super::pickle_bounds;

    #[test]
    fn a_slice_without_a_pickle_has_no_bounds() {
        assert!(pickle_bounds(b"").next().is_none());
    }

    #[test]
    fn a_truncated_pickle_is_an_error_and_ends_the_iterator() {
        let mut bounds = pickle_bounds(b"N.]");
        assert_eq!(bounds.next().and_then(Result::ok), Some(0..2));
        assert!(bounds.next().is_some_and(|bounds| bounds.is_err()));
        assert!(bounds.next().is_none());
    }
}
