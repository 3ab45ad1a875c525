//! Bytes somewhere: in memory, or in a file that is read at offsets.

use std::fs;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use memchr::memmem;

use crate::error::{Error, ErrorKind};

/// Files up to this length are read into memory at once.
const IN_MEMORY: u64 = 1 << 20;
/// Bytes that are read at once where fewer are asked for: members of archives lie side by side.
const PAGE: usize = 64 << 10;
/// Arrow asks for it, and vector instructions take no more.
pub(crate) const ALIGNMENT: usize = 64;
/// Bytes that a reader fetches from disk at first and in the end.
const FIRST_PIECE: u64 = 4 << 10;
const LAST_PIECE: u64 = 1 << 20;
/// Bytes of a piece that is passed on: what the caches of a processor keep until it is written.
const PIECE: u64 = 128 << 10;
/// Bytes that a search reads at once.
const SEARCHED: u64 = 1 << 20;

/// A part of a file, of data that were decompressed, or of bytes in memory. Cheap to clone and to slice.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    store: Store,
    start: u64,
    len: u64,
    /// Where it begins in the outermost file, if it lies there as it is.
    place: Option<u64>,
}

#[derive(Debug, Clone)]
enum Store {
    Memory(Bytes),
    Disk(Arc<Mutex<Disk>>),
    /// Parts at places in zeros, in order and apart: a sparse member of a tar archive.
    Sparse(Arc<[(u64, Region)]>),
}

/// An open file and what was read of it last. No memory map: a file that is truncated meanwhile would crash the program.
#[derive(Debug)]
struct Disk {
    file: fs::File,
    page_start: u64,
    page: Vec<u8>,
}

impl Region {
    /// A file on disk.
    pub(crate) fn file(file: fs::File, len: u64) -> Result<Region, Error> {
        let disk = Disk { file, page_start: 0, page: Vec::new() };
        let region = Region { store: Store::Disk(Arc::new(Mutex::new(disk))), start: 0, len, place: Some(0) };
        if len > IN_MEMORY { Ok(region) } else { Ok(Region::outermost(region.bytes()?)) }
    }

    /// Bytes that are the whole outermost file.
    pub(crate) fn outermost(bytes: Bytes) -> Region {
        Region { place: Some(0), ..Region::memory(bytes) }
    }

    /// Bytes that lie in no file as they are.
    pub(crate) fn memory(bytes: Bytes) -> Region {
        Region { len: bytes.len() as u64, store: Store::Memory(bytes), start: 0, place: None }
    }

