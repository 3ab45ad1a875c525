//! Decoding from a slice.

use crate::error::Error;
use crate::frame::{Halt, Unframer};
use crate::input::{Input, Window};
use crate::op::{Grouped, Op, RunVisitor, Ungrouped, Visitor, decode, decode_operand, decode_to};
use crate::opcode::Opcode;
use crate::source::{Source, private};

/// Reads ops from a slice; payloads are borrowed from it.
///
/// Bytes after STOP are read as more ops: call [`start_pickle`](Self::start_pickle) where a pickle ends and another may
/// begin, or use [`ops`], which stops there.
///
/// ```
/// use picklevm_ops::{Decoder, ErrorKind, Op};
///
/// let mut decoder = Decoder::new(b"K\x01.N.");
/// assert_eq!(decoder.next_op()?, Op::BinInt1(1));
/// assert_eq!((decoder.op_offset(), decoder.offset()), (0, 2));
/// assert_eq!(decoder.next_op()?, Op::Stop);
///
/// decoder.start_pickle();
/// assert_eq!(decoder.next_op()?, Op::None);
/// assert_eq!(decoder.next_op()?, Op::Stop);
///
/// decoder.start_pickle();
/// assert_eq!(decoder.next_op().unwrap_err().kind(), ErrorKind::End);
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
// Small and `Copy`, so that a decoder in a local variable is split into registers: the cold path gets a copy and
// returns one, and no address is taken.
#[derive(Debug, Clone, Copy)]
pub struct Decoder<'a> {
    data: &'a [u8],
    /// `data` up to the end of the current frame.
    window: &'a [u8],
    pos: usize,
    pickle_start: usize,
    /// Not next to `pos`, which is often read just after both were written: as one load, that would wait for both stores.
    op_start: usize,
    /// Offset of the end of the current frame, which may be after the data.
    frame: Option<u64>,
}

