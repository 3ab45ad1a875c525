//! Shelves that are written.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use picklevm::{Graph, Pickler, Protocol, value};
use picklevm_shelf::{Backend, ErrorKind, Mode, Options, Shelf};
use serde::{Deserialize, Serialize};

const WRITTEN: [Backend; 2] = [Backend::Sqlite3, Backend::Dumb];

/// Runs a test on a new shelf of each backend that is written.
fn on_each(test: impl Fn(&Path, Shelf)) {
    for backend in WRITTEN {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelf");
        test(&path, Shelf::open(&path, Mode::Create(backend)).unwrap());
    }
}

fn reopen(path: &Path) -> Shelf {
    Shelf::open(path, Mode::Read).unwrap()
}

fn text(shelf: &mut Shelf, key: &str) -> Option<String> {
    shelf.get(key).unwrap().map(|graph: Graph| graph.root().to_string())
}

#[test]
fn a_value_is_there_when_the_shelf_is_opened_again() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!({"x": 1}).root()).unwrap();
        shelf.insert("é", value!([1, 2]).root()).unwrap();
        shelf.close().unwrap();
        let mut shelf = reopen(path);
        assert_eq!(shelf.keys().unwrap(), ["a", "é"]);
        assert_eq!(text(&mut shelf, "a").unwrap(), "{'x': 1}");
    });
}

#[test]
fn a_shelf_that_is_dropped_is_written() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!(1).root()).unwrap();
        drop(shelf);
        assert_eq!(text(&mut reopen(path), "a").unwrap(), "1");
    });
}

#[test]
fn a_value_is_replaced_by_a_longer_and_a_shorter_one() {
    on_each(|path, mut shelf| {
        for len in [10, 5000, 3, 600, 600] {
            shelf.insert("a", value!(["x".repeat(len)]).root()).unwrap();
            shelf.insert("b", value!("untouched").root()).unwrap();
            shelf.sync().unwrap();
            let graph = shelf.get("a").unwrap().unwrap();
            assert_eq!(graph.root().at(0).as_str().map(str::len), Some(len));
        }
        drop(shelf);
        let mut shelf = reopen(path);
        assert_eq!(shelf.len().unwrap(), 2);
        assert_eq!(text(&mut shelf, "b").unwrap(), "'untouched'");
    });
}

#[test]
fn a_removed_key_is_gone() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!(1).root()).unwrap();
        shelf.insert("b", value!(2).root()).unwrap();
        assert!(shelf.remove("a").unwrap());
        assert!(!shelf.remove("a").unwrap());
        drop(shelf);
        let mut shelf = reopen(path);
        assert_eq!(shelf.keys().unwrap(), ["b"]);
        assert!(!shelf.contains_key("a").unwrap());
    });
}

#[test]
fn a_value_that_was_changed_in_place_is_written_back() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!([1]).root()).unwrap();
        shelf.get_mut("a").unwrap().unwrap().root_mut().push(2).unwrap();
        assert_eq!(text(&mut shelf, "a").unwrap(), "[1, 2]", "before it is written, too");
        shelf.sync().unwrap();
        assert_eq!(text(&mut reopen(path), "a").unwrap(), "[1, 2]");
    });
}

#[test]
fn setting_a_key_takes_the_place_of_what_was_changed_in_it() {
    on_each(|_, mut shelf| {
        shelf.insert("a", value!([1]).root()).unwrap();
        shelf.get_mut("a").unwrap().unwrap().root_mut().push(2).unwrap();
        shelf.insert("a", value!("new").root()).unwrap();
        shelf.sync().unwrap();
        assert_eq!(text(&mut shelf, "a").unwrap(), "'new'");
    });
}

#[test]
fn values_are_written_at_the_protocol_that_is_asked_for() {
    for backend in WRITTEN {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new().pickler(Pickler::new().protocol(Protocol::V2));
        let mut shelf = options.open(folder.path().join("shelf"), Mode::Create(backend)).unwrap();
        shelf.insert("a", value!([1]).root()).unwrap();
        assert_eq!(shelf.get_pickle("a").unwrap().unwrap(), b"\x80\x02]q\0K\x01a.");
    }
}

#[test]
fn keys_that_are_not_text_are_read_as_bytes() {
    on_each(|_, mut shelf| {
        let key: Vec<u8> = (0..=255).collect();
        shelf.insert(&key, value!(1).root()).unwrap();
        assert_eq!(shelf.raw_keys().unwrap(), [key.as_slice()]);
        assert_eq!(shelf.keys().unwrap_err().kind(), ErrorKind::Key);
    });
}

#[test]
fn a_shelf_that_is_opened_to_read_is_not_written() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!(1).root()).unwrap();
        drop(shelf);
        let mut shelf = reopen(path);
        let error = shelf.insert("a", value!(2).root()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::ReadOnly));
        assert_eq!(error.key(), Some(&b"a"[..]));
        assert!(shelf.remove("a").is_err());
        drop(shelf);
        assert_eq!(text(&mut reopen(path), "a").unwrap(), "1");
    });
}

#[test]
fn a_second_writer_is_told_so() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!(1).root()).unwrap();
        let second = Shelf::open(path, Mode::Write).and_then(|mut second| second.insert("b", value!(2).root()));
        assert_eq!(second.unwrap_err().kind(), ErrorKind::Database(picklevm_files::ErrorKind::Locked));
        shelf.close().unwrap();
        Shelf::open(path, Mode::Write).unwrap().insert("b", value!(2).root()).unwrap();
    });
}

