//! Cuts a stream of bytes into pickles.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use picklevm_ops::PickleEnd;
use tokio_util::codec::{Decoder, Encoder};

use crate::error::{Error, ErrorKind, Result};

/// How pickles follow one another in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// A length of four bytes, big endian, before each pickle: `struct.pack("!L", len(pickle)) + pickle`, as
    /// `logging.handlers.SocketHandler` and clients of Graphite send.
    LengthPrefixed,
    /// No length: a pickle begins where the one before ends, as after several calls of `pickle.dump(value, file)`.
    EndToEnd,
}

/// Cuts a stream into pickles, each as [`Bytes`] without its length prefix, and writes them.
///
/// ```
/// use bytes::BytesMut;
/// use picklevm::codec::PickleFrames;
/// use tokio_util::codec::Decoder;
///
/// let mut frames = PickleFrames::end_to_end();
/// let mut stream = BytesMut::from(&b"K\x01.K\x02.K"[..]);
/// assert_eq!(frames.decode(&mut stream)?.as_deref(), Some(&b"K\x01."[..]));
/// assert_eq!(frames.decode(&mut stream)?.as_deref(), Some(&b"K\x02."[..]));
/// assert_eq!(frames.decode(&mut stream)?, None);
/// let error = frames.decode_eof(&mut stream).unwrap_err();
/// assert_eq!(error.to_string(), "offset 6: expected a pickle, found 1 byte of it before the end of the stream");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PickleFrames {
    framing: Framing,
    max_len: u32,
    /// Number of bytes of the stream before the frame that is read.
    offset: u64,
    end: PickleEnd,
}

/// Length of the prefix in bytes.
const PREFIX: usize = 4;

impl PickleFrames {
    /// Maximum length of a pickle in bytes unless [`max_len`](Self::max_len) sets another: 8 MiB, as in tokio-util's
    /// `LengthDelimitedCodec`.
    pub const DEFAULT_MAX_LEN: u32 = 8 << 20;

    /// Creates a codec for pickles that follow one another in this way.
    pub fn new(framing: Framing) -> Self {
        PickleFrames { framing, max_len: Self::DEFAULT_MAX_LEN, offset: 0, end: PickleEnd::default() }
    }

    /// Creates a codec for pickles with a length prefix; see [`Framing::LengthPrefixed`].
    pub fn length_prefixed() -> Self {
        Self::new(Framing::LengthPrefixed)
    }

    /// Creates a codec for pickles end to end; see [`Framing::EndToEnd`].
    pub fn end_to_end() -> Self {
        Self::new(Framing::EndToEnd)
    }

    /// Sets the maximum length of a pickle that is read, in bytes without the prefix.
    #[must_use]
    pub fn max_len(mut self, bytes: u32) -> Self {
        self.max_len = bytes;
        self
    }

    /// Returns how pickles follow one another.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Checks a length that a prefix claims, or that has been read without an end.
    fn check_len(&self, len: u64) -> Result<()> {
        if len <= u64::from(self.max_len) {
            return Ok(());
        }
        let expected = format!("a pickle of at most {} bytes (PickleFrames::max_len)", self.max_len);
        let found = match self.framing {
            Framing::LengthPrefixed => format!("a length of {len} bytes"),
            Framing::EndToEnd => format!("a pickle of {len} bytes or more"),
        };
        Err(Error::new(ErrorKind::Limit, expected, found).at(self.offset, None))
    }

    /// Returns the range of the next pickle in `stream`, if all of it has arrived.
    fn range(&mut self, stream: &[u8]) -> Result<Option<std::ops::Range<usize>>> {
        match self.framing {
            Framing::LengthPrefixed => {
                let Some(prefix) = stream.first_chunk::<PREFIX>() else { return Ok(None) };
                let len = u32::from_be_bytes(*prefix);
                self.check_len(len.into())?;
                let range = PREFIX..(len as usize).saturating_add(PREFIX);
                Ok((stream.len() >= range.end).then_some(range))
            }
            Framing::EndToEnd => {
                if stream.is_empty() {
                    return Ok(None);
                }
                let end = self.end.find(stream).map_err(|error| Error::from(error).offset_by(self.offset))?;
                let least = self.end.needed_len().max(stream.len() as u64);
                self.check_len(end.map_or(least, |end| end as u64))?;
                Ok(end.map(|end| 0..end))
            }
        }
    }
}

impl Decoder for PickleFrames {
    type Item = Bytes;
    type Error = Error;

    /// Returns the next pickle, or `None` if more must arrive. Offsets of errors count from the beginning of the stream.
    ///
    /// # Errors
    ///
    /// [`Limit`](ErrorKind::Limit) if a pickle is too long, and [`Malformed`](ErrorKind::Malformed) if a byte is not an
    /// opcode where a pickle without a length is read. Nothing can be read from the stream after that.
    fn decode(&mut self, stream: &mut BytesMut) -> Result<Option<Bytes>> {
        let Some(range) = self.range(stream)? else { return Ok(None) };
        self.end = PickleEnd::default();
        self.offset += range.end as u64;
        stream.advance(range.start);
        Ok(Some(stream.split_to(range.len()).freeze()))
    }

    /// Returns the next pickle, or `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and [`Truncated`](ErrorKind::Truncated) if the stream ends within a frame.
    fn decode_eof(&mut self, stream: &mut BytesMut) -> Result<Option<Bytes>> {
        if let Some(pickle) = self.decode(stream)? {
            return Ok(Some(pickle));
        }
        if stream.is_empty() {
            return Ok(None);
        }
        let expected = match (self.framing, stream.first_chunk::<PREFIX>()) {
            (Framing::LengthPrefixed, None) => "a length of four bytes".into(),
            (Framing::LengthPrefixed, Some(prefix)) => format!("a pickle of {} bytes", u32::from_be_bytes(*prefix)),
            (Framing::EndToEnd, _) => "a pickle".into(),
        };
        let arrived = match self.framing {
            Framing::LengthPrefixed if stream.len() >= PREFIX => stream.len() - PREFIX,
            _ => stream.len(),
        };
        let unit = if arrived == 1 { "byte" } else { "bytes" };
        let found = format!("{arrived} {unit} of it before the end of the stream");
        Err(Error::new(ErrorKind::Truncated, expected, found).at(self.offset, None))
    }
}

impl<T: AsRef<[u8]>> Encoder<T> for PickleFrames {
    type Error = Error;

    /// Writes a pickle, with its length if the framing has one.
    ///
    /// # Errors
    ///
    /// [`Unrepresentable`](ErrorKind::Unrepresentable) if a pickle of 4 GiB or more needs a length prefix.
    fn encode(&mut self, pickle: T, stream: &mut BytesMut) -> Result<()> {
        let pickle = pickle.as_ref();
        if self.framing == Framing::LengthPrefixed {
            let len = u32::try_from(pickle.len()).map_err(|_| {
                let found = format!("{} bytes", pickle.len());
                Error::new(ErrorKind::Unrepresentable, "a pickle of less than 4 GiB before a length prefix", found)
            })?;
            stream.reserve(PREFIX + pickle.len());
            stream.put_u32(len);
        }
        stream.extend_from_slice(pickle);
        Ok(())
    }
}
