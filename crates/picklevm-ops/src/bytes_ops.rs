//! Decoding from shared [`Bytes`].

use std::iter::FusedIterator;

use bytes::Bytes;

use crate::decoder::{Decoder, Position};
use crate::error::Error;
use crate::op::Op;
use crate::opcode::Opcode;
use crate::undecoded::RawOp;

/// Iterates over the ops of the first pickle in `data`. Each op shares its bytes with `data`: nothing is copied, and
/// ops can be kept. If they need not be kept, [`ops`](crate::ops) is faster.
///
/// The iterator ends after STOP, or after an error.
///
/// ```
/// use bytes::Bytes;
/// use picklevm_ops::shared_ops;
///
/// let pickle = Bytes::from_static(b"\x80\x03C\x05hello.");
/// let payloads: Vec<Bytes> = shared_ops(pickle.clone()).filter_map(|op| op.ok()?.payload()).collect();
/// assert_eq!(payloads, ["hello"]);
/// assert_eq!(payloads[0].as_ptr(), pickle[4..].as_ptr());
/// ```
pub fn shared_ops(data: Bytes) -> SharedOps {
    SharedOps { data, position: Position::default(), done: false }
}

/// Iterator over the ops of one pickle, which share its bytes; returned by [`shared_ops`].
#[derive(Debug, Clone)]
pub struct SharedOps {
    data: Bytes,
    position: Position,
    done: bool,
}

impl SharedOps {
    /// Returns the offset after the last op.
    pub fn offset(&self) -> usize {
        self.position.offset()
    }
}

impl Iterator for SharedOps {
    type Item = Result<SharedOp, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut decoder = Decoder::resume(&self.data, self.position);
        let result = decoder.next_op();
        self.position = decoder.position();
        self.done = matches!(result, Ok(Op::Stop) | Err(_));
        Some(result.map(|op| SharedOp {
            offset: decoder.op_offset(),
            opcode: op.opcode(),
            payload_len: op.payload().map(<[u8]>::len),
            bytes: self.data.slice(decoder.op_offset()..decoder.offset()),
        }))
    }
}

impl FusedIterator for SharedOps {}

/// An op that shares its bytes with its pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedOp {
    offset: usize,
    opcode: Opcode,
    payload_len: Option<usize>,
    bytes: Bytes,
}

impl SharedOp {
    /// Returns the offset of the op, in bytes from the beginning of the data.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the opcode.
    pub fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// Returns the bytes of the opcode and its operand.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the payload of a length-prefixed operand, see [`Op::payload`].
    pub fn payload(&self) -> Option<Bytes> {
        Some(self.bytes.slice(self.bytes.len() - self.payload_len?..))
    }

    /// Decodes the op with its operand.
    ///
    /// # Errors
    ///
    /// None in practice: the op was decoded before.
    pub fn decode(&self) -> Result<Op<'_>, Error> {
        RawOp { offset: self.offset as u64, opcode: self.opcode, bytes: &self.bytes }.decode()
    }
}
