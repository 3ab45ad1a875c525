//! What bytes are: a pickle, something around pickles, or neither; told by the bytes, never by the name.
//!
//! `picklevm-files` opens what holds pickles, and lists what any reader finds in it: where readers disagree, each reading is
//! scanned.

use std::collections::HashMap;

use bytes::Bytes;
use picklevm_files::{Contents, ErrorKind, File, Kind, Member, Opener};

use crate::context::Context;
use crate::data::Data;
use crate::driver::{Keep, Scan, Step, What};
use crate::pickle;
use crate::report::{Format, PickleReport, Report};
use crate::row::Row;
use crate::spelling::SEVEN_ZIP;
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

/// Whether bytes are a container.
pub(crate) fn is_container(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(ZIP_END_WITHIN)..];
    // The search for a directory entry costs less than the copy that opening may take.
    is_container_by_ends(bytes, &[])
        || is_container_by_ends(&[], tail) && memchr::memmem::find(bytes, b"PK\x01\x02").is_some()
}

/// Whether a file is a container that begins with `head` and ends with `tail`.
fn is_container_by_ends(head: &[u8], tail: &[u8]) -> bool {
    picklevm_files::recognise(&head[..head.len().min(HEAD)]).is_some() || memchr::memmem::rfind(tail, ZIP_END).is_some()
}

/// How files are opened: with all that any reader may see in them.
pub(crate) fn opener(context: &Context<'_>) -> Opener {
    Opener::new().every_reading(true).partial(true).limits(context.limits.of_files())
}

/// Scans bytes that a program would load as a pickle or as a file of pickles. Data that is not a pickle is suspicious, since it
/// is not known to be harmless.
pub(crate) fn scan_bytes(name: &str, data: Data<'_>, context: &Context<'_>) -> Report {
    Scan::new(context, root_of(&data, context)).report(name, What::Bytes(data, true))
}

/// Scans the one pickle that begins some bytes.
pub(crate) fn scan_pickle(bytes: &[u8], context: &Context<'_>) -> PickleReport {
    let data = Data::Borrowed(bytes);
    Scan::new(context, root_of(&data, context)).pickle(data)
}

/// A file that has the limits of these bytes, which are opened only if they are a container.
fn root_of(data: &[u8], context: &Context<'_>) -> Member {
    let limits = context.limits.of_files().for_len(data.len() as u64);
    opener(context).limits(limits).bytes(Bytes::new()).root().clone()
}

/// Scans an open file, of which no more is held than what is looked at.
pub(crate) fn scan_file(name: &str, file: &File, context: &Context<'_>) -> Report {
    let root = file.root();
    let what = what_file(root).unwrap_or_else(|_| What::Member(root.clone(), true));
    Scan::new(context, root.clone()).report(name, what)
}

/// What a file is taken for. What is no container is one pickle, or several, and is read whole.
fn what_file(root: &Member) -> Result<What<'static>, picklevm_files::Error> {
    let len = root.len().unwrap_or_default();
    let (head, tail) = (root.head(HEAD)?, root.range(len.saturating_sub(ZIP_END_WITHIN as u64)..len)?);
    // The directory of a `dbm.dumb` has no signature; it is text that begins with a quoted key.
    let is_shelf = || {
        matches!(head.first(), Some(b'\'' | b'"')) && root.open().is_ok_and(|contents| contents.kind() == Kind::DbmDumb)
    };
    let is_member = head.starts_with(SEVEN_ZIP) || is_container_by_ends(&head, &tail) || is_shelf();
    Ok(if is_member { What::Member(root.clone(), true) } else { What::Bytes(Data::Shared(root.bytes()?), true) })
}

/// Scans a member into the report that is open.
pub(crate) fn scan(scan: &mut Scan<'_, '_>, member: &Member, expects_pickle: bool) {
    scan.top().len = member.len().unwrap_or_default();
    if let Err(error) = scan_contents(scan, member, expects_pickle) {
        let report = scan.top();
        report.format = Format::Other;
        report.findings.push(finding(&error));
    }
    if let Some(how) = member.divergence() {
        let message = format!("readers differ: {how}");
        scan.top().findings.push(Finding::suspicious(Rule::Container, 0, message));
    }
}

