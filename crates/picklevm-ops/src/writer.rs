//! Writing ops into memory or to an [`io::Write`], with or without frames.

use std::io;

use crate::buffer::{Buffer, Out};
use crate::error::Error;
use crate::frame::{FRAME_SIZE_TARGET, Framer, Framing};
use crate::op::Op;
use crate::op_run::OpRun;
use crate::opcode::Opcode;
use crate::operand::write_17_digits;

/// Writes ops, in frames from [`start_framing`](Self::start_framing) on.
///
/// [`Writer::new`] writes into memory, [`Writer::stream`] to an [`io::Write`]. A stream writer buffers at most one
/// frame and passes large payloads on without a copy.
///
/// ```
/// use picklevm_ops::{Framing, Op, Writer};
///
/// let mut writer = Writer::new();
/// writer.op(Op::Proto(4))?;
/// writer.start_framing(Framing::default())?;
/// writer.op(Op::ShortBinUnicode("abc".into()))?;
/// writer.op(Op::Memoize)?;
/// writer.op(Op::Stop)?;
/// assert_eq!(writer.into_vec()?, b"\x80\x04\x95\x07\0\0\0\0\0\0\0\x8c\x03abc\x94.");
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer<S = Memory> {
    out: Buffer,
    framer: Framer,
    sink: S,
    /// Number of bytes passed on from `out` to the sink.
    passed: u64,
    /// Whether nothing is passed on.
    held: bool,
}

/// The destination of a [`Writer`]: [`Memory`] or [`IoSink`]. The trait is sealed.
pub trait Sink: private::Sealed {}

mod private {
    use std::io;

    pub trait Sealed {
        /// Whether the sink takes bytes before the end.
        const IS_STREAM: bool;

        /// Takes bytes that will not change any more; returns whether it took them.
        fn take(&mut self, bytes: &[u8]) -> io::Result<bool>;
    }
}

/// The sink of a [`Writer`] into memory.
#[derive(Debug, Clone, Copy)]
pub struct Memory(());

impl Sink for Memory {}

impl private::Sealed for Memory {
    const IS_STREAM: bool = false;

    #[inline(always)]
    fn take(&mut self, _: &[u8]) -> io::Result<bool> {
        Ok(false)
    }
}

/// The sink of a [`Writer`] to an [`io::Write`].
#[derive(Debug)]
pub struct IoSink<W>(W);

impl<W: io::Write> Sink for IoSink<W> {}

impl<W: io::Write> private::Sealed for IoSink<W> {
    const IS_STREAM: bool = true;

    fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.0.write_all(bytes).map(|()| true)
    }
}

impl Writer {
    /// Creates a writer into memory.
    pub fn new() -> Self {
        Self::append_to(Vec::new())
    }

    /// Creates a writer into memory that appends to `out`.
    pub fn append_to(out: Vec<u8>) -> Self {
        Self::on(Buffer::new(out))
    }

    /// Creates a writer that overwrites the bytes of `memory` and appends when they are used up. Reuse the memory for a
    /// sequence of short pickles: writing them takes less time than preparing new memory for each.
    ///
    /// ```
    /// use picklevm_ops::{Op, Writer};
    ///
    /// let mut memory = vec![0; 1024];
    /// for number in [1, 2, 3] {
    ///     let mut writer = Writer::from_vec(memory);
    ///     writer.op(Op::BinInt1(number))?;
    ///     writer.op(Op::Stop)?;
    ///     assert_eq!(writer.written(), [b'K', number, b'.']);
    ///     memory = writer.into_memory();
    /// }
    /// assert_eq!(memory.len(), 1024);
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn from_vec(memory: Vec<u8>) -> Self {
        Self::on(Buffer::from_vec(memory))
    }

    #[inline]
    fn on(out: Buffer) -> Self {
        Writer { framer: Framer::new(&out), out, sink: Memory(()), passed: 0, held: false }
    }

    /// Returns the written bytes. The header of the current frame is filled in only when [the frame
    /// ends](Self::end_framing).
    #[inline]
    pub fn written(&self) -> &[u8] {
        self.out.written()
    }

    /// Returns the memory, with the bytes after the written ones.
    #[doc(hidden)]
    #[inline]
    pub fn into_memory(self) -> Vec<u8> {
        self.out.into_memory()
    }

