//! Compressions: bytes to other bytes and back.
//!
//! gzip (RFC 1952), zlib (RFC 1950), deflate (RFC 1951), bzip2, xz and lzma (as Python's `lzma` reads them), zstd
//! (RFC 8878), LZ4 frames. Where a format allows several streams one after the other, all are read, as Python's modules do.

#[allow(unused_imports, reason = "depends on the features")]
use std::io::{self, BufRead, Read, Write};
use std::ops::ControlFlow;

use bytes::Bytes;

use crate::error::{Error, ErrorKind};
use crate::limits::Budget;
use crate::region::{Region, RegionReader};

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Zlib,
    /// Deflate without a header, as zip members have it.
    Deflate,
    Bzip2,
    Xz,
    Lzma,
    /// The lzma of zip members: a header of its own, no length.
    ZipLzma,
    Zstd,
    Lz4,
}

/// Memory that a decompressor may ask for, in KiB.
#[cfg(feature = "xz")]
const MEMORY_KIB: u32 = 256 << 10;
/// More bytes than these are counted before memory is taken for them.
const COUNT_FIRST_LEN: usize = 32 << 20;
/// Bytes that are decompressed at once.
const CHUNK: usize = 64 << 10;

/// A reader that gives a byte at a time: a decoder that reads ahead would leave unknown where its stream ends.
#[cfg(feature = "xz")]
struct Bytewise<'r>(&'r mut RegionReader);

#[cfg(feature = "xz")]
impl Read for Bytewise<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len().min(1);
        self.0.read(&mut out[..len])
    }
}

/// Where decompressed bytes go.
struct Sink<'o> {
    /// Takes a piece, and says whether more is wanted.
    take: &'o mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    total: u64,
    /// How many are wanted at most.
    most: u64,
}

impl Sink<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        if (self.take)(bytes).is_break() {
            self.most = self.total;
        }
    }
}

/// Takes the first `keep` bytes into memory.
fn keep(out: &mut Vec<u8>, keep: usize) -> impl FnMut(&[u8]) -> ControlFlow<()> {
    move |bytes| {
        let room = keep.saturating_sub(out.len());
        out.extend_from_slice(&bytes[..bytes.len().min(room)]);
        ControlFlow::Continue(())
    }
}

/// Whether an error is that the data end, which decoders may wrap in errors of their own.
fn ends_early(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        // The source of an `io::Error` is that of what it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    false
}

