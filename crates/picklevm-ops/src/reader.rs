//! Decoding from a reader.

use std::io;

use crate::error::{Error, ErrorKind};
use crate::frame::{Halt, Need, Unframer};
use crate::input::{Window, find_newline};
use crate::op::{Op, decode, skip};
use crate::opcode::Opcode;
use crate::source::{Source, private};
use crate::undecoded::{RawOp, decode_slowly};

/// Reads ops from an [`io::BufRead`].
///
/// Memory grows with the bytes of one op that have arrived, never with a length that an op claims. Nothing is read past
/// STOP, except the rest of its frame, which is skipped as in CPython.
///
/// ```
/// use picklevm_ops::{Op, Reader};
///
/// let mut stream: &[u8] = b"K\x01.and more";
/// let mut reader = Reader::new(&mut stream);
/// assert_eq!(reader.next_op()?, Op::BinInt1(1));
/// assert_eq!(reader.next_op()?, Op::Stop);
/// assert_eq!(reader.into_inner(), b"and more");
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    /// Number of bytes of `inner`'s buffer that the last op takes; they are consumed before the next read.
    lent: usize,
    /// Holds an op that `inner`'s buffer does not hold as a whole, or that may cross the end of a frame.
    scratch: Vec<u8>,
    op_start: u64,
    offset: u64,
    pickle_start: u64,
    /// Offset of the end of the current frame.
    frame: Option<u64>,
    max_op_len: u64,
    max_pickle_len: u64,
    /// The opcode of the last op.
    last_opcode: Option<Opcode>,
}

impl<R: io::BufRead> Reader<R> {
    /// Creates a reader of `inner`. It has no buffer of its own; for a file, pass `BufReader::new(file)`.
    pub fn new(inner: R) -> Self {
        Reader {
            inner,
            lent: 0,
            scratch: Vec::new(),
            op_start: 0,
            offset: 0,
            pickle_start: 0,
            frame: None,
            max_op_len: u64::MAX,
            max_pickle_len: u64::MAX,
            last_opcode: None,
        }
    }

    /// Limits the length of an op, opcode and operand together, in bytes. Default: no limit.
    ///
    /// ```
    /// use picklevm_ops::{ErrorKind, Reader};
    ///
    /// let endless = std::io::BufReader::new(std::io::repeat(b'V'));
    /// let error = Reader::new(endless).max_op_len(1 << 20).next_op().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Limit);
    /// ```
    #[must_use]
    pub fn max_op_len(mut self, len: u64) -> Self {
        self.max_op_len = len;
        self
    }

    /// Limits the length of a pickle in bytes, including what its last frame holds after STOP. Default: no limit.
    ///
    /// ```
    /// use picklevm_ops::{ErrorKind, Op, Reader};
    ///
    /// let endless = std::io::BufReader::new(std::io::repeat(b'N'));
    /// let mut reader = Reader::new(endless).max_pickle_len(2);
    /// assert_eq!(reader.next_op()?, Op::None);
    /// assert_eq!(reader.next_op()?, Op::None);
    /// assert_eq!(reader.next_op().unwrap_err().kind(), ErrorKind::Limit);
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn max_pickle_len(mut self, len: u64) -> Self {
        self.max_pickle_len = len;
        self
    }

    /// Returns how many bytes of the pickle may still be read.
    #[inline(always)]
    fn left_in_pickle(&self) -> u64 {
        match self.max_pickle_len {
            // No limit, even for a claimed length that exceeds it.
            u64::MAX => u64::MAX,
            limit => limit.saturating_sub(self.offset - self.pickle_start),
        }
    }

