//! The files behind `dbm`, Python's databases of bytes, on which `shelve` builds.
//!
//! | backend | files | written by |
//! | --- | --- | --- |
//! | [`Sqlite3`](Backend::Sqlite3) | `NAME` | `dbm.sqlite3`, the default since Python 3.13 |
//! | [`Dumb`](Backend::Dumb) | `NAME.dir`, `NAME.dat`, `NAME.bak` | `dbm.dumb`; `dumbdbm` of Python 2 |
//! | [`Gnu`](Backend::Gnu) | `NAME` | `dbm.gnu`; only read |
//! | [`Ndbm`](Backend::Ndbm) | `NAME.db`, or `NAME.pag` and `NAME.dir` | `dbm.ndbm`; only recognised |
//!
//! [`which`] finds the backend as `dbm.whichdb` does, and [`open`] opens it.
//!
//! ```
//! use picklevm_files::dbm::{self, Backend, Mode};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("cache");
//! let mut database = dbm::open(&path, Mode::Create(Backend::Dumb))?;
//! database.set(b"key", b"value")?;
//! database.sync()?;
//! assert_eq!(database.get(b"key")?.as_deref(), Some(&b"value"[..]));
//! assert_eq!(dbm::which(&path)?, Some(Backend::Dumb));
//! # Ok::<(), picklevm_files::Error>(())
//! ```

mod dumb;
mod gnu;
mod sqlite;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::foreign::{NDBM, is_berkeley};

pub(crate) use self::dumb::parse_directory as parse_dumb_directory;
pub(crate) use self::gnu::{Layout as GnuLayout, begins as begins_as_gnu};
pub(crate) use self::sqlite::rows as sqlite_rows;

/// The format of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// SQLite, as `dbm.sqlite3` has it: a table `Dict` of keys and values.
    Sqlite3,
    /// A text file of keys and places, and a file of values.
    Dumb,
    /// GNU dbm. Only read.
    Gnu,
    /// ndbm, often kept in a Berkeley DB file. Only recognised.
    Ndbm,
}

impl Backend {
    /// The name of Python's module.
    ///
    /// ```
    /// assert_eq!(picklevm_files::dbm::Backend::Gnu.name(), "dbm.gnu");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Sqlite3 => "dbm.sqlite3",
            Backend::Dumb => "dbm.dumb",
            Backend::Gnu => "dbm.gnu",
            Backend::Ndbm => "dbm.ndbm",
        }
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// The mode of opening a database: the flags of `dbm.open` and `shelve.open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Read an existing one: `r`.
    Read,
    /// Read and write an existing one: `w`.
    Write,
    /// Read and write, and make one of this backend if there is none: `c`.
    Create(Backend),
    /// Make an empty one of this backend, in place of what is there: `n`.
    New(Backend),
}

impl Mode {
    /// [`Create`](Self::Create) with SQLite, the backend that Python takes since 3.13.
    pub const fn create() -> Self {
        Mode::Create(Backend::Sqlite3)
    }
}

/// An open database: bytes by keys of bytes.
pub trait Database: std::fmt::Debug + Send {
    /// Returns the format.
    fn backend(&self) -> Backend;

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or the file is damaged.
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Sets the value of a key. It is certain to stay after [`sync`](Self::sync).
    ///
    /// # Errors
    ///
    /// If it cannot be written; [`ReadOnly`](ErrorKind::ReadOnly) if the database was opened to read;
    /// [`Locked`](ErrorKind::Locked) if another program writes it.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error>;

    /// Deletes a key; returns whether it was there.
    ///
    /// # Errors
    ///
    /// As those of [`set`](Self::set).
    fn delete(&mut self, key: &[u8]) -> Result<bool, Error>;

    /// All keys, in the order of the file.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    fn keys(&mut self) -> Result<Vec<Vec<u8>>, Error>;

    /// The number of keys.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    fn len(&mut self) -> Result<usize, Error>;

    /// Whether there is no key.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    fn is_empty(&mut self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Writes what was changed to the disk. After a crash the database is as it was after the last call that returned.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn sync(&mut self) -> Result<(), Error>;
}

