//! Databases of Python's `dbm`, on which `shelve` builds: a member for each key.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;

use super::Layout;
use crate::contents::Contents;
use crate::dbm::{self, GnuLayout};
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::region::Region;

/// Why the members of a database are not written back as those of an archive are.
const READ_ONLY: Layout = Layout::ReadOnly("`picklevm shelf` changes databases");

/// What is behind the file: a database is asked for under its own name.
fn path(member: &Member) -> Option<PathBuf> {
    member.shared().path.clone().filter(|_| member.depth() == 0)
}

fn child(member: &Member, key: &[u8], source: Source) -> Member {
    member.child(&String::from_utf8_lossy(key), source, Expect::Pickle)
}

pub(super) fn open_sqlite(member: &Member, region: Region) -> Result<Contents, Error> {
    let path = path(member);
    let bytes = if path.is_some() { Bytes::new() } else { region.bytes()? };
    let mut contents = Contents::new(Kind::DbmSqlite, region, READ_ONLY);
    let Some(rows) = dbm::sqlite_rows(path.as_deref(), &bytes)? else {
        contents.kind = Kind::Data;
        contents.problem = Some(member.explain()?);
        return Ok(contents);
    };
    member.shared().budget.list(rows.len() as u64)?;
    contents.members =
        rows.into_iter().map(|(key, value)| child(member, &key, Source::Plain(Region::memory(value)))).collect();
    Ok(contents)
}

pub(super) fn open_gnu(member: &Member, region: Region) -> Result<Contents, Error> {
    let elements = GnuLayout::of(&region)?.elements(&region)?;
    member.shared().budget.list(elements.len() as u64)?;
    let members = elements.into_iter().map(|element| {
        let value = region.slice(element.offset..element.offset + element.len);
        child(member, &element.key, Source::Plain(value))
    });
    let members = members.collect();
    let mut contents = Contents::new(Kind::DbmGnu, region, READ_ONLY);
    contents.members = members;
    Ok(contents)
}

/// The directory of `dbm.dumb`, beside which the values lie: `NAME.dir` and `NAME.dat`.
pub(super) fn open_dumb(member: &Member, region: &Region) -> Result<Option<Contents>, Error> {
    if !region.head(1)?.starts_with(b"'") && !region.head(1)?.starts_with(b"\"") {
        return Ok(None);
    }
    let Some(data) = path(member).map(|path| path.with_extension("dat")).filter(|data| data.is_file()) else {
        return Ok(None);
    };
    let entries = dbm::parse_dumb_directory(&region.bytes()?)?;
    member.shared().budget.list(entries.len() as u64)?;
    let cannot = |error| Error::io("cannot read its data file", error);
    let file = fs::File::open(data).map_err(cannot)?;
    let len = file.metadata().map_err(cannot)?.len();
    let data = Region::file(file, len)?.elsewhere();
    let mut contents = Contents::new(Kind::DbmDumb, region.clone(), READ_ONLY);
    contents.members = entries
        .into_iter()
        .map(|(key, place)| {
            let source = match place.offset.checked_add(place.len) {
                Some(end) if end <= len => Source::Plain(data.slice(place.offset..end)),
                _ => Source::Unreadable(ErrorKind::Truncated, "the value ends behind the data file".to_owned()),
            };
            child(member, &key, source)
        })
        .collect();
    Ok(Some(contents))
}
