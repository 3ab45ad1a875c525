//! Disassembling and optimizing, compared with `pickletools` of CPython 3.13 (`tests/data/make.py`).

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use picklevm_ops::{Disassembler, ErrorKind, dis, optimize, optimize_all};

/// Returns the files in `tests/data/tools` that end with `suffix`, by name.
fn files(suffix: &str) -> BTreeMap<String, Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tools");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == suffix) {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    assert!(!files.is_empty());
    files
}

fn disassembly(disassembler: &mut Disassembler, pickle: &[u8]) -> String {
    let mut out = Vec::new();
    disassembler.dis(pickle, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn dis_prints_what_pickletools_prints() {
    let pickles = files("pkl");
    for (name, expected) in files("dis") {
        let printed = disassembly(&mut Disassembler::new(), &pickles[&name]);
        assert_eq!(printed, String::from_utf8(expected).unwrap(), "{name}");
    }
}

#[test]
fn annotations_and_indentation_are_those_of_pickletools() {
    let pickles = files("pkl");
    for (name, expected) in files("annotated") {
        let printed = disassembly(&mut Disassembler::new().annotate(30).indent_level(2), &pickles[&name]);
        assert_eq!(printed, String::from_utf8(expected).unwrap(), "{name}");
    }
}

#[test]
fn optimize_returns_what_pickletools_returns() {
    let pickles = files("pkl");
    for (name, expected) in files("optimized") {
        assert!(optimize(&pickles[&name]).unwrap() == expected, "{name}");
    }
}

#[test]
fn an_optimized_pickle_is_not_changed_again() {
    for (name, pickle) in files("optimized") {
        assert!(optimize(&pickle).unwrap() == pickle, "{name}");
    }
}

#[test]
fn following_pickles_are_dropped_by_optimize_and_optimized_by_optimize_all() {
    let pickles = b"\x80\x02]q\x00.\x80\x02}q\x01.";
    assert_eq!(optimize(pickles).unwrap(), b"\x80\x02].");
    assert_eq!(optimize_all(pickles).unwrap(), b"\x80\x02].\x80\x02}.");
}

#[test]
fn a_get_of_an_unused_index_is_an_error() {
    let error = optimize(b"\x80\x02h\x07.").unwrap_err();
    assert_eq!(error.to_string(), "offset 2: BINGET: expected a memo index that was stored before, found 7");
    let mut out = Vec::new();
    let error = dis(b"h\x07.", &mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memo);
    assert_eq!(out, b"    0: h    BINGET     7\n");
}

#[test]
fn the_memo_is_kept_between_pickles_on_request() {
    let mut kept = Disassembler::new().keep_memo(true);
    disassembly(&mut kept, b"]q\x00.");
    assert!(disassembly(&mut kept, b"h\x00.").starts_with("    0: h    BINGET     0\n"));
    let mut fresh = Disassembler::new();
    disassembly(&mut fresh, b"]q\x00.");
    assert_eq!(fresh.dis(b"h\x00.", &mut io::sink()).unwrap_err().kind(), ErrorKind::Memo);
}

#[test]
fn the_machine_s_reading_is_printed_where_pickletools_refuses_a_valid_pickle() {
    for (pickle, line) in [
        (&b"S'\xe9\\xff'\n."[..], "    0: S    STRING     'éÿ'\n"),
        (b"I0x1f\n.", "    0: I    INT        31\n"),
        (b"L-0b11L\n.", "    0: L    LONG       -3\n"),
        (b"P\\\n.", "    0: P    PERSID     '\\\\'\n"),
        (b"cm\n\xc3\xa9\n.", "    0: c    GLOBAL     'm é'\n"),
        (b"Nq\x00q\x00.", "    0: N    NONE\n    1: q    BINPUT     0\n    3: q    BINPUT     0\n"),
    ] {
        let printed = disassembly(&mut Disassembler::new(), pickle);
        assert!(printed.starts_with(line), "{printed}");
    }
}

#[test]
fn an_op_that_lacks_its_operands_on_the_stack_is_printed_and_refused() {
    for (pickle, line, message) in [
        (&b"Na."[..], "    1: a    APPEND\n", "offset 1: APPEND: expected 2 objects on the stack, found 1"),
        (
            b"t.",
            "    0: t    TUPLE      no MARK exists on stack\n",
            "offset 0: TUPLE: expected a mark on the stack, found none",
        ),
        (
            b"q\x01.",
            "    0: q    BINPUT     1\n",
            "offset 0: BINPUT: expected an object on the stack to store, found none",
        ),
        (
            b"(\x94.",
            "    1: \\x94     MEMOIZE    (as 0)\n",
            "offset 1: MEMOIZE: expected an object on the stack to store, found a mark",
        ),
    ] {
        let mut out = Vec::new();
        let error = dis(pickle, &mut out).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(String::from_utf8(out).unwrap().ends_with(line));
    }
}

#[test]
fn dis_returns_the_end_of_the_pickle() {
    assert_eq!(dis(b"N.and more", &mut io::sink()).unwrap(), 2);
}

#[test]
fn too_much_indentation_is_refused() {
    let marks = vec![b'('; 1_000_000];
    let error = Disassembler::new().max_indentation(1 << 20).dis(&marks, &mut io::sink()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.offset() < 1000);
}

/// A sink that takes nothing.
struct Full;

impl io::Write for Full {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failing_sink_ends_the_disassembly() {
    assert_eq!(dis(b"N.", &mut Full).unwrap_err().kind(), ErrorKind::Io);
    let long = [b"N0".repeat(100_000), b"N.".to_vec()].concat();
    assert_eq!(dis(&long, &mut Full).unwrap_err().kind(), ErrorKind::Io);
}