    /// Zeros with parts of other regions in them, which follow each other.
    pub(crate) fn sparse(parts: Vec<(u64, Region)>, len: u64) -> Region {
        Region { len, store: Store::Sparse(parts.into()), start: 0, place: None }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Where it begins in the outermost file, if it lies there as it is.
    pub(crate) fn place(&self) -> Option<u64> {
        self.place
    }

    /// A part of it; what lies beyond its end is left out.
    pub(crate) fn slice(&self, range: Range<u64>) -> Region {
        let start = range.start.min(self.len);
        let len = range.end.clamp(start, self.len) - start;
        let place = self.place.map(|place| place + start);
        Region { store: self.store.clone(), start: self.start + start, len, place }
    }

    /// The same bytes, of another file than the outermost.
    pub(crate) fn elsewhere(self) -> Region {
        Region { place: None, ..self }
    }

    /// The part from `start` on.
    pub(crate) fn from(&self, start: u64) -> Region {
        self.slice(start..self.len)
    }

    /// All of its bytes, without a copy where they are in memory.
    pub(crate) fn bytes(&self) -> Result<Bytes, Error> {
        self.bytes_aligned(0)
    }

    /// All of its bytes. Where they are read from disk, the one at `at` comes to lie at a multiple of [`ALIGNMENT`]: numbers
    /// that begin there can be used where they are.
    pub(crate) fn bytes_aligned(&self, at: u64) -> Result<Bytes, Error> {
        match &self.store {
            Store::Memory(bytes) => {
                let start = self.start as usize;
                Ok(bytes.slice(start..start + self.len as usize))
            }
            Store::Disk(disk) => {
                let mut out = Vec::new();
                let before = if self.len >= PAGE as u64 { self.reserve_aligned(at, &mut out)? } else { 0 };
                let mut disk = disk.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                disk.read_to(self.start, self.len, &mut out).map_err(|error| Error::io("cannot read", error))?;
                if ((out.len() - before) as u64) < self.len {
                    return Err(became_shorter());
                }
                Ok(Bytes::from(out).slice(before..))
            }
            Store::Sparse(parts) => self.filled(parts).map(Bytes::from),
        }
    }

    /// Reserves memory for all of its bytes, in one piece: memory that moved would be aligned no more. Puts as many zeros
    /// into it, and returns how many, as bring the byte at `at` to a multiple of [`ALIGNMENT`]. The system gives memory only
    /// as it is written to, so that a file that became shorter takes none for what it had.
    fn reserve_aligned(&self, at: u64, out: &mut Vec<u8>) -> Result<usize, Error> {
        let len = usize::try_from(self.len).ok().and_then(|len| len.checked_add(ALIGNMENT));
        if len.is_none_or(|len| out.try_reserve_exact(len).is_err()) {
            return Err(Error::new(ErrorKind::Limit, format!("{} bytes are too many for the memory", self.len)));
        }
        let before = (out.as_ptr() as usize).wrapping_add(at as usize).wrapping_neg() % ALIGNMENT;
        out.resize(before, 0);
        Ok(before)
    }

    /// The bytes of a sparse region. Its length was counted when it was made.
    fn filled(&self, parts: &[(u64, Region)]) -> Result<Vec<u8>, Error> {
        let (start, end) = (self.start, self.start + self.len);
        let len = usize::try_from(self.len).ok();
        let mut out = Vec::new();
        match len.filter(|len| out.try_reserve_exact(*len).is_ok()) {
            Some(len) => out.resize(len, 0),
            None => {
                return Err(Error::new(ErrorKind::Limit, format!("{} bytes are too many for the memory", self.len)));
            }
        }
        let first = parts.partition_point(|(at, part)| at + part.len <= start);
        for (at, part) in parts[first..].iter().take_while(|(at, _)| *at < end) {
            let from = start.max(*at);
            let bytes = part.slice(from - at..end - at).bytes()?;
            out[(from - start) as usize..][..bytes.len()].copy_from_slice(&bytes);
        }
        Ok(out)
    }

    /// Its first bytes, at most `len`.
    pub(crate) fn head(&self, len: usize) -> Result<Bytes, Error> {
        self.slice(0..len as u64).bytes()
    }

    /// Where `needle` lies in the region, which is read piece by piece.
    pub(crate) fn find_all(&self, needle: &[u8]) -> impl Iterator<Item = Result<u64, Error>> {
        let finder = memmem::Finder::new(needle).into_owned();
        let mut piece = (0, Bytes::new());
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let (start, bytes) = &piece;
                if let Some(at) = bytes.get((from - start) as usize..).and_then(|rest| finder.find(rest)) {
                    let at = from + at as u64;
                    from = at + 1;
                    return Some(Ok(at));
                }
                let end = start + bytes.len() as u64;
                if end >= self.len {
                    return None;
                }
                // A needle may begin at the end of one piece and end in the next.
                let next = end.saturating_sub(finder.needle().len() as u64 - 1).max(from);
                match self.slice(next..next.saturating_add(SEARCHED)).bytes() {
                    Ok(bytes) => piece = (next, bytes),
                    Err(error) => {
                        piece = (self.len, Bytes::new());
                        from = self.len;
                        return Some(Err(error));
                    }
                }
                from = next;
            }
        })
    }

    /// The bytes from `start` on, as an array, if so many are there.
    pub(crate) fn array<const N: usize>(&self, start: u64) -> Result<Option<[u8; N]>, Error> {
        if start.checked_add(N as u64).is_none_or(|end| end > self.len) {
            return Ok(None);
        }
        let bytes = self.slice(start..start + N as u64).bytes()?;
        Ok(bytes.first_chunk().copied())
    }

    /// Whether it has holes, which no bytes stand for.
    pub(crate) fn is_sparse(&self) -> bool {
        matches!(self.store, Store::Sparse(_))
    }

    /// Its bytes if they are in memory.
    pub(crate) fn in_memory(&self) -> Option<&[u8]> {
        match &self.store {
            Store::Memory(bytes) => bytes.get(self.start as usize..(self.start + self.len) as usize),
            Store::Disk(_) | Store::Sparse(_) => None,
        }
    }

    /// Its bytes piece by piece, in memory of its own that all pieces share, until no more is wanted.
    pub(crate) fn pieces(&self, each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), Error> {
        if let Some(bytes) = self.in_memory() {
            let _ = each(bytes);
            return Ok(());
        }
        let mut buffer = Vec::new();
        let mut at = 0;
        while at < self.len {
            let piece = self.slice(at..at + PIECE);
            match &piece.store {
                Store::Disk(disk) => {
                    buffer.resize(piece.len as usize, 0);
                    let mut disk = disk.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    disk.file
                        .seek(SeekFrom::Start(piece.start))
                        .and_then(|_| disk.file.read_exact(&mut buffer))
                        .map_err(read_error)?;
                }
                _ => buffer = piece.bytes()?.into(),
            }
            if each(&buffer).is_break() {
                break;
            }
            at += piece.len;
        }
        Ok(())
    }

    /// Reads it from its beginning.
    pub(crate) fn reader(&self) -> RegionReader {
        RegionReader::at(self, 0)
    }
}