/// Returns the format of a database, as `dbm.whichdb` does; `None` if there is no such file, or one of another kind. `path`
/// is the name that was given to `dbm.open` or `shelve.open`, without the endings that some backends add.
///
/// # Errors
///
/// If a file cannot be read.
pub fn which(path: impl AsRef<Path>) -> Result<Option<Backend>, Error> {
    let path = path.as_ref();
    let exists = |ending| with_ending(path, ending).is_file();
    if exists(".pag") && exists(".dir") {
        return Ok(Some(Backend::Ndbm));
    }
    if exists(".dat") && exists(".dir") {
        let directory = head(&with_ending(path, ".dir"))?;
        if directory.is_empty() || directory.starts_with(b"'") || directory.starts_with(b"\"") {
            return Ok(Some(Backend::Dumb));
        }
    }
    if path.is_file() {
        return Ok(by_head(&head(path)?));
    }
    if exists(".db") && is_berkeley(&head(&with_ending(path, ".db"))?) {
        return Ok(Some(Backend::Ndbm));
    }
    Ok(None)
}

/// What a single file is, by its first bytes.
fn by_head(head: &[u8]) -> Option<Backend> {
    if begins_as_sqlite(head) {
        Some(Backend::Sqlite3)
    } else if begins_as_gnu(head) {
        Some(Backend::Gnu)
    } else if is_berkeley(head) {
        Some(Backend::Ndbm)
    } else {
        None
    }
}

pub(crate) fn begins_as_sqlite(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0")
}

/// The file to open of a database that is called by its name, or by its file of values: `NAME.dir` for `dbm.dumb`. Any other path
/// as it is.
pub fn main_file(path: &Path) -> Cow<'_, Path> {
    if !path.exists() && matches!(which(path), Ok(Some(Backend::Dumb))) {
        return Cow::Owned(with_ending(path, ".dir"));
    }
    let is_data = path.extension().is_some_and(|ending| ending == "dat");
    if is_data && matches!(which(path.with_extension("")), Ok(Some(Backend::Dumb))) {
        return Cow::Owned(path.with_extension("dir"));
    }
    Cow::Borrowed(path)
}

/// Opens a database. `path` is the name that was given to `dbm.open` or `shelve.open`, without the endings that some
/// backends add.
///
/// # Errors
///
/// [`Io`](ErrorKind::Io) if there is none to read or it cannot be opened; [`Unsupported`](ErrorKind::Unsupported) for a
/// backend that is not read, or not written; [`Locked`](ErrorKind::Locked) if another program writes it.
pub fn open(path: impl AsRef<Path>, mode: Mode) -> Result<Box<dyn Database>, Error> {
    let path = path.as_ref();
    let (backend, is_new) = match (mode, which(path)?) {
        (Mode::New(backend), _) => (backend, true),
        (_, Some(backend)) => (backend, false),
        (Mode::Create(backend), None) if !path.exists() => (backend, true),
        (_, None) if path.exists() => {
            let message = "this is no database of Python's dbm: neither SQLite, GNU dbm nor dbm.dumb";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        (_, None) => {
            let missing = io::Error::new(io::ErrorKind::NotFound, "there is no such database");
            return Err(Error::io("cannot open", missing));
        }
    };
    let writes = mode != Mode::Read;
    match backend {
        Backend::Sqlite3 => Ok(Box::new(sqlite::Sqlite::open(path, writes, is_new)?)),
        Backend::Dumb => Ok(Box::new(dumb::Dumb::open(path, writes, is_new)?)),
        Backend::Gnu if writes => {
            let message = "GNU dbm files are only read";
            Err(Error::new(ErrorKind::Unsupported, message).hint("convert it to sqlite3 or dumb"))
        }
        Backend::Gnu => Ok(Box::new(gnu::Gnu::open(path)?)),
        Backend::Ndbm => Err(unsupported_ndbm()),
    }
}

/// What to say of ndbm's files.
fn unsupported_ndbm() -> Error {
    let message = "this is a database of dbm.ndbm (Berkeley DB), which is not read";
    Error::new(ErrorKind::Unsupported, message).hint(NDBM)
}

/// A path with something behind its name.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    let file = fs::File::open(path).map_err(|error| Error::io("cannot read", error))?;
    file.take(64).read_to_end(&mut head).map_err(|error| Error::io("cannot read", error))?;
    Ok(head)
}
