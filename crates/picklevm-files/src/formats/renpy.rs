//! Ren'Py's archives and compiled scripts.
//!
//! `.rpa` (`renpy/loader.py`, `RPAv2ArchiveHandler`, `RPAv3ArchiveHandler`; 3.2 as unrpa reads it): a line with the offset
//! of the index, and a key that offsets and lengths in it are combined with; the index is a pickle compressed by zlib,
//! `{name: [(offset, length[, first bytes]), …]}`. `.rpyc` (`renpy/script.py`): `RENPY RPC2`, a table of slots, each a
//! pickle compressed by zlib.

use std::borrow::Cow;
use std::io::Write;

use super::{Change, Layout, copy, expect_by_name, put};
use crate::coding::Coding;
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::kind::Kind;
use crate::member::{Expect, Member, Source};
use crate::pickle::{Evaluation, Value};
use crate::region::Region;

/// The longest first line of an archive.
const LINE: usize = 128;

/// Where the index of an archive lies.
#[derive(Debug)]
pub(crate) struct Index {
    offset: u64,
    end: u64,
}

pub(super) fn open_archive(member: &Member, region: Region) -> Result<Contents, Error> {
    let damaged = |what: &str| Error::damaged("Ren'Py archive", what);
    let head = region.head(LINE)?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = str::from_utf8(line).map_err(|_| damaged("its first line is no text"))?;
    let mut words = line.split_ascii_whitespace();
    let version = words.next().unwrap_or_default();
    let mut numbers = words.map(|word| u64::from_str_radix(word, 16));
    let offset = numbers.next().and_then(Result::ok).filter(|offset| *offset < region.len());
    let offset = offset.ok_or_else(|| damaged("its index is not where the first line says"))?;
    // 3.2 has a number before the key that is no part of it.
    let keys = numbers.skip(usize::from(version == "RPA-3.2")).map(Result::unwrap_or_default);
    let key = keys.fold(0, |key, part| key ^ part);
    let stream = region.from(offset);
    let (index, used) = Coding::Zlib.decode(&stream, u64::MAX, &member.shared().budget)?;
    let place = Index { offset, end: offset + used };
    let mut contents = Contents::new(Kind::RenpyArchive, region, Layout::RenpyArchive(place));
    let evaluation = Evaluation::of(&index);
    contents.members.push(member.child("", Source::Plain(Region::memory(index)), Expect::Pickle));
    let Some(entries) = evaluation.stack.last().and_then(|index| evaluation.entries(*index)) else {
        contents.problem = Some(damaged("its index is no dict"));
        return Ok(contents);
    };
    member.shared().budget.list(entries.len() as u64)?;
    for (name, parts) in entries {
        let name = String::from_utf8_lossy(evaluation.text(*name).unwrap_or_default()).into_owned();
        let source = file_in_archive(&contents.region, &evaluation, *parts, key);
        contents.members.push(member.child(&name, source, expect_by_name(&name)));
    }
    Ok(contents)
}

/// Where a file lies in an archive, by `[(offset, length[, first bytes])]`.
fn file_in_archive(region: &Region, evaluation: &Evaluation, parts: Value, key: u64) -> Source {
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number as u64 ^ key),
        _ => None,
    };
    let parts = evaluation.items(parts).unwrap_or_default();
    let place = match parts {
        [part] => evaluation.items(*part).and_then(|part| match part {
            [offset, len] => Some((number(offset)?, number(len)?, Cow::Borrowed(&[][..]))),
            [offset, len, first] => Some((number(offset)?, number(len)?, evaluation.bytes(*first)?)),
            _ => None,
        }),
        _ => None,
    };
    match place {
        Some((offset, len, first))
            if first.is_empty() && offset.checked_add(len).is_some_and(|end| end <= region.len()) =>
        {
            Source::Plain(region.slice(offset..offset + len))
        }
        Some((offset, len, first)) if !first.is_empty() => {
            let rest = region.slice(offset..offset.saturating_add(len.saturating_sub(first.len() as u64)));
            match rest.bytes() {
                Ok(rest) => Source::Plain(Region::memory([&*first, &rest].concat().into())),
                Err(error) => Source::Unreadable(error.kind(), error.to_string()),
            }
        }
        _ => Source::Unreadable(ErrorKind::Damaged, "the index names a place that is not in the archive".to_owned()),
    }
}

