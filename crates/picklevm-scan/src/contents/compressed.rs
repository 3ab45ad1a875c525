//! Compressed streams.

use std::io::{self, Read};

use crate::report::{Format, Report};
use crate::scanner::Context;
use crate::verdict::{Finding, Rule};

/// Decompresses and scans what comes out, as far as it does, and what follows the stream.
pub(super) fn scan(bytes: &[u8], format: Format, report: &mut Report, context: &Context<'_>, expects_pickle: bool) {
    let mut rest = bytes;
    let (inside, problem) = decompress(&mut rest, format, context);
    let whole = problem.is_none();
    report.findings.extend(problem);
    if whole && !rest.is_empty() {
        let at = (bytes.len() - rest.len()) as u64;
        let message = format!("{} bytes follow the {format} stream", rest.len());
        report.findings.push(Finding::suspicious(Rule::Trailing, at, message));
        report.members.push(super::scan("after the stream", rest, context, false));
    }
    if !inside.is_empty() || report.findings.is_empty() {
        report.members.push(super::scan("decompressed", &inside, context, expects_pickle));
    }
}

/// Decompresses as much as can be, up to the limits, and leaves in `bytes` what follows; what went wrong is a finding.
pub(super) fn decompress(bytes: &mut &[u8], format: Format, context: &Context<'_>) -> (Vec<u8>, Option<Finding>) {
    let mut out = Vec::new();
    let done = match format {
        Format::Gzip => read(flate2::bufread::MultiGzDecoder::new(&mut *bytes), &mut out, context),
        Format::Zlib => read(flate2::bufread::ZlibDecoder::new(&mut *bytes), &mut out, context),
        Format::Bzip2 => read(bzip2::bufread::MultiBzDecoder::new(&mut *bytes), &mut out, context),
        Format::Xz => read(lzma_rust2::XzReader::new(&mut *bytes, true), &mut out, context),
        Format::Lzma => match lzma_rust2::LzmaReader::new_mem_limit(&mut *bytes, LZMA_MEMORY_KIB, None) {
            Ok(decoder) => read(decoder, &mut out, context),
            Err(error) => Err(error.to_string()),
        },
        Format::Zstd => match ruzstd::decoding::StreamingDecoder::new(&mut *bytes) {
            Ok(decoder) => read(decoder, &mut out, context),
            Err(error) => Err(error.to_string()),
        },
        Format::Lz4 => read(lz4_flex::frame::FrameDecoder::new(&mut *bytes), &mut out, context),
        format => Err(format!("{format} is not compressed")),
    };
    let problem = match done {
        Ok(true) => None,
        Ok(false) => Some(context.too_large()),
        Err(error) => {
            let message = format!("the {format} stream breaks after {} bytes: {error}", out.len());
            Some(Finding::suspicious(Rule::Container, 0, message))
        }
    };
    (out, problem)
}

/// Memory that a stream of the old lzma format may ask for.
const LZMA_MEMORY_KIB: u32 = 256 << 10;

/// Deflate without a header, as zip members have it.
pub(super) fn inflate(bytes: &[u8], context: &Context<'_>) -> (Vec<u8>, Option<Finding>) {
    let mut out = Vec::new();
    let problem = match read(flate2::read::DeflateDecoder::new(bytes), &mut out, context) {
        Ok(true) => None,
        Ok(false) => Some(context.too_large()),
        Err(error) => Some(Finding::suspicious(
            Rule::Container,
            0,
            format!("the deflated data break after {} bytes: {error}", out.len()),
        )),
    };
    (out, problem)
}

/// Reads to the end; `false` if a limit came first. What was read before an error is kept.
fn read(mut decoder: impl Read, out: &mut Vec<u8>, context: &Context<'_>) -> Result<bool, String> {
    let mut chunk = vec![0; 64 << 10];
    loop {
        match decoder.read(&mut chunk) {
            Ok(0) => return Ok(true),
            Ok(len) => {
                if !context.spend(len) {
                    return Ok(false);
                }
                out.extend_from_slice(&chunk[..len]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
