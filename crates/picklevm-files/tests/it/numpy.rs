//! Files of NumPy, joblib and PyTorch, written by these: `../data/libraries`, see the README there.

use picklevm_files::{Kind, RawArray};

use crate::{data, only, paths};

fn library(name: &str) -> picklevm_files::File {
    picklevm_files::open(data("libraries").join(name)).unwrap()
}

/// The dtype, the shape and the bytes of each array that joblib wrote into a file.
fn arrays(name: &str) -> Vec<(String, Vec<u64>, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in library(name).walk() {
        let Ok(contents) = entry.contents else { continue };
        for pickle in contents.pickles() {
            let all = contents.bytes().unwrap();
            found.extend(pickle.arrays().iter().map(|RawArray { dtype, shape, range, .. }| {
                (dtype.clone(), shape.clone(), all[range.start as usize..range.end as usize].to_vec())
            }));
        }
    }
    found
}

/// The `float64` array `[1.5, 2.5]`, which each file of joblib has.
fn expected() -> (String, Vec<u64>, Vec<u8>) {
    ("f8".to_owned(), vec![2], [1.5f64, 2.5].iter().flat_map(|item| item.to_le_bytes()).collect())
}

fn files(start: &str) -> Vec<String> {
    let names = std::fs::read_dir(data("libraries")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> =
        names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(start)).collect();
    names.sort();
    assert!(!names.is_empty(), "{start}");
    names
}

#[test]
fn arrays_that_joblib_wrote_into_a_pickle_are_found() {
    for name in files("joblib-").iter().filter(|name| !name.contains("0.9.4")) {
        assert!(arrays(name).contains(&expected()), "{name}: {:?}", arrays(name));
        // What is left is a pickle that any machine reads.
        let pickle = library(name).pickles().next().unwrap().unwrap().bytes().unwrap();
        assert!(picklevm_ops::ops(&pickle).all(|op| op.is_ok()), "{name}");
    }
}

#[test]
fn arrays_of_objects_in_a_file_of_joblib_are_pickles_of_their_own() {
    for name in files("joblib-").iter().filter(|name| !name.contains("0.9.4")) {
        let pickles: Vec<_> = library(name).pickles().flatten().collect();
        let roles: Vec<_> = pickles.iter().map(|pickle| pickle.role()).collect();
        assert_eq!(roles, [None, Some("array of objects")], "{name}");
    }
}

#[test]
fn companion_files_of_joblib_0_9_are_members() {
    let file = library("joblib-0.9.4.joblib");
    let kinds: Vec<_> = file.walk().map(|entry| entry.contents.unwrap().kind()).collect();
    assert_eq!(kinds[0], Kind::Joblib);
    assert!(kinds.contains(&Kind::Npy), "{kinds:?}");
}

#[test]
fn a_legacy_checkpoint_has_five_pickles_and_its_storages() {
    let file = library("torch-1.13-legacy.pt");
    let contents = file.root().open().unwrap();
    let roles: Vec<_> = contents.pickles().iter().filter_map(|pickle| pickle.role()).collect();
    assert_eq!(roles, ["magic number", "protocol version", "system", "object", "storage keys"]);
    let main: Vec<_> =
        contents.pickles().iter().filter(|pickle| pickle.is_main()).map(|pickle| pickle.role()).collect();
    assert_eq!(main, [Some("object")]);
    let lens: Vec<_> = contents.members().iter().map(|member| member.len().unwrap()).collect();
    assert_eq!(lens, [12, 24, 24, 6, 6, 12, 6, 3, 3, 3]);
    assert!(contents.problem().is_none());
}

#[test]
fn the_pickle_of_a_checkpoint_is_found_by_its_path() {
    assert_eq!(paths(&library("torch-1.13.pt")), ["t1.13-plain/data.pkl"]);
}

/// A pickle of protocol 5 in a file: a short byte string, one of `len` numbers behind `before` bytes, and one of a MiB.
fn file_of_numbers(before: usize, len: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
    let mut pickle = b"\x80\x05(C".to_vec();
    pickle.push(before as u8);
    pickle.extend(std::iter::repeat_n(b'-', before));
    let bytes = |opcode: u8, len: usize, pickle: &mut Vec<u8>| {
        pickle.push(opcode);
        pickle.extend((len as u64).to_le_bytes());
        pickle.extend((0..len).map(|at| at as u8));
    };
    bytes(0x96, len, &mut pickle);
    bytes(0x8e, 1 << 20, &mut pickle);
    pickle.extend(b"t.");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &pickle).unwrap();
    (file, pickle)
}

#[test]
fn the_longest_payload_of_a_file_is_read_to_an_aligned_address() {
    // The last is longer than what is read at once to find the end of a pickle.
    for (before, len) in [(0, 2 << 20), (1, 2 << 20), (7, 3 << 20), (200, (65 << 20) + 3)] {
        let (file, expected) = file_of_numbers(before, len);
        let pickle = only(&picklevm_files::open(file.path()).unwrap());
        let bytes = pickle.bytes().unwrap();
        assert!(bytes == expected, "{before}");
        assert_eq!(bytes[5 + before + 9..].as_ptr() as usize % 64, 0, "{before}");
    }
}

#[test]
fn a_payload_that_reaches_beyond_the_end_of_a_file_is_one_that_is_cut_off() {
    let (file, whole) = file_of_numbers(3, 2 << 20);
    for len in [whole.len() - 1, whole.len() - (1 << 20), 1 << 21, (1 << 20) + 1] {
        file.as_file().set_len(len as u64).unwrap();
        let pickle = only(&picklevm_files::open(file.path()).unwrap());
        let problem = pickle.problem().expect("it is cut off");
        assert!(problem.to_string().contains(&format!("truncated at {len} ")), "{problem}");
    }
}
