//! Damaged shelves, and writers that are stopped.

use std::fs;

use picklevm::value;
use picklevm_shelf::{Backend, ErrorKind, Mode, Shelf};

use crate::data;

#[test]
fn no_cut_or_changed_file_is_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    for (name, step) in [("deb3.11-dbm_gnu", 61), ("py3.13.0-dbm_sqlite3", 97)] {
        let whole = fs::read(data(name)).unwrap();
        let open = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            if let Ok(mut shelf) = Shelf::open(&path, Mode::Read)
                && let Ok(values) = shelf.iter()
            {
                values.take(100).for_each(drop);
            }
        };
        for at in (0..whole.len()).step_by(step) {
            open(&whole[..at]);
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            open(&changed);
        }
    }
}

#[test]
fn a_bucket_of_gnu_dbm_that_claims_too_much_is_refused() {
    let mut bytes = fs::read(data("deb3.11-dbm_gnu")).unwrap();
    // The length of a bucket, behind the magic number, the length of a block, and the directory.
    bytes[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    fs::write(&path, bytes).unwrap();
    let error = Shelf::open(&path, Mode::Read).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::Damaged));
}

#[test]
fn a_value_behind_the_end_of_the_data_is_an_error_of_its_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shelf");
    let mut shelf = Shelf::open(&path, Mode::Create(Backend::Dumb)).unwrap();
    shelf.insert("a", value!(1).root()).unwrap();
    drop(shelf);
    let directory = path.with_extension("dir");
    let text = fs::read_to_string(&directory).unwrap() + "'b', (99999999999, 5)\n";
    fs::write(&directory, text).unwrap();
    let mut shelf = Shelf::open(&path, Mode::Read).unwrap();
    assert_eq!(shelf.get("b").unwrap_err().key(), Some(&b"b"[..]));
    assert_eq!(shelf.get("a").unwrap().unwrap().root().as_i64(), Some(1));
}

#[test]
fn what_was_synced_stays_when_a_writer_is_stopped() {
    for backend in [Backend::Sqlite3, Backend::Dumb] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelf");
        let mut shelf = Shelf::open(&path, Mode::Create(backend)).unwrap();
        shelf.insert("a", value!("synced").root()).unwrap();
        shelf.sync().unwrap();
        shelf.insert("a", value!("lost").root()).unwrap();
        shelf.remove("a").unwrap();
        shelf.insert("b", value!("lost").root()).unwrap();
        // A process that is killed drops nothing; its locks end with it, which a copy of the files has not.
        let copy = folder.path().join("copy");
        for ending in ["", ".dir", ".dat", "-wal"] {
            let of = |path: &std::path::Path| std::path::PathBuf::from(format!("{}{ending}", path.display()));
            if of(&path).exists() {
                fs::copy(of(&path), of(&copy)).unwrap();
            }
        }
        std::mem::forget(shelf);
        let mut shelf = Shelf::open(&copy, Mode::Write).unwrap();
        assert_eq!(shelf.keys().unwrap(), ["a"], "{backend}");
        assert_eq!(shelf.get("a").unwrap().unwrap().root().as_str(), Some("synced"), "{backend}");
    }
}
