//! What bytes are: a pickle, something around pickles, or neither; told by the bytes, never by the name.
//!
//! `picklevm-files` opens what holds pickles, and lists what any reader finds in it: where readers disagree, each reading is
//! scanned.

use std::collections::HashMap;

use bytes::Bytes;
use picklevm_files::{Contents, Entry, ErrorKind, File, Kind, Member, Opener};

use crate::context::Context;
use crate::hidden;
use crate::report::{Format, PickleReport, Report};
use crate::spelling::SEVEN_ZIP;
use crate::stream;
use crate::verdict::{Finding, Rule};

/// The end record of a zip archive, and the bytes at the end in which it lies.
const ZIP_END: &[u8] = b"PK\x05\x06";
const ZIP_END_WITHIN: usize = 22 + 65535;
/// Bytes by which a container is told.
const HEAD: usize = 1024;
/// Data of more bytes in which nothing promises a pickle are looked at in pieces of so many: raw storages of tensors are.
const PIECE: u64 = 16 << 20;
/// Bytes that a piece shares with the next: a pickle that begins in one is seen as far as this.
const OVERLAP: u64 = 1 << 20;

/// Whether a file is a container that begins with `head` and ends with `tail`.
fn is_container(head: &[u8], tail: &[u8]) -> bool {
    picklevm_files::recognise(&head[..head.len().min(HEAD)]).is_some() || memchr::memmem::rfind(tail, ZIP_END).is_some()
}

/// How files are opened: with all that any reader may see in them.
pub(crate) fn opener(context: &Context<'_>) -> Opener {
    Opener::new().every_reading(true).partial(true).limits(context.file_limits())
}

/// Scans bytes that a program would load as a pickle or as a file of pickles. Data that is
/// not a pickle is suspicious, since it is not known to be harmless, unless `expects_pickle` is false.
pub(crate) fn scan(name: &str, bytes: &[u8], context: &Context<'_>, expects_pickle: bool) -> Report {
    scan_with(name, bytes, || Bytes::copy_from_slice(bytes), context, expects_pickle)
}

/// [`scan`] of bytes that are shared, not copied, if they are a container.
pub(crate) fn scan_shared(name: &str, bytes: &Bytes, context: &Context<'_>, expects_pickle: bool) -> Report {
    scan_with(name, bytes, || bytes.clone(), context, expects_pickle)
}

fn scan_with(
    name: &str,
    bytes: &[u8],
    share: impl FnOnce() -> Bytes,
    context: &Context<'_>,
    expects_pickle: bool,
) -> Report {
    if bytes.starts_with(SEVEN_ZIP) {
        return seven_zip(name, bytes.len());
    }
    let tail = &bytes[bytes.len().saturating_sub(ZIP_END_WITHIN)..];
    // The search for a directory entry costs less than the copy that opening may take.
    if !is_container(bytes, tail)
        || picklevm_files::recognise(&bytes[..bytes.len().min(HEAD)]).is_none()
            && memchr::memmem::find(bytes, b"PK\x01\x02").is_none()
    {
        return scan_plain(name, bytes, context, expects_pickle);
    }
    scan_members(name, &opener(context).bytes(share()), context, expects_pickle)
}

fn seven_zip(name: &str, len: usize) -> Report {
    let mut report = Report::new(name, Format::SevenZip, len);
    report.findings.push(Finding::suspicious(Rule::Opaque, 0, "a 7z archive, which the scan cannot look into"));
    report.judged()
}

/// [`scan`] of an open file, of which no more is held than what is looked at.
pub(crate) fn scan_file(name: &str, file: &File, context: &Context<'_>) -> Report {
    let root = file.root();
    let len = root.len().unwrap_or_default();
    let ends = || {
        Ok::<_, picklevm_files::Error>((root.head(HEAD)?, root.range(len.saturating_sub(ZIP_END_WITHIN as u64)..len)?))
    };
    let scanned = ends().and_then(|(head, tail)| {
        if head.starts_with(SEVEN_ZIP) {
            return Ok(seven_zip(name, usize::try_from(len).unwrap_or(usize::MAX)));
        }
        // The directory of a `dbm.dumb` has no signature; it is text that begins with a quoted key.
        let is_shelf = || {
            matches!(head.first(), Some(b'\'' | b'"'))
                && root.open().is_ok_and(|contents| contents.kind() == Kind::DbmDumb)
        };
        if is_container(&head, &tail) || is_shelf() {
            return Ok(scan_members(name, file, context, true));
        }
        Ok(scan_plain(name, &root.bytes()?, context, true))
    });
    scanned.unwrap_or_else(|error| {
        let mut report = Report::new(name, Format::Other, usize::try_from(len).unwrap_or(usize::MAX));
        report.findings.push(finding(&error));
        report.judged()
    })
}

