//! A file as a tree of members.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::coding::Coding;
use crate::contents::Contents;
use crate::error::{Error, ErrorKind};
use crate::file::Options;
use crate::foreign;
use crate::formats;
use crate::limits::Budget;
use crate::region::Region;

/// A place in the outermost file, which is not inside compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// Expected contents of a member, which decide how much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Expect {
    /// The file itself, or what it decompresses to: everything is tried.
    Pickle,
    /// A member of an archive that may be anything: only what is certain is taken.
    Anything,
}

/// The source of the bytes of a member.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// There as they are.
    Plain(Region),
    /// There as they are, with their checksum.
    Stored { region: Region, crc: u32 },
    /// Compressed; how long they are and their checksum, if that is known.
    Packed { region: Region, coding: Coding, len: u64, crc: Option<u32> },
    /// Nowhere that they can be read.
    Unreadable(ErrorKind, String),
}

/// State that all members of a file share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) budget: Budget,
    pub(crate) options: Options,
    /// Where the file is, and companion files beside it.
    pub(crate) path: Option<PathBuf>,
}

/// A part of a file that has a name, or the file itself. Cheap to clone; nothing is read before it is asked for.
#[derive(Debug, Clone)]
pub struct Member {
    name: Arc<str>,
    /// The names from the file on, joined by `/`.
    path: Arc<str>,
    depth: u32,
    source: Source,
    expect: Expect,
    divergence: Option<Arc<str>>,
    shared: Arc<Shared>,
}

impl Member {
    pub(crate) fn root(region: Region, shared: Arc<Shared>) -> Member {
        let source = Source::Plain(region);
        let (name, path) = ("".into(), "".into());
        Member { name, path, depth: 0, source, expect: Expect::Pickle, divergence: None, shared }
    }

    /// Returns its name in its container; empty for the file itself and for its decompressed contents.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names from the file on, joined by `/`; empty for the file itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the number of members around it.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Returns its decompressed length in bytes, if that is known without decompressing it.
    pub fn len(&self) -> Option<u64> {
        match &self.source {
            Source::Plain(region) | Source::Stored { region, .. } => Some(region.len()),
            Source::Packed { len, .. } => Some(*len).filter(|len| *len != u64::MAX),
            Source::Unreadable(..) => None,
        }
    }

    /// Returns whether it is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Returns its place in the outermost file, if it is not compressed.
    pub fn place(&self) -> Option<Place> {
        match &self.source {
            Source::Plain(region) | Source::Stored { region, .. } => {
                Some(Place { offset: region.place()?, len: region.len() })
            }
            _ => None,
        }
    }

    /// Returns how a reader that finds this member differs from Python's, which does not: only of files that were opened
    /// with [`every_reading`](crate::Opener::every_reading).
    pub fn divergence(&self) -> Option<&str> {
        self.divergence.as_deref()
    }