    /// Reads the next op. Its payload is valid until the next call.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::next_op`](crate::Decoder::next_op), [`Io`](ErrorKind::Io) if the reader fails, and
    /// [`Limit`](ErrorKind::Limit). After an error the position within the op is unspecified.
    #[inline]
    pub fn next_op(&mut self) -> Result<Op<'_>, Error> {
        self.give_back();
        self.op_start = self.offset;
        let mut window = Window::<false>::new(self.window()?, 0);
        let len = match skip(&mut window) {
            Ok(opcode) if opcode != Opcode::Stop => Some((opcode, window.pos())),
            _ => None,
        };
        match len {
            Some((opcode, len)) => {
                self.last_opcode = Some(opcode);
                self.lend(len)
            }
            None => self.next_op_slowly(),
        }
    }

    /// Reads the next op without decoding it. Its bytes are valid until the next call.
    pub(crate) fn next_raw(&mut self) -> Result<RawOp<'_>, Error> {
        self.give_back();
        self.op_start = self.offset;
        let mut window = Window::<false>::new(self.window()?, 0);
        let whole = match skip(&mut window) {
            Ok(opcode) if opcode != Opcode::Stop => Some((opcode, window.pos())),
            _ => None,
        };
        let offset = self.op_start;
        let Some((opcode, len)) = whole else {
            let opcode = self.collect()?;
            if opcode == Opcode::Stop {
                self.leave_frame()?;
            }
            return Ok(RawOp { offset, opcode, bytes: &self.scratch });
        };
        self.offset += len as u64;
        self.lent = len;
        let bytes = self.inner.fill_buf().map_err(|error| Error::from_io(offset, error))?;
        Ok(RawOp { offset, opcode, bytes: bytes.get(..len).unwrap_or_default() })
    }

    /// Returns the offset of the last op (or of the op that failed), in bytes from the initial position of the reader.
    #[inline]
    pub fn op_offset(&self) -> u64 {
        self.op_start
    }

    /// Returns the offset after the last op.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the opcode of the next op, if there is one; it is not consumed.
    pub fn peek_opcode(&mut self) -> Option<Opcode> {
        self.give_back();
        let buffer = fill(&mut self.inner, self.offset).ok()?;
        Opcode::from_byte(*buffer.first()?)
    }

    /// Begins the next pickle of the stream.
    pub fn start_pickle(&mut self) {
        if let Some(end) = self.frame.take() {
            self.offset = end;
        }
        self.pickle_start = self.offset;
    }

    /// Returns the inner reader, positioned after the last op.
    pub fn into_inner(mut self) -> R {
        self.give_back();
        self.inner
    }

    /// Consumes the last op.
    #[inline(always)]
    fn give_back(&mut self) {
        self.inner.consume(std::mem::take(&mut self.lent));
    }

    /// Returns the bytes readable without a frame check: those of the current frame that are in the buffer.
    #[inline(always)]
    fn window(&mut self) -> Result<&[u8], Error> {
        let left = self.frame.map_or(u64::MAX, |end| end - self.offset).min(self.max_op_len).min(self.left_in_pickle());
        let buffer = fill(&mut self.inner, self.offset)?;
        Ok(&buffer[..at_most(left, buffer)])
    }

    /// Returns the op in the next `len` bytes of the buffer.
    #[inline(always)]
    fn lend(&mut self, len: usize) -> Result<Op<'_>, Error> {
        let start = self.offset;
        self.offset += len as u64;
        self.lent = len;
        let bytes = self.inner.fill_buf().map_err(|error| Error::from_io(start, error))?;
        let bytes = bytes.get(..len).unwrap_or_default();
        decode(&mut Window::<false>::new(bytes, 0)).or_else(|_| decode_slowly(bytes, start, None))
    }

    #[cold]
    fn next_op_slowly(&mut self) -> Result<Op<'_>, Error> {
        let frame = self.frame;
        let opcode = self.collect()?;
        self.last_opcode = Some(opcode);
        if opcode == Opcode::Stop {
            self.leave_frame()?;
        }
        decode_slowly(&self.scratch, self.op_start, frame)
    }

    /// Moves the next op to `scratch`, across the ends of frames.
    #[cold]
    fn collect(&mut self) -> Result<Opcode, Error> {
        self.scratch.clear();
        loop {
            let mut input = Unframer::new(&self.scratch, self.offset, self.frame);
            let halt = match skip(&mut input) {
                Ok(opcode) => {
                    self.frame = input.frame();
                    self.offset += input.pos() as u64;
                    return Ok(opcode);
                }
                Err(halt) => halt,
            };
            let arrived = match &halt {
                Halt::Failed(_) => false,
                Halt::More(need) => self.gather(*need)?,
            };
            if !arrived {
                let first = self.offset == self.pickle_start;
                return Err(halt.into_error(self.offset, self.scratch.len(), first));
            }
        }
    }

    /// Moves the bytes that a read needs to `scratch`. Returns `false` if the data end before.
    fn gather(&mut self, need: Need) -> Result<bool, Error> {
        let target = need.len.saturating_add(need.from as u64);
        let most = self.max_op_len.min(self.left_in_pickle());
        let bound = if need.line { target.min(most) } else { target };
        if bound > most {
            return Err(self.too_long());
        }
        loop {
            let missing = bound - self.scratch.len() as u64;
            if missing == 0 {
                return if bound < target { Err(self.too_long()) } else { Ok(true) };
            }
            let buffer = fill(&mut self.inner, self.offset + self.scratch.len() as u64)?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let buffer = &buffer[..at_most(missing, buffer)];
            let newline = if need.line { find_newline(buffer) } else { None };
            let len = newline.map_or(buffer.len(), |at| at + 1);
            self.scratch.extend_from_slice(&buffer[..len]);
            self.inner.consume(len);
            if newline.is_some() {
                return Ok(true);
            }
        }
    }

    #[cold]
    fn too_long(&self) -> Error {
        let opcode = self.scratch.first().and_then(|&byte| Opcode::from_byte(byte));
        let expected = if self.left_in_pickle() < self.max_op_len {
            format!("at most {} bytes of input", self.max_pickle_len)
        } else {
            format!("an op of at most {} bytes", self.max_op_len)
        };
        Error::new(ErrorKind::Limit, self.offset, opcode, expected, "more")
    }

    /// Skips the rest of the current frame.
    #[cold]
    fn leave_frame(&mut self) -> Result<(), Error> {
        let Some(end) = self.frame else { return Ok(()) };
        let mut left = end - self.offset;
        if left > self.left_in_pickle() {
            return Err(self.too_long());
        }
        while left > 0 {
            let buffer = fill(&mut self.inner, self.offset)?;
            if buffer.is_empty() {
                break;
            }
            let len = at_most(left, buffer);
            self.inner.consume(len);
            left -= len as u64;
        }
        self.frame = Some(end - left);
        Ok(())
    }
}