/// Scans a container and all that is in it.
fn scan_members(name: &str, file: &File, context: &Context<'_>, expects_pickle: bool) -> Report {
    // Members on the way from the file to the one that is looked at, each with its depth and its kind.
    let mut open: Vec<(u32, Option<Kind>, Report)> = Vec::new();
    for Entry { member, contents, .. } in file.walk() {
        while open.last().is_some_and(|(depth, ..)| *depth >= member.depth()) {
            close(&mut open);
        }
        let called = match (member.depth(), member.name()) {
            (0, _) => name,
            (_, "") => "decompressed",
            (_, name) => name,
        };
        // What is looked up in a shelf is loaded.
        let is_value = matches!(open.last(), Some((_, Some(Kind::DbmDumb | Kind::DbmGnu | Kind::DbmSqlite), _)));
        let expects_pickle = match member.depth() {
            0 => expects_pickle,
            _ => is_value || is_expected(&member, expects_pickle),
        };
        let context = context.at(member.depth());
        let kind = contents.as_ref().ok().map(Contents::kind);
        open.push((member.depth(), kind, scan_member(called, &member, contents, &context, expects_pickle)));
    }
    while open.len() > 1 {
        close(&mut open);
    }
    let _ = context.spend(usize::try_from(file.expanded()).unwrap_or(usize::MAX));
    let report = open.pop().map(|(.., mut report)| {
        check_storages(&mut report);
        report
    });
    report.unwrap_or_else(|| Report::new(name, Format::Other, 0)).judged()
}

/// Puts the innermost report into the one that holds it.
fn close(open: &mut Vec<(u32, Option<Kind>, Report)>) {
    if let Some((.., mut inner)) = open.pop()
        && let Some((.., outer)) = open.last_mut()
    {
        check_storages(&mut inner);
        outer.members.push(inner.judged());
    }
}

/// Whether the storages of a checkpoint of PyTorch are as long as its pickle says: PyTorch reads as much as that.
fn check_storages(report: &mut Report) {
    if report.format != Format::Zip || report.members.iter().all(|member| !member.name.ends_with("data.pkl")) {
        return;
    }
    let lens: HashMap<&str, u64> = report.members.iter().map(|member| (&*member.name, member.len)).collect();
    let is_short = report.members.iter().any(|member| {
        let Some(prefix) = member.name.strip_suffix("data.pkl") else { return false };
        let storages = member.pickles.iter().flat_map(|pickle| &pickle.storages);
        storages
            .into_iter()
            .any(|(key, claimed)| lens.get(&*format!("{prefix}data/{key}")).is_some_and(|len| len < claimed))
    });
    if is_short {
        let message = "a storage is shorter than the pickle claims: PyTorch reads beyond its end";
        report.findings.push(Finding::suspicious(Rule::Container, 0, message));
    }
}

/// Whether a member that is not the file should be a pickle: by its name, or because it is what the file decompresses to.
fn is_expected(member: &Member, expects_pickle: bool) -> bool {
    // PyTorch's oldest checkpoints have no endings.
    let is_torch = matches!(member.name(), "pickle" | "sys_info");
    if member.path().is_empty() { expects_pickle } else { is_torch || is_pickle_name(member.path()) }
}

/// Scans what is no container: a pickle, or data in which one may hide.
fn scan_plain(name: &str, bytes: &[u8], context: &Context<'_>, expects_pickle: bool) -> Report {
    if expects_pickle || matches!(bytes, [0x80, 0..=5, ..]) {
        return stream::scan(bytes, Report::new(name, Format::Pickle, bytes.len()), context);
    }
    hidden::hunt(name, bytes, context).unwrap_or_else(|| Report::new(name, Format::Other, bytes.len()))
}

fn scan_member(
    name: &str,
    member: &Member,
    contents: Result<Contents, picklevm_files::Error>,
    context: &Context<'_>,
    expects_pickle: bool,
) -> Report {
    let scanned = contents.and_then(|contents| scan_contents(name, member, &contents, context, expects_pickle));
    let mut report = scanned.unwrap_or_else(|error| {
        let len = usize::try_from(member.len().unwrap_or_default()).unwrap_or(usize::MAX);
        let mut report = Report::new(name, Format::Other, len);
        report.findings.push(finding(&error));
        report
    });
    if let Some(how) = member.divergence() {
        let message = format!("readers differ: {how}");
        report.findings.push(Finding::suspicious(Rule::Container, 0, message));
    }
    report
}

