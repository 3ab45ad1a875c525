//! Writing frames, as CPython's `_Framer` does.

use crate::buffer::{Buffer, Out};
use crate::opcode::Opcode;

/// From this size on a frame ends at the next boundary, and payloads go outside of frames.
pub(crate) const FRAME_SIZE_TARGET: usize = 64 * 1024;

const HEADER_LEN: usize = 9;

/// Which writer's frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Framing {
    /// CPython 3.4 to 3.6: everything goes into frames, however small or large it is.
    Python34,
    /// CPython 3.7 and later: payloads of 64 KiB or more stand outside of frames, and less than four bytes get none.
    #[default]
    Python37,
}

impl Framing {
    /// Fewer bytes than that get no frame.
    #[inline]
    pub(crate) fn min_len(self) -> usize {
        match self {
            Framing::Python34 => 1,
            Framing::Python37 => 4,
        }
    }

    /// Whether large payloads are written outside of frames.
    pub(crate) fn large_outside(self) -> bool {
        self == Framing::Python37
    }
}

/// Where the current frame begins in a buffer. Its header is reserved when it opens and filled in, or taken back, when
/// it closes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framer {
    framing: Option<Framing>,
    /// Where the bytes of the frame begin, after the header; without framing, those since the last boundary.
    body: usize,
}

impl Framer {
    /// No frames, at first.
    #[inline]
    pub(crate) fn new(out: &Buffer) -> Self {
        Framer { framing: None, body: out.len() }
    }

    #[inline]
    pub(crate) fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Frames from here on, or none from here on. The frame before must be closed.
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

    /// How many bytes the frame lacks to be full.
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

    /// Ends the frame: what is in `out` will not change.
    #[inline]
    pub(crate) fn close(&mut self, out: &mut Buffer) {
        let Some(framing) = self.framing else { return };
        let header = self.body - HEADER_LEN;
        let len = out.len() - self.body;
        if len < framing.min_len() {
            out.remove(header, self.body);
            return;
        }
        // No frame in memory is too long for its header, and a short pickle is written in less time than a vector for that
        // takes to allocate.
        let (opcode, rest) = out.written_mut(header, self.body).split_at_mut(1);
        opcode.fill(Opcode::Frame.byte());
        rest.copy_from_slice(&(len as u64).to_le_bytes());
    }
}