    /// Ends the current frame and returns the written bytes.
    ///
    /// # Errors
    ///
    /// None in practice: only other sinks can fail.
    pub fn into_vec(mut self) -> Result<Vec<u8>, Error> {
        self.end_framing()?;
        Ok(self.out.into_vec())
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: io::Write> Writer<IoSink<W>> {
    /// Creates a writer to `inner`, which needs no buffer of its own.
    pub fn stream(inner: W) -> Self {
        Self::stream_by(inner, Vec::new())
    }

    /// Creates a writer to `inner` that overwrites the bytes of `memory`, and more where these are used up. Reuse the memory for a
    /// sequence of short pickles.
    ///
    /// ```
    /// use picklevm_ops::{Op, Writer};
    ///
    /// let (mut pickles, mut memory) = (Vec::new(), Vec::new());
    /// for number in [1, 2] {
    ///     let mut writer = Writer::stream_by(&mut pickles, memory);
    ///     writer.op(Op::BinInt1(number))?;
    ///     writer.op(Op::Stop)?;
    ///     memory = writer.finish_with_memory()?.1;
    /// }
    /// assert_eq!(pickles, b"K\x01.K\x02.");
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[doc(hidden)]
    #[inline]
    pub fn stream_by(inner: W, memory: Vec<u8>) -> Self {
        let out = Buffer::from_vec(memory);
        Writer { framer: Framer::new(&out), out, sink: IoSink(inner), passed: 0, held: false }
    }

    /// Writes what is left, flushes the inner writer and returns it.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the sink fails.
    pub fn finish(self) -> Result<W, Error> {
        Ok(self.finish_with_memory()?.0)
    }

    /// [`finish`](Self::finish), and returns the memory for [`stream_by`](Self::stream_by) too.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the sink fails.
    #[doc(hidden)]
    pub fn finish_with_memory(mut self) -> Result<(W, Vec<u8>), Error> {
        self.end_framing()?;
        let offset = self.offset();
        self.sink.0.flush().map_err(|error| Error::from_io(offset, error))?;
        Ok((self.sink.0, self.out.into_memory()))
    }
}

impl<S: Sink> Writer<S> {
    /// Writes an op. Text, bytes and bytearrays of 64 KiB or more go outside of frames if the framing says so.
    ///
    /// # Errors
    ///
    /// Those of [`Op::encode`], and [`Io`](crate::ErrorKind::Io) if the sink fails.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn op(&mut self, op: Op<'_>) -> Result<(), Error> {
        if let Some(payload) = bulk(op)
            && payload.len() >= FRAME_SIZE_TARGET
        {
            return self.large(op);
        }
        op.encode_at(self.passed, &mut self.out)
    }

    /// Writes FLOAT with 17 digits like C's `%.17g`, as the cPickle of Python 2 does at protocol 0. [`Op::Float`] is
    /// written with the digits of Python's `repr`.
    ///
    /// ```
    /// let mut writer = picklevm_ops::Writer::new();
    /// writer.float_of_17_digits(0.1);
    /// assert_eq!(writer.written(), b"F0.10000000000000001\n");
    /// ```
    pub fn float_of_17_digits(&mut self, value: f64) {
        self.out.put([Opcode::Float.byte()]);
        write_17_digits(value, &mut self.out);
        self.out.put(*b"\n");
    }

    /// Marks the beginning of an object: a frame of 64 KiB or more ends before it.
    ///
    /// This is the only place where a frame ends because of its size. CPython's picklers, in C
    /// (`_Pickler_OpcodeBoundary`) and in Python (`_Framer.commit_frame`), check the size only at the start of each
    /// `save`, also for objects fetched from the memo. Opcodes after the last saved object (APPENDS, TUPLE, REDUCE,
    /// MEMOIZE, …) stay in its frame. An [`OpRun`] is full where this would end the frame.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the sink fails.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn boundary(&mut self) -> Result<(), Error> {
        if self.framer.is_full(&self.out) {
            return self.commit_frame();
        }
        Ok(())
    }

