//! Decoding from a feed, with the frames of CPython's `_pickle`.

use crate::error::{Error, ErrorKind};
use crate::feed::Feed;
use crate::frame::{Halt, Unframer};
use crate::input::Window;
use crate::op::{Grouped, Op, RunVisitor, decode, decode_to, skip};
use crate::opcode::Opcode;
use crate::source::{Source, private};

/// Reads ops from a [`Feed`], which is asked for no byte past STOP.
///
/// Unless [`check_frames`](Self::check_frames) is called, frames are what they are to CPython's C implementation up to 3.13:
/// FRAME says how many bytes can be read at once, and where a frame ends is not checked. [`Decoder`](crate::Decoder) and
/// [`Reader`](crate::Reader) check it, as CPython's pure-Python implementation and later C implementations do.
///
/// ```
/// use picklevm_ops::{FeedReader, Op, Source};
///
/// let mut reader = FeedReader::new(&b"\x95\x01\0\0\0\0\0\0\0K\x01.and more"[..]);
/// assert_eq!(reader.next_op()?, Op::Frame(1));
/// assert_eq!(reader.next_op()?, Op::BinInt1(1));
/// assert_eq!(reader.next_op()?, Op::Stop);
/// assert_eq!(reader.into_inner(), b"and more");
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
#[derive(Debug)]
pub struct FeedReader<F> {
    feed: F,
    /// Offset of the first byte at hand.
    offset: u64,
    /// Number of bytes at hand that the last op takes; they are consumed before the next read.
    lent: usize,
    op_start: u64,
    pickle_start: u64,
    last_opcode: Option<Opcode>,
    checks_frames: bool,
    /// Offset of the end of the current frame, if frames are checked.
    frame: Option<u64>,
}

impl<F: Feed> FeedReader<F> {
    /// Creates a reader of `feed`.
    pub fn new(feed: F) -> Self {
        FeedReader {
            feed,
            offset: 0,
            lent: 0,
            op_start: 0,
            pickle_start: 0,
            last_opcode: None,
            checks_frames: false,
            frame: None,
        }
    }

    /// Fails where an operand begins in a frame and ends behind it, or frames overlap.
    ///
    /// ```
    /// use picklevm_ops::{ErrorKind, FeedReader, Source};
    ///
    /// let data = b"\x95\x02\0\0\0\0\0\0\0M\x01\x02.";
    /// let mut reader = FeedReader::new(&data[..]).check_frames(true);
    /// reader.next_op()?;
    /// assert_eq!(reader.next_op().unwrap_err().kind(), ErrorKind::Frame);
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[must_use]
    pub fn check_frames(mut self, check: bool) -> Self {
        self.checks_frames = check;
        self
    }

    /// Returns the feed, positioned after the last op, or at an op that could not be read.
    pub fn into_inner(mut self) -> F {
        self.give_back();
        self.feed
    }

    /// Consumes the last op.
    #[inline(always)]
    fn give_back(&mut self) {
        let len = std::mem::take(&mut self.lent);
        if len > 0 {
            self.feed.consume(len);
            self.offset += len as u64;
        }
    }

    /// Gets the bytes of the next op, and returns its opcode and its length.
    fn gather(&mut self) -> Result<(Opcode, usize), Error> {
        loop {
            let bytes = self.feed.bytes();
            let mut input = Unframer::new(bytes, self.offset, self.frame);
            let halt = match skip(&mut input) {
                Ok(opcode) => return Ok((opcode, input.pos())),
                Err(halt) => halt,
            };
            let arrived = match &halt {
                Halt::Failed(_) => Ok(false),
                Halt::More(need) if need.line => self.feed.fill_line(need.from),
                Halt::More(need) if need.from > 1 && is_bytes_op(bytes) => self.feed.fill_payload(need.from, need.len),
                Halt::More(need) => self.feed.fill(need.len.saturating_add(need.from as u64)),
            };
            if !arrived.map_err(|error| Error::from_io(self.offset, error))? {
                let first = self.offset == self.pickle_start;
                return Err(halt.into_error(self.offset, self.feed.bytes().len(), first));
            }
        }
    }

