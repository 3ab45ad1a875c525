//! What bytes are: a pickle, something around pickles, or neither; told by the bytes, never by the name.
//!
//! `picklevm-files` opens what holds pickles, and lists what any reader finds in it: where readers disagree, each reading is
//! scanned.

use std::collections::HashMap;

use bytes::Bytes;
use picklevm_files::{Contents, Entry, ErrorKind, Kind, Member, Opener};

use crate::context::Context;
use crate::hidden;
use crate::report::{Format, Report};
use crate::spelling::SEVEN_ZIP;
use crate::stream;
use crate::verdict::{Finding, Rule};

/// The end record of a zip archive, and the bytes at the end in which it lies.
const ZIP_END: &[u8] = b"PK\x05\x06";
const ZIP_END_WITHIN: usize = 22 + 65535;

/// Whether bytes are a container: they begin or end as one.
fn is_container(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(ZIP_END_WITHIN)..];
    picklevm_files::recognise(&bytes[..bytes.len().min(1024)]).is_some()
        || memchr::memmem::rfind(tail, ZIP_END).is_some() && memchr::memmem::find(bytes, b"PK\x01\x02").is_some()
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
        let mut report = Report::new(name, Format::SevenZip, bytes.len());
        report.findings.push(Finding::suspicious(Rule::Opaque, 0, "a 7z archive, which the scan cannot look into"));
        return report.judged();
    }
    if !is_container(bytes) {
        return scan_plain(name, bytes, context, expects_pickle);
    }
    let opener = Opener::new().every_reading(true).partial(true).limits(context.file_limits());
    let file = opener.bytes(share());
    // Members on the way from the file to the one that is looked at, each with its depth.
    let mut open: Vec<(u32, Report)> = Vec::new();
    for Entry { member, contents, .. } in file.walk() {
        while open.last().is_some_and(|(depth, _)| *depth >= member.depth()) {
            close(&mut open);
        }
        let called = match (member.depth(), member.name()) {
            (0, _) => name,
            (_, "") => "decompressed",
            (_, name) => name,
        };
        let expects_pickle = if member.depth() == 0 { expects_pickle } else { is_expected(&member, expects_pickle) };
        let context = context.at(member.depth());
        open.push((member.depth(), scan_member(called, &member, contents, &context, expects_pickle)));
    }
    while open.len() > 1 {
        close(&mut open);
    }
    let _ = context.spend(usize::try_from(file.expanded()).unwrap_or(usize::MAX));
    let report = open.pop().map(|(_, mut report)| {
        check_storages(&mut report);
        report
    });
    report.unwrap_or_else(|| Report::new(name, Format::Other, bytes.len())).judged()
}

/// Puts the innermost report into the one that holds it.
fn close(open: &mut Vec<(u32, Report)>) {
    if let Some((_, mut inner)) = open.pop()
        && let Some((_, outer)) = open.last_mut()
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
    let len = usize::try_from(member.len().unwrap_or_default()).unwrap_or(usize::MAX);
    let mut report = match contents {
        Err(error) => {
            let mut report = Report::new(name, Format::Other, len);
            report.findings.push(finding(&error));
            report
        }
        Ok(contents) => scan_contents(name, member, &contents, context, expects_pickle),
    };
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
) -> Report {
    let bytes = match member.bytes() {
        Ok(bytes) => bytes,
        Err(error) => {
            let mut report = Report::new(name, Format::Other, 0);
            report.findings.push(finding(&error));
            return report;
        }
    };
    let format = match contents.kind() {
        // What is read in a row is scanned in a row: with what lies between and behind.
        Kind::Pickle | Kind::Joblib | Kind::TorchLegacy => return scan_plain(name, &bytes, context, true),
        Kind::Data | Kind::Base64 | Kind::LengthPrefixed => return scan_plain(name, &bytes, context, expects_pickle),
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
    let mut report = Report::new(name, format, bytes.len());
    for pickle in contents.pickles() {
        let start = usize::try_from(pickle.offset()).unwrap_or(usize::MAX);
        let scanned = stream::scan_deep(&bytes, start, context, false);
        report.pickles.push(scanned.report);
    }
    // That an array holds no objects is nothing wrong.
    report.findings.extend(contents.problem().filter(|error| error.kind() != ErrorKind::NoPickle).map(finding));
    if contents.problem().is_some_and(|error| error.offset().is_some()) {
        let at = contents.problem().and_then(picklevm_files::Error::offset).and_then(|at| usize::try_from(at).ok());
        let rest = bytes.get(at.unwrap_or(bytes.len())..).unwrap_or_default();
        report.members.push(scan_plain("after the end", rest, context, false));
    }
    // The same bytes may be a pickle as well: what a reader sees depends on who opens them.
    if format != Format::Npy {
        let scanned = stream::scan_deep(&bytes, 0, context, true);
        // Only names count: an archive that is read as a pickle breaks, and begins with a persistent id.
        if scanned.report.findings.iter().any(|finding| finding.name.is_some()) {
            report.pickles.push(scanned.report);
        }
    }
    report
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
