//! The formats: how each is recognised, what it holds, and how it is written back.
//!
//! A format is one module. What is recognised by its first bytes is a row of [`BY_MAGIC`]; what is a pickle is found by
//! decoding it; the rest is told by its content, in the order of [`BY_CONTENT`].

mod base64;
mod compressed;
#[cfg(feature = "dbm")]
mod dbm;
mod django_session;
mod joblib_z;
mod length_prefixed;
pub(crate) mod npy;
mod pickles;
mod renpy;
mod spelled;
mod tar;
mod torch_legacy;
mod zip;

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;

use crate::coding::{self, Coding};
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::foreign;
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::region::Region;

/// Bytes at the beginning of a file by which formats are told apart; a tar header is 512.
pub(crate) const HEAD: usize = 1024;

/// A format that is recognised by its first bytes.
struct Format {
    kind: Kind,
    begins: fn(&[u8]) -> bool,
    open: fn(&Member, Region) -> Result<Contents, Error>,
}

const BY_MAGIC: &[Format] = &[
    Format {
        begins: |head| head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06"),
        open: zip::open,
        kind: Kind::Zip,
    },
    Format { begins: |head| head.starts_with(b"\x93NUMPY"), open: npy::open, kind: Kind::Npy },
    Format { begins: |head| head.starts_with(b"\x1f\x8b\x08"), open: compressed::gzip, kind: Kind::Gzip },
    Format {
        begins: |head| head.starts_with(b"BZh") && head.len() > 3 && head[3].is_ascii_digit(),
        open: compressed::bzip2,
        kind: Kind::Bzip2,
    },
    Format { begins: |head| head.starts_with(b"\xfd7zXZ\0"), open: compressed::xz, kind: Kind::Xz },
    Format {
        begins: |head| head.starts_with(b"\x28\xb5\x2f\xfd") || coding::is_skippable(head),
        open: compressed::zstd,
        kind: Kind::Zstd,
    },
    Format { begins: |head| head.starts_with(b"\x04\x22\x4d\x18"), open: compressed::lz4, kind: Kind::Lz4 },
    Format { begins: compressed::begins_as_lzma, open: compressed::lzma, kind: Kind::Lzma },
    Format { begins: compressed::begins_as_zlib, open: compressed::zlib, kind: Kind::Zlib },
    Format { begins: |head| head.starts_with(b"ZF0x"), open: joblib_z::open, kind: Kind::JoblibZ },
    Format {
        begins: |head| head.starts_with(b"RPA-2.0 ") || head.starts_with(b"RPA-3."),
        open: renpy::open_archive,
        kind: Kind::RenpyArchive,
    },
    Format { begins: |head| head.starts_with(b"RENPY RPC2"), open: renpy::open_script, kind: Kind::RenpyScript },
    Format { begins: tar::begins, open: tar::open, kind: Kind::Tar },
    #[cfg(feature = "dbm")]
    Format { begins: crate::dbm::begins_as_sqlite, open: dbm::open_sqlite, kind: Kind::DbmSqlite },
    #[cfg(feature = "dbm")]
    Format { begins: crate::dbm::begins_as_gnu, open: dbm::open_gnu, kind: Kind::DbmGnu },
];

/// A format that only its content tells; the result is `None` if it is another.
type ByContent = fn(&Member, &Region) -> Result<Option<Contents>, Error>;

/// Tried in this order with what is no pickle.
const BY_CONTENT: &[ByContent] = &[
    #[cfg(feature = "dbm")]
    dbm::open_dumb,
    length_prefixed::open,
    base64::open,
    spelled::open,
    django_session::open,
    zip::open_behind_other_data,
    pickles::open_damaged,
];

/// What a file is that begins with these bytes, if they tell: a container of one of the formats that have a signature. 1,024
/// bytes are enough.
///
/// ```
/// use picklevm_files::{Kind, recognise};
///
/// assert_eq!(recognise(b"PK\x03\x04..."), Some(Kind::Zip));
/// assert_eq!(recognise(b"\x80\x04N."), None);
/// ```
pub fn recognise(head: &[u8]) -> Option<Kind> {
    BY_MAGIC.iter().find(|format| (format.begins)(head)).map(|format| format.kind)
}

/// Recognises what a member is, and opens it.
pub(crate) fn open(member: &Member) -> Result<Contents, Error> {
    let mut contents = open_by_format(member)?;
    // Other readers do not look at checksums.
    if member.shared().options.every_reading && contents.problem.is_none() {
        contents.problem = member.wrong_check_sum()?;
    }
    Ok(contents)
}