    /// Gets the bytes of a frame at once.
    fn enter_frame(&mut self, len: u64) -> Result<Op<'_>, Error> {
        self.give_back();
        if !self.feed.fill(len).map_err(|error| Error::from_io(self.op_start, error))? {
            let found = format!("{} before the end", self.feed.bytes().len());
            let expected = format!("a frame of {len} bytes");
            return Err(Error::new(ErrorKind::Truncated, self.op_start, Some(Opcode::Frame), expected, found));
        }
        Ok(Op::Frame(len))
    }

    /// Visits ops that are at hand as a whole. Returns whether the visitor wants more.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_fast<V: for<'o> RunVisitor<'o>>(&mut self, until: u64, visitor: &mut V) -> bool {
        let bytes = self.feed.bytes();
        let end = self.frame.map_or(until, |end| end.min(until));
        let most = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let mut window = Window::<true>::new(bytes.get(..most).unwrap_or(bytes), 0);
        let (start, len, goes_on) = loop {
            let start = window.pos();
            match decode_to::<_, _, Grouped>(&mut window, self.offset + start as u64, visitor) {
                Ok(true) => {}
                Ok(false) => break (start, window.pos(), false),
                Err(_) => break (start, start, true),
            }
        };
        if !goes_on {
            self.op_start = self.offset + start as u64;
            self.last_opcode = bytes.get(start).and_then(|byte| Opcode::from_byte(*byte));
        }
        self.feed.consume(len);
        self.offset += len as u64;
        goes_on
    }
}

impl<F: Feed> private::Sealed for FeedReader<F> {}

impl<F: Feed> Source for FeedReader<F> {
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        self.give_back();
        (self.op_start, self.last_opcode) = (self.offset, None);
        let (opcode, len) = self.gather()?;
        self.last_opcode = Some(opcode);
        let bytes = self.feed.bytes().get(..len).unwrap_or_default();
        let mut input = Unframer::new(bytes, self.offset, self.frame);
        let read = decode(&mut input);
        let frame = input.frame();
        match read {
            Ok(Op::Frame(len_of_frame)) => {
                self.lent = len;
                self.frame = frame.filter(|_| self.checks_frames);
                self.enter_frame(len_of_frame)
            }
            Ok(_) => {
                // Read again, for what was read first would be borrowed until the end.
                self.lent = len;
                let before = std::mem::replace(&mut self.frame, frame.filter(|_| self.checks_frames));
                let bytes = self.feed.bytes().get(..len).unwrap_or_default();
                let read = decode(&mut Unframer::new(bytes, self.offset, before));
                read.map_err(|halt| halt.into_error(self.offset, len, false))
            }
            Err(halt) => Err(halt.into_error(self.offset, len, false)),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_until<V: for<'o> RunVisitor<'o>>(mut self, until: u64, visitor: &mut V) -> (Self, Result<(), Error>) {
        self.give_back();
        while self.offset < until {
            if !self.visit_fast(until, visitor) {
                return (self, Ok(()));
            }
            if self.offset >= until {
                break;
            }
            match visit_slowly(&mut self, visitor) {
                Ok(true) => self.give_back(),
                Ok(false) => return (self, Ok(())),
                Err(error) => return (self, Err(error)),
            }
        }
        (self, Ok(()))
    }

    fn op_opcode(&self) -> Option<Opcode> {
        self.last_opcode
    }

    #[inline]
    fn op_offset(&self) -> u64 {
        self.op_start
    }

    #[inline]
    fn offset(&self) -> u64 {
        self.offset + self.lent as u64
    }

    fn start_pickle(&mut self) {
        self.give_back();
        self.pickle_start = self.offset;
    }

    fn peek_opcode(&mut self) -> Option<Opcode> {
        self.give_back();
        self.feed.fill(1).ok().filter(|arrived| *arrived)?;
        Opcode::from_byte(*self.feed.bytes().first()?)
    }

    fn len_hint(&self) -> Option<u64> {
        None
    }
}

/// Whether the data begin with an op whose operand is a length and so many bytes, which stay bytes.
fn is_bytes_op(data: &[u8]) -> bool {
    let opcode = data.first().and_then(|byte| Opcode::from_byte(*byte));
    matches!(opcode, Some(Opcode::ShortBinBytes | Opcode::BinBytes | Opcode::BinBytes8 | Opcode::ByteArray8))
}

/// Visits one op, of which bytes may have to be read.
#[cold]
#[inline(never)]
fn visit_slowly<F: Feed, V: for<'o> RunVisitor<'o>>(
    reader: &mut FeedReader<F>,
    visitor: &mut V,
) -> Result<bool, Error> {
    reader.give_back();
    let offset = reader.offset;
    reader.next_op().map(|op| visitor.visit::<0>(offset, op))
}
