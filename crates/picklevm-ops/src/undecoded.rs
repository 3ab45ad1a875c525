//! Ops located but not decoded: only the end of each is found; operands are not checked and frames are ignored.
//!
//! `pickletools` reads this way, so it can disassemble and optimize pickles that the machine refuses.

use std::borrow::Cow;

use crate::error::Error;
use crate::frame::Unframer;
use crate::op::{Literal, Op, decode, skip};
use crate::opcode::Opcode;

/// An op that was located but not decoded, returned by [`raw_ops`].
#[derive(Debug, Clone, Copy)]
pub struct RawOp<'a> {
    pub(crate) offset: u64,
    pub(crate) opcode: Opcode,
    pub(crate) bytes: &'a [u8],
}

impl<'a> RawOp<'a> {
    /// Locates the op at `offset` in `data`. `first` says whether a pickle begins there.
    pub(crate) fn at(data: &'a [u8], offset: usize, first: bool) -> Result<Self, Error> {
        let rest = data.get(offset..).unwrap_or_default();
        let mut input = Unframer::new(rest, offset as u64, None);
        match skip(&mut input) {
            Ok(opcode) => Ok(RawOp { offset: offset as u64, opcode, bytes: &rest[..input.pos()] }),
            Err(halt) => Err(halt.into_error(offset as u64, rest.len(), first)),
        }
    }

    /// Returns the offset of the opcode.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the opcode.
    pub fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// Returns the opcode and the operand as they are encoded.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the offset after the op.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    /// Decodes the op, and checks its operand.
    ///
    /// # Errors
    ///
    /// Returns an error if the operand is malformed.
    pub fn decode(&self) -> Result<Op<'a>, Error> {
        decode_slowly(self.bytes, self.offset, None)
    }

    /// Returns the index that a PUT or a GET names.
    pub(crate) fn memo_index(&self) -> Result<Option<u64>, Error> {
        Ok(match self.decode()? {
            Op::Put(index) | Op::Get(index) => Some(index),
            Op::BinPut(index) | Op::BinGet(index) => Some(index.into()),
            Op::LongBinPut(index) | Op::LongBinGet(index) => Some(index.into()),
            _ => None,
        })
    }

    /// Returns the text that it pushes, if that has no surrogates.
    pub(crate) fn text(&self) -> Result<Option<Cow<'a, str>>, Error> {
        Ok(match self.decode()?.literal() {
            Some(Literal::Text(text)) => text.as_str().map(Cow::Borrowed),
            Some(Literal::RawUnicode(line)) => String::from_utf8(line.decode().into_owned()).ok().map(Cow::Owned),
            _ => None,
        })
    }
}

/// Iterates over the ops from `offset` in `data` up to and including STOP, without decoding them.
///
/// Operands are not checked, and frames are ops like any other: `data` may be a part of a pickle that begins and ends
/// anywhere between two ops. Offsets count from the beginning of `data`.
///
/// # Errors
///
/// An item is an error, and the last one, if the next byte is not an opcode or its op does not end in `data`.
///
/// ```
/// use picklevm_ops::{Opcode, raw_ops};
///
/// let ops: Vec<_> = raw_ops(b"\x80\x02K\x07.", 2).collect::<Result<_, _>>()?;
/// assert_eq!((ops[0].opcode(), ops[0].bytes(), ops[0].end()), (Opcode::BinInt1, &b"K\x07"[..], 4));
/// assert_eq!(ops[1].opcode(), Opcode::Stop);
/// # Ok::<(), picklevm_ops::Error>(())
/// ```
pub fn raw_ops(data: &[u8], offset: usize) -> impl Iterator<Item = Result<RawOp<'_>, Error>> {
    let mut next = Some(offset);
    std::iter::from_fn(move || {
        let at = next.take()?;
        let result = RawOp::at(data, at, at == offset);
        if let Ok(op) = &result
            && op.opcode != Opcode::Stop
        {
            next = Some(at + op.bytes.len());
        }
        Some(result)
    })
}

/// Decodes an op that is complete in `bytes`, by all the rules. `frame` is the offset where its frame ends.
#[inline(never)]
pub(crate) fn decode_slowly(bytes: &[u8], offset: u64, frame: Option<u64>) -> Result<Op<'_>, Error> {
    let mut input = Unframer::new(bytes, offset, frame);
    decode(&mut input).map_err(|halt| halt.into_error(offset, bytes.len(), false))
}