/// Whether bytes begin with a frame that decoders of zstd and LZ4 skip (RFC 8878, 3.1.2).
pub(crate) fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl Coding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip stream",
            Coding::Zlib => "zlib stream",
            Coding::Deflate => "deflated data",
            Coding::Bzip2 => "bzip2 stream",
            Coding::Xz => "xz stream",
            Coding::Lzma | Coding::ZipLzma => "lzma stream",
            Coding::Zstd => "zstd stream",
            Coding::Lz4 => "LZ4 stream",
        }
    }

    /// How a further stream of the same file begins, where there may be one.
    fn next_stream(self) -> Option<&'static [u8]> {
        match self {
            Coding::Gzip => Some(b"\x1f\x8b"),
            Coding::Bzip2 => Some(b"BZh"),
            Coding::Zstd => Some(b"\x28\xb5\x2f\xfd"),
            Coding::Lz4 => Some(b"\x04\x22\x4d\x18"),
            _ => None,
        }
    }

    #[allow(unused_variables, unreachable_patterns, reason = "depends on the features")]
    fn decoder<'r>(self, reader: &'r mut RegionReader) -> io::Result<Box<dyn Read + 'r>> {
        match self {
            #[cfg(feature = "gzip")]
            Coding::Gzip => Ok(Box::new(flate2::bufread::GzDecoder::new(reader))),
            #[cfg(feature = "gzip")]
            Coding::Zlib => Ok(Box::new(flate2::bufread::ZlibDecoder::new(reader))),
            #[cfg(feature = "gzip")]
            Coding::Deflate => Ok(Box::new(flate2::bufread::DeflateDecoder::new(reader))),
            #[cfg(feature = "bzip2")]
            Coding::Bzip2 => Ok(Box::new(bzip2::bufread::BzDecoder::new(reader))),
            #[cfg(feature = "xz")]
            Coding::Xz => Ok(Box::new(lzma_rust2::XzReader::new_mem_limit(reader, true, MEMORY_KIB))),
            #[cfg(feature = "xz")]
            Coding::Lzma => Ok(Box::new(lzma_rust2::LzmaReader::new_mem_limit(Bytewise(reader), MEMORY_KIB, None)?)),
            #[cfg(feature = "xz")]
            Coding::ZipLzma => zip_lzma_decoder(reader),
            #[cfg(feature = "zstd")]
            Coding::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(reader).map_err(io::Error::other)?;
                Ok(Box::new(decoder))
            }
            #[cfg(feature = "lz4")]
            Coding::Lz4 => Ok(Box::new(lz4_flex::frame::FrameDecoder::new(reader))),
            _ => Err(not_compiled_in()),
        }
    }

    /// The first bytes that come out, at most `len`; fewer if the data break before.
    pub(crate) fn head(self, region: &Region, len: usize) -> Bytes {
        let mut out = Vec::new();
        let Ok(region) = self.behind_skippable(region.clone()) else { return Bytes::new() };
        let mut reader = region.reader();
        if let Ok(decoder) = self.decoder(&mut reader) {
            // What breaks further on breaks when it is read.
            let _ = decoder.take(len as u64).read_to_end(&mut out);
        }
        out.into()
    }

    /// Decompresses a region, up to `most` bytes, and tells how long the compressed data are.
    ///
    /// # Errors
    ///
    /// If the data break, or expand to more than the budget allows.
    pub(crate) fn decode(self, region: &Region, most: u64, budget: &Budget) -> Result<(Bytes, u64), Error> {
        let mut out = Vec::new();
        let used = self.decode_to(region, most, budget, &mut out)?;
        Ok((out.into(), used))
    }

    /// Decompresses a region as [`decode`](Self::decode) does. After an error `out` has what came before it.
    ///
    /// What is long is decompressed twice: first to see how long it is, and that it is no bomb, then into as much memory as it
    /// takes.
    pub(crate) fn decode_to(
        self,
        region: &Region,
        most: u64,
        budget: &Budget,
        out: &mut Vec<u8>,
    ) -> Result<u64, Error> {
        let (result, total) = {
            let mut sink = Sink { take: &mut keep(out, COUNT_FIRST_LEN), total: 0, most };
            (self.decode_streams(region, &mut sink, Some(budget)), sink.total)
        };
        if total <= COUNT_FIRST_LEN as u64 || matches!(&result, Err(error) if error.kind() == ErrorKind::Limit) {
            return result;
        }
        *out = Vec::new();
        let len = usize::try_from(total).unwrap_or(usize::MAX);
        if out.try_reserve_exact(len).is_err() {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("the file expands to {total} bytes: too many for the memory"),
            ));
        }
        self.decode_streams(region, &mut Sink { take: &mut keep(out, len), total: 0, most }, None)
    }

    /// Decompresses a region piece by piece, up to `most` bytes, until no more is wanted.
    ///
    /// # Errors
    ///
    /// Those of [`decode`](Self::decode).
    pub(crate) fn decode_pieces(
        self,
        region: &Region,
        most: u64,
        budget: &Budget,
        take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.decode_streams(region, &mut Sink { take, total: 0, most }, Some(budget)).map(drop)
    }

    /// Decompresses all streams of a region, and tells where the last one ends.
    fn decode_streams(self, region: &Region, sink: &mut Sink<'_>, budget: Option<&Budget>) -> Result<u64, Error> {
        let mut reader = RegionReader::at(region, region.len() - self.behind_skippable(region.clone())?.len());
        loop {
            self.decode_stream(&mut reader, sink, budget)?;
            let Some(magic) = self.next_stream() else { return Ok(reader.offset()) };
            // Python's gzip passes over zeros between and behind streams.
            let mut rest = region.from(reader.offset());
            if self == Coding::Gzip {
                rest = without_zeros(rest)?;
            }
            rest = self.behind_skippable(rest)?;
            if !rest.head(magic.len())?.starts_with(magic) || sink.total >= sink.most {
                return Ok(if rest.len() == 0 { region.len() } else { reader.offset() });
            }
            reader = RegionReader::at(region, region.len() - rest.len());
        }
    }

    /// What follows the frames that decoders of zstd and LZ4 skip.
    fn behind_skippable(self, mut region: Region) -> Result<Region, Error> {
        if matches!(self, Coding::Zstd | Coding::Lz4) {
            while let Some([a, b, c, d, len @ ..]) = region.array::<8>(0)?
                && is_skippable(&[a, b, c, d])
            {
                region = region.from(8 + u64::from(u32::from_le_bytes(len)));
            }
        }
        Ok(region)
    }

    fn decode_stream(
        self,
        reader: &mut RegionReader,
        sink: &mut Sink<'_>,
        budget: Option<&Budget>,
    ) -> Result<(), Error> {
        let breaks = |error: io::Error, len: u64| {
            let (kind, what) = match error.kind() {
                _ if ends_early(&error) => (ErrorKind::Truncated, "is truncated"),
                io::ErrorKind::Unsupported => (ErrorKind::Unsupported, "cannot be read"),
                _ => (ErrorKind::Damaged, "is damaged"),
            };
            Error::new(kind, format!("the {} {what} (after {len} bytes of its content): {error}", self.name()))
        };
        let mut decoder = self.decoder(reader).map_err(|error| breaks(error, sink.total))?;
        let mut chunk = vec![0; CHUNK];
        while sink.total < sink.most {
            match decoder.read(&mut chunk) {
                Ok(0) => break,
                Ok(len) => {
                    let len = len.min(usize::try_from(sink.most - sink.total).unwrap_or(len));
                    if let Some(budget) = budget {
                        budget.expand(len as u64)?;
                    }
                    sink.take(&chunk[..len]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(breaks(error, sink.total)),
            }
        }
        Ok(())
    }

    /// Compresses bytes as `like`, the beginning of the data that they replace, was.
    ///
    /// # Errors
    ///
    /// If the compression is not compiled in, or can only be read.
    pub(crate) fn encode(self, bytes: &[u8], like: &[u8]) -> Result<Vec<u8>, Error> {
        let fails =
            |error: io::Error| Error::new(ErrorKind::ReadOnly, format!("cannot write a {}: {error}", self.name()));
        self.encode_like(bytes, like).map_err(fails)
    }

    #[allow(unused_variables, reason = "depends on the features")]
    fn encode_like(self, bytes: &[u8], like: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            #[cfg(feature = "gzip")]
            Coding::Gzip => {
                let header = flate2::bufread::GzDecoder::new(like).header().cloned();
                let mut builder = flate2::GzBuilder::new();
                if let Some(header) = &header {
                    builder = builder.mtime(header.mtime()).operating_system(header.operating_system());
                    builder = header.filename().into_iter().fold(builder, |builder, name| builder.filename(name));
                }
                let level = if like.get(8) == Some(&4) { 1 } else { 9 };
                let mut encoder = builder.write(Vec::new(), flate2::Compression::new(level));
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            #[cfg(feature = "gzip")]
            Coding::Zlib => {
                // RFC 1950: the level stands in the header.
                let level = [1, 3, 6, 9][usize::from(like.get(1).copied().unwrap_or(0x80) >> 6)];
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            #[cfg(feature = "gzip")]
            Coding::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            #[cfg(feature = "bzip2")]
            Coding::Bzip2 => {
                let level = like.get(3).map_or(9, |digit| u32::from(digit.wrapping_sub(b'0'))).clamp(1, 9);
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            #[cfg(feature = "xz")]
            Coding::Xz => {
                let mut options = lzma_rust2::XzOptions::with_preset(6);
                options.set_check_sum_type(match like.get(7) {
                    Some(0) => lzma_rust2::CheckType::None,
                    Some(1) => lzma_rust2::CheckType::Crc32,
                    Some(10) => lzma_rust2::CheckType::Sha256,
                    _ => lzma_rust2::CheckType::Crc64,
                });
                let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options)?;
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            #[cfg(feature = "xz")]
            Coding::Lzma => {
                let options = lzma_rust2::LzmaOptions::with_preset(6);
                let mut encoder = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, None)?;
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            #[cfg(feature = "zstd")]
            Coding::Zstd => {
                use ruzstd::encoding::{CompressionLevel, compress_to_vec};
                Ok(compress_to_vec(bytes, CompressionLevel::Fastest))
            }
            #[cfg(feature = "lz4")]
            Coding::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(bytes)?;
                encoder.finish().map_err(io::Error::other)
            }
            // lzma-rust2 has no encoder for the header of zip members.
            Coding::ZipLzma => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "lzma members of zip archives can only be read"))
            }
            #[allow(unreachable_patterns, reason = "depends on the features")]
            _ => Err(not_compiled_in()),
        }
    }
}

