//! `dbm.dumb`: `NAME.dir` has a line for each key, `'key', (offset, length)`, and `NAME.dat` the values, each at the
//! beginning of a block of 512 bytes (`Lib/dbm/dumb.py`; `dumbdbm` of Python 2).
//!
//! Python overwrites values in place, and loses them if it is stopped before it wrote the directory. Here a value goes to
//! blocks that the directory on disk does not name, and the directory is replaced as a whole by [`sync`](Database::sync).

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Backend, Database, with_ending};
use crate::error::{Error, ErrorKind};

const BLOCK: u64 = 512;

/// Where a value lies in the data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

impl Place {
    /// The blocks that it takes, as places of bytes.
    fn blocks(self) -> (u64, u64) {
        (self.offset / BLOCK * BLOCK, blocks(self.offset.saturating_add(self.len)))
    }
}

/// The next beginning of a block.
fn blocks(len: u64) -> u64 {
    len.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// Reads a directory: keys in order, and where their values are. Of two lines with the same key, the position is that of the
/// first and the place that of the last, as in Python.
pub(crate) fn parse_directory(text: &[u8]) -> Result<Vec<(Vec<u8>, Place)>, Error> {
    let mut entries: Vec<(Vec<u8>, Place)> = Vec::new();
    let mut at: HashMap<Vec<u8>, usize> = HashMap::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let (key, place) = parse_line(line).ok_or_else(|| {
            Error::damaged("dbm.dumb directory", format!("line {} is not 'key', (offset, length)", number + 1))
        })?;
        match at.get(&key) {
            Some(index) => entries[*index].1 = place,
            None => {
                at.insert(key.clone(), entries.len());
                entries.push((key, place));
            }
        }
    }
    Ok(entries)
}

/// `'key', (offset, length)`. Characters stand for bytes.
fn parse_line(line: &[u8]) -> Option<(Vec<u8>, Place)> {
    let (&quote, mut rest) = line.split_first().filter(|(quote, _)| matches!(quote, b'\'' | b'"'))?;
    let mut key = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            byte if byte == quote => break,
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                key.push(match escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'x' => {
                        let digits = str::from_utf8(rest.get(..2)?).ok()?;
                        rest = &rest[2..];
                        u8::from_str_radix(digits, 16).ok()?
                    }
                    b'\\' | b'\'' | b'"' => escape,
                    _ => return None,
                });
            }
            byte => key.push(byte),
        }
    }
    let rest = str::from_utf8(rest).ok()?.strip_prefix(',')?.trim_start();
    let (offset, len) = rest.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    // Python 2 wrote long integers.
    let number = |text: &str| text.trim().trim_end_matches('L').parse().ok();
    Some((key, Place { offset: number(offset)?, len: number(len)? }))
}

