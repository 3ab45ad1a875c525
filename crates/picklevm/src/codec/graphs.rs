//! Loads the pickles of a stream as graphs, and writes values.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::frames::{Framing, PickleFrames};
use crate::dump::Pickler;
use crate::error::{Error, Result};
use crate::graph::{Graph, Value};
use crate::limits::Limits;
use crate::load::Unpickler;

/// Loads the pickles of a stream as graphs, and writes graphs and values.
///
/// A stream is untrusted by default: the unpickler has [`Limits::untrusted`] and no resolver of the caller, so nothing is
/// called. Each pickle is an item of its own, a `Result`: one that cannot be loaded does not end the stream.
///
/// ```
/// use picklevm::codec::PickleCodec;
/// use tokio_stream::StreamExt;
/// use tokio_util::codec::FramedRead;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> picklevm::Result<()> {
/// let sent: &[u8] = b"\0\0\0\x0a(S'a'\nK\x01t.\0\0\0\x02R.";
/// let mut batches = FramedRead::new(sent, PickleCodec::length_prefixed());
/// let batch = batches.next().await.expect("two frames")??;
/// assert_eq!(batch.root().to::<(String, u64)>()?, ("a".to_owned(), 1));
/// let refused = batches.next().await.expect("two frames")?;
/// assert_eq!(refused.unwrap_err().kind(), picklevm::ErrorKind::Stack);
/// assert!(batches.next().await.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PickleCodec {
    frames: PickleFrames,
    unpickler: Unpickler,
    pickler: Pickler,
}

impl PickleCodec {
    /// Creates a codec for pickles in these frames, with [`Limits::untrusted`].
    pub fn new(frames: PickleFrames) -> Self {
        PickleCodec { frames, unpickler: Unpickler::new().limits(Limits::untrusted()), pickler: Pickler::new() }
    }

    /// Creates a codec for pickles with a length prefix; see [`Framing::LengthPrefixed`].
    pub fn length_prefixed() -> Self {
        Self::new(PickleFrames::new(Framing::LengthPrefixed))
    }

    /// Creates a codec for pickles end to end; see [`Framing::EndToEnd`].
    pub fn end_to_end() -> Self {
        Self::new(PickleFrames::new(Framing::EndToEnd))
    }

    /// Sets the options for reading; they replace the limits for untrusted input too.
    #[must_use]
    pub fn unpickler(mut self, unpickler: Unpickler) -> Self {
        self.unpickler = unpickler;
        self
    }

    /// Sets the options for writing.
    #[must_use]
    pub fn pickler(mut self, pickler: Pickler) -> Self {
        self.pickler = pickler;
        self
    }

    /// Sets the maximum length of a pickle that is read, in bytes.
    #[must_use]
    pub fn max_len(mut self, bytes: u32) -> Self {
        self.frames = self.frames.max_len(bytes);
        self
    }

    fn load(&self, pickle: Option<Bytes>) -> Option<Result<Graph>> {
        pickle.map(|pickle| self.unpickler.load_bytes(pickle))
    }
}

impl Decoder for PickleCodec {
    type Item = Result<Graph>;
    type Error = Error;

    /// Returns the graph of the next pickle, or why it cannot be loaded, or `None` if more must arrive. Offsets of errors in
    /// an item count from the beginning of the pickle.
    ///
    /// # Errors
    ///
    /// As [`PickleFrames`]. Nothing can be read from the stream after that.
    fn decode(&mut self, stream: &mut BytesMut) -> Result<Option<Result<Graph>>> {
        let pickle = self.frames.decode(stream)?;
        Ok(self.load(pickle))
    }

    fn decode_eof(&mut self, stream: &mut BytesMut) -> Result<Option<Result<Graph>>> {
        let pickle = self.frames.decode_eof(stream)?;
        Ok(self.load(pickle))
    }
}

impl Encoder<Value<'_>> for PickleCodec {
    type Error = Error;

    /// Writes a value as a pickle of its own.
    ///
    /// # Errors
    ///
    /// As [`Pickler::dumps`]. Then nothing is written.
    fn encode(&mut self, value: Value<'_>, stream: &mut BytesMut) -> Result<()> {
        let pickle = self.pickler.dumps(value)?;
        self.frames.encode(pickle, stream)
    }
}

impl Encoder<Graph> for PickleCodec {
    type Error = Error;

    fn encode(&mut self, graph: Graph, stream: &mut BytesMut) -> Result<()> {
        self.encode(graph.root(), stream)
    }
}

impl Encoder<&Graph> for PickleCodec {
    type Error = Error;

    fn encode(&mut self, graph: &Graph, stream: &mut BytesMut) -> Result<()> {
        self.encode(graph.root(), stream)
    }
}
