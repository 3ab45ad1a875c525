//! Pickle opcodes: what `pickletools` is for Python.
//!
//! This crate decodes and encodes the 68 opcodes, reads and writes frames, disassembles and optimizes. It creates no
//! values and runs nothing: the crate `picklevm` does.
//!
//! # The format
//!
//! A pickle is a sequence of ops for a small stack machine. It ends with STOP, which returns the object on top of the
//! stack.
//!
//! ```text
//! pickle  = [ PROTO ] { op } STOP
//! op      = opcode operand                          opcode: one byte
//! operand = nothing                                 most opcodes: they use the stack and the memo
//!         | 1, 2, 4 or 8 bytes                      a number; little-endian, except BINFLOAT
//!         | length payload                          length: 1, 4 or 8 bytes, little-endian
//!         | text newline [ text newline ]           opcodes of protocol 0
//!
//! 80 04                  PROTO 4
//! 95 10 00 .. 00         FRAME of 16 bytes: a reader may read them at once
//! 5d                     EMPTY_LIST
//! 94                     MEMOIZE            stores the list at index 0 of the memo
//! 28                     MARK
//! 4b 2a                    BININT1 42
//! 8c 05 68 65 6c 6c 6f     SHORT_BINUNICODE 'hello'
//! 68 00                    BINGET 0         fetches the list
//! 65                     APPENDS            pops down to the mark: [42, 'hello', itself]
//! 2e                     STOP
//! ```
//!
//! PEP 307 (protocol 2), PEP 3154 (protocol 4: frames) and PEP 574 (protocol 5: buffers) explain the design; CPython's
//! `pickletools.py` describes each opcode. Where CPython's readers differ, this crate follows the one in Python
//! (`pickle._Unpickler` of 3.13).
//!
//! # Overview
//!
//! - [`Opcode`]: the table. [`Op`]: an opcode with its decoded operand. [`Literal`]: the value that an op pushes by itself.
//! - [`ops`] iterates over a slice, [`shared_ops`] over [`bytes::Bytes`]; [`Decoder`] and [`Reader`] (any
//!   [`BufRead`](std::io::BufRead)) read op by op, across pickles, and [`FeedReader`] from a [`Feed`] that is told how much
//!   an op needs; [`Source`] is their common trait.
//! - [`Op::encode`] and [`Writer`] write; the writer also writes frames.
//! - [`dis`] and [`Disassembler`] print what `python -m pickletools` prints; [`optimize`] removes unused PUT opcodes.
//! - [`Rewriter`] renames globals by [`Renames`] and decodes strings of Python 2, and keeps all else byte for byte.
//! - [`repr`] formats floats, text and bytes as Python does.
//!
//! ```
//! use picklevm_ops::{Op, ops};
//!
//! let pickle = b"\x80\x04\x95\x10\0\0\0\0\0\0\0]\x94(K\x2a\x8c\x05helloh\0e.";
//! let mut texts = Vec::new();
//! for op in ops(pickle) {
//!     let (offset, op) = op?;
//!     if let Op::ShortBinUnicode(text) = op {
//!         texts.push((offset, text.as_str().unwrap()));
//!     }
//! }
//! assert_eq!(texts, [(16, "hello")]);
//! # Ok::<(), picklevm_ops::Error>(())
//! ```
//!
//! No input makes this crate panic, recurse, or allocate memory for a length that is only claimed.

mod bounds;
mod buffer;
mod bytes_ops;
mod decoder;
mod dis;
mod error;
mod feed;
mod feed_reader;
#[doc(hidden)]
pub mod forms;
mod frame;
mod input;
mod int_op;
mod ints;
mod memo;
mod op;
mod op_run;
mod opcode;
mod operand;
mod optimize;
mod reader;
mod renames;
pub mod repr;
mod rewrite;
mod source;
mod table;
mod text;
mod undecoded;
mod unfit;
mod write_small;
mod writer;

/// What the other crates of this workspace read and write with, for speed: runs of ops, reserved space, a decoder for long
/// inputs. Not part of the public API: it changes in any version, and those crates depend on this exact one.
#[doc(hidden)]
pub mod internal {
    pub use crate::decoder::PredictableDecoder;
    pub use crate::forms;
    pub use crate::frame::START_LEN;
    pub use crate::ints::{IntRun, ShortInt, int_from_le_bytes};
    pub use crate::op::RunVisitor;
    pub use crate::op_run::OpRun;
    pub use crate::write_small::write_small;
}

pub use bounds::{PickleBounds, PickleEnd, pickle_bounds};
pub use bytes_ops::{SharedOp, SharedOps, shared_ops};
pub use decoder::{Decoder, Ops, ops};
pub use dis::{Disassembler, dis};
pub use error::{Error, ErrorKind};
pub use feed::Feed;
pub use feed_reader::FeedReader;
pub use frame::Framing;
pub use op::{Literal, Op, Visitor};
pub use opcode::{Opcode, StackObject};
pub use operand::{Escaped, IntValue, Number, Operand, RawUnicode};
pub use optimize::{optimize, optimize_all, optimize_at};
pub use reader::Reader;
pub use renames::{RenameError, Renames};
pub use rewrite::{Decoded, Rewriter, Rewritten};
pub use source::Source;
pub use text::Text;
pub use undecoded::{RawOp, raw_ops};
pub use writer::{IoSink, Memory, Sink, Writer};

/// Tests the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
