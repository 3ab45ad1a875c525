//! The central directory of a zip archive and the headers in it (APPNOTE.TXT 4.3), found as `zipfile` finds it.

use memchr::memmem;

use super::UTF_8;
use crate::error::{Error, ErrorKind};
use crate::region::Region;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
pub(super) const LOCAL_LEN: u64 = 30;
pub(super) const CENTRAL_LEN: usize = 46;
pub(super) const END_LEN: u64 = 22;
const END64_LEN: u64 = 56;
const LOCATOR64_LEN: u64 = 20;
/// The end record lies in the last bytes, before a comment of up to 65,535.
pub(super) const LONGEST_COMMENT: u64 = 1 << 16;
/// Directories that are longer are not those of archives that people have.
const LONGEST_DIRECTORY: u64 = 1 << 31;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |field| u16::from_le_bytes(*field))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |field| u32::from_le_bytes(*field))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |field| u64::from_le_bytes(*field))
}

/// The newest version of the format that `zipfile` reads, times ten: `MAX_EXTRACT_VERSION`.
const NEWEST_VERSION: u8 = 63;

/// What the directory says of a member.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where its header lies in the directory.
    pub(super) at: usize,
    pub(super) raw_name: Vec<u8>,
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Where its local header lies in the region.
    pub(super) header_offset: u64,
}

/// A central directory.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(super) entries: Vec<Entry>,
    /// The directory as it is, from its first header to the end of the last.
    pub(super) bytes: Vec<u8>,
    /// Where it begins.
    pub(super) start: u64,
    /// How many bytes lie before the archive: what offsets in it have to be moved by. Below zero where the directory lies
    /// before the place that it says.
    pub(super) before: i64,
    /// Where the end record lies.
    pub(super) end_record: u64,
    /// Where the zip64 end record lies that was followed.
    pub(super) end_record64: Option<u64>,
}

/// What the end records say of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) at: u64,
    pub(super) at64: Option<u64>,
    pub(super) len: u64,
    pub(super) offset: u64,
}

impl End {
    /// The end record at `at`, by its 32-bit fields.
    pub(super) fn at(region: &Region, at: u64) -> Result<Option<End>, Error> {
        let Some(record) = region.array::<{ END_LEN as usize }>(at)?.filter(|record| record.starts_with(&END)) else {
            return Ok(None);
        };
        let (len, offset) = (u32_at(&record, 12).into(), u32_at(&record, 16).into());
        Ok(Some(End { at, at64: None, len, offset }))
    }

    /// What the zip64 record says that belongs to this end record, if there is one: `_EndRecData64`.
    ///
    /// Python 3.13 looks directly before the locator. Newer ones look first where the locator says, and insist on what the
    /// record says of itself; where both read it they agree.
    pub(super) fn zip64(self, region: &Region) -> Result<Option<End>, Error> {
        let Some(locator_at) = self.at.checked_sub(LOCATOR64_LEN) else { return Ok(None) };
        let locator = region.array::<{ LOCATOR64_LEN as usize }>(locator_at)?;
        let Some(locator) = locator.filter(|locator| locator.starts_with(&LOCATOR64)) else { return Ok(None) };
        if u32_at(&locator, 4) != 0 || u32_at(&locator, 16) > 1 {
            return Err(Error::new(ErrorKind::Unsupported, "zip archives of several disks cannot be read"));
        }
        let claimed = u64_at(&locator, 8);
        let before = locator_at.checked_sub(END64_LEN);
        for at in before.into_iter().chain([claimed]) {
            let record = region.array::<{ END64_LEN as usize }>(at)?;
            if let Some(record) = record.filter(|record| record.starts_with(&END64)) {
                let (len, offset) = (u64_at(&record, 40), u64_at(&record, 48));
                return Ok(Some(End { at: self.at, at64: Some(at), len, offset }));
            }
        }
        Ok(None)
    }
}

impl Directory {
    /// The directory that `zipfile` reads, if the bytes end as a zip archive does.
    pub(super) fn find(region: &Region) -> Result<Option<Directory>, Error> {
        let Some(end) = Self::find_end(region)? else { return Ok(None) };
        let end = end.zip64(region)?.unwrap_or(end);
        Directory::read(region, end).map(Some)
    }

    /// `_EndRecData`: the last 22 bytes if they are a record without a comment, else the last signature.
    fn find_end(region: &Region) -> Result<Option<End>, Error> {
        let Some(last) = region.len().checked_sub(END_LEN) else { return Ok(None) };
        if let Some(end) = End::at(region, last)?
            && region.array::<2>(last + 20)? == Some([0, 0])
        {
            return Ok(Some(end));
        }
        let from = last.saturating_sub(LONGEST_COMMENT);
        let tail = region.from(from).bytes()?;
        match memmem::rfind(&tail, &END) {
            Some(at) => End::at(region, from + at as u64),
            None => Ok(None),
        }
    }

