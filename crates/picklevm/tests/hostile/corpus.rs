//! Every truncation and single-byte change of a hundred CPython pickles ends in a value or an error.

use std::fs;

use picklevm::{ErrorKind, Limits, Symbolic, Unpickler};

/// Pickles of all versions of CPython from 2.7 to 3.13, of at most 260 bytes.
fn pickles() -> Vec<Vec<u8>> {
    let folder = picklevm_testing::root().join("tests/data/small");
    let files = fs::read_dir(folder).expect("the folder is there");
    let pickles: Vec<_> = files.map(|file| fs::read(file.expect("an entry").path()).expect("a file")).collect();
    assert_eq!(pickles.len(), 100);
    pickles
}

/// Returns the values that a byte is changed to: every 37th and some important opcodes, or all with
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

/// Loads with both resolvers and reads the result.
fn load_error(pickle: &[u8]) -> Option<ErrorKind> {
    let symbolic = unpickler().resolver(Symbolic).loads(pickle);
    if let Ok(graph) = &symbolic {
        assert!(!format!("{graph:?}").is_empty());
        let mut form = Vec::new();
        picklevm::write_graph_form(graph.root(), &mut form).expect("writing to a vector");
    }
    let _ = unpickler().loads(pickle);
    symbolic.err().map(|error| error.kind())
}

#[test]
fn every_unchanged_pickle_loads() {
    for pickle in pickles() {
        assert_eq!(load_error(&pickle), None, "{}", pickle.escape_ascii());
    }
}

#[test]
fn every_truncation_is_an_error_of_kind_truncated() {
    for pickle in pickles() {
        for len in 0..pickle.len() {
            let kind = load_error(&pickle[..len]);
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
                load_error(&changed);
            }
            changed[at] = pickle[at];
        }
    }
}
