//! Shelves that Pythons wrote.

use picklevm_files::dbm;
use picklevm_shelf::{Backend, ErrorKind, Mode, Shelf};

use crate::data;

/// The shelf with three keys that every backend has: a dict, a list, a text.
fn assert_holds_the_three_values(name: &str, backend: Backend) {
    let mut shelf = Shelf::open(data(name), Mode::Read).unwrap();
    assert_eq!(shelf.backend(), backend);
    let mut keys = shelf.keys().unwrap();
    keys.sort();
    assert_eq!(keys, ["alpha", "it's", "kéy"], "{name}");
    let alpha = shelf.get("alpha").unwrap().unwrap();
    assert_eq!(alpha.root().at("n").as_i64(), Some(2));
    let big = alpha.root().at("big");
    let len = big.as_str().map(str::len).or_else(|| big.as_bytes().map(<[u8]>::len));
    assert!(len.is_some_and(|len| len > 512), "the value takes more than a block");
    assert_eq!(shelf.get("kéy").unwrap().unwrap().root().to_string(), "[1, 2, 3]");
    assert_eq!(shelf.get("no such key").unwrap().map(|graph| graph.root().to_string()), None);
}

#[test]
fn shelves_on_dbm_dumb_are_read() {
    for name in ["deb3.11-dbm_dumb", "py2.7.18-dumbdbm", "py3.6.15-dbm_dumb", "py3.13.0-dbm_dumb"] {
        assert_holds_the_three_values(name, Backend::Dumb);
    }
}

#[test]
fn shelves_on_gnu_dbm_are_read() {
    assert_holds_the_three_values("deb3.11-dbm_gnu", Backend::Gnu);
}

#[test]
fn shelves_on_sqlite_are_read() {
    assert_holds_the_three_values("py3.13.0-dbm_sqlite3", Backend::Sqlite3);
}

#[test]
fn the_default_of_each_python_is_read() {
    for name in ["py3.12.1-default", "py3.13.0-default", "deb3.11-default"] {
        let mut shelf = Shelf::open(data(name), Mode::Read).unwrap();
        assert_eq!(shelf.get("a").unwrap().unwrap().root().as_i64(), Some(1), "{name}");
    }
}

#[test]
fn berkeley_db_is_recognised_and_the_error_says_how_to_convert_it() {
    assert_eq!(dbm::which(data("deb3.11-dbm_ndbm")).unwrap(), Some(Backend::Ndbm));
    let error = Shelf::open(data("deb3.11-dbm_ndbm"), Mode::Read).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::Unsupported));
    assert!(error.to_string().contains("import dbm.ndbm, dbm.dumb"), "{error}");
}

#[test]
fn gnu_dbm_is_not_written_and_the_error_says_what_to_do() {
    let error = Shelf::open(data("deb3.11-dbm_gnu"), Mode::Write).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::Unsupported));
    assert!(error.to_string().contains("convert it"), "{error}");
}

#[test]
fn a_shelf_that_is_not_there_is_an_error_unless_it_is_to_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    for mode in [Mode::Read, Mode::Write] {
        let error = Shelf::open(&path, mode).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::Io));
    }
    for (name, backend) in [("a", Backend::Sqlite3), ("b", Backend::Dumb)] {
        let path = folder.path().join(name);
        assert!(Shelf::open(&path, Mode::Create(backend)).unwrap().is_empty().unwrap());
        assert_eq!(dbm::which(&path).unwrap(), Some(backend));
    }
}

#[test]
fn another_file_is_not_taken_for_a_shelf() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "no shelf").unwrap();
    for mode in [Mode::Read, Mode::Write, Mode::create()] {
        let error = Shelf::open(&path, mode).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::Unsupported));
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"no shelf");
}