    /// Reserves space in the current frame for a run of short ops, which are written without a check of frame and
    /// memory for each. The run is full where the frame is. [`commit`](Self::commit) adds what was written into it.
    ///
    /// ```
    /// use picklevm_ops::{Opcode, Writer};
    ///
    /// let mut writer = Writer::new();
    /// let mut left = 0..100_000;
    /// while !left.is_empty() {
    ///     writer.boundary()?;
    ///     let mut run = writer.reserve();
    ///     while !run.is_full()
    ///         && let Some(next) = left.next()
    ///     {
    ///         run.int(next);
    ///         run.bare(Opcode::Pop);
    ///     }
    ///     let written = run.len();
    ///     writer.commit(written);
    /// }
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn reserve(&mut self) -> OpRun<'_> {
        let left = self.framer.left(&self.out);
        OpRun::new(self.out.reserve(OpRun::MIN_LEN), left)
    }

    /// Sets the number of bytes that will probably be written, for memory that grows less often. A short pickle does not use
    /// memory for them.
    #[doc(hidden)]
    pub fn expect(&mut self, len: usize) {
        self.out.expect(len);
    }

    /// Returns the number of bytes until [`boundary`](Self::boundary) ends the frame.
    #[doc(hidden)]
    #[inline]
    pub fn frame_left(&self) -> usize {
        self.framer.left(&self.out)
    }

    /// Appends encoded ops to the current frame.
    ///
    /// ```
    /// let mut writer = picklevm_ops::Writer::new();
    /// writer.append_ops(b"K\x01.");
    /// assert_eq!(writer.written(), b"K\x01.");
    /// ```
    #[doc(hidden)]
    pub fn append_ops(&mut self, ops: &[u8]) {
        self.out.put_all(ops);
    }

    /// Returns whether bytes are passed on before the end.
    #[doc(hidden)]
    #[inline(always)]
    pub fn is_stream(&self) -> bool {
        S::IS_STREAM
    }

    /// Sets whether bytes are held in memory instead of being passed on, because some of them may still be
    /// [removed](Self::remove_op).
    #[doc(hidden)]
    pub fn hold(&mut self, is_held: bool) {
        self.held = is_held;
    }

    /// Returns the number of bytes passed on.
    #[doc(hidden)]
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Removes the byte at an offset, an op without an operand. Returns `false` if it is not in the current frame: then the
    /// end of an earlier frame may depend on it.
    ///
    /// ```
    /// use picklevm_ops::{Op, Writer};
    ///
    /// let mut writer = Writer::new();
    /// for op in [Op::EmptyList, Op::Mark, Op::None, Op::Append, Op::Stop] {
    ///     writer.op(op)?;
    /// }
    /// assert!(writer.remove_op(1));
    /// assert_eq!(writer.written(), b"]Na.");
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    #[doc(hidden)]
    pub fn remove_op(&mut self, offset: u64) -> bool {
        let at = offset.checked_sub(self.passed).and_then(|at| usize::try_from(at).ok());
        at.is_some_and(|at| self.framer.remove(at, &mut self.out))
    }

    /// Adds `written` bytes that were written into the [reserved](Self::reserve) space, at most its length.
    #[doc(hidden)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn commit(&mut self, written: usize) {
        self.out.advance(written);
    }

    /// Begins a pickle: writes PROTO from protocol 2 on, and from protocol 4 on begins the first frame.
    ///
    /// ```
    /// use picklevm_ops::{Framing, Op, Writer};
    ///
    /// let mut writer = Writer::new();
    /// writer.begin(4, Framing::default())?;
    /// writer.op(Op::BinInt(-1))?;
    /// writer.op(Op::Stop)?;
    /// assert_eq!(writer.into_vec()?, b"\x80\x04\x95\x06\0\0\0\0\0\0\0J\xff\xff\xff\xff.");
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the sink fails.
    #[inline]
    pub fn begin(&mut self, protocol: u8, framing: Framing) -> Result<(), Error> {
        self.end_framing()?;
        if protocol >= 2 {
            Op::Proto(protocol).encode_at(self.passed, &mut self.out)?;
        }
        if protocol >= 4 {
            self.framer.set_framing(Some(framing), &mut self.out);
        }
        Ok(())
    }

    /// Writes in frames from now on.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the sink fails.
    #[inline]
    pub fn start_framing(&mut self, framing: Framing) -> Result<(), Error> {
        self.set_framing(Some(framing))
    }

    /// Ends the current frame, and writes without frames from now on.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the sink fails.
    #[inline]
    pub fn end_framing(&mut self) -> Result<(), Error> {
        self.set_framing(None)
    }

    /// Returns the number of bytes written, including the header of the current frame.
    pub fn offset(&self) -> u64 {
        self.passed + self.out.len() as u64
    }

    /// Writes ops that are already encoded, outside of frames if they are `large`.
    pub(crate) fn encoded(&mut self, ops: &[u8], large: bool) -> Result<(), Error> {
        if large {
            return self.outside(ops, |_| Ok(()));
        }
        self.out.put_all(ops);
        Ok(())
    }

    #[cold]
    fn large(&mut self, op: Op<'_>) -> Result<(), Error> {
        if self.framer.framing().is_some_and(|framing| !framing.large_outside()) {
            return op.encode_at(self.passed, &mut self.out);
        }
        self.outside(op.payload().unwrap_or_default(), |writer| {
            op.encode_head_at(writer.passed, &mut writer.out)?;
            Ok(())
        })
    }

    /// Writes the output of `head` and then `payload` between two frames.
    fn outside(&mut self, payload: &[u8], head: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        self.framer.close(&mut self.out);
        let result = head(self).and_then(|()| self.settle()).and_then(|()| {
            if !self.held && self.sink.take(payload).map_err(|error| Error::from_io(self.offset(), error))? {
                self.passed += payload.len() as u64;
            } else {
                self.out.put_all(payload);
            }
            Ok(())
        });
        self.framer.open(&mut self.out);
        result
    }

    #[cold]
    fn commit_frame(&mut self) -> Result<(), Error> {
        self.set_framing(self.framer.framing())
    }

    #[inline]
    fn set_framing(&mut self, framing: Option<Framing>) -> Result<(), Error> {
        self.framer.close(&mut self.out);
        let result = self.settle();
        self.framer.set_framing(framing, &mut self.out);
        result
    }

    /// Passes the bytes that will not change any more to the sink.
    #[inline]
    fn settle(&mut self) -> Result<(), Error> {
        if !self.held && self.sink.take(self.out.written()).map_err(|error| Error::from_io(self.offset(), error))? {
            self.passed += self.out.len() as u64;
            self.out.truncate(0);
        }
        Ok(())
    }
}

/// Returns the payload of an op that CPython writes with `_write_large_bytes`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn bulk(op: Op<'_>) -> Option<&[u8]> {
    match op {
        Op::BinBytes(_) | Op::BinBytes8(_) | Op::ByteArray8(_) | Op::BinUnicode(_) | Op::BinUnicode8(_) => op.payload(),
        _ => None,
    }
}
