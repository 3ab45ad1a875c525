//! Where pickles end: in a slice, and in data that arrive in parts.

use std::ops::Range;

use crate::error::Error;
use crate::opcode::Opcode;
use crate::operand::Operand;
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

/// Finds the end of a pickle in data that arrive in parts, as from a socket.
///
/// Each byte is looked at once, however small the parts are; operands are skipped, not decoded.
///
/// ```
/// use picklevm_ops::PickleEnd;
///
/// let mut end = PickleEnd::default();
/// assert_eq!(end.find(b"\x80\x04X\x03\0\0")?, None);
/// assert_eq!(end.find(b"\x80\x04X\x03\0\0\0abc.N.")?, Some(11));
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PickleEnd {
    /// Offset of the first op that was not complete.
    op: usize,
    /// Length of the data from which on that op may be complete.
    needed: u64,
    /// Up to here the line of that op has no newline. `None` if it has a length.
    line: Option<usize>,
}

impl PickleEnd {
    /// Returns where the pickle that begins with `data` ends, or `None` if more must arrive. Call it again with the same
    /// bytes and what arrived after them.
    ///
    /// # Errors
    ///
    /// Returns an error if a byte is not an opcode, or a length is negative.
    pub fn find(&mut self, data: &[u8]) -> Result<Option<usize>, Error> {
        if (data.len() as u64) < self.needed {
            return Ok(None);
        }
        if let Some(searched) = self.line {
            if !data.get(searched..).unwrap_or_default().contains(&b'\n') {
                self.line = Some(data.len());
                return Ok(None);
            }
            self.line = None;
        }
        for op in raw_ops(data, self.op) {
            match op {
                Ok(op) if op.opcode() == Opcode::Stop => return Ok(Some(op.end() as usize)),
                Ok(op) => self.op = op.end() as usize,
                Err(error) => {
                    let Some(needed) = error.needed_len() else { return Err(error) };
                    self.needed = needed;
                    let is_line = error.opcode().and_then(Opcode::operand).is_some_and(Operand::is_line);
                    self.line = is_line.then_some(data.len());
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Returns how many bytes the data must have, at the least, for the pickle to end in them.
    pub fn needed_len(&self) -> u64 {
        self.needed.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::{PickleEnd, pickle_bounds};

    /// A pickle with operands of every way to tell their length.
    const PICKLE: &[u8] = b"\x80\x02]q\0(I12\ncos\nsystem\nX\x02\0\0\0.\nK.J....U\x01.e.";

    #[test]
    fn the_end_is_found_however_the_data_arrive() {
        for step in 1..=PICKLE.len() {
            let mut end = PickleEnd::default();
            let found = (1..=PICKLE.len())
                .filter(|len| len % step == 0 || *len == PICKLE.len())
                .find_map(|len| end.find(&PICKLE[..len]).expect("opcodes"));
            assert_eq!(found, Some(PICKLE.len()), "{step} bytes at once");
        }
    }

    #[test]
    fn an_end_before_the_last_byte_is_not_passed() {
        let two = [PICKLE, PICKLE].concat();
        assert_eq!(PickleEnd::default().find(&two).expect("opcodes"), Some(PICKLE.len()));
    }

    #[test]
    fn a_byte_that_is_no_opcode_is_an_error_at_its_offset() {
        let error = PickleEnd::default().find(b"N\xff").expect_err("no opcode");
        assert_eq!((error.offset(), error.kind()), (1, crate::ErrorKind::UnknownOpcode));
    }

    #[test]
    fn a_line_that_arrives_byte_by_byte_is_searched_once() {
        let mut data = b"c".to_vec();
        let mut end = PickleEnd::default();
        // Quadratic time would be hours.
        for _ in 0..2_000_000 {
            data.push(b'x');
            assert_eq!(end.find(&data).expect("a line"), None);
        }
        data.extend_from_slice(b"\ny\n.");
        assert_eq!(end.find(&data).expect("a line"), Some(data.len()));
    }

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
