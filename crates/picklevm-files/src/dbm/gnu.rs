//! GNU dbm: a header, a directory of buckets, and buckets that say where each key and its value lie (`gdbmdefs.h`).
//!
//! Files are in the byte order and with the width of `off_t` of the machine that wrote them. Only read: keys and values are
//! where the buckets say, and what is freed is not looked at.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{Backend, Database};
use crate::error::{Error, ErrorKind};
use crate::region::Region;

/// The first four bytes: of files with 32 and 64 bits of offsets, older ones, and those that count their syncs.
const MAGICS: [u32; 5] = [0x1357_9acd, 0x1357_9ace, 0x1357_9acf, 0x1357_9ad0, 0x1357_9ad1];

pub(crate) fn begins(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|magic| {
        MAGICS.contains(&u32::from_le_bytes(*magic)) || MAGICS.contains(&u32::from_be_bytes(*magic))
    })
}

/// How a file is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    is_big: bool,
    /// Bytes of an offset: 4 or 8.
    width: u64,
    directory: u64,
    directory_len: u64,
    bucket_len: u64,
    bucket_elements: u64,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) key: Vec<u8>,
    /// Where the value lies, and its length.
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

fn damaged(what: &str) -> Error {
    Error::damaged("GNU dbm database", what)
}

impl Layout {
    /// Reads the header: of the byte orders and widths there are, the one that agrees with itself.
    pub(crate) fn of(region: &Region) -> Result<Layout, Error> {
        let magic: [u8; 4] = region.array(0)?.ok_or_else(|| damaged("it ends in its header"))?;
        let is_big = MAGICS.contains(&u32::from_be_bytes(magic));
        for width in [8, 4] {
            let mut layout =
                Layout { is_big, width, directory: 0, directory_len: 0, bucket_len: 0, bucket_elements: 0 };
            let after = 8 + width;
            layout.directory = layout.offset(region, 8)?;
            layout.directory_len = layout.number(region, after)?.into();
            let bits = layout.number(region, after + 4)?;
            layout.bucket_len = layout.number(region, after + 8)?.into();
            layout.bucket_elements = layout.number(region, after + 12)?.into();
            let in_directory = 1u64.checked_shl(bits).and_then(|count| count.checked_mul(width));
            let fits = layout.table() + layout.bucket_elements * layout.element_len() <= layout.bucket_len;
            let end = layout.directory.checked_add(layout.directory_len);
            if in_directory == Some(layout.directory_len) && fits && end.is_some_and(|end| end <= region.len()) {
                return Ok(layout);
            }
        }
        Err(damaged("its header does not agree with itself"))
    }

    fn number(&self, region: &Region, at: u64) -> Result<u32, Error> {
        let bytes = region.array(at)?.ok_or_else(|| damaged("it ends too early"))?;
        Ok(if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn offset(&self, region: &Region, at: u64) -> Result<u64, Error> {
        if self.width == 4 {
            return Ok(self.number(region, at)?.into());
        }
        let bytes = region.array(at)?.ok_or_else(|| damaged("it ends too early"))?;
        Ok(if self.is_big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    /// Where the table of a bucket begins: behind a count and six free places, its bits, and its count.
    fn table(&self) -> u64 {
        if self.width == 8 { 8 + 6 * 16 + 8 } else { 4 + 6 * 8 + 8 }
    }

    /// Hash, first bytes of the key, offset, lengths of key and value.
    fn element_len(&self) -> u64 {
        16 + self.width
    }

    /// All keys and places, in the order in which GNU dbm goes through them.
    pub(crate) fn elements(&self, region: &Region) -> Result<Vec<Element>, Error> {
        let directory = region.slice(self.directory..self.directory + self.directory_len);
        let mut elements = Vec::new();
        // Several places of the directory name one bucket, as long as it was not split.
        let mut seen = HashSet::new();
        let mut at = 0;
        while at < directory.len() {
            let bucket = self.offset(&directory, at)?;
            at += self.width;
            if !seen.insert(bucket) {
                continue;
            }
            let bucket = region.slice(bucket..bucket.saturating_add(self.bucket_len));
            if bucket.len() < self.bucket_len {
                return Err(damaged("a bucket lies behind its end"));
            }
            for element in 0..self.bucket_elements {
                elements.extend(self.element(region, &bucket, self.table() + element * self.element_len())?);
            }
        }
        Ok(elements)
    }

    fn element(&self, region: &Region, bucket: &Region, at: u64) -> Result<Option<Element>, Error> {
        const FREE: u32 = u32::MAX;
        if self.number(bucket, at)? == FREE {
            return Ok(None);
        }
        let key_at = self.offset(bucket, at + 8)?;
        let key_len = u64::from(self.number(bucket, at + 8 + self.width)?);
        let len = u64::from(self.number(bucket, at + 12 + self.width)?);
        let offset = key_at.saturating_add(key_len);
        if offset.checked_add(len).is_none_or(|end| end > region.len()) {
            return Err(damaged("a value lies behind its end"));
        }
        let key = region.slice(key_at..offset).bytes()?.to_vec();
        Ok(Some(Element { key, offset, len }))
    }
}

/// An open database.
#[derive(Debug)]
pub(super) struct Gnu {
    region: Region,
    elements: Vec<Element>,
    by_key: std::collections::HashMap<Vec<u8>, usize>,
}

impl Gnu {
    pub(super) fn open(path: &Path) -> Result<Gnu, Error> {
        let cannot = |error| Error::io("cannot open", error);
        let file = fs::File::open(path).map_err(cannot)?;
        let len = file.metadata().map_err(cannot)?.len();
        let region = Region::file(file, len)?;
        let elements = Layout::of(&region)?.elements(&region)?;
        let by_key = elements.iter().enumerate().map(|(index, element)| (element.key.clone(), index)).collect();
        Ok(Gnu { region, elements, by_key })
    }
}

fn read_only() -> Error {
    Error::new(ErrorKind::ReadOnly, "GNU dbm files are only read")
}

impl Database for Gnu {
    fn backend(&self) -> Backend {
        Backend::Gnu
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(index) = self.by_key.get(key) else { return Ok(None) };
        let Element { offset, len, .. } = self.elements[*index];
        Ok(Some(self.region.slice(offset..offset + len).bytes()?.to_vec()))
    }

    fn set(&mut self, _: &[u8], _: &[u8]) -> Result<(), Error> {
        Err(read_only())
    }

    fn delete(&mut self, _: &[u8]) -> Result<bool, Error> {
        Err(read_only())
    }

    fn keys(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.elements.iter().map(|element| element.key.clone()).collect())
    }

    fn len(&mut self) -> Result<usize, Error> {
        Ok(self.elements.len())
    }

    fn sync(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
