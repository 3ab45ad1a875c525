//! The lengths of frames whose ops became longer or shorter.

use crate::undecoded::RawOp;

/// Measures what is written into each frame, or tells what was measured.
pub(super) struct Frames {
    /// The new length of each frame, in order.
    lens: Vec<u64>,
    /// Index of the next frame, where the lengths are known.
    next: Option<usize>,
    open: Option<Open>,
}

struct Open {
    /// Where the frame ends in the input.
    end: u64,
    /// Where its ops begin in the output.
    start: u64,
}

impl Frames {
    /// Measures.
    pub(super) fn measuring() -> Frames {
        Frames { lens: Vec::new(), next: None, open: None }
    }

    /// Tells these lengths.
    pub(super) fn known(lens: Vec<u64>) -> Frames {
        Frames { lens, next: Some(0), open: None }
    }

    pub(super) fn into_lens(self) -> Vec<u64> {
        self.lens
    }

    /// Begins a frame of `len` bytes, whose ops begin at `start` of the output. Returns its new length, if it is known.
    pub(super) fn begin(&mut self, op: &RawOp<'_>, len: u64, start: u64) -> u64 {
        match &mut self.next {
            Some(next) => {
                *next += 1;
                self.lens.get(*next - 1).copied().unwrap_or(len)
            }
            None => {
                self.open = Some(Open { end: op.end().saturating_add(len), start });
                len
            }
        }
    }

    /// Ends the frame if it ends before, in or after an op that was written from `from` to `to` of the output. An op that
    /// the end cuts in two lies in the frame as a whole if it was changed.
    pub(super) fn pass(&mut self, op: &RawOp<'_>, from: u64, to: u64, is_last: bool) {
        let Some(Open { end, start }) = self.open else { return };
        let is_verbatim = to - from == op.bytes.len() as u64;
        let until = match end {
            _ if end <= op.offset => from,
            _ if is_last || end == op.end() => to,
            _ if end < op.end() && is_verbatim => from + (end - op.offset),
            _ if end < op.end() => to,
            _ => return,
        };
        self.open = None;
        self.lens.push(until - start);
    }
}
