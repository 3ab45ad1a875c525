//! Writing frames, as CPython's `_Framer` does.

use crate::buffer::{Buffer, Out};
use crate::opcode::Opcode;

/// Size from which a frame ends at the next boundary, and from which payloads go outside of frames.
pub(crate) const FRAME_SIZE_TARGET: usize = 64 * 1024;

const HEADER_LEN: usize = 9;

/// Length of PROTO and FRAME.
pub const START_LEN: usize = 2 + HEADER_LEN;

/// The CPython versions whose framing is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Framing {
    /// CPython 3.4 to 3.6: everything goes into frames, whatever its size.
    Python34,
    /// CPython 3.7 and later: payloads of 64 KiB or more go outside of frames, and fewer than four bytes get no frame.
    #[default]
    Python37,
}

impl Framing {
    /// Minimum length of a frame.
    #[inline]
    pub(crate) fn min_len(self) -> usize {
        match self {
            Framing::Python34 => 1,
            Framing::Python37 => 4,
        }
    }

    /// Returns the start of a pickle of at most one frame, and its length: PROTO, and FRAME without the length.
    #[doc(hidden)]
    #[inline]
    pub fn start_of_one(protocol: u8) -> ([u8; START_LEN], usize) {
        let start = [Opcode::Proto.byte(), protocol, Opcode::Frame.byte(), 0, 0, 0, 0, 0, 0, 0, 0];
        let len = match protocol {
            0 | 1 => 0,
            2 | 3 => 2,
            _ => START_LEN,
        };
        (start, len)
    }

    /// Whether a pickle of a number of bytes, its start not included, has one frame.
    #[doc(hidden)]
    #[inline]
    pub fn has_one(self, len: usize) -> bool {
        (self.min_len()..FRAME_SIZE_TARGET).contains(&len)
    }

    /// Whether large payloads go outside of frames.
    pub(crate) fn large_outside(self) -> bool {
        self == Framing::Python37
    }
}

/// The position of the current frame in a buffer. Its header is reserved when it opens, and filled in or removed when
/// it closes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framer {
    framing: Option<Framing>,
    /// Start of the frame's bytes, after the header; without framing, of the bytes since the last boundary.
    body: usize,
}

impl Framer {
    /// Creates a framer without framing.
    #[inline]
    pub(crate) fn new(out: &Buffer) -> Self {
        Framer { framing: None, body: out.len() }
    }

    #[inline]
    pub(crate) fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Turns framing on or off. The current frame must be closed.
    #[inline]
    pub(crate) fn set_framing(&mut self, framing: Option<Framing>, out: &mut Buffer) {
        self.framing = framing;
        self.open(out);
    }

    /// Whether the frame has reached its size.
    #[inline(always)]
    pub(crate) fn is_full(&self, out: &Buffer) -> bool {
        out.len() - self.body >= FRAME_SIZE_TARGET
    }

    /// Removes a byte, given its index in the buffer, if it is in the current frame. Without framing, all bytes are.
    pub(crate) fn remove(&mut self, at: usize, out: &mut Buffer) -> bool {
        if at >= out.len() || (self.framing.is_some() && at < self.body) {
            return false;
        }
        out.remove(at, at + 1);
        self.body -= usize::from(at < self.body);
        true
    }

    /// Returns the number of bytes until the frame is full.
    #[inline(always)]
    pub(crate) fn left(&self, out: &Buffer) -> usize {
        FRAME_SIZE_TARGET.saturating_sub(out.len() - self.body)
    }

    /// Begins a frame.
    #[inline]
    pub(crate) fn open(&mut self, out: &mut Buffer) {
        if self.framing.is_some() {
            out.put([0; HEADER_LEN]);
        }
        self.body = out.len();
    }

    /// Ends the frame: the bytes in `out` will not change any more.
    #[inline]
    pub(crate) fn close(&mut self, out: &mut Buffer) {
        let Some(framing) = self.framing else { return };
        let header = self.body - HEADER_LEN;
        let len = out.len() - self.body;
        if len < framing.min_len() {
            out.remove(header, self.body);
            return;
        }
        // No frame in memory is too long for its header. For short pickles, this is faster than allocating a vector.
        let (opcode, rest) = out.written_mut(header, self.body).split_at_mut(1);
        opcode.fill(Opcode::Frame.byte());
        rest.copy_from_slice(&(len as u64).to_le_bytes());
    }
}