fn became_shorter() -> Error {
    Error::new(ErrorKind::Truncated, "the file became shorter while it was read")
}

fn read_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => became_shorter(),
        _ => Error::io("cannot read", error),
    }
}

impl Disk {
    fn read_to(&mut self, start: u64, len: u64, out: &mut Vec<u8>) -> io::Result<()> {
        if len >= PAGE as u64 {
            self.file.seek(SeekFrom::Start(start))?;
            return Read::by_ref(&mut self.file).take(len).read_to_end(out).map(drop);
        }
        let within = |disk: &Disk| {
            let at = usize::try_from(start.checked_sub(disk.page_start)?).ok()?;
            disk.page.get(at..)?.get(..len as usize).map(<[u8]>::to_vec)
        };
        if let Some(found) = within(self) {
            *out = found;
            return Ok(());
        }
        self.page.clear();
        self.page_start = start;
        self.file.seek(SeekFrom::Start(start))?;
        Read::by_ref(&mut self.file).take(PAGE as u64).read_to_end(&mut self.page)?;
        out.extend_from_slice(&self.page[..self.page.len().min(len as usize)]);
        Ok(())
    }
}

/// Reads a region piece by piece.
#[derive(Debug)]
pub(crate) struct RegionReader {
    /// What was not fetched yet.
    rest: Region,
    buffer: Bytes,
    /// How much of the buffer was consumed.
    consumed: usize,
    offset: u64,
    /// How much is fetched next: little at first, as many readers of small pickles may follow each other.
    piece: u64,
}

impl RegionReader {
    /// A reader of a region from `offset` on.
    pub(crate) fn at(region: &Region, offset: u64) -> Self {
        RegionReader { rest: region.from(offset), buffer: Bytes::new(), consumed: 0, offset, piece: FIRST_PIECE }
    }

    /// How far it was read, from the beginning of the region.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }
}

impl BufRead for RegionReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed == self.buffer.len() && self.rest.len > 0 {
            let most = if self.rest.in_memory().is_some() { self.rest.len } else { self.piece };
            self.piece = (self.piece * 2).min(LAST_PIECE);
            let piece = self.rest.slice(0..most);
            self.buffer = piece.bytes().map_err(io::Error::other)?;
            self.consumed = 0;
            self.rest = self.rest.from(piece.len);
        }
        Ok(&self.buffer[self.consumed..])
    }

    fn consume(&mut self, len: usize) {
        let len = len.min(self.buffer.len() - self.consumed);
        self.consumed += len;
        self.offset += len as u64;
    }
}

impl Read for RegionReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let buffer = self.fill_buf()?;
        let len = buffer.len().min(out.len());
        out[..len].copy_from_slice(&buffer[..len]);
        self.consume(len);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_what_lies_across_two_pieces() {
        let mut bytes = vec![0; 2 * SEARCHED as usize];
        for at in [0, SEARCHED - 9, SEARCHED - 3, SEARCHED + 5, 2 * SEARCHED - 5] {
            bytes[at as usize..][..5].copy_from_slice(b"aabaa");
        }
        let expected: Vec<u64> =
            (0..).zip(bytes.windows(2)).filter(|(_, pair)| pair == b"aa").map(|(at, _)| at).collect();
        let found: Vec<u64> = Region::memory(bytes.into()).find_all(b"aa").map(Result::unwrap).collect();
        assert_eq!(found, expected);
    }
}
