//! Opening files.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::contents::{Contents, Pickle};
use crate::error::{Error, ErrorKind};
use crate::limits::{Budget, FileLimits};
use crate::member::{Member, Shared};
use crate::region::Region;

/// Options for opening files.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) every_reading: bool,
    pub(crate) restore_line_ends: bool,
    pub(crate) partial: bool,
}

/// Opens files, with options.
///
/// ```
/// use picklevm_files::Opener;
///
/// let file = Opener::new().bytes("(lp0\r\nI1\r\na.");
/// assert!(file.pickles().next().unwrap().unwrap_err().to_string().contains("line ends"));
///
/// let file = Opener::new().restore_line_ends(true).bytes("(lp0\r\nI1\r\na.");
/// assert_eq!(file.pickles().next().unwrap()?.bytes()?, "(lp0\nI1\na.");
/// # Ok::<(), picklevm_files::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Opener {
    limits: FileLimits,
    options: Options,
}

impl Opener {
    /// Creates an opener with the default limits and options.
    pub fn new() -> Self {
        Opener::default()
    }

    /// Sets the resource limits.
    #[must_use]
    pub fn limits(mut self, limits: FileLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Also lists what readers other than Python's find in an archive: members that the directory does not name, other
    /// directories, earlier ones of the same name. See [`Member::divergence`]. Off by default.
    #[must_use]
    pub fn every_reading(mut self, on: bool) -> Self {
        self.options.every_reading = on;
        self
    }

    /// Reads pickles whose line ends were converted to `\r\n` as they were before. Off by default.
    #[must_use]
    pub fn restore_line_ends(mut self, on: bool) -> Self {
        self.options.restore_line_ends = on;
        self
    }

    /// Lists what can be read of truncated containers: what was decompressed before the end, the members of
    /// archives without a directory. What is wrong is then a [`problem`](Contents::problem) of theirs. Off by default.
    #[must_use]
    pub fn partial(mut self, on: bool) -> Self {
        self.options.partial = on;
        self
    }

    /// Opens a file on disk. It stays open, and is read where something in it is asked for.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) if it cannot be opened or read.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        let path = path.as_ref();
        let cannot = |error| Error::io("cannot read", error);
        #[cfg(feature = "dbm")]
        let path = &*crate::dbm::main_file(path);
        let file = fs::File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_file() {
            let region = Region::file(file, metadata.len())?;
            return Ok(self.file(region, Some(path)));
        }
        // A pipe or a device has no offsets; a directory says so.
        self.reader(file)
    }

    /// Opens bytes in memory.
    pub fn bytes(&self, bytes: impl Into<Bytes>) -> File {
        self.file(Region::outermost(bytes.into()), None)
    }

    /// Opens what a reader yields, all of which is read.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) if the reader fails.
    pub fn reader(&self, mut reader: impl Read) -> Result<File, Error> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| Error::io("cannot read", error))?;
        Ok(self.bytes(bytes))
    }

    fn file(&self, region: Region, path: Option<&Path>) -> File {
        let budget = Budget::new(self.limits, region.len());
        let shared = Shared { budget, options: self.options, path: path.map(Path::to_owned) };
        File { root: Member::root(region, Arc::new(shared)) }
    }
}

/// Opens a file on disk with the default limits: `Opener::new().open(path)`.
///
/// # Errors
///
/// [`Io`](ErrorKind::Io) if it cannot be opened or read.
pub fn open(path: impl AsRef<Path>) -> Result<File, Error> {
    Opener::new().open(path)
}

/// An open file: a tree of members.
#[derive(Debug, Clone)]
pub struct File {
    root: Member,
}

impl File {
    /// The file as a member: the root of the tree.
    pub fn root(&self) -> &Member {
        &self.root
    }

    /// Returns all members, opened, each before the members inside it.
    pub fn walk(&self) -> Walk {
        self.root.shared().budget.restart();
        Walk { work: vec![self.root.clone()] }
    }

    /// Returns the number of bytes decompressed since the last [`walk`](Self::walk) began.
    pub fn expanded(&self) -> u64 {
        self.root.shared().budget.spent()
    }

    /// Returns all pickles in the file and its members. A member that cannot be read yields an error, and the walk goes on; a file
    /// without a pickle yields one that says what it is.
    pub fn pickles(&self) -> Pickles {
        Pickles { walk: self.walk(), found: Vec::new().into_iter(), count: 0, first: None, done: false }
    }
}

/// A member and what it holds. What [`File::walk`] yields.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The member.
    pub member: Member,
    /// Returns its contents, or why it cannot be opened.
    pub contents: Result<Contents, Error>,
}

/// Iterator over all members of a file, returned by [`File::walk`].
#[derive(Debug)]
pub struct Walk {
    work: Vec<Member>,
}

impl Iterator for Walk {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let member = self.work.pop()?;
        let contents = member.open();
        if let Ok(contents) = &contents {
            self.work.extend(contents.members().iter().rev().cloned());
        }
        Some(Entry { member, contents })
    }
}

/// Iterator over all pickles of a file, returned by [`File::pickles`].
#[derive(Debug)]
pub struct Pickles {
    walk: Walk,
    found: std::vec::IntoIter<Result<Pickle, Error>>,
    count: usize,
    /// What the file itself is, and how many members it has.
    first: Option<(crate::Kind, usize)>,
    done: bool,
}

impl Iterator for Pickles {
    type Item = Result<Pickle, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.next() {
                self.count += 1;
                return Some(found);
            }
            if self.done {
                return None;
            }
            let Some(Entry { member, contents }) = self.walk.next() else {
                self.done = true;
                return (self.count == 0).then(|| Err(self.nothing()));
            };
            let found = match contents {
                Err(error) => vec![Err(error)],
                Ok(contents) => {
                    self.first.get_or_insert((contents.kind(), contents.members().len()));
                    let is_asked = member.expect() == crate::member::Expect::Pickle || !contents.pickles.is_empty();
                    let problem = contents.problem.filter(|_| is_asked).map(Err);
                    contents.pickles.into_iter().map(Ok).chain(problem).collect()
                }
            };
            self.found = found.into_iter();
        }
    }
}

impl Pickles {
    /// Why a container has no pickles.
    fn nothing(&self) -> Error {
        let (kind, count) = self.first.unwrap_or((crate::Kind::Data, 0));
        let members = if count == 1 { "1 member".to_owned() } else { format!("{count} members") };
        Error::new(ErrorKind::NoPickle, format!("this {kind} file of {members} holds no pickle"))
    }
}