    /// Returns all its bytes, decompressed. Bytes in memory are not copied.
    ///
    /// # Errors
    ///
    /// If they cannot be read or are more than the limits allow; if a checksum is wrong.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        let region = self.region()?;
        self.check_sum()?;
        region.bytes()
    }

    /// Returns at most `len` of its first bytes, without reading the rest.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn head(&self, len: usize) -> Result<Bytes, Error> {
        match &self.source {
            Source::Plain(region) | Source::Stored { region, .. } => region.head(len),
            Source::Packed { region, coding, .. } => Ok(coding.head(region, len)),
            Source::Unreadable(kind, message) => Err(self.unreadable(*kind, message)),
        }
    }

    /// Returns its bytes in a range, cut off at its end. Only the range is read if the member is not compressed; no checksum
    /// is checked.
    ///
    /// # Errors
    ///
    /// If they cannot be read or are more than the limits allow.
    ///
    /// ```
    /// let file = picklevm_files::Opener::new().bytes("K\x2a.");
    /// assert_eq!(file.root().range(1..9)?, "\x2a.");
    /// # Ok::<(), picklevm_files::Error>(())
    /// ```
    pub fn range(&self, range: Range<u64>) -> Result<Bytes, Error> {
        match &self.source {
            // The holes of a sparse member are counted where all of it is read.
            Source::Plain(region) | Source::Stored { region, .. } if !region.is_sparse() => region.slice(range).bytes(),
            _ => self.region()?.slice(range).bytes(),
        }
    }

    /// Passes on its bytes in a range, cut off at its end, piece by piece: in constant memory, even if they are compressed. The checksum is checked if the range is all of it; what came before an error is not to be trusted then.
    ///
    /// # Errors
    ///
    /// Those of [`bytes`](Self::bytes), and of `each`.
    ///
    /// ```
    /// let file = picklevm_files::Opener::new().bytes("K\x2a.");
    /// let mut bytes = Vec::new();
    /// file.root().pieces(1..3, |piece| {
    ///     bytes.extend_from_slice(piece);
    ///     Ok::<_, picklevm_files::Error>(())
    /// })?;
    /// assert_eq!(bytes, b"\x2a.");
    /// # Ok::<(), picklevm_files::Error>(())
    /// ```
    pub fn pieces<E: From<Error>>(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut sum, mut at, mut stopped) = (crc32fast::Hasher::new(), 0, Ok(()));
        let is_all = range.start == 0 && range.end >= self.len().unwrap_or(u64::MAX);
        let crc = match &self.source {
            Source::Stored { crc, .. } => Some(*crc),
            Source::Packed { crc, .. } => *crc,
            _ => None,
        };
        let crc = crc.filter(|_| is_all && !self.shared.options.every_reading);
        let mut take = |bytes: &[u8]| {
            if crc.is_some() {
                sum.update(bytes);
            }
            stopped = each(bytes);
            if stopped.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let done = match &self.source {
            Source::Packed { region, coding, len, .. } => {
                // What comes before the range is decompressed and left out.
                let within = &mut |bytes: &[u8]| {
                    let start = range.start.saturating_sub(at).min(bytes.len() as u64) as usize;
                    at += bytes.len() as u64;
                    if start == bytes.len() { ControlFlow::Continue(()) } else { take(&bytes[start..]) }
                };
                coding.decode_pieces(region, range.end.min(*len), &self.shared.budget, within)
            }
            _ => self.region().and_then(|region| region.slice(range).pieces(&mut take)),
        };
        stopped?;
        done.map_err(|error| error.in_member(&self.path))?;
        match crc.is_some_and(|crc| crc != sum.finalize()) {
            true => Err(self.wrong_sum().into()),
            false => Ok(()),
        }
    }

    fn wrong_sum(&self) -> Error {
        Error::damaged("member", "its checksum is wrong").in_member(&self.path)
    }

    fn unreadable(&self, kind: ErrorKind, message: &str) -> Error {
        Error::new(kind, message).in_member(&self.path)
    }

    /// Its bytes, decompressed where they are compressed.
    pub(crate) fn region(&self) -> Result<Region, Error> {
        match &self.source {
            Source::Plain(region) | Source::Stored { region, .. } => {
                // Holes take no bytes in the archive and many where they are read.
                let expanded = if region.is_sparse() { region.len() } else { 0 };
                self.shared.budget.expand(expanded).map_err(|error| error.in_member(&self.path))?;
                Ok(region.clone())
            }
            Source::Unreadable(kind, message) => Err(self.unreadable(*kind, message)),
            Source::Packed { region, coding, len, crc } => {
                let decoded = coding.decode(region, *len, &self.shared.budget);
                let (bytes, _) = decoded.map_err(|error| error.in_member(&self.path))?;
                // A length that claims too much does no harm, as long as the checksum is right.
                let is_wrong = crc.is_some_and(|crc| crc != crc32fast::hash(&bytes));
                if is_wrong && !self.shared.options.every_reading {
                    return Err(self.wrong_sum());
                }
                Ok(Region::memory(bytes))
            }
        }
    }

    /// Checks the checksum of a member that is not compressed, which takes reading all of it: when it is a pickle, or its
    /// bytes are asked for.
    pub(crate) fn check_sum(&self) -> Result<(), Error> {
        // Other readers than Python's do not look at it: what is wrong is told once, when the member is opened.
        if self.shared.options.every_reading {
            return Ok(());
        }
        self.wrong_check_sum()?.map_or(Ok(()), Err)
    }

    /// What is wrong with its checksum, if something is.
    pub(crate) fn wrong_check_sum(&self) -> Result<Option<Error>, Error> {
        let (region, crc) = match &self.source {
            Source::Stored { region, crc } => (region.clone(), crc),
            Source::Packed { crc: Some(crc), .. } if self.shared.options.every_reading => (self.region()?, crc),
            _ => return Ok(None),
        };
        let mut hasher = crc32fast::Hasher::new();
        let mut update = |bytes: &[u8]| {
            hasher.update(bytes);
            ControlFlow::Continue(())
        };
        region.pieces(&mut update).map_err(|error| error.in_member(&self.path))?;
        if hasher.finalize() == *crc {
            return Ok(None);
        }
        Ok(Some(self.wrong_sum()))
    }

    /// Recognizes its format and lists its pickles and members.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is damaged, or a limit is reached.
    pub fn open(&self) -> Result<Contents, Error> {
        self.shared.budget.check_depth(self.depth).map_err(|error| error.in_member(&self.path))?;
        formats::open(self).map_err(|error| error.in_member(&self.path))
    }

    /// Returns whether a pickle is expected in it: it is the file itself, or has the name of a pickle.
    pub fn expects_pickle(&self) -> bool {
        self.expect == Expect::Pickle
    }

    /// Returns bytes found in the file at this depth as a member in any format, which counts towards the limits of
    /// the file.
    ///
    /// ```
    /// let file = picklevm_files::Opener::new().bytes("N.");
    /// let found = file.root().holding("gASVAgAAAAAAAABOLg==", 1);
    /// assert_eq!(found.open()?.kind(), picklevm_files::Kind::Base64);
    /// # Ok::<(), picklevm_files::Error>(())
    /// ```
    #[must_use]
    pub fn holding(&self, bytes: impl Into<Bytes>, depth: u32) -> Member {
        let region = Region::memory(bytes.into());
        Member { depth, ..Member::root(region, self.shared.clone()) }
    }

    /// Counts bytes that the caller decompressed from the file towards its limits.
    ///
    /// # Errors
    ///
    /// If they are more than the limits allow.
    pub fn count_expanded(&self, len: u64) -> Result<(), Error> {
        self.shared.budget.expand(len)
    }

    /// Describes a member without pickles in one sentence, with advice if there is any.
    ///
    /// ```
    /// let file = picklevm_files::Opener::new().bytes("%PDF-1.7 ...");
    /// assert_eq!(file.root().explain()?.to_string(), "this is a PDF document, not a pickle");
    /// # Ok::<(), picklevm_files::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn explain(&self) -> Result<Error, Error> {
        let head = self.head(formats::HEAD)?;
        Ok(foreign::explain(&head, self.len().unwrap_or(head.len() as u64)).in_member(&self.path))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn expect(&self) -> Expect {
        self.expect
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// A member of this one. A name that is empty adds nothing to the path: what something decompresses to is the same
    /// thing to people.
    pub(crate) fn child(&self, name: &str, source: Source, expect: Expect) -> Member {
        let path: Arc<str> = match (&*self.path, name) {
            (path, "") => path.into(),
            ("", name) => name.into(),
            (path, name) => format!("{path}/{name}").into(),
        };
        let depth = self.depth + 1;
        let divergence = self.divergence.clone();
        Member { name: name.into(), path, depth, source, expect, divergence, shared: self.shared.clone() }
    }

    /// The same member, found by a reader that is not Python's.
    pub(crate) fn diverging(mut self, how: impl Into<Arc<str>>) -> Member {
        self.divergence = Some(how.into());
        self
    }
}
