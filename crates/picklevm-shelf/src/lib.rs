//! Shelves: Python's [`shelve`](https://docs.python.org/3/library/shelve.html) in Rust. A shelf is a database of bytes by
//! keys, in which each value is a pickle.
//!
//! ```
//! use picklevm::value;
//! use picklevm_shelf::{Mode, Shelf};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("settings");
//! let mut shelf = Shelf::open(&path, Mode::create())?;
//! shelf.insert("colors", value!(["red", "green"]).root())?;
//! shelf.sync()?;
//!
//! let colors = shelf.get("colors")?.unwrap();
//! assert_eq!(colors.root().to_string(), "['red', 'green']");
//! assert_eq!(shelf.keys()?, ["colors"]);
//! # Ok::<(), picklevm_shelf::Error>(())
//! ```
//!
//! The file is what Python makes: SQLite since 3.13, and `dbm.dumb` by every version; GNU dbm files are read. Where several
//! programs have a shelf open, one writes and the others read; see [`picklevm_files::dbm`].
//!
//! # Values that are changed in place
//!
//! In Python, `shelf["colors"].append("blue")` changes a copy, unless the shelf was opened with `writeback=True`. Here
//! [`get_mut`](Shelf::get_mut) returns a value that is written back by [`sync`](Shelf::sync):
//!
//! ```
//! # use picklevm::value;
//! # use picklevm_shelf::{Mode, Shelf};
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("settings");
//! # let mut shelf = Shelf::open(&path, Mode::create())?;
//! # shelf.insert("colors", value!(["red", "green"]).root())?;
//! if let Some(colors) = shelf.get_mut("colors")? {
//!     colors.root_mut().push("blue")?;
//! }
//! shelf.sync()?;
//! # assert_eq!(shelf.get("colors")?.unwrap().root().to_string(), "['red', 'green', 'blue']");
//! # Ok::<(), picklevm_shelf::Error>(())
//! ```

mod error;
mod shelf;

pub use error::{Error, ErrorKind};
pub use picklevm_files::dbm::{Backend, Mode};
pub use shelf::{Iter, Options, Shelf};

/// The result of an operation on a shelf.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
