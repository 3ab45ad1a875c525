//! Archives and rows.

use picklevm_files::{Kind, Opener};

use crate::{bytes, from, made, paths};

#[test]
fn tar_members_of_unknown_types_are_files_as_tarfile_has_it() {
    for kind in [b'7', b'Z'] {
        let mut data = bytes("tar-ustar.tar");
        data[156] = kind;
        set_checksum(&mut data);
        assert_eq!(paths(&from(data))[0], "one.pkl", "type {}", kind as char);
    }
    let mut data = bytes("tar-ustar.tar");
    data[156] = b'2';
    set_checksum(&mut data);
    assert!(!paths(&from(data)).contains(&"one.pkl".to_owned()), "a link has no data");
}

fn set_checksum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn what_lies_behind_the_end_of_a_tar_archive_is_listed_for_every_reading() {
    let mut data = bytes("tar-ustar.tar");
    data.extend_from_slice(&bytes("tar-gnu.tar"));
    let usual = from(data.clone());
    assert_eq!(paths(&usual).len(), 2);
    let every = Opener::new().every_reading(true).bytes(data);
    assert_eq!(paths(&every).len(), 4);
    assert_eq!(every.walk().filter(|entry| entry.member.divergence().is_some()).count(), 3);
}

#[test]
fn pickles_in_a_row_are_found_with_their_places() {
    let pickles: Vec<_> = made("row.pkl").pickles().collect::<Result<_, _>>().unwrap();
    assert_eq!(pickles.iter().map(|pickle| pickle.offset()).collect::<Vec<_>>(), [0, 82, 96]);
    assert_eq!(pickles.iter().map(|pickle| pickle.protocol()).collect::<Vec<_>>(), [4, 2, 0]);
    assert_eq!(pickles.iter().map(|pickle| pickle.is_main()).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn bytes_behind_a_row_that_are_no_pickle_are_a_problem_that_hides_nothing() {
    let found: Vec<_> = made("row-junk.pkl").pickles().collect();
    assert_eq!(found.len(), 4);
    let error = found[3].as_ref().unwrap_err();
    assert_eq!(error.to_string(), "offset 107: expected an opcode, found the byte 0xff");
}

#[test]
fn words_are_no_base64() {
    for text in ["password", "HelloWorld", "deadbeefdeadbeef", "ABCDEFGHIJKLMNOP"] {
        let contents = from(text).root().open().unwrap();
        assert_eq!(contents.kind(), Kind::Data, "{text}");
    }
}

#[test]
fn members_of_archives_are_pickles_only_if_it_is_certain() {
    // `N.` is a pickle of None, and the beginning of much else.
    let archived = from(bytes("zip.zip"));
    assert_eq!(paths(&archived), ["a.pkl", "sub/b.pkl"]);
    let root = from("N.");
    assert_eq!(paths(&root), [""]);
}

#[test]
fn a_row_of_very_many_pickles_takes_no_time_on_disk() {
    let dir = std::env::temp_dir().join(format!("picklevm-files-row-{}", std::process::id()));
    std::fs::write(&dir, b"\x80\x02K\x01.".repeat(400_000)).unwrap();
    let file = picklevm_files::open(&dir).unwrap();
    let start = std::time::Instant::now();
    let count = file.pickles().filter(Result::is_ok).count();
    let taken = start.elapsed();
    std::fs::remove_file(&dir).unwrap();
    assert_eq!(count, 400_000);
    assert!(taken.as_secs() < 20, "{taken:?}");
}
