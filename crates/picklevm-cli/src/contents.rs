//! The contents of a file by member, pickles and other bytes, for commands that compare files.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use picklevm_files::Member;

use crate::failure::Failure;
use crate::input::{self, Choice};
use crate::pickles::{self, Pickle};

/// Bytes that are read of a member at once.
const PIECE: u64 = 1 << 20;
/// Up to so many bytes of blanks between pickles are nothing.
const BLANKS: u64 = 1 << 16;

/// The contents of a member.
#[derive(Default)]
pub(crate) struct Part {
    /// The path of the member, without the directory that all members of an archive share.
    pub(crate) member: String,
    pub(crate) pickles: Vec<Pickle>,
    /// What lies beside the pickles, in order.
    others: Vec<Other>,
}

/// Bytes beside pickles.
#[derive(Clone)]
enum Other {
    /// Of a member that is compressed: reading a part of it would decompress all of it each time.
    Held(Bytes),
    /// Of a member that lies in the file as it is.
    InFile(Member, Range<u64>),
}

impl Part {
    /// The bytes that are no pickles.
    pub(crate) fn others(&self) -> impl Read + '_ {
        Pieces { left: self.others.clone().into(), piece: Bytes::new() }
    }
}

/// What is in each member of a file that is chosen. A member that holds other members is represented by these.
///
/// # Errors
///
/// [`Failure`] if the file cannot be read, or if there is no pickle in it.
pub(crate) fn parts(path: &Path, choice: &Choice) -> Result<Vec<Part>, Failure> {
    let name = input::name(path);
    let file = input::open(&choice.opener(), path)?;
    let mut parts: Vec<Part> = Vec::new();
    for entry in file.walk().filter(|entry| choice.has(entry.member.path())) {
        let path = entry.member.path();
        let called = pickles::called(&name, path);
        let at = parts.iter().rposition(|part| part.member == path).unwrap_or_else(|| {
            parts.push(Part { member: path.to_owned(), ..Part::default() });
            parts.len() - 1
        });
        let part = &mut parts[at];
        let contents = entry.contents.as_ref().ok();
        let found = contents.map_or(&[][..], picklevm_files::Contents::pickles);
        for pickle in found {
            part.pickles.push(Pickle::new(&called, &entry.member, pickle)?);
        }
        if contents.is_none_or(|contents| contents.members().is_empty()) {
            part.others.extend(beside(&entry.member, found).map_err(|error| input::failure(&name, &error))?);
        }
    }
    if parts.iter().all(|part| part.pickles.is_empty()) {
        return Err(pickles::nothing(&name, &file, choice));
    }
    parts.retain(|part| !part.pickles.is_empty() || !part.others.is_empty());
    // PyTorch calls it as the file was called.
    let shared = parts.first().and_then(|part| part.member.split_once('/')).map(|(first, _)| format!("{first}/"));
    if let Some(shared) = shared.filter(|shared| parts.iter().all(|part| part.member.starts_with(shared))) {
        for part in &mut parts {
            part.member.drain(..shared.len());
        }
    }
    Ok(parts)
}

/// The ranges of a member in which no pickle lies, but for blanks.
fn beside(member: &Member, pickles: &[picklevm_files::Pickle]) -> Result<Vec<Other>, picklevm_files::Error> {
    let held = if member.place().is_none() { Some(member.bytes()?) } else { None };
    let len = held.as_ref().map(|held| held.len() as u64).or(member.len()).unwrap_or_default();
    let mut ranges = Vec::new();
    let mut at = 0;
    for pickle in pickles {
        ranges.push(at..pickle.offset());
        ranges.extend(pickle.arrays().iter().map(|array| array.range.clone()));
        let of_arrays: u64 = pickle.arrays().iter().map(|array| array.range.end - array.range.start).sum();
        at = pickle.offset() + pickle.place().map_or(pickle.len() + of_arrays, |place| place.len);
    }
    ranges.push(at..len);
    let mut beside = Vec::new();
    for range in ranges.into_iter().filter(|range| range.start < range.end) {
        let part = |held: &Bytes| held.slice(range.start.min(len) as usize..range.end.min(len) as usize);
        let read = held.as_ref().map(part);
        let is_blank = range.end - range.start <= BLANKS && {
            let bytes = read.clone().map_or_else(|| member.range(range.clone()), Ok)?;
            bytes.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n'))
        };
        if !is_blank {
            beside.push(read.map_or_else(|| Other::InFile(member.clone(), range), Other::Held));
        }
    }
    Ok(beside)
}

/// Reads bytes of several places one behind the other.
struct Pieces {
    left: VecDeque<Other>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.left.pop_front() {
                None => return Ok(0),
                Some(Other::Held(bytes)) => self.piece = bytes,
                Some(Other::InFile(member, range)) => {
                    let end = range.end.min(range.start + PIECE);
                    self.piece = member.range(range.start..end)?;
                    if end < range.end {
                        self.left.push_front(Other::InFile(member, end..range.end));
                    }
                }
            }
        }
        let len = buf.len().min(self.piece.len());
        buf[..len].copy_from_slice(&self.piece.split_to(len));
        Ok(len)
    }
}

/// Whether two readers have the same bytes.
pub(crate) fn are_equal(mut old: impl Read, mut new: impl Read) -> io::Result<bool> {
    let [mut of_old, mut of_new] = [vec![0; 1 << 16], vec![0; 1 << 16]];
    loop {
        let len = fill(&mut old, &mut of_old)?;
        if fill(&mut new, &mut of_new)? != len || of_old[..len] != of_new[..len] {
            return Ok(false);
        }
        if len == 0 {
            return Ok(true);
        }
    }
}

/// Reads as much as there is room for, or as there is.
fn fill(reader: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buf.len() {
        match reader.read(&mut buf[len..])? {
            0 => break,
            more => len += more,
        }
    }
    Ok(len)
}
