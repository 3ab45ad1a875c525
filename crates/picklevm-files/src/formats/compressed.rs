//! Files that are one compressed stream.
//!
//! What follows the stream is left out by Python's modules (zlib) or is an error (gzip); here it is a problem of the file
//! that does not hide what was read.

use super::Layout;
use crate::coding::{self, Coding};
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::{Member, Source};
use crate::region::Region;

pub(super) fn gzip(member: &Member, region: Region) -> Result<Contents, Error> {
    open(member, region, Kind::Gzip, Coding::Gzip)
}

pub(super) fn bzip2(member: &Member, region: Region) -> Result<Contents, Error> {
    open(member, region, Kind::Bzip2, Coding::Bzip2)
}

pub(super) fn xz(member: &Member, region: Region) -> Result<Contents, Error> {
    open(member, region, Kind::Xz, Coding::Xz)
}

/// Frames that are skipped may stand before LZ4 too.
pub(super) fn zstd(member: &Member, region: Region) -> Result<Contents, Error> {
    let mut start = 0;
    while let Some([a, b, c, d, len @ ..]) = region.array::<8>(start)?
        && coding::is_skippable(&[a, b, c, d])
    {
        start += 8 + u64::from(u32::from_le_bytes(len));
    }
    match region.array(start)? {
        Some([0x04, 0x22, 0x4d, 0x18]) => open(member, region, Kind::Lz4, Coding::Lz4),
        _ => open(member, region, Kind::Zstd, Coding::Zstd),
    }
}

pub(super) fn lz4(member: &Member, region: Region) -> Result<Contents, Error> {
    open(member, region, Kind::Lz4, Coding::Lz4)
}

pub(super) fn lzma(member: &Member, region: Region) -> Result<Contents, Error> {
    open(member, region, Kind::Lzma, Coding::Lzma)
}

pub(super) fn zlib(member: &Member, region: Region) -> Result<Contents, Error> {
    open(member, region, Kind::Zlib, Coding::Zlib)
}

/// The properties that every writer uses (`lc` 3, `lp` 0, `pb` 2), and a dictionary of a multiple of 64 KiB.
pub(super) fn begins_as_lzma(head: &[u8]) -> bool {
    matches!(head, [0x5d, 0, 0, ..]) && head.len() > 13
}

/// RFC 1950: deflate with a window of 32 KiB, no dictionary, a multiple of 31.
pub(super) fn begins_as_zlib(head: &[u8]) -> bool {
    matches!(*head, [0x78, flags, ..] if flags & 0x20 == 0 && (0x7800 | u16::from(flags)).is_multiple_of(31))
}

fn open(member: &Member, region: Region, kind: Kind, coding: Coding) -> Result<Contents, Error> {
    member.check_sum()?;
    let mut bytes = Vec::new();
    let used = coding.decode_to(&region, u64::MAX, &member.shared().budget, &mut bytes);
    let mut contents = Contents::new(kind, region, Layout::Coded(coding));
    let used = match used {
        Ok(used) => used,
        Err(error) if member.shared().options.partial && error.kind() != ErrorKind::Limit && !bytes.is_empty() => {
            contents.problem = Some(error);
            contents.layout = Layout::ReadOnly("it is damaged");
            contents.region.len()
        }
        Err(error) => return Err(error),
    };
    let rest = contents.region.from(used);
    if rest.len() > 0 {
        let message = format!("{} bytes follow the {}", rest.len(), coding.name());
        contents.problem = Some(Error::new(ErrorKind::Damaged, message).at(used));
        contents.layout = Layout::ReadOnly("other data follow the compressed ones");
    }
    contents.members.push(member.child("", Source::Plain(Region::memory(bytes.into())), member.expect()));
    Ok(contents)
}