fn scan_contents(scan: &mut Scan<'_, '_>, member: &Member, expects_pickle: bool) -> Result<(), picklevm_files::Error> {
    if member.head(SEVEN_ZIP.len())? == SEVEN_ZIP {
        let message = "a 7z archive, which the scan cannot look into";
        scan.top().findings.push(Finding::suspicious(Rule::Opaque, 0, message));
        scan.top().format = Format::SevenZip;
        return Ok(());
    }
    let contents = member.open()?;
    let format = match contents.kind() {
        // What is read in a row is scanned in a row: with what lies between and behind.
        Kind::Pickle | Kind::Joblib | Kind::TorchLegacy => {
            list_members(scan, &contents, expects_pickle);
            scan_plain(scan, Data::Shared(member.bytes()?), true);
            return Ok(());
        }
        Kind::Data if !expects_pickle && member.len().is_some_and(|len| len > PIECE) => {
            match *member.head(2)? {
                [0x80, 0..=5] => scan_plain(scan, Data::Shared(member.bytes()?), false),
                _ => scan.steps.push(Step::Pieces(member.clone(), 0)),
            }
            return Ok(());
        }
        Kind::Data => {
            scan_plain(scan, Data::Shared(member.bytes()?), expects_pickle);
            return Ok(());
        }
        kind => format_of(kind),
    };
    let len = member.len().map_or_else(|| member.bytes().map(|bytes| bytes.len() as u64), Ok)?;
    let report = scan.top();
    (report.format, report.len) = (format, len);
    // That an array holds no objects is nothing wrong.
    report.findings.extend(contents.problem().filter(|error| error.kind() != ErrorKind::NoPickle).map(finding));
    // What is done first is put on the list last.
    list_members(scan, &contents, expects_pickle);
    // The same bytes may be a pickle as well: what a reader sees depends on who opens them.
    if format != Format::Npy {
        scan.steps.push(Step::AsPickle(member.clone()));
    }
    if let Some(at) = contents.problem().and_then(picklevm_files::Error::offset) {
        let what = What::Bytes(Data::Shared(member.range(at..len)?), false);
        scan.steps.push(Step::Begin {
            name: Some("after the end".to_owned()),
            what,
            keep: Keep::Always,
            nested: false,
        });
    }
    for pickle in contents.pickles().iter().rev() {
        let start = usize::try_from(pickle.offset()).unwrap_or(usize::MAX);
        scan.steps.push(Step::Pickle { data: Data::Shared(member.bytes()?), start });
    }
    Ok(())
}

fn format_of(kind: Kind) -> Format {
    match kind {
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
        Kind::Base64 => Format::Base64,
        Kind::Hex => Format::Hex,
        _ => Format::Other,
    }
}

/// Whether a kind is text or a row of frames, of which each part is loaded.
fn is_wrapping(kind: Kind) -> bool {
    use Kind::{Base64, BytesLiteral, DjangoSession, Hex, LengthPrefixed};
    matches!(kind, Base64 | BytesLiteral | DjangoSession | Hex | LengthPrefixed)
}

/// Puts the members of a member on the list.
fn list_members(scan: &mut Scan<'_, '_>, contents: &Contents, expects_pickle: bool) {
    let kind = contents.kind();
    // What is looked up in a shelf is loaded.
    let loads_all = is_wrapping(kind) || matches!(kind, Kind::DbmDumb | Kind::DbmGnu | Kind::DbmSqlite);
    if kind == Kind::Joblib {
        scan.companions.extend(contents.members().iter().map(|member| member.name().to_owned()));
    }
    for member in contents.members().iter().rev() {
        let expects_pickle = loads_all
            || match member.name() {
                "" => expects_pickle,
                // PyTorch's oldest checkpoints have no endings.
                "pickle" | "sys_info" => true,
                _ => is_pickle_name(member.path()),
            };
        let name = if member.name().is_empty() { "decompressed" } else { member.name() };
        let (name, what) = (Some(name.to_owned()), What::Member(member.clone(), expects_pickle));
        scan.steps.push(Step::Begin { name, what, keep: Keep::Always, nested: false });
    }
}

/// Puts the files beside the file on the list from which joblib reads the arrays of a pickle.
pub(crate) fn list_companions(scan: &mut Scan<'_, '_>, names: &[String]) {
    let is_open = |scan: &Scan<'_, '_>| names.iter().all(|name| scan.companions.contains(name));
    if is_open(scan) {
        return;
    }
    if scan.open.len() == 1
        && let Ok(contents) = scan.file.open()
        && contents.kind() == Kind::Joblib
    {
        list_members(scan, &contents, false);
    }
    if !is_open(scan) {
        let message = "joblib reads arrays of files beside this one, which are not there to be scanned";
        scan.top().findings.push(Finding::suspicious(Rule::Opaque, 0, message));
    }
}

