//! Bytes -> file -> members and pickles: opening terminates, offsets are correct, and rewritten files read the same.

use bytes::Bytes;
use picklevm_files::{Error, File, FileLimits, Opener, complete, restore_line_ends};

/// Runs the target.
pub(crate) fn run(data: &[u8]) {
    let limits = FileLimits::default().expanded(16 << 20).members(2000);
    let bytes = Bytes::copy_from_slice(data);
    for every_reading in [false, true] {
        let file = Opener::new().limits(limits).every_reading(every_reading).bytes(bytes.clone());
        let found = pickles(&file, data);
        if every_reading {
            continue;
        }
        let mut same = Vec::new();
        if file.rewrite::<Error>(&mut same, |_, _| Ok(None)).is_ok() {
            assert_eq!(same, data, "written back without changes");
        }
        let mut written = Vec::new();
        let rewritten = file.rewrite::<Error>(&mut written, |_, contents| {
            contents.pickles().iter().map(|pickle| pickle.bytes()).collect::<Result<_, _>>().map(Some)
        });
        if rewritten.is_ok() {
            let again = Opener::new().limits(limits).bytes(written.clone());
            assert_eq!(pickles(&again, &written), found, "written back with the same pickles");
        }
    }
    let completed = complete(data);
    assert!(picklevm_ops::ops(&completed.pickle).all(|op| op.is_ok()), "a completed pickle");
    assert!(restore_line_ends(data).len() <= data.len());
}

/// Returns paths and bytes of the intact pickles in a file, and checks the offsets of those stored uncompressed.
fn pickles(file: &File, data: &[u8]) -> Vec<(String, Bytes)> {
    let mut found = Vec::new();
    for entry in file.walk() {
        let (Ok(contents), member) = (entry.contents, entry.member) else { continue };
        if let Some(place) = member.place() {
            assert!(place.offset + place.len <= data.len() as u64);
        }
        for pickle in contents.pickles() {
            let bytes = pickle.bytes().expect("pickles in memory can be read");
            assert_eq!(bytes.len() as u64, pickle.len());
            if let (Some(place), true) = (pickle.place(), pickle.arrays().is_empty()) {
                let there = data.get(place.offset as usize..(place.offset + place.len) as usize);
                let is_whole = place.len == pickle.len();
                assert!(!is_whole || there == Some(&bytes[..]), "a place");
            }
            if pickle.problem().is_none() {
                found.push((pickle.path().to_owned(), bytes));
            }
        }
    }
    found
}
