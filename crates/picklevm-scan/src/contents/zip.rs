//! Zip archives, read with suspicion: what the central directory says, what lies before each member, and what neither
//! admits to.
//!
//! Python's `zipfile` goes by the central directory, PyTorch's reader by both, tools for repair by the local headers.

use std::borrow::Cow;

use memchr::memmem;

use super::compressed;
use crate::report::{Format, Report};
use crate::scanner::Context;
use crate::stream;
use crate::verdict::{Finding, Rule, Verdict};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
/// The end of the directory lies in the last bytes, before a comment of up to 65535.
const END_WITHIN: usize = END_LEN + 65535;

/// What one header says of a member.
struct Entry<'a> {
    /// Where the header lies.
    at: usize,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    name: Cow<'a, str>,
    /// Where its local header lies.
    local: u64,
    /// Where the header ends.
    end: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

fn find_end(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(END_WITHIN);
    memmem::rfind(&bytes[from..], END).map(|at| from + at).filter(|at| at + END_LEN <= bytes.len())
}

/// Whether bytes that begin as something else end as a zip archive with members.
pub(super) fn has_directory(bytes: &[u8]) -> bool {
    find_end(bytes).is_some() && memmem::find(bytes, CENTRAL).is_some()
}

impl<'a> Entry<'a> {
    fn central(bytes: &'a [u8], at: usize) -> Option<Self> {
        bytes.get(at..)?.starts_with(CENTRAL).then_some(())?;
        let lens = [28, 30, 32].map(|field| u16_at(bytes, at + field).map(usize::from));
        let [Some(name_len), Some(extra_len), Some(comment_len)] = lens else { return None };
        let name = bytes.get(at + CENTRAL_LEN..)?.get(..name_len)?;
        let extra = bytes.get(at + CENTRAL_LEN + name_len..)?.get(..extra_len)?;
        let mut entry = Entry {
            at,
            flags: u16_at(bytes, at + 8)?,
            method: u16_at(bytes, at + 10)?,
            crc: u32_at(bytes, at + 16)?,
            compressed: u32_at(bytes, at + 20)?.into(),
            name: String::from_utf8_lossy(name),
            local: u32_at(bytes, at + 42)?.into(),
            end: at + CENTRAL_LEN + name_len + extra_len + comment_len,
        };
        entry.widen(extra, u32_at(bytes, at + 24)?);
        Some(entry)
    }

    fn local(bytes: &'a [u8], at: usize) -> Option<Self> {
        bytes.get(at..)?.starts_with(LOCAL).then_some(())?;
        let lens = [26, 28].map(|field| u16_at(bytes, at + field).map(usize::from));
        let [Some(name_len), Some(extra_len)] = lens else { return None };
        let name = bytes.get(at + LOCAL_LEN..)?.get(..name_len)?;
        let extra = bytes.get(at + LOCAL_LEN + name_len..)?.get(..extra_len)?;
        let mut entry = Entry {
            at,
            flags: u16_at(bytes, at + 6)?,
            method: u16_at(bytes, at + 8)?,
            crc: u32_at(bytes, at + 14)?,
            compressed: u32_at(bytes, at + 18)?.into(),
            name: String::from_utf8_lossy(name),
            local: at as u64,
            end: at + LOCAL_LEN + name_len + extra_len,
        };
        entry.widen(extra, u32_at(bytes, at + 22)?);
        Some(entry)
    }

    /// Takes the 64-bit fields of the zip64 extra field where the 32-bit ones are full.
    fn widen(&mut self, mut extra: &[u8], uncompressed: u32) {
        const FULL: u64 = u32::MAX as u64;
        while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let Some(field) = extra.get(4..4 + usize::from(len)) else { return };
            if id == 1 {
                let mut at = if u64::from(uncompressed) == FULL { 8 } else { 0 };
                for value in [&mut self.compressed, &mut self.local] {
                    if *value == FULL
                        && let Some(wide) = u64_at(field, at)
                    {
                        *value = wide;
                        at += 8;
                    }
                }
                return;
            }
            extra = &extra[4 + usize::from(len)..];
        }
    }
}

/// Scans all members, wherever they are told of.
pub(super) fn scan(bytes: &[u8], report: &mut Report, context: &Context<'_>) {
    let mut archive = Archive { bytes, report, context, seen: Vec::new() };
    archive.scan_directory();
    archive.scan_hidden();
    archive.scan_before();
}

struct Archive<'r, 'a> {
    bytes: &'a [u8],
    report: &'r mut Report,
    context: &'r Context<'r>,
    /// Where members begin and end that were scanned, with their headers.
    seen: Vec<(usize, usize)>,
}

impl Archive<'_, '_> {
    fn find(&mut self, offset: usize, message: String) {
        self.report.findings.push(Finding::suspicious(Rule::Container, offset as u64, message));
    }

