//! Ops located but not decoded: only the end of each is found; operands are not checked and frames are ignored.
//!
//! `pickletools` reads this way, so it can disassemble and optimize pickles that the machine refuses.

use crate::error::Error;
use crate::frame::Unframer;
use crate::op::{Op, decode, skip};
use crate::opcode::Opcode;

/// An op that is not decoded.
#[derive(Clone, Copy)]
pub(crate) struct RawOp<'a> {
    pub(crate) offset: usize,
    pub(crate) opcode: Opcode,
    /// The opcode and the operand.
    pub(crate) bytes: &'a [u8],
}

impl<'a> RawOp<'a> {
    /// Locates the op at `offset` in `data`. `first` says whether a pickle begins there.
    pub(crate) fn at(data: &'a [u8], offset: usize, first: bool) -> Result<Self, Error> {
        let rest = data.get(offset..).unwrap_or_default();
        let mut input = Unframer::new(rest, offset as u64, None);
        match skip(&mut input) {
            Ok(opcode) => Ok(RawOp { offset, opcode, bytes: &rest[..input.pos()] }),
            Err(halt) => Err(halt.into_error(offset as u64, rest.len(), first)),
        }
    }

    /// Returns the offset after the op.
    pub(crate) fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }

    /// Decodes the op as the machine does.
    pub(crate) fn decode(&self) -> Result<Op<'a>, Error> {
        let mut input = Unframer::new(self.bytes, self.offset as u64, None);
        decode(&mut input).map_err(|halt| halt.into_error(self.offset as u64, self.bytes.len(), false))
    }
}

/// Iterates over the ops of the pickle at `offset` in `data`, up to and including STOP.
pub(crate) fn raw_ops(data: &[u8], offset: usize) -> impl Iterator<Item = Result<RawOp<'_>, Error>> {
    let mut next = Some(offset);
    std::iter::from_fn(move || {
        let at = next.take()?;
        let result = RawOp::at(data, at, at == offset);
        if let Ok(op) = &result
            && op.opcode != Opcode::Stop
        {
            next = Some(op.end());
        }
        Some(result)
    })
}
