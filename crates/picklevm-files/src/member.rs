//! A file as a tree of members.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::coding::Coding;
use crate::error::{Error, ErrorKind};
use crate::file::Options;
use crate::foreign;
use crate::formats::{self, Layout};
use crate::kind::Kind;
use crate::limits::Budget;
use crate::pickle::RawArray;
use crate::region::Region;

/// Where something lies in the outermost file, as it is there: nothing around it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// Bytes from the beginning of the file.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// What is expected of the bytes of a member, which decides how much is tried with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Expect {
    /// The file itself, or what it decompresses to: everything is tried.
    Pickle,
    /// A member of an archive that may be anything: only what is certain is taken.
    Anything,
}

/// Where the bytes of a member are.
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

/// What all members of a file share.
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

    /// Its own name in what holds it; empty for the file itself and for what it decompresses to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names from the file on, joined by `/`; empty for the file itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How many members hold it.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Its length in bytes, decompressed, where that is known without decompressing it.
    pub fn len(&self) -> Option<u64> {
        match &self.source {
            Source::Plain(region) | Source::Stored { region, .. } => Some(region.len()),
            Source::Packed { len, .. } => Some(*len).filter(|len| *len != u64::MAX),
            Source::Unreadable(..) => None,
        }
    }

    /// Whether it is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Where it lies in the outermost file, if it lies there uncompressed.
    pub fn place(&self) -> Option<Place> {
        match &self.source {
            Source::Plain(region) | Source::Stored { region, .. } => {
                Some(Place { offset: region.place()?, len: region.len() })
            }
            _ => None,
        }
    }

    /// How a reader differs from Python's that finds this member where Python finds none: only of files that were opened
    /// with [`every_reading`](crate::Opener::every_reading).
    pub fn divergence(&self) -> Option<&str> {
        self.divergence.as_deref()
    }

    /// All its bytes, decompressed. What lies in memory is not copied.
    ///
    /// # Errors
    ///
    /// If they cannot be read or are more than the limits allow; if a checksum is wrong.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        let region = self.region()?;
        self.check_sum()?;
        region.bytes()
    }

    /// Its first bytes, at most `len` of them, without reading the rest.
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

    /// Its bytes in a range, cut where it ends. What lies in the file uncompressed is read there, and nothing around it; no
    /// checksum is checked.
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

    /// Its bytes in a range, cut where it ends, piece by piece: in memory that does not grow with them, also where they are
    /// compressed. The checksum is checked if the range is all of it; what came before an error is not to be trusted then.
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

    /// What it holds: recognises its format and lists its pickles and members.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is damaged, or a limit is reached.
    pub fn open(&self) -> Result<Contents, Error> {
        self.shared.budget.check_depth(self.depth).map_err(|error| error.in_member(&self.path))?;
        formats::open(self).map_err(|error| error.in_member(&self.path))
    }

    /// Whether there should be a pickle in it: it is the file itself, or its name says so.
    pub fn expects_pickle(&self) -> bool {
        self.expect == Expect::Pickle
    }

    /// Bytes that were found in the file, so many levels deep, as a member that may be anything: it counts for the limits of
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

    /// Counts bytes that came out of something in the file, beside those that come out of opening members.
    ///
    /// # Errors
    ///
    /// If they are more than the limits allow.
    pub fn count_expanded(&self, len: u64) -> Result<(), Error> {
        self.shared.budget.expand(len)
    }

    /// What it is if it holds no pickle: one sentence, and what to do where there is something.
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

/// What a member holds.
#[derive(Debug)]
pub struct Contents {
    pub(crate) kind: Kind,
    pub(crate) pickles: Vec<Pickle>,
    pub(crate) members: Vec<Member>,
    /// Why something in it could not be read, or why there is nothing in it.
    pub(crate) problem: Option<Error>,
    pub(crate) padding: Option<Range<u64>>,
    pub(crate) region: Region,
    pub(crate) layout: Layout,
}

impl Contents {
    pub(crate) fn new(kind: Kind, region: Region, layout: Layout) -> Self {
        Contents { kind, pickles: Vec::new(), members: Vec::new(), problem: None, padding: None, region, layout }
    }

    /// What it was taken for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The pickles that lie in it directly, in order.
    pub fn pickles(&self) -> &[Pickle] {
        &self.pickles
    }

    /// Its members, in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// What is wrong with it although it could be opened: bytes behind the pickles that are none, a part that is missing;
    /// or, if it holds no pickle and no member, what it is instead.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// [`problem`](Self::problem), by value.
    pub fn into_problem(self) -> Option<Error> {
        self.problem
    }

    /// Where the NULs lie that follow the pickles, with white space or without, if nothing else does.
    ///
    /// ```
    /// let file = picklevm_files::Opener::new().bytes("N.\0\0\0");
    /// assert_eq!(file.root().open()?.padding(), Some(2..5));
    /// # Ok::<(), picklevm_files::Error>(())
    /// ```
    pub fn padding(&self) -> Option<Range<u64>> {
        self.padding.clone()
    }

    /// Its bytes, decompressed.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        self.region.bytes()
    }
}

/// A pickle and where it lies.
#[derive(Debug, Clone)]
pub struct Pickle {
    pub(crate) path: Arc<str>,
    pub(crate) parts: Vec<Region>,
    /// Where it lies in the member that holds it.
    pub(crate) range: Range<u64>,
    /// Where in it its longest payload begins, if it is long.
    pub(crate) payload: u64,
    pub(crate) protocol: u8,
    pub(crate) role: Option<&'static str>,
    pub(crate) main: bool,
    pub(crate) arrays: Arc<[RawArray]>,
    pub(crate) problem: Option<Arc<Error>>,
}

impl Pickle {
    /// The path of the member that holds it; empty for the file itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where it begins in its member, in bytes.
    pub fn offset(&self) -> u64 {
        self.range.start
    }

    /// The length of [`bytes`](Self::bytes).
    pub fn len(&self) -> u64 {
        self.parts.iter().map(Region::len).sum()
    }

    /// Whether it has no bytes, which no whole pickle has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where it lies in the outermost file, if it lies there uncompressed. With arrays of joblib in it, the place is longer
    /// than the pickle.
    pub fn place(&self) -> Option<Place> {
        let offset = self.parts.first()?.place()?;
        Some(Place { offset, len: self.range.end - self.range.start })
    }

    /// Its bytes, to STOP: shared with what was read where it lies in one piece, and without what joblib wrote into it.
    ///
    /// Of a long pickle that is read from disk, the longest of its byte strings lies at a multiple of 64 in memory, so that
    /// numbers in it can be used where they are.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        if let [part] = &*self.parts {
            return part.bytes_aligned(self.payload);
        }
        let mut all = Vec::new();
        for part in &self.parts {
            all.extend_from_slice(&part.bytes()?);
        }
        Ok(all.into())
    }

    /// The protocol that it names; where it names none, that of its newest opcode.
    pub fn protocol(&self) -> u8 {
        self.protocol
    }

    /// What it is for in its format, such as `storage keys`.
    pub fn role(&self) -> Option<&'static str> {
        self.role
    }

    /// Whether it is the one of its member that people mean: the first, or the object among PyTorch's five.
    pub fn is_main(&self) -> bool {
        self.main
    }

    /// The memory of arrays that joblib wrote into it, in order.
    pub fn arrays(&self) -> &[RawArray] {
        &self.arrays
    }

    /// Why it is no whole pickle, if it is none: it is cut off, or broken.
    pub fn problem(&self) -> Option<&Error> {
        self.problem.as_deref()
    }
}
