//! Opcodes of Python pickles.

mod decoder;
mod dis;
mod error;
mod frame;
mod input;
mod memo;
mod op;
mod opcode;
mod operand;
mod optimize;
mod raw;
mod reader;
pub mod repr;
mod source;
mod table;
mod writer;

pub use decoder::{Decoder, Ops, ops};
pub use dis::{Disassembler, dis};
pub use error::{Error, ErrorKind};
pub use frame::Framing;
pub use op::{Op, Visitor};
pub use opcode::{Opcode, StackObject};
pub use operand::{Escaped, IntValue, Number, Operand, RawUnicode, Text};
pub use optimize::{optimize, optimize_all};
pub use reader::Reader;
pub use source::Source;
pub use writer::{Memory, Sink, Stream, Writer};
