//! Damaged files, and what is no pickle at all.

use picklevm_files::{ErrorKind, Opener, complete};

use crate::{bytes, error, from, made, only};

#[test]
fn a_pickle_that_was_cut_off_says_where_and_how_long_it_should_be() {
    let pickle = only(&made("cut.pkl"));
    let problem = pickle.problem().unwrap();
    assert_eq!(problem.kind(), ErrorKind::Truncated);
    assert_eq!(problem.to_string(), "the pickle is truncated at 30 of an expected 82 bytes");
    // Without a frame nothing tells the length.
    let pickle = only(&from(&b"\x80\x02](K\x01K\x02"[..]));
    assert_eq!(pickle.problem().unwrap().to_string(), "the pickle is truncated at 8 bytes: there is no STOP");
}

#[test]
fn every_beginning_of_a_pickle_can_be_completed_to_one() {
    for name in ["zip-comment.zip", "tar-gnu.tar", "persistent", "logging.bin"] {
        for pickle in made(name).pickles().flatten() {
            let whole = pickle.bytes().unwrap();
            for len in 0..whole.len() {
                let completed = complete(&whole[..len]);
                assert!(completed.read <= len);
                let ops: Result<Vec<_>, _> = picklevm_ops::ops(&completed.pickle).collect();
                ops.unwrap_or_else(|error| panic!("{name}: {len} bytes: {error}"));
            }
        }
    }
}

#[test]
fn converted_line_ends_are_an_error_that_says_how_to_read_them() {
    for name in ["crlf.pkl", "crlf-binary.pkl"] {
        let error = error(&made(name));
        assert_eq!(error.kind(), ErrorKind::LineEnds);
        assert_eq!(error.advice(), Some("--repair crlf reads it as it was"));
        let repaired = Opener::new().restore_line_ends(true).bytes(bytes(name));
        let pickle = only(&repaired).bytes().unwrap();
        assert!(!pickle.contains(&b'\r'));
    }
}

#[test]
fn a_carriage_return_at_the_end_of_a_text_is_no_damage() {
    assert!(only(&made("cr-in-text.pkl")).problem().is_none());
}

#[test]
fn what_is_no_pickle_is_called_by_what_it_is() {
    let cases = [
        ("empty.pkl", "the file is empty"),
        ("page.pkl", "this is an HTML page"),
        ("pointer.pt", "this is a Git LFS pointer"),
        ("config.json", "this is a JSON file"),
    ];
    for (name, message) in cases {
        let error = error(&made(name));
        assert_eq!(error.kind(), ErrorKind::NoPickle, "{name}");
        assert!(error.to_string().starts_with(message), "{name}: {error}");
    }
}

#[test]
fn a_compressed_file_that_was_cut_off_is_truncated() {
    for name in ["gzip.pkl.gz", "zlib.pkl", "bz2.pkl.bz2", "xz.pkl.xz", "zstd.pkl.zst"] {
        let data = bytes(name);
        let error = error(&from(data[..data.len() - 12].to_vec()));
        assert_eq!(error.kind(), ErrorKind::Truncated, "{name}: {error}");
    }
}

#[test]
fn no_byte_that_changes_makes_opening_panic() {
    for entry in std::fs::read_dir(crate::data("made")).unwrap() {
        let original = std::fs::read(entry.unwrap().path()).unwrap();
        let step = 1 + original.len() / 60;
        for at in (0..original.len()).step_by(step) {
            for value in [0x00, 0xff, original[at] ^ 1] {
                let mut data = original.clone();
                data[at] = value;
                walk(data);
            }
            walk(original[..at].to_vec());
        }
    }
}

fn walk(data: Vec<u8>) {
    let file = Opener::new().every_reading(true).bytes(data);
    for entry in file.walk() {
        if let Ok(contents) = entry.contents {
            for pickle in contents.pickles() {
                let _ = pickle.bytes();
            }
        }
    }
    let _ = file.rewrite::<picklevm_files::Error>(&mut Vec::new(), |_, contents| {
        contents.pickles().iter().map(|pickle| pickle.bytes()).collect::<Result<_, _>>().map(Some)
    });
}

#[test]
fn lines_that_spell_a_few_ops_are_text() {
    for text in ["Version 1\n(c) 2020 somebody\n", "(N)ew\n", "Variable\nN\n"] {
        assert_eq!(error(&from(text)).to_string(), "this is a text file, not a pickle", "{text}");
    }
    // What nobody else writes is a pickle that breaks.
    assert!(only(&from(&b"K\x01K\x02\xff"[..])).problem().is_some());
    assert!(only(&from("(dp0\nVa\np1\nI1\nsVb\np2\nI2\n")).problem().is_some());
}
