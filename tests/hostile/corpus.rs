//! Every truncation and every change of one byte of a hundred pickles of CPython's ends in a value or an error.

use std::fs;
use std::path::Path;

use picklevm::{ErrorKind, Limits, Symbolic, Unpickler};

/// Pickles of all versions of CPython from 2.7 to 3.13, of at most 260 bytes.
fn pickles() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/small");
    let files = fs::read_dir(folder).expect("the folder is there");
    let pickles: Vec<_> = files.map(|file| fs::read(file.expect("an entry").path()).expect("a file")).collect();
    assert_eq!(pickles.len(), 100);
    pickles
}

/// The values that a byte is changed to: every 37th above it and the opcodes that do most, or all with
/// `PICKLEVM_FULL`.
fn changes(byte: u8) -> Vec<u8> {
    if std::env::var_os("PICKLEVM_FULL").is_some() {
        return (1..=255).map(|n| byte.wrapping_add(n)).collect();
    }
    let some = (1..=255).step_by(37).map(|n| byte.wrapping_add(n));
    some.chain(*b"\x00.0(Rh").collect()
}

fn unpickler() -> Unpickler {
    Unpickler::new().limits(Limits::untrusted().bytes(64 << 20))
}

/// Loads by both resolvers, and reads what is loaded.
fn ends(pickle: &[u8]) -> Option<ErrorKind> {
    let symbolic = unpickler().resolver(Symbolic).loads(pickle);
    if let Ok(graph) = &symbolic {
        assert!(!format!("{graph:?}").is_empty());
        let mut form = Vec::new();
        picklevm::write_graph_form(graph.root(), &mut form).expect("a vector takes all");
    }
    let _ = unpickler().loads(pickle);
    symbolic.err().map(|error| error.kind())
}

#[test]
fn every_pickle_of_the_hundred_loads() {
    for pickle in pickles() {
        assert_eq!(ends(&pickle), None, "{}", pickle.escape_ascii());
    }
}

#[test]
fn every_truncation_is_an_error_that_says_so() {
    for pickle in pickles() {
        for len in 0..pickle.len() {
            let kind = ends(&pickle[..len]);
            let expected = if len == 0 { ErrorKind::End } else { ErrorKind::Truncated };
            assert_eq!(kind, Some(expected), "{} bytes of {}", len, pickle.escape_ascii());
        }
    }
}

#[test]
fn every_change_of_a_byte_ends_in_a_value_or_an_error() {
    for pickle in pickles() {
        let mut changed = pickle.clone();
        for at in 0..pickle.len() {
            for byte in changes(pickle[at]) {
                changed[at] = byte;
                ends(&changed);
            }
            changed[at] = pickle[at];
        }
    }
}
