//! Zip archives with changed members.
//!
//! What did not change is copied as it is: local headers, data, data descriptors, and what lies between. The directory
//! keeps its order and all its fields but offsets, sizes and checksums. PyTorch's writer pads the local header so that the
//! data are aligned to 64 bytes (`getPadding` in `caffe2/serialize/inline_container.cc`): members that have such padding
//! get as much as they need where they come to lie.

use std::io::Write;

use super::super::{Change, copy, put};
use super::METHODS;
use super::directory::{CENTRAL_LEN, Directory, LOCAL_LEN, Local, u16_at};
use crate::error::{Error, ErrorKind};
use crate::region::Region;

/// The extra field of PyTorch's padding, and what it aligns to.
const PADDING: u16 = u16::from_le_bytes(*b"FB");
const ALIGNMENT: u64 = 64;
/// In the flags: the sizes follow the data.
const DATA_DESCRIPTOR: u16 = 1 << 3;

/// What is needed to write an archive back.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(super) directory: Directory,
    /// Which entry of the directory each member is.
    pub(super) order: Vec<usize>,
}

/// Counts what is written.
struct Counter<'o> {
    out: &'o mut dyn Write,
    written: u64,
}

impl Write for Counter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.written += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn read_only(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::ReadOnly, format!("the zip archive cannot be written back: {}", what.into()))
}

pub(in crate::formats) fn write(
    region: &Region,
    archive: &Archive,
    changes: &[Change],
    out: &mut dyn Write,
) -> Result<(), Error> {
    let Archive { directory, order } = archive;
    let mut central = directory.bytes.clone();
    let mut out = Counter { out, written: 0 };
    // The entries by where they lie.
    let mut by_offset: Vec<usize> = (0..directory.entries.len()).collect();
    by_offset.sort_by_key(|index| directory.entries[*index].header_offset);
    let shares_header =
        |pair: &[usize]| directory.entries[pair[0]].header_offset == directory.entries[pair[1]].header_offset;
    if by_offset.windows(2).any(shares_header) {
        return Err(read_only("two of its members are the same data"));
    }
    let mut done = by_offset.first().map_or(directory.start, |first| directory.entries[*first].header_offset);
    copy(&region.slice(0..done), &mut out)?;
    for (place, index) in by_offset.iter().enumerate() {
        let entry = &directory.entries[*index];
        let next = by_offset.get(place + 1).map_or(directory.start, |next| directory.entries[*next].header_offset);
        let change = changes.iter().find(|(part, _)| order.get(*part) == Some(index));
        let local = Local::read(region, entry.header_offset)?;
        let local = local.ok_or_else(|| read_only(format!("{} has no local header", entry.name)))?;
        let header_offset = out.written.checked_add_signed(-directory.before);
        let header_offset = header_offset.ok_or_else(|| read_only("its offsets lead out of it"))?;
        let header = region.slice(entry.header_offset..local.data_start).bytes()?;
        let mut header = realign(&header, local.name.len(), out.written);
        let row = &mut central[entry.at..];
        set_offset(row, header_offset).ok_or_else(|| read_only("it grows past 4 GiB"))?;
        match change {
            None => {
                put(&mut out, &header)?;
                copy(&region.slice(local.data_start..next), &mut out)?;
            }
            Some((_, bytes)) => {
                let method = METHODS.iter().find(|(method, _)| *method == entry.method);
                let packed = match method {
                    Some((_, None)) => bytes.to_vec(),
                    Some((_, Some(coding))) => coding.encode(bytes, &[])?,
                    None => return Err(read_only(format!("{} is compressed by an unknown method", entry.name))),
                };
                let sizes =
                    [packed.len(), bytes.len()].map(|len| u32::try_from(len).ok().filter(|len| *len != u32::MAX));
                let [Some(packed_len), Some(len)] = sizes else {
                    return Err(read_only(format!("{} grows past 4 GiB", entry.name)));
                };
                if u64::from(u32::MAX) <= entry.size.max(entry.compressed) {
                    return Err(read_only(format!("{} is longer than 4 GiB", entry.name)));
                }
                let crc = crc32fast::hash(bytes);
                // The sizes stand in the headers from now on.
                set_fields(&mut header, 6, crc, packed_len, len, 14);
                set_fields(row, 8, crc, packed_len, len, 16);
                put(&mut out, &header)?;
                put(&mut out, &packed)?;
            }
        }
        done = next;
    }
    copy(&region.slice(done..directory.start), &mut out)?;
    let central_start = out.written;
    put(&mut out, &central)?;
    write_end(region, directory, central_start, &mut out)
}

