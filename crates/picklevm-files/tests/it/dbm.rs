//! Databases of Python's `dbm` as containers: a member for each key.

use std::path::PathBuf;

use picklevm_files::{Kind, open};

fn shelf(name: &str) -> PathBuf {
    picklevm_testing::root().join("tests/data/shelf").join(name)
}

/// The names of the members of a shelf, sorted.
fn keys(name: &str) -> Vec<String> {
    let contents = open(shelf(name)).unwrap().root().open().unwrap();
    let mut names: Vec<_> = contents.members().iter().map(|member| member.name().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_database_has_a_member_for_each_key() {
    for (name, kind) in [
        ("deb3.11-dbm_gnu", Kind::DbmGnu),
        ("py3.13.0-dbm_sqlite3", Kind::DbmSqlite),
        ("py3.13.0-dbm_dumb.dir", Kind::DbmDumb),
    ] {
        assert_eq!(open(shelf(name)).unwrap().root().open().unwrap().kind(), kind);
        assert_eq!(keys(name), ["alpha", "it's", "kéy"], "{name}");
        assert_eq!(open(shelf(name)).unwrap().pickles().filter(Result::is_ok).count(), 3);
    }
}

#[test]
fn a_database_of_dbm_dumb_is_opened_by_its_name_and_by_each_of_its_files() {
    for name in ["py2.7.18-dumbdbm", "py2.7.18-dumbdbm.dir", "py2.7.18-dumbdbm.dat"] {
        assert_eq!(keys(name), ["alpha", "it's", "kéy"], "{name}");
    }
}

#[test]
fn values_that_lie_in_the_file_have_a_place_there() {
    let file = open(shelf("deb3.11-dbm_gnu")).unwrap();
    let bytes = std::fs::read(shelf("deb3.11-dbm_gnu")).unwrap();
    for pickle in file.pickles() {
        let pickle = pickle.unwrap();
        let place = pickle.place().unwrap();
        assert_eq!(pickle.bytes().unwrap(), bytes[place.offset as usize..][..place.len as usize]);
    }
}

#[test]
fn a_database_of_sqlite_in_memory_is_read_too() {
    let bytes = std::fs::read(shelf("py3.13.0-dbm_sqlite3")).unwrap();
    let file = picklevm_files::Opener::new().bytes(bytes);
    assert_eq!(file.pickles().filter(Result::is_ok).count(), 3);
}

#[test]
fn another_database_of_sqlite_is_named_for_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute("CREATE TABLE Users (name TEXT)", ()).unwrap();
    let contents = open(&path).unwrap().root().open().unwrap();
    assert_eq!(contents.kind(), Kind::Data);
    assert!(contents.problem().unwrap().to_string().contains("an SQLite database"));
}

#[test]
fn berkeley_db_is_named_with_what_to_do() {
    let contents = open(shelf("deb3.11-dbm_ndbm.db")).unwrap().root().open().unwrap();
    let problem = contents.problem().unwrap().to_string();
    assert!(problem.contains("Berkeley DB") && problem.contains("dbm.ndbm"), "{problem}");
}

#[test]
fn looking_into_a_database_of_sqlite_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a shelf%20?");
    std::fs::copy(shelf("py3.13.0-dbm_sqlite3"), &path).unwrap();
    assert_eq!(open(&path).unwrap().pickles().filter(Result::is_ok).count(), 3);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
