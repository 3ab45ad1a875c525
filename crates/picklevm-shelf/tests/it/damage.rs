//! Damaged shelves, and writers that are stopped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

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

/// Where the process that is to be killed finds its shelf: the backend and the path.
const KILLED: &str = "PICKLEVM_SHELF_KILLED";

/// Does nothing but in the processes that the next test starts: writes until it is killed, and prints the number of each round
/// that was synced.
#[test]
fn a_writer_that_is_to_be_killed() {
    let Ok(setting) = std::env::var(KILLED) else { return };
    let (backend, path) = setting.split_once(' ').unwrap();
    let backend = if backend == "dumb" { Backend::Dumb } else { Backend::Sqlite3 };
    let mut shelf = Shelf::open(path, Mode::Create(backend)).unwrap();
    let first = shelf.get("round").unwrap().map_or(0, |graph| graph.root().as_i64().unwrap()) + 1;
    for round in first.. {
        write_round(&mut shelf, round);
        shelf.sync().unwrap();
        println!("\n{round}");
    }
}

/// Values of all lengths; a key that comes, and one that goes.
fn write_round(shelf: &mut Shelf, round: i64) {
    shelf.insert(key(round), value!([round, text(round)]).root()).unwrap();
    shelf.insert("round", value!(round).root()).unwrap();
    if let Some(old) = gone(round) {
        shelf.remove(key(old)).unwrap();
    }
}

fn key(round: i64) -> String {
    format!("key {}", round % 50)
}

fn text(round: i64) -> String {
    "x".repeat((round * 7919 % 3000).try_into().unwrap())
}

/// The key that is removed in a round, by the number of another round.
fn gone(round: i64) -> Option<i64> {
    (round % 5 == 0).then_some(round + 25)
}

/// What the shelf holds after a round.
fn expected(round: i64) -> std::collections::BTreeMap<String, i64> {
    let mut held = std::collections::BTreeMap::new();
    for round in (1..=round).skip(usize::try_from(round - 200).unwrap_or(0)) {
        held.insert(key(round), round);
        if let Some(old) = gone(round) {
            held.remove(&key(old));
        }
    }
    held
}

#[test]
fn two_hundred_writers_that_are_killed_lose_nothing_that_was_synced() {
    let (mut seed, mut kills) = (1_u64, [0; 2]);
    for (backend, name) in [(Backend::Sqlite3, "sqlite3"), (Backend::Dumb, "dumb")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelf");
        let mut confirmed = 0;
        for _ in 0..100 {
            let mut writer = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "damage::a_writer_that_is_to_be_killed", "--nocapture"])
                .env(KILLED, format!("{name} {}", path.display()))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
            // Killed at any time after its first round, the rounds in the pipe are confirmed too.
            let is_number = |line: String| line.parse::<i64>().ok();
            let first = lines.by_ref().find_map(|line| is_number(line.unwrap())).expect("the writer writes");
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_micros(seed >> 50));
            writer.kill().unwrap();
            assert!(!writer.wait().unwrap().success());
            kills[usize::from(backend == Backend::Dumb)] += 1;
            confirmed = lines.filter_map(|line| is_number(line.unwrap())).last().unwrap_or(first).max(confirmed);

            let mut shelf = Shelf::open(&path, Mode::Read).unwrap();
            let round = shelf.get("round").unwrap().unwrap().root().as_i64().unwrap();
            // What was written and not confirmed may be there, but not in part.
            assert!(round == confirmed || round == confirmed + 1, "{backend}: {confirmed} confirmed, {round} there");
            let mut held = std::collections::BTreeMap::new();
            for key in shelf.keys().unwrap().into_iter().filter(|key| key != "round") {
                let value = shelf.get(&key).unwrap().unwrap();
                let round = value.root().at(0).as_i64().unwrap();
                assert_eq!(value.root().at(1).as_str(), Some(&*text(round)));
                held.insert(key, round);
            }
            assert_eq!(held, expected(round), "{backend}, after round {round}");
        }
    }
    assert_eq!(kills, [100, 100]);
}