/// Scans what is no container: a pickle, or data in which one may hide.
pub(crate) fn scan_plain<'d>(scan: &mut Scan<'_, 'd>, data: Data<'d>, expects_pickle: bool) {
    scan.work_left = scan.work_left.saturating_add(data.len().saturating_mul(16));
    let report = scan.top();
    report.len = data.len() as u64;
    if expects_pickle || matches!(*data, [0x80, 0..=5, ..]) {
        report.format = Format::Pickle;
        scan.row(Row::new(data));
    } else {
        report.format = Format::Other;
        scan.hunt(data);
    }
}

/// Scans what is no pickle, and may spell one as text or hold some behind their lengths; `false` if it does not.
pub(crate) fn scan_wrapped<'d>(scan: &mut Scan<'_, 'd>, data: &Data<'d>) -> bool {
    let member = scan.file.holding(data.to_shared(), scan.depth());
    let Ok(contents) = member.open() else { return false };
    if !is_wrapping(contents.kind()) {
        return false;
    }
    scan.top().format = format_of(contents.kind());
    scan.top().findings.extend(contents.problem().map(finding));
    list_members(scan, &contents, true);
    for pickle in contents.pickles().iter().rev() {
        let start = usize::try_from(pickle.offset()).unwrap_or(usize::MAX);
        scan.steps.push(Step::Pickle { data: data.clone(), start });
    }
    true
}

/// What a container does if it is loaded as a pickle. Only names count: an archive that is read as a pickle breaks, and
/// begins with a persistent id.
pub(crate) fn scan_as_pickle(scan: &mut Scan<'_, '_>, member: Member) -> Result<(), picklevm_files::Error> {
    let len = scan.top().len;
    // Nearly all break at once. An op that goes on behind what was read is worth reading on only if it can end in the file.
    let mut end = PIECE.min(len);
    loop {
        let data = Data::Shared(member.range(0..end)?);
        let scanned = pickle::scan(&data, 0, scan.context, false, true);
        match scanned.needed_len {
            Some(needed) if end < len && needed <= len => end = needed.max(end.saturating_mul(2)).min(len),
            _ => {
                // Bytes of a header that are no ASCII end Python 3's readers. Others get to names, by chance in any checkpoint.
                let findings = &scanned.report.findings;
                let is_refused = findings.iter().any(|it| it.rule == Rule::Divergence && it.offset == 0);
                let counts = |it: &Finding| {
                    it.name.as_deref().is_some_and(pickle::is_name) && (!is_refused || it.rule == Rule::DangerousName)
                };
                if findings.iter().any(counts) {
                    scan.add(scanned, &data);
                }
                return Ok(());
            }
        }
    }
}

/// Scans a piece of long data in which nothing promises a pickle.
pub(crate) fn scan_piece(scan: &mut Scan<'_, '_>, member: Member, at: u64) -> Result<(), picklevm_files::Error> {
    let len = scan.top().len;
    scan.work_left = scan.work_left.saturating_add(16 * PIECE as usize);
    let piece = Data::Shared(member.range(at..(at + PIECE).min(len))?);
    let next = at + PIECE - OVERLAP;
    if next < len {
        scan.steps.push(Step::Pieces(member, next));
    }
    let (name, what) = (Some(format!("from byte {at}")), What::Hidden(piece, Format::Other));
    scan.steps.push(Step::Begin { name, what, keep: Keep::Unsafe, nested: false });
    Ok(())
}

/// Whether the storages of a checkpoint of PyTorch are as long as its pickle says: PyTorch reads as much as that.
pub(crate) fn check_storages(report: &mut Report) {
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

/// What a container that cannot be read comes to.
pub(crate) fn finding(error: &picklevm_files::Error) -> Finding {
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
    const ENDINGS: &str = "pkl pickle pck pcl p dill cloudpickle joblib jbl pt pth pt2 ckpt sav model npy npz z mar";
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    last.rsplit('.').take(2).any(|ending| ENDINGS.split(' ').any(|known| known == ending)) && last.contains('.')
}