fn not_compiled_in() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this program was built without it")
}

/// The lzma data of a zip member, behind their header: two bytes of version, the length of the properties, the properties
/// (APPNOTE 5.8.8).
#[cfg(feature = "xz")]
fn zip_lzma_decoder(reader: &mut RegionReader) -> io::Result<Box<dyn Read + '_>> {
    let mut header = [0; 9];
    reader.read_exact(&mut header)?;
    let [_, _, 5, 0, props, a, b, c, d] = header else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the header of the lzma data is unknown"));
    };
    let dict = u32::from_le_bytes([a, b, c, d]);
    if lzma_rust2::lzma_get_memory_usage_by_props(dict, props)? > MEMORY_KIB {
        return Err(io::Error::new(io::ErrorKind::OutOfMemory, "the lzma data need too much memory"));
    }
    Ok(Box::new(lzma_rust2::LzmaReader::new_with_props(reader, u64::MAX, props, dict, None)?))
}

/// The region from its first byte on that is not zero.
fn without_zeros(region: Region) -> Result<Region, Error> {
    let mut reader = region.reader();
    loop {
        let buffer = reader.fill_buf().map_err(|error| Error::io("cannot read", error))?;
        let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
        let is_end = zeros < buffer.len() || buffer.is_empty();
        reader.consume(zeros);
        if is_end {
            return Ok(region.from(reader.offset()));
        }
    }
}
