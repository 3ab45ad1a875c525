//! What is listed of every made file: `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write;

use picklevm_files::Entry;

use crate::{bare, data, made};

#[test]
fn every_file_is_listed_with_its_members_and_pickles() {
    let mut names: Vec<_> = std::fs::read_dir(data("made")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let mut out = String::new();
    for name in names {
        let name = name.to_str().unwrap();
        writeln!(out, "{name}").unwrap();
        for Entry { member, contents, .. } in made(name).walk() {
            let indent = "  ".repeat(member.depth() as usize + 1);
            let path = if member.path().is_empty() { "." } else { member.path() };
            match contents {
                Err(error) => writeln!(out, "{indent}{error} [{:?}]", error.kind()).unwrap(),
                Ok(contents) => {
                    let len = member.len().map_or("?".to_owned(), |len| len.to_string());
                    let at = member.place().map_or(String::new(), |place| format!(" at {}", place.offset));
                    writeln!(out, "{indent}{path}: {}, {len} bytes{at}", contents.kind()).unwrap();
                    for pickle in contents.pickles() {
                        let role = pickle.role().map_or(String::new(), |role| format!(", {role}"));
                        let (at, len, protocol) = (pickle.offset(), pickle.len(), pickle.protocol());
                        writeln!(out, "{indent}  pickle at {at}, {len} bytes, protocol {protocol}{role}").unwrap();
                        if let Some(problem) = pickle.problem() {
                            writeln!(out, "{indent}    {problem} [{:?}]", problem.kind()).unwrap();
                        }
                    }
                    if let Some(problem) = contents.problem() {
                        writeln!(out, "{indent}  {problem} [{:?}]", problem.kind()).unwrap();
                    }
                }
            }
        }
    }
    let golden = data("made.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &out).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (line, (found, expected)) in out.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of made.txt", line + 1);
    }
    assert_eq!(out.lines().count(), expected.lines().count());
}

#[test]
fn the_pickle_in_a_container_has_the_bytes_that_were_put_into_it() {
    let names = [
        "gzip.pkl.gz",
        "gzip-two-streams.pkl.gz",
        "bz2.pkl.bz2",
        "xz.pkl.xz",
        "xz-crc32.pkl.xz",
        "lzma.pkl.lzma",
        "zstd.pkl.zst",
        "gzip-of-bz2.pkl.gz",
        "zip-comment.zip",
        "zip-zip64-local.zip",
        "tar.tar.gz",
        "npy-objects.npy",
        "npz.npz",
        "base64.txt",
        "base64-of-gzip.txt",
        "data-url.txt",
        "repr-of-base64.txt",
        "zf.joblib",
        "game.save",
    ];
    for name in names {
        let pickles: Vec<_> = made(name).pickles().flatten().collect();
        assert_eq!(pickles[0].bytes().unwrap(), bare(), "{name}");
    }
}

#[test]
fn a_pickle_that_lies_in_the_file_as_it_is_has_a_place_there() {
    for name in ["zip-comment.zip", "npy-objects.npy", "tar-pax.tar", "length-be4.bin", "zip-in-zip.zip"] {
        let all = crate::bytes(name);
        for pickle in made(name).pickles().flatten() {
            let Some(place) = pickle.place() else { continue };
            let there = &all[place.offset as usize..][..place.len as usize];
            assert_eq!(there, pickle.bytes().unwrap(), "{name}: {}", pickle.path());
        }
    }
    assert_eq!(crate::only(&made("gzip.pkl.gz")).place(), None);
}

#[test]
fn an_input_in_memory_is_shared_and_not_copied() {
    let input = bytes::Bytes::from(crate::bytes("zip-comment.zip"));
    let pickle = crate::only(&crate::from(input.clone())).bytes().unwrap();
    assert!(input.as_ptr_range().contains(&pickle.as_ptr()));
}