    /// `_RealGetContents`.
    pub(super) fn read(region: &Region, end: End) -> Result<Directory, Error> {
        let damaged = |what: &str| Error::damaged("zip archive", what);
        let records = if end.at64.is_some() { END64_LEN + LOCATOR64_LEN } else { 0 };
        let start = end.at.checked_sub(records).and_then(|at| at.checked_sub(end.len));
        let start = start.ok_or_else(|| damaged("its directory is longer than the file"))?;
        // Offsets count from the beginning of the archive, before which other data may lie.
        let before = i64::try_from(i128::from(start) - i128::from(end.offset));
        let before = before.map_err(|_| damaged("its directory is not where it says"))?;
        if end.len > LONGEST_DIRECTORY {
            return Err(damaged("its directory is longer than 2 GiB"));
        }
        let bytes = region.slice(start..start + end.len).bytes()?.to_vec();
        let mut entries = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (entry, len) = Entry::read(&bytes, at, before)?;
            entries.push(entry);
            at += len;
        }
        Ok(Directory { entries, bytes, start, before, end_record: end.at, end_record64: end.at64 })
    }

    /// Where the data of each member end at the latest: where the next header begins, or the directory.
    pub(super) fn ends(&self) -> Vec<u64> {
        let mut offsets: Vec<u64> = self.entries.iter().map(|entry| entry.header_offset).collect();
        offsets.sort_unstable();
        let next = |entry: &Entry| {
            let next = offsets.partition_point(|offset| *offset <= entry.header_offset);
            offsets.get(next).copied().unwrap_or(self.start).max(entry.header_offset)
        };
        self.entries.iter().map(next).collect()
    }
}

impl Entry {
    /// The entry at `at` of a directory, and its length there.
    fn read(bytes: &[u8], at: usize, before: i64) -> Result<(Entry, usize), Error> {
        let damaged = |what: &str| Error::damaged("zip archive", format!("an entry of its directory {what}"));
        let header = bytes.get(at..at + CENTRAL_LEN).ok_or_else(|| damaged("is cut off"))?;
        if !header.starts_with(&CENTRAL) {
            return Err(damaged("does not begin with its signature"));
        }
        if header[6] > NEWEST_VERSION {
            let message = format!("a zip archive of version {} cannot be read", header[6] as f32 / 10.0);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let [name_len, extra_len, comment_len] = [28, 30, 32].map(|field| usize::from(u16_at(header, field)));
        // What is missing at the end of the directory Python does not miss.
        let rest = &bytes[at + CENTRAL_LEN..];
        let (raw_name, rest) = rest.split_at(name_len.min(rest.len()));
        let extra = &rest[..extra_len.min(rest.len())];
        let flags = u16_at(header, 8);
        let mut entry = Entry {
            at,
            raw_name: raw_name.to_vec(),
            name: decode_name(raw_name, flags).ok_or_else(|| damaged("has a name that is not UTF-8, as it says"))?,
            flags,
            method: u16_at(header, 10),
            crc: u32_at(header, 16),
            compressed: u32_at(header, 20).into(),
            size: u32_at(header, 24).into(),
            header_offset: u32_at(header, 42).into(),
        };
        entry.read_extra(extra).ok_or_else(|| damaged("has an extra field that is cut off"))?;
        // A place before the file is none.
        entry.header_offset = entry.header_offset.checked_add_signed(before).unwrap_or(u64::MAX);
        Ok((entry, CENTRAL_LEN + name_len + extra_len + comment_len))
    }

    /// `ZipInfo._decodeExtra`: the sizes of zip64, and a name in UTF-8.
    fn read_extra(&mut self, mut extra: &[u8]) -> Option<()> {
        while extra.len() >= 4 {
            let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
            let mut field = extra.get(4..4 + len)?;
            if id == 1 {
                for value in [&mut self.size, &mut self.compressed, &mut self.header_offset] {
                    if *value == u64::from(u32::MAX) {
                        *value = u64::from_le_bytes(*field.first_chunk()?);
                        field = &field[8..];
                    }
                }
            }
            // Info-ZIP's Unicode Path: version 1, the checksum of the other name, the name.
            if id == 0x7075 && field.first() == Some(&1) && u32_at(field, 1) == crc32fast::hash(&self.raw_name) {
                match str::from_utf8(field.get(5..)?) {
                    Ok("") => {}
                    Ok(name) => self.name = name.split('\0').next().unwrap_or_default().to_owned(),
                    Err(_) => return None,
                }
            }
            extra = &extra[4 + len..];
        }
        Some(())
    }
}

/// A name ends at a NUL; it is UTF-8 if a flag says so, and in code page 437 otherwise.
fn decode_name(raw: &[u8], flags: u16) -> Option<String> {
    let name = if flags & UTF_8 != 0 {
        str::from_utf8(raw).ok()?.to_owned()
    } else {
        raw.iter()
            .map(|byte| {
                CODE_PAGE_437.chars().nth(usize::from(byte & 0x7f)).filter(|_| *byte >= 0x80).unwrap_or(*byte as char)
            })
            .collect()
    };
    Some(name.split('\0').next().unwrap_or_default().to_owned())
}

/// The upper half of the code page.
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The header before the data of a member.
#[derive(Debug)]
pub(super) struct Local {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) compressed: u64,
    pub(super) size: u64,
    /// Where the data begin.
    pub(super) data_start: u64,
}

impl Local {
    /// The local header at `at`, if there is one.
    pub(super) fn read(region: &Region, at: u64) -> Result<Option<Local>, Error> {
        let Some(header) = region.array::<{ LOCAL_LEN as usize }>(at)?.filter(|header| header.starts_with(&LOCAL))
        else {
            return Ok(None);
        };
        let (name_len, extra_len) = (u64::from(u16_at(&header, 26)), u64::from(u16_at(&header, 28)));
        let name_start = at + LOCAL_LEN;
        let data_start = name_start + name_len + extra_len;
        if data_start > region.len() {
            return Ok(None);
        }
        Ok(Some(Local {
            name: region.slice(name_start..name_start + name_len).bytes()?.to_vec(),
            flags: u16_at(&header, 6),
            method: u16_at(&header, 8),
            compressed: u32_at(&header, 18).into(),
            size: u32_at(&header, 22).into(),
            data_start,
        }))
    }
}
