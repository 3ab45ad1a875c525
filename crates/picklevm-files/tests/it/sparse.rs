//! Sparse members of tar archives.

use std::io::Read;

use picklevm_files::{ErrorKind, FileLimits, Limit, Opener};

use crate::{data, error, from, only};

/// An archive by GNU tar.
fn archive(name: &str) -> Vec<u8> {
    let packed = std::fs::read(data("sparse").join(format!("sparse-{name}.tar.gz"))).unwrap();
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn every_format_of_sparse_members_is_read_with_its_holes() {
    for name in ["gnu", "pax00", "pax01", "pax10"] {
        let file = from(archive(name));
        let pickle = only(&file);
        assert_eq!((pickle.path(), pickle.len()), ("b.pkl", 505_094), "{name}");
        let bytes = pickle.bytes().unwrap();
        // What `tarfile` of Python 3.11 reads.
        assert_eq!(crc32fast::hash(&bytes), CRC, "{name}");
        assert_eq!(pickle.place(), None, "{name}");
    }
}

const CRC: u32 = 111083236;

#[test]
fn maps_of_many_parts_go_on_behind_their_header() {
    for name in ["gnu-many", "pax10-many"] {
        let bytes = only(&from(archive(name))).bytes().unwrap();
        assert_eq!(crc32fast::hash(&bytes), CRC_OF_MANY, "{name}");
    }
}

const CRC_OF_MANY: u32 = 1141898294;

#[test]
fn holes_count_as_what_a_file_expands_to() {
    let mut limited = Opener::new().limits(FileLimits::default().expanded(100_000)).bytes(archive("gnu"));
    assert_eq!(error(&limited).exceeded(), Some(Limit::Expanded));
    // A terabyte of zeros in ten kilobytes.
    let mut data = archive("gnu");
    data[483..495].copy_from_slice(b"\x80\0\0\0\0\0\x01\0\0\0\0\0");
    set_checksum(&mut data);
    limited = from(data);
    assert_eq!(limited.walk().count(), 2);
    assert_eq!(error(&limited).exceeded(), Some(Limit::Ratio));
}

#[test]
fn a_map_that_lies_is_an_error_of_its_member_alone() {
    for (name, place, lie) in [("gnu", 386 + 24, b"00000000001\0"), ("gnu", 386 + 12, b"77777777777\0")] {
        let mut data = archive(name);
        data[place..place + 12].copy_from_slice(lie);
        set_checksum(&mut data);
        let error = error(&from(data));
        assert_eq!((error.kind(), error.member()), (ErrorKind::Damaged, "b.pkl"), "{error}");
    }
}

#[test]
fn an_archive_with_a_sparse_member_is_copied_as_it_is_and_not_written_with_another() {
    let file = from(archive("pax10"));
    let mut out = Vec::new();
    file.rewrite::<picklevm_files::Error>(&mut out, |_, _| Ok(None)).unwrap();
    assert_eq!(out, archive("pax10"));
    let written = file.rewrite::<picklevm_files::Error>(&mut out, |_, _| Ok(Some(vec!["N.".into()])));
    assert_eq!(written.unwrap_err().kind(), ErrorKind::ReadOnly);
}

fn set_checksum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
