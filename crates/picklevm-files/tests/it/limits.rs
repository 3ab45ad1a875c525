//! Bombs: every budget stops them.

use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use picklevm_files::{ErrorKind, FileLimits, Opener};

use crate::{bytes, error, from, paths};

fn gzip(write: impl FnOnce(&mut GzEncoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write(&mut encoder);
    encoder.finish().unwrap()
}

#[test]
fn what_expands_a_thousandfold_is_stopped_early() {
    let zeros = vec![0; 1 << 20];
    let bomb = gzip(|out| (0..300).for_each(|_| out.write_all(&zeros).unwrap()));
    let start = Instant::now();
    let error = error(&from(bomb));
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("100 times its own length"), "{error}");
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn what_expands_little_may_be_large_and_zeros_may_be_many_if_they_are_few() {
    let zeros = vec![0; 1 << 20];
    let data = gzip(|out| (0..30).for_each(|_| out.write_all(&zeros).unwrap()));
    let limit = Opener::new().limits(FileLimits::default().expanded(1 << 20)).bytes(data.clone());
    assert_eq!(error(&limit).kind(), ErrorKind::Limit);
    assert_eq!(error(&from(data)).kind(), ErrorKind::NoPickle);
}

#[test]
fn nesting_is_followed_to_a_depth() {
    let mut data = bytes("zlib.pkl");
    for _ in 0..20 {
        data = gzip(|out| out.write_all(&data).unwrap());
    }
    let error = error(&from(data));
    assert_eq!(error.to_string(), "members are nested more than 8 levels deep");
}

/// A zip archive whose entries all are the same member.
fn aliases(count: u32, name: impl Fn(u32) -> String, data: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(data);
    let len = (data.len() as u32).to_le_bytes();
    let header = |start: &[u8], name: &str| {
        let mut out = start.to_vec();
        out.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&len);
        out.extend_from_slice(&len);
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out
    };
    let mut out = header(b"PK\x03\x04", &name(0));
    out.extend_from_slice(name(0).as_bytes());
    out.extend_from_slice(data);
    let start = out.len() as u32;
    for index in 0..count {
        out.extend_from_slice(&header(b"PK\x01\x02\x14\0", &name(index)));
        out.extend_from_slice(&[0; 14]);
        out.extend_from_slice(name(index).as_bytes());
    }
    let directory = out.len() as u32 - start;
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&(count as u16).to_le_bytes());
    out.extend_from_slice(&(count as u16).to_le_bytes());
    out.extend_from_slice(&directory.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

#[test]
fn thousands_of_entries_of_one_member_are_that_member() {
    let data = b"\x80\x02N.".repeat(250_000);
    let file = from(aliases(3000, |_| "a.pkl".to_owned(), &data));
    assert_eq!(file.root().open().unwrap().members().len(), 1);
    // With names of their own the local header names but one of them.
    let file = from(aliases(3000, |index| format!("{index}.pkl"), &data));
    assert!(file.walk().filter(|entry| entry.contents.is_ok()).count() <= 2);
}

#[test]
fn members_are_counted() {
    let limits = FileLimits::default().members(2);
    let file = Opener::new().limits(limits).bytes(bytes("zip.zip"));
    assert_eq!(error(&file).to_string(), "the file has more than 2 members");
    assert_eq!(paths(&file).len(), 0);
}

#[test]
fn memory_is_not_taken_for_lengths_that_are_claimed() {
    // A frame, a payload, a directory and a header, each of which claims far more than there is.
    let mut npy = b"\x93NUMPY\x02\0".to_vec();
    npy.extend_from_slice(&u32::MAX.to_le_bytes());
    npy.extend_from_slice(b"{'descr': '|O'}");
    let mut zip = bytes("zip-comment.zip");
    let end = zip.len() - 22 - 9;
    zip[end + 12..end + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    for data in [
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec(),
        npy,
        zip,
    ] {
        let file = from(data);
        let found: Vec<_> = file.pickles().collect();
        assert!(found.iter().all(|found| found.as_ref().map_or(true, |pickle| pickle.problem().is_some())));
    }
}
