//! Opens any file that holds Python pickles, and writes changed pickles back into it.
//!
//! People seldom have bare pickles. They have `model.pt`, `data.pkl.gz`, `x.npy`, `model.joblib`, `save.rpa`, a cache entry.
//! [`open`] recognises what a file is by its bytes, never by its name, and finds the pickles in it:
//!
//! ```no_run
//! for pickle in picklevm_files::open("model.pt")?.pickles() {
//!     let pickle = pickle?;
//!     println!("{}: {} bytes, protocol {}", pickle.path(), pickle.len(), pickle.protocol());
//!     let bytes = pickle.bytes()?; // for `picklevm::Unpickler::load_bytes`, which copies no payload
//! }
//! # Ok::<(), picklevm_files::Error>(())
//! ```
//!
//! # The formats that people ask for
//!
//! | format | what is in it |
//! | --- | --- |
//! | `.pkl`, `.pickle`, `.p` | one pickle, or several one after the other; each after its length (PySpark, logging) |
//! | `.pkl.gz`, `.bz2`, `.xz`, `.zst`, `.lzma`, zlib, LZ4 | any of these, compressed |
//! | `.pt`, `.pth`, `.bin` (PyTorch) | a zip archive whose `data.pkl` is the object; before 1.6 five pickles and raw storages; before that a tar archive |
//! | `.npy`, `.npz` | arrays; those of objects are pickles |
//! | `.joblib` | a pickle with the memory of arrays in it, which is left out: see [`Pickle::arrays`]; all compressions, `ZF` too; companion files `_NN.npy` of 0.9 |
//! | `.zip`, `.tar`, `.tar.gz` | any of these as members |
//! | `.rpa`, `.rpyc`, `.save`, `persistent` (Ren'Py) | an index and files; compiled scripts; saves |
//! | `.djcache` (Django) | the expiry, and the value compressed; sessions with their signatures |
//! | base64 text, hexadecimal digits, `b'...'` | any of these, in `data:` URLs too |
//! | shelves (`shelve`) | a member for each key: SQLite, `dbm.dumb`, GNU dbm, with the feature `dbm` |
//! | `.sconsign.dblite` (SCons) | a pickle of pickles in bytes: [`expand_nested`] puts them in their place |
//!
//! # A tree of members
//!
//! A [`File`] is a tree of [`Member`]s, which are opened when they are asked for: nothing is read before, and nothing stays in
//! memory but what is held. A member has a name, a [`Kind`], a [`Place`] in the file where it lies there uncompressed, and
//! bytes. Opening it gives its [`Contents`]: pickles, and further members.
//!
//! - Archives are read as Python's own modules read them ([`zipfile`], [`tarfile`]); with [`Opener::every_reading`] what
//!   other readers find in them is listed as well.
//! - Every budget is a field of [`FileLimits`]: expanded bytes, their ratio to the file, depth, members.
//! - A file on disk is read at offsets: what lies in a checkpoint of 10 GiB is listed without reading its storages. It is not
//!   mapped into memory, which a changing file could crash.
//! - [`File::rewrite`] writes changed pickles back: the same container, and all else as it was.
//! - What holds no pickle is called by its name ([`Contents::problem`]): a web page, a Git LFS pointer, HDF5, ….
//!
//! [`zipfile`]: https://docs.python.org/3/library/zipfile.html
//! [`tarfile`]: https://docs.python.org/3/library/tarfile.html
//!
//! # Features
//!
//! Each compression is a feature: `gzip` (with zlib and deflate), `bzip2`, `xz` (with lzma), `zstd`, `lz4`; `all` has all.
//! A file that needs one which is missing is an error that says so. `dbm` has the databases behind `shelve`.

mod coding;
mod contents;
#[cfg(feature = "dbm")]
pub mod dbm;
mod error;
mod file;
mod foreign;
mod formats;
mod kind;
mod limits;
mod literal;
mod member;
mod nested;
mod pickle;
mod region;
mod rewrite;

pub use contents::{Contents, Pickle};
pub use error::{Error, ErrorKind, Limit};
pub use file::{Entry, File, Opener, Pickles, Walk, open};
pub use formats::recognise;
pub use kind::Kind;
pub use limits::FileLimits;
pub use member::{Member, Place};
pub use nested::expand_nested;
pub use pickle::{Completed, RawArray, complete, has_converted_line_ends, restore_line_ends};

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