fn open_by_format(member: &Member) -> Result<Contents, Error> {
    let head = member.head(HEAD)?;
    if let Some(format) = BY_MAGIC.iter().find(|format| (format.begins)(&head)) {
        return (format.open)(member, member.region()?);
    }
    if member.expect() == Expect::Anything && !pickles::may_begin(&head, member.len()) {
        return nothing(member, &head);
    }
    let region = member.region()?;
    if let Some(contents) = pickles::open(member, &region)? {
        return Ok(contents);
    }
    if member.expect() == Expect::Pickle {
        for open in BY_CONTENT {
            if let Some(contents) = open(member, &region)? {
                return Ok(contents);
            }
        }
    }
    nothing(member, &head)
}

/// A member that holds no pickle, and what it is instead.
fn nothing(member: &Member, head: &Bytes) -> Result<Contents, Error> {
    let region = match member.source() {
        Source::Plain(region) | Source::Stored { region, .. } => region.clone(),
        // It is decompressed when its bytes are asked for.
        _ => Region::memory(Bytes::new()),
    };
    let mut contents = Contents::new(Kind::Data, region, Layout::ReadOnly("it holds no pickle"));
    // Members of archives need no explanation of what they are.
    if member.expect() == Expect::Pickle {
        contents.problem = Some(foreign::explain(head, member.len().unwrap_or(head.len() as u64)));
    }
    Ok(contents)
}

/// Whether the name of a member promises a pickle, so that all is tried with it.
fn expect_by_name(name: &str) -> Expect {
    const ENDINGS: &[&str] = &["pkl", "pickle", "pck", "pcl", "joblib", "dill", "pt", "pth"];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending {
        Some(ending) if ENDINGS.contains(&&*ending) => Expect::Pickle,
        _ => Expect::Anything,
    }
}

/// How a container is written back with other contents. Parts are numbered: the pickles, then the members.
#[derive(Debug)]
pub(crate) enum Layout {
    /// The parts lie in the container as they are, at these places: what is around them stays.
    Parts(Vec<Range<u64>>),
    /// All of it is one compressed stream behind a header of this length.
    Coded(Coding),
    /// joblib's `ZF`.
    JoblibZ,
    LengthPrefixed(length_prefixed::Prefix),
    Base64(base64::Spelling),
    Spelled(spelled::Spelling),
    Zip(zip::Archive),
    Tar(Vec<tar::Header>),
    RenpyArchive(renpy::Index),
    RenpyScript(Vec<renpy::Slot>),
    /// It cannot be written back, and why.
    ReadOnly(&'static str),
}

/// The new content of a part.
pub(crate) type Change = (usize, Bytes);

/// Writes a container with changed parts, which are in order.
pub(crate) fn write(contents: &Contents, changes: &[Change], out: &mut dyn Write) -> Result<(), Error> {
    let region = &contents.region;
    if changes.is_empty() {
        return copy(region, out);
    }
    match &contents.layout {
        Layout::Parts(places) => splice(region, places, changes, out),
        Layout::Coded(coding) => {
            let bytes = changes.first().map(|(_, bytes)| &bytes[..]).unwrap_or_default();
            put(out, &coding.encode(bytes, &region.head(HEAD)?)?)
        }
        Layout::JoblibZ => joblib_z::write(region, changes, out),
        Layout::LengthPrefixed(prefix) => length_prefixed::write(region, *prefix, contents, changes, out),
        Layout::Base64(spelling) => base64::write(region, spelling, changes, out),
        Layout::Spelled(spelling) => spelled::write(region, spelling, changes, out),
        Layout::Zip(archive) => zip::write(region, archive, changes, out),
        Layout::Tar(headers) => tar::write(region, headers, changes, out),
        Layout::RenpyArchive(index) => renpy::write_archive(region, index, changes, out),
        Layout::RenpyScript(slots) => renpy::write_script(region, slots, changes, out),
        Layout::ReadOnly(why) => {
            Err(Error::new(ErrorKind::ReadOnly, format!("a {} file cannot be written back: {why}", contents.kind)))
        }
    }
}

/// Copies a region with parts of it replaced.
fn splice(region: &Region, places: &[Range<u64>], changes: &[Change], out: &mut dyn Write) -> Result<(), Error> {
    let mut done = 0;
    for (part, bytes) in changes {
        let Some(place) = places.get(*part) else { continue };
        copy(&region.slice(done..place.start), out)?;
        put(out, bytes)?;
        done = place.end;
    }
    copy(&region.from(done), out)
}

fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Error> {
    out.write_all(bytes).map_err(Error::write)
}

/// Copies a region as it is, piece by piece.
fn copy(region: &Region, out: &mut dyn Write) -> Result<(), Error> {
    use std::io::BufRead;

    let mut reader = region.reader();
    loop {
        let buffer = reader.fill_buf().map_err(|error| Error::io("cannot read", error))?;
        if buffer.is_empty() {
            return Ok(());
        }
        put(out, buffer)?;
        let len = buffer.len();
        reader.consume(len);
    }
}
