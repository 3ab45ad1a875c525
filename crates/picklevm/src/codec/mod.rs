//! Pickles in asynchronous byte streams: a decoder and an encoder for tokio-util's `Framed`.
//!
//! [`PickleFrames`] cuts a stream into pickles, as [`Bytes`](crate::Bytes); load them with any API of this crate, such as
//! `picklevm::serde::from_slice`. [`PickleCodec`] loads them as graphs. Both know two ways in which pickles follow one
//! another, see [`Framing`].
//!
//! Memory grows with what arrives, not with the length that a prefix claims, and a frame longer than
//! [`max_len`](PickleFrames::max_len) is an error.
//!
//! ```
//! use bytes::BytesMut;
//! use picklevm::codec::PickleCodec;
//! use tokio_util::codec::{Decoder, Encoder};
//!
//! // What `logging.handlers.SocketHandler` sends.
//! let mut codec = PickleCodec::length_prefixed();
//! let mut stream = BytesMut::new();
//! codec.encode(picklevm::value!({"msg": "started", "levelno": 20}), &mut stream)?;
//!
//! let record = codec.decode(&mut stream)?.expect("a frame")?;
//! assert_eq!(record.root().at("msg").as_str(), Some("started"));
//! assert!(codec.decode(&mut stream)?.is_none(), "more must arrive");
//! # Ok::<(), picklevm::Error>(())
//! ```

mod frames;
mod graphs;

pub use frames::{Framing, PickleFrames};
pub use graphs::PickleCodec;