impl<'a> Decoder<'a> {
    /// Creates a decoder at the beginning of `data`.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        Decoder { data, window: data, pos: 0, op_start: 0, pickle_start: 0, frame: None }
    }

    /// Reads the next op.
    ///
    /// # Errors
    ///
    /// [`End`](crate::ErrorKind::End) if the data end where a pickle would begin, and for an invalid op
    /// [`Truncated`](crate::ErrorKind::Truncated), [`UnknownOpcode`](crate::ErrorKind::UnknownOpcode),
    /// [`BadOperand`](crate::ErrorKind::BadOperand) or [`Frame`](crate::ErrorKind::Frame). The decoder stays before the
    /// op.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn next_op(&mut self) -> Result<Op<'a>, Error> {
        self.op_start = self.pos;
        let mut window = Window::<false>::new(self.window, self.pos);
        match decode(&mut window) {
            Ok(op) => {
                self.pos = window.pos();
                Ok(op)
            }
            Err(_) => {
                let (next, result) = next_op_slowly(*self);
                *self = next;
                result
            }
        }
    }

    /// Reads the next op if it has this opcode, for callers that can predict it: with a constant opcode this is one
    /// comparison, while [`next_op`](Self::next_op) jumps through a table. Otherwise it reads nothing and returns
    /// `None`, also for an op that needs the slow path (at the end of a frame, or invalid): read that with `next_op`.
    ///
    /// ```
    /// use picklevm_ops::{Decoder, Op, Opcode};
    ///
    /// let mut decoder = Decoder::new(b"K\x01N.");
    /// assert_eq!(decoder.next_op_if(Opcode::None), None);
    /// assert_eq!(decoder.next_op_if(Opcode::BinInt1), Some(Op::BinInt1(1)));
    /// assert_eq!(decoder.next_op_if(Opcode::None), Some(Op::None));
    /// ```
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn next_op_if(&mut self, opcode: Opcode) -> Option<Op<'a>> {
        let mut window = Window::<true>::new(self.window, self.pos);
        if !matches!(window.opcode(), Ok(byte) if byte == opcode.byte()) {
            return None;
        }
        let op = decode_operand(opcode, &mut window).ok()?;
        self.op_start = self.pos;
        self.pos = window.pos();
        Some(op)
    }

    /// Returns the bytes of the current frame from the next op on, for callers that can predict it. They read an op of a
    /// fixed form here, and [skip](Self::skip_op) it; the bytes are not checked.
    ///
    /// ```
    /// use picklevm_ops::{Decoder, Op};
    ///
    /// let mut decoder = Decoder::new(b"K\x01N.");
    /// assert_eq!(decoder.rest(), b"K\x01N.");
    /// decoder.skip_op(2);
    /// assert_eq!(decoder.next_op()?, Op::None);
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[doc(hidden)]
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.window.get(self.pos..).unwrap_or_default()
    }

    /// Returns the first `N` bytes of the [rest](Self::rest), if it is as long.
    #[doc(hidden)]
    #[inline(always)]
    pub fn next_bytes<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.window.get(self.pos..self.pos.checked_add(N)?)?.try_into().ok()
    }

    /// Skips the next op, of `len` bytes of the [rest](Self::rest).
    #[doc(hidden)]
    #[inline(always)]
    pub fn skip_op(&mut self, len: usize) {
        self.op_start = self.pos;
        self.pos += len;
    }

    /// Reads FRAME, if it comes next, the data hold all of the frame and no other frame is open. Otherwise reads nothing
    /// and returns `false`, also for an op that needs the slow path: read that with [`next_op`](Self::next_op).
    ///
    /// ```
    /// use picklevm_ops::{Decoder, Op};
    ///
    /// let mut decoder = Decoder::new(b"\x95\x01\0\0\0\0\0\0\0NN.");
    /// assert!(decoder.next_frame() && !decoder.next_frame());
    /// assert_eq!(decoder.rest(), b"N");
    /// ```
    #[doc(hidden)]
    pub fn next_frame(&mut self) -> bool {
        let start = self.pos;
        let is_entered = self.enter_frame().is_some();
        if is_entered {
            self.op_start = start;
        }
        is_entered
    }

    /// Passes the next op to a visitor and returns the visitor's output.
    ///
    /// # Errors
    ///
    /// Those of [`next_op`](Self::next_op).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn visit_op<V: Visitor<'a>>(&mut self, visitor: &mut V) -> Result<V::Output, Error> {
        self.visit::<false, V>(visitor)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit<const LONG_INPUT: bool, V: Visitor<'a>>(&mut self, visitor: &mut V) -> Result<V::Output, Error> {
        self.op_start = self.pos;
        let mut window = Window::<LONG_INPUT>::new(self.window, self.pos);
        match decode_to::<_, _, Ungrouped>(&mut window, self.pos as u64, visitor) {
            Ok(output) => {
                self.pos = window.pos();
                Ok(output)
            }
            Err(_) => {
                if let Some(len) = self.enter_frame() {
                    return Ok(visitor.visit::<{ Opcode::Frame.byte() }>(self.op_start as u64, Op::Frame(len)));
                }
                let (next, result) = visit_slowly(*self, visitor);
                *self = next;
                result
            }
        }
    }

    /// See [`Source::visit_until`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn visit_many<const LONG_INPUT: bool, V: RunVisitor<'a>>(
        mut self,
        until: u64,
        visitor: &mut V,
    ) -> (Self, Result<(), Error>) {
        let until = usize::try_from(until).unwrap_or(usize::MAX);
        loop {
            // On the fast path only the position changes.
            let fast = self.window.get(..until).unwrap_or(self.window);
            let mut window = Window::<LONG_INPUT>::new(fast, self.pos);
            let (op_start, missed) = loop {
                let op_start = window.pos();
                match decode_to::<_, _, Grouped>(&mut window, op_start as u64, visitor) {
                    Ok(true) => {}
                    Ok(false) => break (op_start, false),
                    Err(_) => break (op_start, true),
                }
            };
            self.op_start = op_start;
            if !missed {
                self.pos = window.pos();
                return (self, Ok(()));
            }
            self.pos = op_start;
            if self.pos >= until {
                return (self, Ok(()));
            }
            let go_on = if let Some(len) = self.enter_frame() {
                visitor.visit::<{ Opcode::Frame.byte() }>(self.op_start as u64, Op::Frame(len))
            } else {
                let (next, result) = visit_slowly(self, visitor);
                self = next;
                match result {
                    Ok(go_on) => go_on,
                    Err(error) => return (self, Err(error)),
                }
            };
            if !go_on {
                return (self, Ok(()));
            }
        }
    }

    /// Enters the frame that begins here, if the data hold all of it and no other frame is open.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn enter_frame(&mut self) -> Option<u64> {
        let [opcode, len @ ..] = self.data.get(self.pos..)?.first_chunk::<9>()?;
        if *opcode != Opcode::Frame.byte() || self.frame.is_some_and(|end| end != self.pos as u64) {
            return None;
        }
        let len = u64::from_le_bytes(*len);
        let end = (self.pos as u64 + 9).checked_add(len)?;
        self.window = self.data.get(..usize::try_from(end).ok()?)?;
        self.frame = Some(end);
        self.pos += 9;
        Some(len)
    }

    /// Creates a decoder of `data` at a saved position.
    pub(crate) fn resume(data: &'a [u8], position: Position) -> Self {
        let Position { pos, op_start, pickle_start, frame } = position;
        Decoder { data, window: window(data, frame), pos, op_start, pickle_start, frame }
    }

    /// Returns the position, to resume from.
    pub(crate) fn position(&self) -> Position {
        Position { pos: self.pos, op_start: self.op_start, pickle_start: self.pickle_start, frame: self.frame }
    }

    /// Returns the offset of the last op (or of the op that failed), in bytes from the beginning of the data.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn op_offset(&self) -> usize {
        self.op_start
    }

    /// Returns the offset after the last op, which is also the end of a length-prefixed payload.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn offset(&self) -> usize {
        self.pos
    }

    /// Returns all the data.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Begins the next pickle. Skips the rest of STOP's frame, because CPython has read the whole frame by then.
    #[inline]
    pub fn start_pickle(&mut self) {
        if let Some(end) = self.frame.take() {
            self.pos = usize::try_from(end).map_or(self.data.len(), |end| end.min(self.data.len()));
            self.window = self.data;
        }
        self.pickle_start = self.pos;
    }
}

