//! Zip archives, as Python's `zipfile` reads them: PyTorch's files, `.npz`, Ren'Py's saves, pandas' `.zip`.
//!
//! The central directory decides; it is found as `_EndRecData` and `_RealGetContents` find it, zip64 included, and data
//! before and behind the archive do no harm. Of several members with one name the last counts. A local header has to have
//! the same name, members must not overlap, sizes are those of the directory, and checksums are checked. What other
//! readers make of the same bytes is in [`readings`].

mod directory;
mod readings;
mod write;

use std::collections::{HashMap, HashSet};

use super::{Layout, expect_by_name};
use crate::coding::Coding;
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::{Member, Source};
use crate::region::Region;

use self::directory::{Directory, Entry, Local};

pub(crate) use self::write::Archive;
pub(super) use self::write::write;

/// In the flags of a member.
const ENCRYPTED: u16 = 1;
const PATCHED: u16 = 1 << 5;
const UTF_8: u16 = 1 << 11;
const STRONGLY_ENCRYPTED: u16 = 1 << 6;

/// How members may be compressed.
const METHODS: &[(u16, Option<Coding>)] = &[
    (0, None),
    (8, Some(Coding::Deflate)),
    (12, Some(Coding::Bzip2)),
    (14, Some(Coding::ZipLzma)),
    (93, Some(Coding::Zstd)),
    (95, Some(Coding::Xz)),
];

pub(super) fn open(member: &Member, region: Region) -> Result<Contents, Error> {
    let Some(directory) = Directory::find(&region)? else {
        let mut error = Error::damaged("zip archive", "it has no central directory, it was probably cut off");
        if member.shared().options.every_reading || member.shared().options.partial {
            let mut contents = Contents::new(Kind::Zip, region, Layout::ReadOnly("it has no directory"));
            readings::list(member, &mut contents, None)?;
            contents.problem = Some(error);
            return Ok(contents);
        }
        error = error.hint("fetch the file again");
        return Err(error);
    };
    list(member, region, directory)
}

/// A zip archive behind something else: a program that unpacks itself, a shebang line. Its end tells.
pub(super) fn open_behind_other_data(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    match Directory::find(region) {
        Ok(Some(directory)) if !directory.entries.is_empty() => list(member, region.clone(), directory).map(Some),
        _ => Ok(None),
    }
}

fn list(member: &Member, region: Region, directory: Directory) -> Result<Contents, Error> {
    member.shared().budget.list(directory.entries.len() as u64)?;
    // `ZipFile.open` takes the last member of a name.
    let mut by_name: HashMap<&str, usize> = HashMap::with_capacity(directory.entries.len());
    for (index, entry) in directory.entries.iter().enumerate() {
        by_name.insert(&entry.name, index);
    }
    let is_torch = directory.entries.iter().any(|entry| entry.name.ends_with("/data.pkl"));
    let ends = directory.ends();
    let mut contents = Contents::new(Kind::Zip, region, Layout::ReadOnly(""));
    let mut order = Vec::with_capacity(directory.entries.len());
    let mut listed = HashSet::new();
    for (index, entry) in directory.entries.iter().enumerate() {
        let is_last = by_name.get(&*entry.name) == Some(&index);
        let reads = is_last || member.shared().options.every_reading;
        if !reads || entry.name.ends_with('/') && entry.size == 0 {
            continue;
        }
        // Thousands of entries may name the same data: to look at them once is enough.
        let expect = expect_by_name(&entry.name);
        let is_new = listed.insert((entry.header_offset, entry.method, entry.compressed, expect));
        if member.shared().options.every_reading && !is_new {
            continue;
        }
        // PyTorch writes zeros for the checksums where it is told to compute none.
        let crc = Some(entry.crc).filter(|crc| *crc != 0 || !is_torch);
        let source = source(&contents.region, entry, ends[index], crc);
        let mut child = match source {
            Source::Unreadable(_, why) if member.shared().options.every_reading => {
                let source = readings::lenient(&contents.region, entry);
                let child = member.child(&entry.name, source, expect);
                child.diverging(format!("Python refuses it: {why}"))
            }
            source => member.child(&entry.name, source, expect),
        };
        if !is_last {
            child = child.diverging("an earlier member of the same name");
        }
        contents.members.push(child);
        order.push(index);
    }
    if member.shared().options.every_reading {
        readings::list(member, &mut contents, Some(&directory))?;
    }
    contents.layout = Layout::Zip(Archive { directory, order });
    Ok(contents)
}

/// Where the data of a member are, by the rules of `ZipFile.open`. `end` is where the next member begins, `crc` the checksum if
/// there is one.
fn source(region: &Region, entry: &Entry, end: u64, crc: Option<u32>) -> Source {
    let refuse = |kind, message: &str| Source::Unreadable(kind, message.to_owned());
    let local = match Local::read(region, entry.header_offset) {
        Ok(Some(local)) => local,
        Ok(None) => return refuse(ErrorKind::Damaged, "there is no local header where the directory says"),
        Err(error) => return refuse(error.kind(), &error.to_string()),
    };
    if entry.flags & (PATCHED | STRONGLY_ENCRYPTED) != 0 {
        return refuse(ErrorKind::Encrypted, "it is encrypted or patched, which cannot be read");
    }
    let differs_in_encoding = (local.flags ^ entry.flags) & UTF_8 != 0 && !local.name.is_ascii();
    if local.name != entry.raw_name || differs_in_encoding {
        return refuse(ErrorKind::Damaged, "the directory and the local header differ in its name");
    }
    let data_end = local.data_start.checked_add(entry.compressed);
    let Some(data_end) = data_end.filter(|data_end| *data_end <= end && *data_end <= region.len()) else {
        return refuse(ErrorKind::Damaged, "its data overlap what follows");
    };
    if entry.flags & ENCRYPTED != 0 {
        return refuse(ErrorKind::Encrypted, "it is encrypted: decrypt it with its password first");
    }
    packed(region.slice(local.data_start..data_end), entry.method, entry.size, crc)
}

/// Data that are compressed by a method.
fn packed(region: Region, method: u16, len: u64, crc: Option<u32>) -> Source {
    match METHODS.iter().find(|(number, _)| *number == method) {
        Some((_, None)) => match crc {
            Some(crc) => Source::Stored { region: region.slice(0..len), crc },
            None => Source::Plain(region.slice(0..len)),
        },
        Some((_, Some(coding))) => Source::Packed { region, coding: *coding, len, crc },
        None => Source::Unreadable(ErrorKind::Unsupported, format!("compression method {method} is not supported")),
    }
}
