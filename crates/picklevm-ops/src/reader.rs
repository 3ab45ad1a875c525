//! Decoding from a reader.

use std::io;

use crate::error::{Error, ErrorKind};
use crate::frame::{Halt, Unframer};
use crate::op::{Op, skip};
use crate::opcode::Opcode;

/// Reads the ops of an [`io::BufRead`], one after the other.
///
/// Memory grows with the bytes of one op that have arrived, never with a length that an op claims. Nothing is read past
/// STOP, unless a frame said that it goes on: then the rest of the frame is passed over, as CPython does.
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
    /// An op that the buffer of `inner` does not hold as a whole.
    scratch: Vec<u8>,
    /// How much of the buffer of `inner` the last op takes; it is consumed before the next is read.
    lent: usize,
    op_start: u64,
    offset: u64,
    pickle_start: u64,
    /// Where the current frame ends.
    frame: Option<u64>,
    max_op_len: u64,
}

/// Where an op lies.
enum Place {
    /// At the beginning of the buffer.
    Buffer {
        len: usize,
    },
    Scratch,
}

impl<R: io::BufRead> Reader<R> {
    /// A reader of what `inner` yields. Without a buffer of its own, it wants one: `BufReader::new(file)`.
    pub fn new(inner: R) -> Self {
        Reader {
            inner,
            scratch: Vec::new(),
            lent: 0,
            op_start: 0,
            offset: 0,
            pickle_start: 0,
            frame: None,
            max_op_len: u64::MAX,
        }
    }

    /// Refuses ops that take more than `len` bytes, opcode and operand together. By default there is no such limit.
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

    /// The next op. Its payload lives until the next call.
    ///
    /// # Errors
    ///
    /// Those of [`Decoder::next_op`](crate::Decoder::next_op), [`Io`](ErrorKind::Io) if the reader fails, and
    /// [`Limit`](ErrorKind::Limit). After an error the reader is somewhere in the op.
    pub fn next_op(&mut self) -> Result<Op<'_>, Error> {
        self.give_back();
        self.op_start = self.offset;
        let frame_before = self.frame;
        let (opcode, place) = self.locate()?;
        if opcode == Opcode::Stop {
            self.leave_frame()?;
            return Ok(Op::Stop);
        }
        let bytes = match place {
            Place::Buffer { len } => {
                let buffer = fill(&mut self.inner, self.op_start)?;
                buffer.get(..len).unwrap_or(buffer)
            }
            Place::Scratch => &self.scratch,
        };
        let mut input = Unframer::new(bytes, self.op_start, frame_before);
        Op::decode(&mut input).map_err(|halt| halt.into_error(self.op_start, bytes.len(), false))
    }

    /// Where the op begins that was returned last (or that failed), in bytes from where the reader stood at first.
    pub fn op_offset(&self) -> u64 {
        self.op_start
    }

    /// Where that op ends.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The opcode of the op that comes next, if there is one; it is not consumed.
    pub fn peek_opcode(&mut self) -> Option<Opcode> {
        self.give_back();
        let buffer = self.inner.fill_buf().ok()?;
        Opcode::from_byte(*buffer.first()?)
    }

    /// Begins the next pickle of the stream.
    pub fn start_pickle(&mut self) {
        if let Some(end) = self.frame.take() {
            self.offset = end;
        }
        self.pickle_start = self.offset;
    }

    /// The reader that was given, after the last op.
    pub fn into_inner(mut self) -> R {
        self.give_back();
        self.inner
    }

    /// Consumes the last op.
    fn give_back(&mut self) {
        self.inner.consume(std::mem::take(&mut self.lent));
    }

    /// Finds the next op, makes all of it available, and moves behind it.
    fn locate(&mut self) -> Result<(Opcode, Place), Error> {
        let buffer = fill(&mut self.inner, self.offset)?;
        let mut input = Unframer::new(buffer, self.offset, self.frame);
        match skip(&mut input) {
            Ok(opcode) => {
                let len = input.pos();
                if len as u64 > self.max_op_len {
                    return Err(self.too_long(Some(&opcode.byte())));
                }
                self.frame = input.frame();
                self.offset += len as u64;
                self.lent = len;
                if opcode == Opcode::Stop {
                    self.give_back();
                }
                Ok((opcode, Place::Buffer { len }))
            }
            Err(halt) => self.collect(halt).map(|opcode| (opcode, Place::Scratch)),
        }
    }

    /// Collects an op that the buffer does not hold as a whole.
    #[cold]
    fn collect(&mut self, mut halt: Halt) -> Result<Opcode, Error> {
        self.scratch.clear();
        loop {
            let Halt::More(need) = halt else {
                return Err(halt.into_error(self.offset, self.scratch.len(), false));
            };
            let target = need.len.map(|len| (need.from as u64).saturating_add(len));
            if target.is_some_and(|target| target > self.max_op_len) {
                return Err(self.too_long(self.scratch.first()));
            }
            if !self.gather(target)? {
                let first = self.offset == self.pickle_start;
                return Err(halt.into_error(self.offset, self.scratch.len(), first));
            }
            let mut input = Unframer::new(&self.scratch, self.offset, self.frame);
            match skip(&mut input) {
                Ok(opcode) => {
                    self.frame = input.frame();
                    self.offset += input.pos() as u64;
                    return Ok(opcode);
                }
                Err(next) => halt = next,
            }
        }
    }

    /// Moves bytes from the buffer to `scratch` until there are `target`, or up to a newline; false if the data end before.
    fn gather(&mut self, target: Option<u64>) -> Result<bool, Error> {
        loop {
            let missing = target.map(|target| target - self.scratch.len() as u64);
            if missing == Some(0) {
                return Ok(true);
            }
            let buffer = fill(&mut self.inner, self.offset + self.scratch.len() as u64)?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let newline = memchr::memchr(b'\n', buffer);
            let (len, complete) = match missing {
                Some(missing) => (usize::try_from(missing).map_or(buffer.len(), |len| len.min(buffer.len())), false),
                None => (newline.map_or(buffer.len(), |at| at + 1), newline.is_some()),
            };
            self.scratch.extend_from_slice(&buffer[..len]);
            self.inner.consume(len);
            if self.scratch.len() as u64 > self.max_op_len {
                return Err(self.too_long(self.scratch.first()));
            }
            if complete {
                return Ok(true);
            }
        }
    }

    #[cold]
    fn too_long(&self, byte: Option<&u8>) -> Error {
        let opcode = byte.and_then(|&byte| Opcode::from_byte(byte));
        let expected = format!("an op of at most {} bytes", self.max_op_len);
        Error::new(ErrorKind::Limit, self.offset, opcode, expected, "a longer one")
    }

    /// Passes over what is left of the current frame.
    fn leave_frame(&mut self) -> Result<(), Error> {
        let mut left = self.frame.map_or(0, |end| end - self.offset);
        while left > 0 {
            let buffer = fill(&mut self.inner, self.offset)?;
            if buffer.is_empty() {
                break;
            }
            let len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            self.inner.consume(len);
            left -= len as u64;
        }
        if let Some(end) = &mut self.frame {
            *end -= left;
        }
        Ok(())
    }
}

/// What the buffer of `inner` holds; it is empty at the end only.
fn fill<R: io::BufRead>(inner: &mut R, offset: u64) -> Result<&[u8], Error> {
    // A full buffer is asked for twice, as the borrow of a first success would outlast the loop; the second costs a look.
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