impl private::Sealed for Decoder<'_> {}

impl Source for Decoder<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        Decoder::next_op(self)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_op<T, V: for<'o> Visitor<'o, Output = T>>(&mut self, visitor: &mut V) -> Result<T, Error> {
        Decoder::visit_op(self, visitor)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_until<V: for<'o> RunVisitor<'o>>(self, until: u64, visitor: &mut V) -> (Self, Result<(), Error>) {
        self.visit_many::<false, V>(until, visitor)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op_opcode(&self) -> Option<Opcode> {
        Opcode::from_byte(*self.data().get(Decoder::op_offset(self))?)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op_offset(&self) -> u64 {
        Decoder::op_offset(self) as u64
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn offset(&self) -> u64 {
        Decoder::offset(self) as u64
    }

    #[inline]
    fn start_pickle(&mut self) {
        Decoder::start_pickle(self);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn peek_opcode(&mut self) -> Option<Opcode> {
        Opcode::from_byte(*self.data().get(Decoder::offset(self))?)
    }

    #[inline]
    fn len_hint(&self) -> Option<u64> {
        Some(self.data().len() as u64)
    }
}

/// A [`Decoder`] for long inputs: [`visit_op`](Source::visit_op) takes fewer unpredictable branches.
///
/// It is faster from [`LONG_INPUT_LEN`](Self::LONG_INPUT_LEN) bytes on, for data that vary. For shorter inputs that are
/// read often, the branch predictor has learned the pattern.
#[derive(Debug, Clone, Copy)]
pub struct PredictableDecoder<'a>(Decoder<'a>);

impl<'a> PredictableDecoder<'a> {
    /// Length in bytes from which inputs count as long.
    pub const LONG_INPUT_LEN: usize = 4096;

    /// Creates a decoder at the beginning of `data`.
    #[inline]
    pub fn new(data: &'a [u8]) -> Self {
        PredictableDecoder(Decoder::new(data))
    }
}

impl private::Sealed for PredictableDecoder<'_> {}

impl Source for PredictableDecoder<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        self.0.next_op()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_op<T, V: for<'o> Visitor<'o, Output = T>>(&mut self, visitor: &mut V) -> Result<T, Error> {
        self.0.visit::<true, V>(visitor)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_until<V: for<'o> RunVisitor<'o>>(self, until: u64, visitor: &mut V) -> (Self, Result<(), Error>) {
        let (decoder, visited) = self.0.visit_many::<true, V>(until, visitor);
        (PredictableDecoder(decoder), visited)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op_opcode(&self) -> Option<Opcode> {
        Source::op_opcode(&self.0)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op_offset(&self) -> u64 {
        Source::op_offset(&self.0)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn offset(&self) -> u64 {
        Source::offset(&self.0)
    }

    #[inline]
    fn start_pickle(&mut self) {
        self.0.start_pickle();
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn peek_opcode(&mut self) -> Option<Opcode> {
        Source::peek_opcode(&mut self.0)
    }

    #[inline]
    fn len_hint(&self) -> Option<u64> {
        Source::len_hint(&self.0)
    }
}

/// The position of a decoder, without its data.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    pos: usize,
    op_start: usize,
    pickle_start: usize,
    frame: Option<u64>,
}

impl Position {
    /// Returns the offset after the last op.
    pub(crate) fn offset(self) -> usize {
        self.pos
    }
}

/// Returns `data` up to the end of the current frame.
fn window(data: &[u8], frame: Option<u64>) -> &[u8] {
    frame.and_then(|end| usize::try_from(end).ok()).and_then(|end| data.get(..end)).unwrap_or(data)
}

#[cold]
#[inline(never)]
fn visit_slowly<'a, V: Visitor<'a>>(decoder: Decoder<'a>, visitor: &mut V) -> (Decoder<'a>, Result<V::Output, Error>) {
    let (decoder, result) = next_op_slowly(decoder);
    (decoder, result.map(|op| visitor.visit::<0>(decoder.op_start as u64, op)))
}

/// Reads an op by all the rules: frame boundaries are checked, and errors are built.
#[cold]
#[inline(never)]
fn next_op_slowly(mut decoder: Decoder<'_>) -> (Decoder<'_>, Result<Op<'_>, Error>) {
    let start = decoder.pos;
    let rest = decoder.data.get(start..).unwrap_or_default();
    let mut input = Unframer::new(rest, start as u64, decoder.frame);
    match decode(&mut input) {
        Ok(op) => {
            decoder.pos += input.pos();
            decoder.frame = input.frame();
            decoder.window = window(decoder.data, decoder.frame);
            (decoder, Ok(op))
        }
        Err(halt) => (decoder, Err(to_error(halt, &decoder))),
    }
}

#[cold]
fn to_error(halt: Halt, decoder: &Decoder<'_>) -> Error {
    halt.into_error(decoder.pos as u64, decoder.data.len() - decoder.pos, decoder.pos == decoder.pickle_start)
}

/// Iterator over the ops of one pickle and their offsets, up to and including STOP; returned by [`ops`].
#[derive(Debug, Clone)]
pub struct Ops<'a> {
    decoder: Decoder<'a>,
    done: bool,
}

/// Iterates over the ops of the first pickle in `data`, each with the offset of its opcode: `pickletools.genops`.
///
/// The iterator ends after STOP, or after an error.
///
/// ```
/// use picklevm_ops::{Op, ops};
///
/// let pickle = b"\x80\x02]K\x07a.";
/// let ops: Vec<_> = ops(pickle).collect::<Result<_, _>>()?;
/// assert_eq!(ops, [(0, Op::Proto(2)), (2, Op::EmptyList), (3, Op::BinInt1(7)), (5, Op::Append), (6, Op::Stop)]);
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
pub fn ops(data: &[u8]) -> Ops<'_> {
    Ops { decoder: Decoder::new(data), done: false }
}

impl<'a> Ops<'a> {
    /// Returns the offset after the last op.
    pub fn offset(&self) -> usize {
        self.decoder.offset()
    }
}

impl<'a> Iterator for Ops<'a> {
    type Item = Result<(usize, Op<'a>), Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let result = self.decoder.next_op();
        self.done = matches!(result, Ok(Op::Stop) | Err(_));
        Some(result.map(|op| (self.decoder.op_offset(), op)))
    }
}

impl std::iter::FusedIterator for Ops<'_> {}