/// Returns `len`, or the length of `buffer` if that is less.
#[inline(always)]
fn at_most(len: u64, buffer: &[u8]) -> usize {
    usize::try_from(len).map_or(buffer.len(), |len| len.min(buffer.len()))
}

/// Returns the buffer of `inner`, which is empty only at the end.
#[inline(always)]
fn fill<R: io::BufRead>(inner: &mut R, offset: u64) -> Result<&[u8], Error> {
    // A non-empty buffer is requested twice, because the borrow of the first success would outlast the loop; the second
    // request is cheap.
    loop {
        match inner.fill_buf() {
            Ok([]) => return Ok(&[]),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_io(offset, error)),
        }
    }
    inner.fill_buf().map_err(|error| Error::from_io(offset, error))
}

impl<R: io::BufRead> private::Sealed for Reader<R> {}

impl<R: io::BufRead> Source for Reader<R> {
    #[inline]
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        Reader::next_op(self)
    }

    fn op_opcode(&self) -> Option<Opcode> {
        self.last_opcode
    }

    #[inline]
    fn op_offset(&self) -> u64 {
        Reader::op_offset(self)
    }

    #[inline]
    fn offset(&self) -> u64 {
        Reader::offset(self)
    }

    #[inline]
    fn start_pickle(&mut self) {
        Reader::start_pickle(self);
    }

    fn peek_opcode(&mut self) -> Option<Opcode> {
        Reader::peek_opcode(self)
    }

    fn len_hint(&self) -> Option<u64> {
        None
    }
}