#[test]
fn readers_see_what_was_synced_and_nothing_else() {
    on_each(|path, mut shelf| {
        shelf.insert("a", value!("old").root()).unwrap();
        shelf.sync().unwrap();
        shelf.insert("a", value!("new").root()).unwrap();
        assert_eq!(text(&mut reopen(path), "a").unwrap(), "'old'");
        shelf.sync().unwrap();
        assert_eq!(text(&mut reopen(path), "a").unwrap(), "'new'");
    });
}

#[test]
fn a_new_shelf_takes_the_place_of_what_was_there() {
    on_each(|path, mut shelf| {
        let backend = shelf.backend();
        shelf.insert("a", value!(1).root()).unwrap();
        drop(shelf);
        assert!(Shelf::open(path, Mode::New(backend)).unwrap().is_empty().unwrap());
        assert!(reopen(path).is_empty().unwrap());
    });
}

#[test]
fn values_of_rust_types_are_written_and_read() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct User {
        name: String,
        age: u32,
    }
    on_each(|path, mut shelf| {
        let user = User { name: "Ann".to_owned(), age: 42 };
        shelf.insert_as("user", &user).unwrap();
        drop(shelf);
        let mut shelf = reopen(path);
        assert_eq!(shelf.get_as::<User>("user").unwrap(), Some(user));
        let error = shelf.get_as::<u32>("user").unwrap_err();
        assert!(error.to_string().starts_with("key \"user\": "), "{error}");
    });
}

#[test]
fn blocks_that_are_free_are_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shelf");
    let mut shelf = Shelf::open(&path, Mode::Create(Backend::Dumb)).unwrap();
    for round in 0..100 {
        shelf.insert("a", value!(["x".repeat(1000), round]).root()).unwrap();
        shelf.sync().unwrap();
    }
    drop(shelf);
    let len = std::fs::metadata(path.with_extension("dat")).unwrap().len();
    assert!(len <= 3 * 1536, "{len} bytes");
}

#[test]
fn all_keys_are_gone_through_with_their_values() {
    on_each(|_, mut shelf| {
        for n in 0..5 {
            shelf.insert(format!("key {n}"), value!(n).root()).unwrap();
        }
        let all: Vec<_> = shelf.iter().unwrap().map(|item| item.unwrap().1.root().as_i64().unwrap()).collect();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_hundred_thousand_keys_are_written_changed_and_read() {
    on_each(|path, mut shelf| {
        let key = |n: i64| format!("key {n}");
        for n in 0..100_000 {
            shelf.insert(key(n), value!([n]).root()).unwrap();
        }
        shelf.close().unwrap();
        let mut shelf = Shelf::open(path, Mode::Write).unwrap();
        for n in (0..100_000).step_by(10) {
            shelf.insert(key(n), value!(["changed", n]).root()).unwrap();
            assert!(shelf.remove(key(n + 1)).unwrap());
        }
        shelf.close().unwrap();
        let mut shelf = reopen(path);
        assert_eq!(shelf.len().unwrap(), 90_000);
        for n in 0..100_000 {
            let expected = match n % 10 {
                0 => Some(format!("['changed', {n}]")),
                1 => None,
                _ => Some(format!("[{n}]")),
            };
            assert_eq!(text(&mut shelf, &key(n)), expected);
        }
    });
}

/// Runs three readers, over and over, while something is written. What each has seen is given to it again.
fn read_beside<T: Default>(write: impl FnOnce(), read: impl Fn(T) -> T + Sync) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let read_on = || {
            let (mut seen, mut reads) = (T::default(), 0);
            while !is_over.load(Ordering::Relaxed) || reads == 0 {
                (seen, reads) = (read(seen), reads + 1);
            }
        };
        let readers = [(); 3].map(|()| scope.spawn(read_on));
        write();
        is_over.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn readers_beside_a_writer_see_what_was_synced_whole() {
    on_each(|path, mut shelf| {
        let write = || {
            for round in 0..50 {
                for n in 0..3 {
                    let value = value!([round, "x".repeat(round * 37)]);
                    shelf.insert(format!("key {:03}", round * 3 + n), value.root()).unwrap();
                }
                shelf.sync().unwrap();
            }
        };
        read_beside(write, |seen: usize| {
            let mut shelf = reopen(path);
            let keys = shelf.keys().unwrap();
            assert!(keys.len().is_multiple_of(3) && keys.len() >= seen, "{} keys after {seen}", keys.len());
            for (n, key) in keys.iter().enumerate() {
                assert_eq!(key, &format!("key {n:03}"));
                let value = shelf.get(key).unwrap().unwrap();
                assert_eq!(value.root().at(0).as_i64(), i64::try_from(n / 3).ok());
                assert_eq!(value.root().at(1).as_str().map(str::len), Some(n / 3 * 37));
            }
            keys.len()
        });
    });
}

#[test]
fn readers_of_sqlite_see_no_value_older_than_one_they_saw() {
    const KEYS: [&str; 3] = ["a", "b", "c"];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shelf");
    let mut shelf = Shelf::open(&path, Mode::Create(Backend::Sqlite3)).unwrap();
    let mut write = |rounds: std::ops::Range<i64>| {
        for round in rounds {
            for key in KEYS {
                shelf.insert(key, value!([round]).root()).unwrap();
            }
            shelf.sync().unwrap();
        }
    };
    write(0..1);
    read_beside(
        || write(1..100),
        |seen: i64| {
            let mut shelf = reopen(&path);
            let rounds = KEYS.map(|key| shelf.get(key).unwrap().unwrap().root().at(0).as_i64().unwrap());
            assert!(rounds.is_sorted() && rounds[0] >= seen, "{rounds:?} after {seen}");
            rounds[2]
        },
    );
}
