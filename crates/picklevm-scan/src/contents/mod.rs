//! What bytes are: a pickle, something around pickles, or neither; told by the bytes, never by the name.

mod compressed;
mod npy;
mod tar;
mod zip;

use crate::hidden;
use crate::report::{Format, Report};
use crate::scanner::Context;
use crate::stream;
use crate::verdict::{Finding, Rule};

/// Beginnings that tell a format for certain.
const MAGICS: &[(&[u8], Format)] = &[
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"\x93NUMPY", Format::Npy),
    (b"\x1f\x8b", Format::Gzip),
    (b"BZh", Format::Bzip2),
    (b"\xfd7zXZ\0", Format::Xz),
    (b"\x28\xb5\x2f\xfd", Format::Zstd),
    (b"\x04\x22\x4d\x18", Format::Lz4),
    (b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
];

/// Whether bytes begin as something that can hold pickles.
#[inline]
pub(crate) fn has_magic(bytes: &[u8]) -> bool {
    // A quick answer for what does not even begin like one.
    matches!(bytes.first(), Some(b'P' | 0x93 | 0x1f | b'B' | 0xfd | 0x28 | 0x04 | b'7' | 0x78 | 0x5d))
        && format_by_magic(bytes).is_some()
}

fn format_by_magic(bytes: &[u8]) -> Option<Format> {
    if let Some((_, format)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(*format);
    }
    match *bytes {
        // RFC 1950: a multiple of 31, deflate, no dictionary.
        [0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..] if (0x7800 | u16::from(flags)).is_multiple_of(31) => {
            Some(Format::Zlib)
        }
        // The properties that every writer of the old format uses, and a dictionary of a power of two.
        [0x5d, 0, 0, ..] => Some(Format::Lzma),
        _ => None,
    }
}

fn detect(bytes: &[u8]) -> Option<Format> {
    format_by_magic(bytes).or_else(|| tar::is_tar(bytes).then_some(Format::Tar))
}

/// Scans bytes that a program would load as a pickle or as a file of pickles. What is no pickle is suspicious, for it
/// is no answer to say that what cannot be understood is harmless; unless `is_data` says that nobody expects a pickle.
pub(crate) fn scan(name: &str, bytes: &[u8], context: &Context<'_>, expects_pickle: bool) -> Report {
    let format = detect(bytes).or_else(|| zip::has_directory(bytes).then_some(Format::Zip));
    let Some(format) = format else {
        if expects_pickle || matches!(bytes, [0x80, 0..=5, ..]) {
            return stream::scan(bytes, Report::new(name, Format::Pickle, bytes.len()), context);
        }
        return hidden::hunt(name, bytes, context).unwrap_or_else(|| Report::new(name, Format::Other, bytes.len()));
    };
    let mut report = Report::new(name, format, bytes.len());
    let Some(deeper) = context.deeper() else {
        report.findings.push(context.too_deep());
        return report.judged();
    };
    match format {
        Format::Zip => zip::scan(bytes, &mut report, &deeper),
        Format::Tar => tar::scan(bytes, &mut report, &deeper),
        Format::Npy => npy::scan(bytes, &mut report, &deeper),
        Format::SevenZip => {
            report.findings.push(Finding::suspicious(Rule::Opaque, 0, "a 7z archive, which the scan cannot look into"));
        }
        _ => compressed::scan(bytes, format, &mut report, &deeper, expects_pickle),
    }
    // The same bytes may be a pickle as well: what a reader sees depends on who opens them.
    if format != Format::Npy {
        let scanned = stream::scan_deep(bytes, 0, context, true);
        // Only names count: an archive that is read as a pickle breaks, and begins with a persistent id.
        if scanned.report.findings.iter().any(|finding| finding.name.is_some()) {
            report.pickles.push(scanned.report);
        }
    }
    report.judged()
}

/// Scans a member of an archive, which is a pickle only if its name or its bytes say so.
fn scan_member(name: &str, bytes: &[u8], context: &Context<'_>) -> Report {
    scan(name, bytes, context, is_pickle_name(name))
}

/// Whether a file name promises a pickle.
pub(crate) fn is_pickle_name(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "pkl",
        "pickle",
        "pck",
        "pcl",
        "p",
        "dill",
        "cloudpickle",
        "joblib",
        "jbl",
        "pt",
        "pth",
        "pt2",
        "ckpt",
        "sav",
        "model",
        "npy",
        "npz",
        "z",
        "mar",
    ];
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    last.rsplit('.').take(2).any(|ending| ENDINGS.contains(&ending)) && last.contains('.')
}
