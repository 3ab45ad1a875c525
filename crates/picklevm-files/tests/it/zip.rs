//! Zip archives in which readers differ: what Python's `zipfile` reads is what is read.

use std::ops::Range;

use picklevm_files::{Entry, Error, ErrorKind, Member, Opener};

use crate::{bare, bytes, error, from, made, only, paths};

/// What readers that differ from Python's find in a file: paths, and how they differ.
fn divergences(name: &str) -> Vec<(String, String)> {
    let file = Opener::new().every_reading(true).bytes(bytes(name));
    let all = file.walk().filter_map(|Entry { member, contents, .. }| {
        let how = member.divergence()?.to_owned();
        contents.ok().filter(|contents| !contents.pickles().is_empty()).map(|_| (member.path().to_owned(), how))
    });
    all.collect()
}

#[test]
fn the_last_of_two_end_records_counts() {
    assert_eq!(paths(&made("zip-two-ends.zip")), ["last.pkl"]);
    assert_eq!(divergences("zip-two-ends.zip")[0].0, "first.pkl");
}

#[test]
fn the_last_of_two_members_of_a_name_counts() {
    assert_eq!(only(&made("zip-duplicate.zip")).len(), 14);
    let expected = ("a.pkl".to_owned(), "an earlier member of the same name".to_owned());
    assert_eq!(divergences("zip-duplicate.zip"), [expected]);
}

#[test]
fn names_that_differ_in_case_are_two_members() {
    assert_eq!(paths(&made("zip-names.zip")), ["über/é.pkl", "A.pkl", "a.pkl"]);
}

#[test]
fn a_member_that_only_a_local_header_names_is_none_to_python() {
    assert_eq!(paths(&made("zip-hidden.zip")), ["shown.pkl"]);
    let expected = ("hidden.pkl".to_owned(), "a local header without an entry".to_owned());
    assert_eq!(divergences("zip-hidden.zip"), [expected]);
}

#[test]
fn data_before_the_archive_move_its_offsets() {
    assert_eq!(paths(&made("zip-prefixed.zip")), ["a.pkl", "sub/b.pkl"]);
    assert_eq!(made("zip-prefixed.zip").pickles().next().unwrap().unwrap().bytes().unwrap(), bare());
}

#[test]
fn the_records_of_zip64_count_before_the_short_ones() {
    assert_eq!(paths(&made("zip-zip64.zip")), ["a.pkl", "sub/b.pkl"]);
    // The short record names another directory: that of an archive before this one.
    let first = bytes("zip-comment.zip");
    let mut both = first[..first.len() - 22 - 9].to_vec();
    let directory = both.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    let len = both.len() - directory;
    both.extend_from_slice(&bytes("zip-zip64.zip"));
    let end = both.len() - 22;
    both[end + 12..end + 16].copy_from_slice(&(len as u32).to_le_bytes());
    assert_eq!(paths(&from(both)), ["a.pkl", "sub/b.pkl"]);
}

#[test]
fn sizes_in_local_headers_do_not_count() {
    let mut data = bytes("zip-comment.zip");
    data[18..26].fill(7);
    assert_eq!(only(&from(data)).bytes().unwrap(), bare());
}

#[test]
fn a_local_header_of_another_name_is_an_error() {
    let mut data = bytes("zip-comment.zip");
    data[30] = b'x';
    let error = error(&from(data));
    assert_eq!((error.kind(), error.member()), (ErrorKind::Damaged, "a.pkl"));
}

#[test]
fn a_wrong_checksum_is_an_error() {
    let error = error(&made("zip-bad-crc.zip"));
    assert_eq!(error.to_string(), "data.pkl: the member is damaged: its checksum is wrong");
}

/// The bytes of a member in a range, piece by piece.
fn pieces(member: &Member, range: Range<u64>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    member.pieces(range, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<_, Error>(())
    })?;
    Ok(bytes)
}

#[test]
fn members_are_read_piece_by_piece_as_they_are_read_whole() {
    for name in ["zip-methods.zip", "npz.npz", "gzip-two-streams.pkl.gz", "xz.pkl.xz", "bz2.pkl.bz2", "zlib.pkl"] {
        let file = made(name);
        let members =
            file.walk().filter_map(|entry| entry.contents.ok()).flat_map(|contents| contents.members().to_vec());
        for member in members.chain([file.root().clone()]) {
            let all = member.bytes().unwrap();
            let end = all.len() as u64;
            for range in [0..u64::MAX, 0..end, 1..end, end / 2..end / 2 + 3, end..end] {
                let part = &all[range.start as usize..range.end.min(end) as usize];
                assert_eq!(pieces(&member, range.clone()).unwrap(), part, "{name} {:?} {range:?}", member.path());
            }
        }
    }
}

#[test]
fn pieces_of_all_of_a_member_have_their_checksum_checked() {
    let file = made("zip-bad-crc.zip");
    let members = file.root().open().unwrap().members().to_vec();
    let error = pieces(&members[0], 0..u64::MAX).unwrap_err();
    assert_eq!(error.to_string(), "data.pkl: the member is damaged: its checksum is wrong");
}

#[test]
fn a_member_is_read_no_further_than_it_is_wanted() {
    let mut first = None;
    let stopped = made("gzip.pkl.gz").root().pieces(0..u64::MAX, |piece| {
        assert!(first.replace(piece.len()).is_none());
        Err::<(), Box<dyn std::error::Error>>("enough".into())
    });
    assert_eq!(stopped.unwrap_err().to_string(), "enough");
}

#[test]
fn an_encrypted_member_is_an_error_that_says_so() {
    let error = error(&made("zip-encrypted.zip"));
    assert_eq!(error.kind(), ErrorKind::Encrypted);
}

#[test]
fn members_that_overlap_are_errors() {
    let mut data = bytes("zip.zip");
    // The first entry claims to be longer than there is room before the second member.
    let central = data.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    data[central + 20] = 200;
    let file = from(data);
    let entry = file.walk().nth(1).unwrap();
    assert!(entry.contents.unwrap_err().to_string().contains("overlap"));
}

#[test]
fn an_archive_without_a_pickle_says_so() {
    assert_eq!(error(&made("zip-no-pickle.zip")).to_string(), "this zip file of 2 members holds no pickle");
}

#[test]
fn an_archive_that_was_cut_off_says_so() {
    let error = error(&made("zip-cut.zip"));
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().contains("no central directory"));
    assert!(!divergences("zip-cut.zip").is_empty(), "its local headers are still there");
}
