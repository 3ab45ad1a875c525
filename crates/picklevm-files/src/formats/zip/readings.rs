//! What other readers than Python's find in a zip archive.
//!
//! Readers go by the first or by the last end record, by its 32-bit or its zip64 fields, with offsets from the beginning of
//! the file or of the archive; tools for repair, and readers of streams, go by the local headers.

use std::collections::HashSet;

use memchr::memmem;

use super::directory::{Directory, END, END_LEN, End, Entry, LONGEST_COMMENT, Local};
use super::{expect_by_name, packed, source};
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::member::{Expect, Member, Source};
use crate::region::Region;

/// Adds what the directory that Python follows does not have.
pub(super) fn list(member: &Member, contents: &mut Contents, followed: Option<&Directory>) -> Result<(), Error> {
    let region = contents.region.clone();
    let mut found = Readings { member, region: &region, seen: HashSet::new(), members: Vec::new() };
    for entry in followed.iter().flat_map(|directory| &directory.entries) {
        found.seen.insert((entry.header_offset, entry.method));
    }
    found.other_directories(followed)?;
    found.local_headers(followed)?;
    found.before(followed)?;
    let members = found.members;
    member.shared().budget.list(members.len() as u64)?;
    contents.members.extend(members);
    Ok(())
}

/// The data of a member that Python refuses, for readers that do not.
pub(super) fn lenient(region: &Region, entry: &Entry) -> Source {
    match Local::read(region, entry.header_offset) {
        Ok(Some(local)) => {
            let end = local.data_start.saturating_add(entry.compressed);
            packed(region.slice(local.data_start..end), entry.method, entry.size, None)
        }
        Ok(None) => {
            Source::Unreadable(ErrorKind::Damaged, "there is no local header where the directory says".to_owned())
        }
        Err(error) => Source::Unreadable(error.kind(), error.to_string()),
    }
}

struct Readings<'r> {
    member: &'r Member,
    region: &'r Region,
    /// The local headers that are members by now, and the method by which their data are read.
    seen: HashSet<(u64, u16)>,
    members: Vec<Member>,
}

impl Readings<'_> {
    fn add(&mut self, name: &str, source: Source, how: &str) {
        self.members.push(self.member.child(name, source, expect_by_name(name)).diverging(how));
    }

    /// What other end records say, or other fields of the same.
    fn other_directories(&mut self, followed: Option<&Directory>) -> Result<(), Error> {
        let from = self.region.len().saturating_sub(LONGEST_COMMENT + END_LEN);
        let tail = self.region.from(from).bytes()?;
        for at in memmem::rfind_iter(&tail, &END).map(|at| from + at as u64) {
            let Some(end) = End::at(self.region, at)? else { continue };
            let zip64 = end.zip64(self.region).unwrap_or(None);
            for end in [Some(end), zip64].into_iter().flatten() {
                let is_followed = followed
                    .is_some_and(|directory| (directory.end_record, directory.end_record64) == (end.at, end.at64));
                if is_followed {
                    continue;
                }
                // By the length of the directory, and by its offset.
                let moved = End { len: end.at.saturating_sub(end.offset).min(end.len), ..end };
                for end in [end, moved] {
                    let Ok(directory) = Directory::read(self.region, end) else { continue };
                    self.take(&directory);
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, directory: &Directory) {
        let ends = directory.ends();
        for (entry, end) in directory.entries.iter().zip(ends) {
            if self.seen.insert((entry.header_offset, entry.method)) {
                let source = source(self.region, entry, end, Some(entry.crc));
                self.add(&entry.name, source, "a directory that Python does not follow");
            }
        }
    }

    /// Local headers: members that no directory names, and other methods than the directory says.
    fn local_headers(&mut self, followed: Option<&Directory>) -> Result<(), Error> {
        let region = self.region;
        let mut inside = 0;
        for at in region.find_all(b"PK\x03\x04") {
            let at = at?;
            let Some(local) = Local::read(self.region, at)? else { continue };
            let entries = followed.map_or(&[][..], |directory| &directory.entries);
            let entry = entries.iter().find(|entry| entry.header_offset == at);
            if let Some(entry) = entry {
                inside = local.data_start.saturating_add(entry.compressed);
            }
            // Data of a member that is stored may be an archive itself.
            if entry.is_none() && at < inside || !self.seen.insert((at, local.method)) {
                continue;
            }
            let name = String::from_utf8_lossy(&local.name).into_owned();
            let known = entry.map_or(local.compressed, |entry| entry.compressed);
            let end = local.data_start.saturating_add(known).min(self.region.len());
            // With a data descriptor the header does not tell the length.
            let (end, size) = if known == 0 && local.flags & 8 != 0 {
                (self.region.len(), u64::MAX)
            } else {
                (end, if local.method == 0 { known } else { local.size.max(1) })
            };
            let data = self.region.slice(local.data_start..end);
            let how =
                if entry.is_some() { "the method of its local header" } else { "a local header without an entry" };
            self.add(&name, packed(data, local.method, size, None), how);
        }
        Ok(())
    }

    /// What lies before the archive: readers that go by the first bytes see that.
    fn before(&mut self, followed: Option<&Directory>) -> Result<(), Error> {
        let first = followed.and_then(|directory| directory.entries.iter().map(|entry| entry.header_offset).min());
        let first = first.unwrap_or(0);
        // What begins with a local header was listed by that.
        if first > 0 && self.region.array::<4>(0)? != Some(*b"PK\x03\x04") {
            let source = Source::Plain(self.region.slice(0..first));
            let child = self.member.child("", source, Expect::Pickle).diverging("what lies before the archive");
            self.members.push(child);
        }
        Ok(())
    }
}
