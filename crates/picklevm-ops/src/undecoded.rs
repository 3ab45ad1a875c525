//! Ops as they lie in the bytes: where each ends, with no look at what it says and none at frames.
//!
//! That is how `pickletools` reads, which disassembles and optimizes pickles that the machine refuses.

use crate::error::Error;
use crate::frame::Unframer;
use crate::op::{Op, decode, skip};
use crate::opcode::Opcode;

/// An op that was not decoded.
#[derive(Clone, Copy)]
pub(crate) struct RawOp<'a> {
    pub(crate) offset: usize,
    pub(crate) opcode: Opcode,
    /// All of it.
    pub(crate) bytes: &'a [u8],
}

impl<'a> RawOp<'a> {
    /// The op that lies in `data` at `offset`, which is the beginning of a pickle or not.
    pub(crate) fn at(data: &'a [u8], offset: usize, first: bool) -> Result<Self, Error> {
        let rest = data.get(offset..).unwrap_or_default();
        let mut input = Unframer::new(rest, offset as u64, None);
        match skip(&mut input) {
            Ok(opcode) => Ok(RawOp { offset, opcode, bytes: &rest[..input.pos()] }),
            Err(halt) => Err(halt.into_error(offset as u64, rest.len(), first)),
        }
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }

    /// The op, as the machine reads it.
    pub(crate) fn decode(&self) -> Result<Op<'a>, Error> {
        let mut input = Unframer::new(self.bytes, self.offset as u64, None);
        decode(&mut input).map_err(|halt| halt.into_error(self.offset as u64, self.bytes.len(), false))
    }
}

/// The raw ops of the pickle at `offset` in `data`, up to STOP and with it.
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
