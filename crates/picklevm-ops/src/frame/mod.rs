//! Frames (PEP 3154), read and written.

mod framer;
mod unframer;

pub use framer::Framing;
pub(crate) use framer::{FRAME_SIZE_TARGET, Framer};
pub(crate) use unframer::{Halt, Need, Unframer};