/// Sets flags, checksum and sizes of a header.
fn set_fields(header: &mut [u8], flags_at: usize, crc: u32, packed_len: u32, len: u32, sums_at: usize) {
    let flags = u16_at(header, flags_at) & !DATA_DESCRIPTOR;
    header[flags_at..flags_at + 2].copy_from_slice(&flags.to_le_bytes());
    for (index, value) in [crc, packed_len, len].into_iter().enumerate() {
        let at = sums_at + 4 * index;
        header[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// Sets where the local header of an entry lies: in its 32-bit field, or in that of zip64 if it was there.
fn set_offset(row: &mut [u8], offset: u64) -> Option<()> {
    const FULL: [u8; 4] = [0xff; 4];
    if row[42..46] != FULL {
        let offset = u32::try_from(offset).ok().filter(|offset| *offset != u32::MAX)?;
        row[42..46].copy_from_slice(&offset.to_le_bytes());
        return Some(());
    }
    let before = [24, 20].iter().filter(|at| row[**at..**at + 4] == FULL).count() * 8;
    let extra_start = CENTRAL_LEN + usize::from(u16_at(row, 28));
    let extra_end = extra_start + usize::from(u16_at(row, 30));
    let mut at = extra_start;
    while at + 4 <= extra_end {
        let len = usize::from(u16_at(row, at + 2));
        if u16_at(row, at) == 1 {
            let field = row.get_mut(at + 4 + before..at + 4 + before + 8)?;
            field.copy_from_slice(&offset.to_le_bytes());
            return Some(());
        }
        at += 4 + len;
    }
    None
}

/// A local header whose padding is as long as the data need it that follow it at `at`.
fn realign(header: &[u8], name_len: usize, at: u64) -> Vec<u8> {
    let extra_start = LOCAL_LEN as usize + name_len;
    let mut field = extra_start;
    while field + 4 <= header.len() {
        let field_end = field + 4 + usize::from(u16_at(header, field + 2));
        if u16_at(header, field) == PADDING && field_end <= header.len() {
            let tail = &header[field_end..];
            let without = at + (field + 4 + tail.len()) as u64;
            let padding = (ALIGNMENT - without % ALIGNMENT) % ALIGNMENT;
            let mut out = header[..field + 2].to_vec();
            out.extend_from_slice(&(padding as u16).to_le_bytes());
            // The writer fills with `Z`.
            out.resize(out.len() + padding as usize, b'Z');
            out.extend_from_slice(tail);
            let extra_len = (out.len() - extra_start) as u16;
            out[28..30].copy_from_slice(&extra_len.to_le_bytes());
            return out;
        }
        field = field_end;
    }
    header.to_vec()
}

/// Writes what follows the directory, with its new place.
fn write_end(region: &Region, directory: &Directory, start: u64, out: &mut Counter<'_>) -> Result<(), Error> {
    let directory_end = directory.start + directory.bytes.len() as u64;
    let mut tail = region.from(directory_end).bytes()?.to_vec();
    let offset = start.checked_add_signed(-directory.before).ok_or_else(|| read_only("its offsets lead out of it"))?;
    let moved = out.written as i128 - i128::from(directory_end);
    if let Some(at64) = directory.end_record64 {
        let at = usize::try_from(at64.saturating_sub(directory_end)).unwrap_or(usize::MAX);
        let locator = (directory.end_record - directory_end) as usize - 20;
        let claimed = super::directory::u64_at(&tail, locator + 8);
        let new = i128::from(claimed) + moved;
        match (tail.get_mut(at..at + 56), u64::try_from(new)) {
            (Some(record), Ok(_)) => record[48..56].copy_from_slice(&offset.to_le_bytes()),
            _ => return Err(read_only("its zip64 record lies elsewhere")),
        }
        tail[locator + 8..locator + 16].copy_from_slice(&(new as u64).to_le_bytes());
    }
    let field = (directory.end_record - directory_end) as usize + 16;
    // Where the records of zip64 count, the short one may say anything.
    let old = i128::from(directory.start) - i128::from(directory.before);
    let counts = directory.end_record64.is_none() || i128::from(super::directory::u32_at(&tail, field)) == old;
    if counts && tail[field..field + 4] != [0xff; 4] {
        let offset = u32::try_from(offset).map_err(|_| read_only("it grows past 4 GiB"))?;
        tail[field..field + 4].copy_from_slice(&offset.to_le_bytes());
    }
    put(out, &tail)
}