    fn scan_directory(&mut self) {
        let Some(end) = find_end(self.bytes) else {
            return self.find(self.bytes.len(), "the zip archive has no directory".to_owned());
        };
        let first = memmem::find(self.bytes, CENTRAL);
        let Some(mut at) = first.and_then(|first| self.directory_start(end).or(Some(first))) else { return };
        // Offsets count from the first local header, before which a stranger may have put something.
        let shift = memmem::find(self.bytes, LOCAL).unwrap_or(0);
        let mut names = std::collections::HashSet::new();
        while let Some(entry) = Entry::central(self.bytes, at) {
            at = entry.end;
            if self.seen.len() >= self.context.limits.members {
                self.report.findings.push(self.context.too_many());
                return;
            }
            if !names.insert(entry.name.to_string()) {
                self.find(entry.at, format!("two members are called {}", entry.name));
            }
            let offsets = [Some(entry.local), entry.local.checked_add(shift as u64)];
            let local =
                offsets.into_iter().flatten().find_map(|at| Entry::local(self.bytes, usize::try_from(at).ok()?));
            match local {
                Some(local) => self.scan_member(&entry, &local),
                None => self.find(entry.at, format!("the member {} is not where the directory says", entry.name)),
            }
        }
    }

    /// Where the directory begins, by its end.
    fn directory_start(&self, end: usize) -> Option<usize> {
        let (len, start) = (u32_at(self.bytes, end + 12)?, u32_at(self.bytes, end + 16)?);
        let by_len = end.checked_sub(len as usize);
        let starts = [by_len, Some(start as usize)];
        starts.into_iter().flatten().find(|&at| self.bytes.get(at..).is_some_and(|rest| rest.starts_with(CENTRAL)))
    }

    fn scan_member(&mut self, entry: &Entry<'_>, local: &Entry<'_>) {
        let name = entry.name.as_ref();
        if entry.name != local.name {
            self.find(local.at, format!("the directory calls a member {name}, its own header {}", local.name));
        }
        if entry.method != local.method {
            self.find(local.at, format!("the headers of {name} disagree on how it is compressed"));
        }
        let end = usize::try_from(entry.compressed).ok().and_then(|len| local.end.checked_add(len));
        let Some(data) = end.and_then(|end| self.bytes.get(local.end..end)) else {
            return self.find(local.at, format!("the member {name} is longer than the archive"));
        };
        self.seen.push((local.at, local.end + data.len()));
        if (entry.flags | local.flags) & 1 != 0 {
            self.find(
                local.at,
                format!("the member {name} is said to be encrypted: some readers refuse it, some read it as it is"),
            );
        }
        self.scan_data(name, data, entry.method, Some(entry.crc), local.at);
        if entry.method != local.method {
            self.scan_data(name, data, local.method, None, local.at);
        }
    }

    fn scan_data(&mut self, name: &str, data: &[u8], method: u16, crc: Option<u32>, at: usize) {
        let context = self.context;
        let (inside, problem) = match method {
            0 => (Cow::Borrowed(data), None),
            8 => owned(compressed::inflate(data, context)),
            12 => owned(compressed::decompress(&mut &*data, Format::Bzip2, context)),
            93 => owned(compressed::decompress(&mut &*data, Format::Zstd, context)),
            95 => owned(compressed::decompress(&mut &*data, Format::Xz, context)),
            method => {
                let message = format!("the member {name} is compressed by method {method}, which the scan cannot undo");
                (Cow::Borrowed(data), Some(Finding::suspicious(Rule::Opaque, at as u64, message)))
            }
        };
        if problem.is_none() && crc.is_some_and(|crc| crc != crc32fast::hash(&inside)) {
            self.find(at, format!("the checksum of {name} is wrong: zipfile refuses it, PyTorch reads it"));
        }
        self.report.findings.extend(problem);
        self.report.members.push(super::scan_member(name, &inside, context));
    }

    /// Members that only a local header tells of, in no other member's data.
    fn scan_hidden(&mut self) {
        self.seen.sort_unstable();
        let mut done = 0;
        let headers: Vec<usize> = memmem::find_iter(self.bytes, LOCAL).collect();
        for at in headers {
            let next = self.seen.partition_point(|&(start, _)| start <= at);
            let within = next.checked_sub(1).and_then(|last| self.seen.get(last)).is_some_and(|&(_, end)| at < end);
            if within || at < done {
                continue;
            }
            let Some(local) = Entry::local(self.bytes, at) else { continue };
            let name = local.name.to_string();
            let limit = self.seen.get(next).map_or(self.bytes.len(), |&(start, _)| start);
            let end = usize::try_from(local.compressed).ok().and_then(|len| local.end.checked_add(len));
            // With a data descriptor the header does not tell the length.
            let end = end.filter(|&end| end <= limit && local.flags & 8 == 0).unwrap_or(limit);
            done = end;
            self.find(at, format!("the member {name} is not in the directory"));
            if let Some(data) = self.bytes.get(local.end..end) {
                self.scan_data(&name, data, local.method, None, at);
            }
        }
    }

    /// What lies before the first member: readers that go by the first bytes see that.
    fn scan_before(&mut self) {
        let first = memmem::find(self.bytes, LOCAL).unwrap_or(0);
        if first > 0 {
            let before = &self.bytes[..first];
            self.find(0, format!("{first} bytes lie before the archive"));
            let inner = stream::scan(before, Report::new("before the archive", Format::Pickle, first), self.context);
            if inner.verdict != Verdict::Safe || inner.pickle_count() > 0 {
                self.report.members.push(inner);
            }
        }
    }
}

fn owned((data, problem): (Vec<u8>, Option<Finding>)) -> (Cow<'static, [u8]>, Option<Finding>) {
    (Cow::Owned(data), problem)
}