/// A line as all Pythons read it: what is not printable ASCII is escaped.
fn write_line(key: &[u8], place: Place, out: &mut Vec<u8>) {
    out.push(b'\'');
    for &byte in key {
        match byte {
            b'\'' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    out.extend(format!("', ({}, {})\n", place.offset, place.len).bytes());
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    place: Place,
    /// Counts up with each new key: the order of the directory.
    turn: u64,
}

/// An open database.
#[derive(Debug)]
pub(super) struct Dumb {
    path: PathBuf,
    data: File,
    writes: bool,
    entries: HashMap<Vec<u8>, Entry>,
    next_turn: u64,
    /// Where the data end, at the beginning of a block.
    end: u64,
    /// Blocks that no directory names, as places from and to; those at the end are taken first.
    free: Vec<(u64, u64)>,
    is_changed: bool,
}

impl Dumb {
    pub(super) fn open(path: &Path, writes: bool, is_new: bool) -> Result<Dumb, Error> {
        let cannot = |error| Error::io("cannot open", error);
        let data_path = with_ending(path, ".dat");
        let mut options = OpenOptions::new();
        options.read(true).write(writes);
        let data = options.create(writes && is_new).open(&data_path).map_err(cannot)?;
        if writes {
            lock(&data)?;
        }
        let directory = with_ending(path, ".dir");
        let text = match fs::read(&directory) {
            _ if is_new => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && writes => Vec::new(),
            read => read.map_err(cannot)?,
        };
        let entries: HashMap<_, _> =
            (0..).zip(parse_directory(&text)?).map(|(turn, (key, place))| (key, Entry { place, turn })).collect();
        let next_turn = entries.len() as u64;
        if is_new {
            data.set_len(0).map_err(cannot)?;
        }
        let end = blocks(data.metadata().map_err(cannot)?.len());
        let mut database =
            Dumb { path: path.to_owned(), data, writes, entries, next_turn, end, free: Vec::new(), is_changed: is_new };
        database.find_free();
        if is_new {
            database.sync()?;
        }
        Ok(database)
    }

    /// Finds the blocks that nothing lies in: what is in the directory now is on disk, too.
    fn find_free(&mut self) {
        let mut taken: Vec<_> = self.entries.values().map(|entry| entry.place.blocks()).collect();
        taken.sort_unstable();
        let mut at = 0;
        self.free.clear();
        for (start, end) in taken {
            if start > at {
                self.free.push((at, start));
            }
            at = at.max(end);
        }
        if self.end > at {
            self.free.push((at, self.end));
        }
        // Large ones last, so that one look at the end tells whether there is room.
        self.free.sort_unstable_by_key(|(start, end)| end - start);
    }

    /// Takes blocks for so many bytes.
    fn take(&mut self, len: u64) -> u64 {
        let need = blocks(len.max(1));
        while self.free.pop_if(|(start, end)| start == end).is_some() {}
        if let Some((start, end)) = self.free.last_mut()
            && *end - *start >= need
        {
            let offset = *start;
            *start += need;
            return offset;
        }
        let offset = self.end;
        self.end += need;
        offset
    }

    fn check_writes(&self) -> Result<(), Error> {
        if self.writes {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ReadOnly, "the database was opened to read"))
    }

    fn write_directory(&self) -> io::Result<()> {
        let mut sorted: Vec<_> = self.entries.iter().collect();
        sorted.sort_unstable_by_key(|(_, entry)| entry.turn);
        let mut text = Vec::new();
        for (key, entry) in sorted {
            write_line(key, entry.place, &mut text);
        }
        let directory = with_ending(&self.path, ".dir");
        let new = with_ending(&self.path, ".dir.new");
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        // As Python does, the directory of before stays. It may be missing, and a file system may have no links.
        let backup = with_ending(&self.path, ".bak");
        let _ = fs::remove_file(&backup);
        let _ = fs::hard_link(&directory, &backup);
        fs::rename(&new, &directory)?;
        sync_folder(&directory)
    }
}

impl Database for Dumb {
    fn backend(&self) -> Backend {
        Backend::Dumb
    }

    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(Entry { place: Place { offset, len }, .. }) = self.entries.get(key).copied() else { return Ok(None) };
        let mut value = Vec::new();
        let read = self.data.seek(SeekFrom::Start(offset));
        let read = read.and_then(|_| (&self.data).take(len).read_to_end(&mut value));
        read.map_err(|error| Error::io("cannot read", error))?;
        if value.len() as u64 != len {
            let what = format!("the value of {:?} ends behind the data file", String::from_utf8_lossy(key));
            return Err(Error::damaged("dbm.dumb database", what));
        }
        Ok(Some(value))
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.check_writes()?;
        let len = value.len() as u64;
        let offset = self.take(len);
        self.data.seek(SeekFrom::Start(offset)).map_err(Error::write)?;
        self.data.write_all(value).map_err(Error::write)?;
        let turn = self.next_turn;
        let entry = self.entries.entry(key.to_vec()).or_insert(Entry { place: Place { offset, len }, turn });
        entry.place = Place { offset, len };
        self.next_turn += 1;
        self.is_changed = true;
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<bool, Error> {
        self.check_writes()?;
        let was_there = self.entries.remove(key).is_some();
        self.is_changed |= was_there;
        Ok(was_there)
    }

    fn keys(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let mut keys: Vec<_> = self.entries.iter().map(|(key, entry)| (entry.turn, key.clone())).collect();
        keys.sort_unstable_by_key(|(turn, _)| *turn);
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    fn len(&mut self) -> Result<usize, Error> {
        Ok(self.entries.len())
    }

    fn sync(&mut self) -> Result<(), Error> {
        if !self.is_changed {
            return Ok(());
        }
        self.data.sync_all().map_err(Error::write)?;
        self.write_directory().map_err(Error::write)?;
        self.is_changed = false;
        self.find_free();
        Ok(())
    }
}

impl Drop for Dumb {
    fn drop(&mut self) {
        // As Python's `close`; who needs to know whether it was written calls `sync`.
        let _ = self.sync();
    }
}

/// Keeps other writers out, until the file is closed. Readers are let in. One that was opened before a change may find the
/// blocks that it knows used for another value, as with Python: it has to be opened again.
fn lock(data: &File) -> Result<(), Error> {
    match fs4::FileExt::try_lock(data) {
        Ok(()) => Ok(()),
        Err(fs4::TryLockError::WouldBlock) => {
            Err(Error::new(ErrorKind::Locked, "another program has the database open to write"))
        }
        // Some network file systems have no locks; Python has none at all.
        Err(fs4::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(fs4::TryLockError::Error(error)) => Err(Error::io("cannot lock", error)),
    }
}

/// Makes a new name in a folder last.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<(Vec<u8>, Place)> {
        parse_line(line.as_bytes())
    }

    #[test]
    fn lines_of_every_python_are_read() {
        let place = Place { offset: 512, len: 3 };
        assert_eq!(parse("'key', (512, 3)"), Some((b"key".to_vec(), place)));
        assert_eq!(parse("\"it's\", (512, 3)"), Some((b"it's".to_vec(), place)));
        assert_eq!(parse(r"'a\n\x00\'\\', (512L, 3L)"), Some((b"a\n\0'\\".to_vec(), place)));
        assert_eq!(parse_line(b"'caf\xe9', (512, 3)"), Some((b"caf\xe9".to_vec(), place)));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["'key'", "key, (1, 2)", "'key', (1)", "'key', (1, 2", "'key', (-1, 2)", "'\\x1', (1, 2)", "'"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_written_line_is_read_again() {
        let key: Vec<u8> = (0..=255).collect();
        let place = Place { offset: 1024, len: 7 };
        let mut line = Vec::new();
        write_line(&key, place, &mut line);
        assert!(line.is_ascii());
        assert_eq!(parse_line(line.trim_ascii()), Some((key, place)));
    }

    #[test]
    fn the_last_place_of_a_key_counts() {
        let entries = parse_directory(b"'a', (0, 1)\n'b', (512, 1)\n'a', (1024, 2)\n").unwrap();
        assert_eq!(entries[0], (b"a".to_vec(), Place { offset: 1024, len: 2 }));
        assert_eq!(entries.len(), 2);
    }
}
