//! The ops that are left. The position is a slice of the current frame: a length is checked with one comparison, where an
//! offset into the frame takes several.

use picklevm_ops::{Decoder, Error, Op, Opcode};

/// The ops of a pickle from a position on.
#[derive(Clone, Copy)]
pub(super) struct Ops<'de> {
    /// What is left of the frame.
    rest: &'de [u8],
    /// What was left before the last op: its length, and that of the op.
    before: usize,
    /// Offset of the end of the frame.
    end: usize,
    /// Reads what is not read from `rest`. It stays behind meanwhile.
    behind: Decoder<'de>,
}

impl<'de> Ops<'de> {
    /// Returns the ops of a pickle, in its first frame.
    #[inline(always)]
    pub(super) fn new(input: &'de [u8]) -> Self {
        let mut decoder = Decoder::new(input);
        // With them, the ops between values need not be passed.
        decoder.next_op_if(Opcode::Proto);
        decoder.next_frame();
        Ops::from(decoder)
    }

    /// Returns what is left of the frame.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.rest
    }

    /// Goes on with what is left of the frame after an op.
    #[inline(always)]
    pub(super) fn go_on(&mut self, rest: &'de [u8]) {
        self.before = self.rest.len();
        self.rest = rest;
    }

    /// Skips an op of `len` bytes of the frame.
    #[inline(always)]
    pub(super) fn skip(&mut self, len: usize) {
        self.go_on(self.rest.get(len..).unwrap_or_default());
    }

    /// Returns the offset of the next op.
    #[inline(always)]
    pub(super) fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    /// Returns the offset of the last op.
    pub(super) fn op_offset(&self) -> usize {
        self.end - self.before
    }

    /// Returns all bytes.
    pub(super) fn data(&self) -> &'de [u8] {
        self.behind.data()
    }

    /// Returns the next byte, of this frame or after it.
    pub(super) fn byte(&self) -> Option<u8> {
        self.data().get(self.offset()).copied()
    }

    /// Returns a decoder at this position.
    pub(super) fn decoder(&self) -> Decoder<'de> {
        let mut decoder = self.behind;
        // Otherwise the last op is the one that the decoder read.
        if let Some(len) = decoder.rest().len().checked_sub(self.before) {
            decoder.skip_op(len);
            decoder.skip_op(self.before - self.rest.len());
        }
        decoder
    }

    /// Reads any op.
    #[inline(always)]
    pub(super) fn next_op(&mut self) -> Result<Op<'de>, Error> {
        let mut decoder = self.decoder();
        let op = decoder.next_op();
        *self = Ops::from(decoder);
        op
    }

    /// Reads FRAME, if it comes next: see [`Decoder::next_frame`].
    pub(super) fn next_frame(&mut self) -> bool {
        let mut decoder = self.decoder();
        let is_entered = decoder.next_frame();
        *self = Ops::from(decoder);
        is_entered
    }
}

impl<'de> From<Decoder<'de>> for Ops<'de> {
    #[inline(always)]
    fn from(decoder: Decoder<'de>) -> Self {
        let rest = decoder.rest();
        let last = decoder.offset() - decoder.op_offset();
        Ops { rest, before: rest.len() + last, end: decoder.offset() + rest.len(), behind: decoder }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ops_read_from_the_slice_and_by_the_decoder_have_the_same_offsets() {
        // PROTO 4, FRAME of 5 bytes: 1, 2 and None; FRAME of one byte: STOP.
        let input = b"\x80\x04\x95\x05\0\0\0\0\0\0\0K\x01K\x02N\x95\x01\0\0\0\0\0\0\0.";
        let (mut sliced, mut decoded) = (Ops::new(input), Ops::new(input));
        for len in [2, 2, 1] {
            sliced.skip(len);
            decoded.next_op().expect("an op");
            assert_eq!(sliced.rest(), decoded.rest());
            assert_eq!((sliced.op_offset(), sliced.offset()), (decoded.op_offset(), decoded.offset()));
            let decoder = sliced.decoder();
            assert_eq!((decoder.op_offset(), decoder.offset()), (sliced.op_offset(), sliced.offset()));
        }
        assert_eq!((sliced.byte(), sliced.offset()), (Some(Opcode::Frame.byte()), 16));
        assert!(sliced.next_frame());
        assert_eq!((sliced.rest(), sliced.op_offset()), (&b"."[..], 16));
        assert_eq!(sliced.next_op().expect("an op"), Op::Stop);
    }
}
