//! Frames (PEP 3154), read and written.

mod framer;
mod unframer;

pub(crate) use framer::{FRAME_SIZE_TARGET, Framer};
pub use framer::{Framing, START_LEN};
pub(crate) use unframer::{Halt, Need, Unframer};