/// Writes an archive with another index. What the index points to stays where it is.
pub(super) fn write_archive(
    region: &Region,
    index: &Index,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), Error> {
    if changes.iter().any(|(part, _)| *part != 0) {
        let message = "a Ren'Py archive cannot be written back with changed files in it, only with a changed index";
        return Err(Error::new(ErrorKind::ReadOnly, message));
    }
    let Some((_, bytes)) = changes.first() else { return copy(region, out) };
    if index.end < region.len() {
        return Err(Error::new(
            ErrorKind::ReadOnly,
            "a Ren'Py archive with data behind its index cannot be written back",
        ));
    }
    copy(&region.slice(0..index.offset), out)?;
    put(out, &Coding::Zlib.encode(bytes, &region.from(index.offset).head(2)?)?)
}

/// A row of the table of a compiled script.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u32,
    start: u32,
    len: u32,
}

/// The first bytes of a compiled script.
const SCRIPT_MAGIC: u64 = 10;
/// The slots that a script may have; Ren'Py writes two.
const MOST_SLOTS: usize = 64;

pub(super) fn open_script(member: &Member, region: Region) -> Result<Contents, Error> {
    let mut slots = Vec::new();
    loop {
        let row = region.array::<12>(SCRIPT_MAGIC + 12 * slots.len() as u64)?;
        let Some([a, b, c, d, e, f, g, h, i, j, k, l]) = row else {
            return Err(Error::damaged("compiled Ren'Py script", "it ends within its table of slots"));
        };
        let number = u32::from_le_bytes([a, b, c, d]);
        if number == 0 {
            break;
        }
        slots.push(Slot { number, start: u32::from_le_bytes([e, f, g, h]), len: u32::from_le_bytes([i, j, k, l]) });
        if slots.len() > MOST_SLOTS {
            return Err(Error::damaged("compiled Ren'Py script", "its table of slots does not end"));
        }
    }
    let mut contents = Contents::new(Kind::RenpyScript, region, Layout::ReadOnly("it has no slots"));
    for slot in &slots {
        let end = u64::from(slot.start) + u64::from(slot.len);
        let data = contents.region.slice(slot.start.into()..end);
        let source = if end > contents.region.len() {
            Source::Unreadable(ErrorKind::Truncated, "the slot ends behind the file".to_owned())
        } else {
            Source::Plain(data)
        };
        contents.members.push(member.child(&format!("slot {}", slot.number), source, Expect::Pickle));
    }
    contents.layout = Layout::RenpyScript(slots);
    Ok(contents)
}

/// Writes a script with changed slots: the table, the slots in its order, and what follows the last of them.
pub(super) fn write_script(
    region: &Region,
    slots: &[Slot],
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let range = |slot: &Slot| u64::from(slot.start)..u64::from(slot.start) + u64::from(slot.len);
    let table_end = SCRIPT_MAGIC + 12 * (slots.len() as u64 + 1);
    let follow_each_other = slots.iter().try_fold(table_end, |at, slot| {
        let range = range(slot);
        (range.start == at && range.end <= region.len()).then_some(range.end)
    });
    let Some(end) = follow_each_other else {
        let message = "a compiled script cannot be written back if its slots do not follow each other";
        return Err(Error::new(ErrorKind::ReadOnly, message));
    };
    // Ren'Py loads slot 2 if there is one: slots that tell different stories are worse than an error.
    if !changes.is_empty() && changes.len() != slots.len() {
        let message = "a compiled script cannot be written back with some of its slots changed and others not";
        return Err(Error::new(ErrorKind::ReadOnly, message));
    }
    let new = |index: usize| changes.iter().find(|(part, _)| *part == index).map(|(_, bytes)| bytes);
    let mut at = table_end;
    let mut table = region.head(SCRIPT_MAGIC as usize)?.to_vec();
    for (index, slot) in slots.iter().enumerate() {
        let len = new(index).map_or(u64::from(slot.len), |bytes| bytes.len() as u64);
        let row = [u64::from(slot.number), at, len].map(u32::try_from);
        for number in row {
            let number =
                number.map_err(|_| Error::new(ErrorKind::ReadOnly, "a compiled script is at most 4 GiB long"))?;
            table.extend_from_slice(&number.to_le_bytes());
        }
        at += len;
    }
    table.extend_from_slice(&[0; 12]);
    put(out, &table)?;
    for (index, slot) in slots.iter().enumerate() {
        match new(index) {
            Some(bytes) => put(out, bytes)?,
            None => copy(&region.slice(range(slot)), out)?,
        }
    }
    copy(&region.from(end), out)
}