fn scan_contents(
    name: &str,
    member: &Member,
    contents: &Contents,
    context: &Context<'_>,
    expects_pickle: bool,
) -> Result<Report, picklevm_files::Error> {
    let format = match contents.kind() {
        // What is read in a row is scanned in a row: with what lies between and behind.
        Kind::Pickle | Kind::Joblib | Kind::TorchLegacy => {
            return Ok(scan_plain(name, &member.bytes()?, context, true));
        }
        Kind::Data if !expects_pickle && member.len().is_some_and(|len| len > PIECE) => {
            return scan_pieces(name, member, context);
        }
        Kind::Data | Kind::Base64 | Kind::LengthPrefixed => {
            return Ok(scan_plain(name, &member.bytes()?, context, expects_pickle));
        }
        Kind::Npy => Format::Npy,
        Kind::Gzip => Format::Gzip,
        Kind::Zlib | Kind::JoblibZ | Kind::RenpyScript | Kind::RenpyArchive => Format::Zlib,
        Kind::Bzip2 => Format::Bzip2,
        Kind::Xz => Format::Xz,
        Kind::Lzma => Format::Lzma,
        Kind::Zstd => Format::Zstd,
        Kind::Lz4 => Format::Lz4,
        Kind::Zip => Format::Zip,
        Kind::Tar => Format::Tar,
        _ => Format::Other,
    };
    let len = member.len().map_or_else(|| member.bytes().map(|bytes| bytes.len() as u64), Ok)?;
    let mut report = Report::new(name, format, usize::try_from(len).unwrap_or(usize::MAX));
    for pickle in contents.pickles() {
        let start = usize::try_from(pickle.offset()).unwrap_or(usize::MAX);
        let scanned = stream::scan_deep(&member.bytes()?, start, context, false).report;
        report.pickles.push(scanned);
    }
    // That an array holds no objects is nothing wrong.
    report.findings.extend(contents.problem().filter(|error| error.kind() != ErrorKind::NoPickle).map(finding));
    if let Some(at) = contents.problem().and_then(picklevm_files::Error::offset) {
        report.members.push(scan_plain("after the end", &member.range(at..len)?, context, false));
    }
    // The same bytes may be a pickle as well: what a reader sees depends on who opens them.
    if format != Format::Npy {
        report.pickles.extend(scan_as_pickle(member, len, context)?);
    }
    Ok(report)
}

/// What a container does if it is loaded as a pickle. Only names count: an archive that is read as a pickle breaks, and
/// begins with a persistent id.
fn scan_as_pickle(
    member: &Member,
    len: u64,
    context: &Context<'_>,
) -> Result<Option<PickleReport>, picklevm_files::Error> {
    // Nearly all break at once. An op that goes on behind what was read is worth reading on only if it can end in the file.
    let mut end = PIECE.min(len);
    let report = loop {
        let bytes = member.range(0..end)?;
        let scanned = stream::scan_deep(&bytes, 0, context, true);
        match scanned.needed_len {
            Some(needed) if end < len && needed <= len => end = needed.max(end.saturating_mul(2)).min(len),
            _ => break scanned.report,
        }
    };
    Ok(Some(report).filter(|report| report.findings.iter().any(|finding| finding.name.is_some())))
}

/// Scans long data in which nothing promises a pickle, piece by piece.
fn scan_pieces(name: &str, member: &Member, context: &Context<'_>) -> Result<Report, picklevm_files::Error> {
    let len = member.len().unwrap_or_default();
    let head = member.head(2)?;
    if matches!(*head, [0x80, 0..=5]) {
        return Ok(scan_plain(name, &member.bytes()?, context, false));
    }
    let mut report = Report::new(name, Format::Other, usize::try_from(len).unwrap_or(usize::MAX));
    let mut at = 0;
    while at < len {
        let piece = member.range(at..(at + PIECE).min(len))?;
        report.members.extend(hidden::hunt(&format!("from byte {at}"), &piece, context));
        at += PIECE - OVERLAP;
    }
    Ok(report)
}

/// What a container that cannot be read comes to.
fn finding(error: &picklevm_files::Error) -> Finding {
    let rule = match error.kind() {
        ErrorKind::Limit => Rule::Limit,
        ErrorKind::Unsupported | ErrorKind::Encrypted => Rule::Opaque,
        ErrorKind::Truncated | ErrorKind::Pickle => Rule::Broken,
        _ => Rule::Container,
    };
    Finding::suspicious(rule, error.offset().unwrap_or(0), error.to_string())
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
