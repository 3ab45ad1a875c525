//! Files as people have them: what is found in them, what they are if they hold no pickle, and how they are written back.
//!
//! `../data/made` was made by `../data/make.py` with Python's own modules.

mod archives;
mod damage;
mod dbm;
mod limits;
mod listing;
mod numpy;
mod rewriting;
mod sparse;
mod spelled;
mod zip;

use std::path::PathBuf;

use picklevm_files::{Error, File, Opener, Pickle, open};

/// The pickle that lies in most of the files.
const BARE: &str = "zlib.pkl";

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn made(name: &str) -> File {
    open(data("made").join(name)).unwrap()
}

/// The bytes of a made file.
fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(data("made").join(name)).unwrap()
}

/// The pickle that lies in most of the files.
fn bare() -> bytes::Bytes {
    only(&made(BARE)).bytes().unwrap()
}

/// The one pickle of a file.
#[track_caller]
fn only(file: &File) -> Pickle {
    let pickles: Vec<_> = file.pickles().collect::<Result<_, _>>().unwrap();
    assert_eq!(pickles.len(), 1, "{pickles:?}");
    pickles.into_iter().next().unwrap()
}

/// The paths of the pickles in a file.
fn paths(file: &File) -> Vec<String> {
    file.pickles().filter_map(Result::ok).map(|pickle| pickle.path().to_owned()).collect()
}

/// What is wrong with a file.
fn error(file: &File) -> Error {
    file.pickles().find_map(Result::err).expect("something is wrong")
}

fn from(bytes: impl Into<bytes::Bytes>) -> File {
    Opener::new().bytes(bytes)
}
