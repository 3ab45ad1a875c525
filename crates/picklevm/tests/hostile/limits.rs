//! Exceeding a limit is an error with the limit, its value and the offset.

use std::io::BufReader;

use picklevm::{ErrorKind, Limits, Unpickler};

fn message(limits: Limits, pickle: &[u8]) -> String {
    let error = Unpickler::new().limits(limits).loads(pickle).expect_err("a limit is passed");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    error.to_string()
}

#[test]
fn each_error_names_the_limit_its_value_and_the_offset() {
    let limits = Limits::none;
    for (limits, pickle, expected) in [
        (limits().opcodes(2), &b"NNNN."[..], "offset 2: NONE: expected at most 2 opcodes (Limits::opcodes), found 3"),
        (
            limits().stack(2),
            b"NNNN.",
            "offset 2: NONE: expected at most 2 values on the stack (Limits::stack), found 3",
        ),
        (limits().marks(1), b"(((N.", "offset 1: MARK: expected at most 1 marks (Limits::marks), found 2"),
        (
            limits().memo(1),
            b"Nq\x00q\x01q\x02.",
            "offset 3: BINPUT: expected at most 1 memo entries (Limits::memo), found 2",
        ),
        (limits().nodes(2), b"]]]].", "offset 2: EMPTY_LIST: expected at most 2 nodes (Limits::nodes), found 3"),
        (
            limits().bytes(4),
            b"\x80\x03C\x05hello.",
            "offset 2: SHORT_BINBYTES: expected at most 4 bytes held (Limits::bytes), found 5",
        ),
        (
            limits().digits(3),
            b"L99999999999999999999L\n.",
            "offset 0: LONG: expected at most 3 digits (Limits::digits), found 20",
        ),
        (
            limits().nesting(2),
            b"]]]aa.",
            "offset 5: STOP: expected at most 2 levels of nesting (Limits::nesting), found 3",
        ),
    ] {
        assert_eq!(message(limits, pickle), expected);
    }
}

#[test]
fn a_limit_ends_a_long_slice_at_the_exact_opcode() {
    let small = [b"(".as_slice(), &b"K\x01".repeat(9000), b"t."].concat();
    let lists = [b"(".as_slice(), &b"]".repeat(9000), b"t."].concat();
    for max in [1, 2, 3, 4, 5, 4094, 4095, 4096, 4097, 4098, 8191, 8192, 8193, 8990] {
        let found = max + 1;
        for (limits, pickle, at, what) in [
            (Limits::none().stack(max), &small, 1 + 2 * max, "BININT1: expected at most {} values on the stack"),
            (Limits::none().opcodes(max), &small, 1 + 2 * (max - 1), "BININT1: expected at most {} opcodes"),
            (Limits::none().nodes(max), &lists, 1 + max, "EMPTY_LIST: expected at most {} nodes"),
        ] {
            let expected = format!("offset {at}: {}", what.replace("{}", &max.to_string()));
            let message = message(limits, pickle);
            assert!(message.starts_with(&expected) && message.ends_with(&format!(", found {found}")), "{message}");
        }
    }
}

#[test]
fn input_size_is_limited_for_slices_and_readers() {
    let pickle = b"NNNNNNNNNN.";
    let unpickler = Unpickler::new().limits(Limits::none().input(5));
    let from_slice = unpickler.loads(pickle).expect_err("it is longer");
    assert_eq!(from_slice.to_string(), "expected at most 5 bytes of input (Limits::input), found 11");
    for capacity in [1, 3, 100] {
        let error = unpickler.load(BufReader::with_capacity(capacity, &pickle[..])).expect_err("it is longer");
        assert_eq!(error.to_string(), "offset 5: expected at most 5 bytes of input (Limits::input), found more");
    }
    assert!(unpickler.load(&b"NNNN."[..]).is_ok());
}

#[test]
fn an_endless_reader_ends_at_the_limit() {
    for byte in *b"N(V]" {
        let endless = BufReader::new(std::io::repeat(byte));
        let error = Unpickler::new().limits(Limits::untrusted().input(1 << 20)).load(endless).expect_err("no end");
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
}

#[test]
fn limits_of_a_stream_apply_to_each_pickle() {
    let unpickler = Unpickler::new().limits(Limits::none().input(3));
    let values: Vec<_> =
        unpickler.stream(&b"N.K\x01.N."[..]).map(|graph| graph.map(|graph| graph.root().as_i64())).collect();
    assert!(matches!(values[..], [Ok(None), Ok(Some(1)), Ok(None)]), "{values:?}");
}

#[test]
fn nesting_is_the_longest_acyclic_path() {
    let at_most = |levels, pickle: &[u8]| Unpickler::new().limits(Limits::none().nesting(levels)).loads(pickle).is_ok();
    assert!(at_most(0, b"K\x01.") && !at_most(0, b"]."));
    assert!(at_most(1, b"]q\x00h\x00a."), "a recursive list");
    assert!(at_most(61, &[&b")N\x85"[..], &b"2\x86".repeat(60), b"."].concat()));
    assert!(!at_most(60, &[&b")N\x85"[..], &b"2\x86".repeat(60), b"."].concat()));
}

#[test]
fn a_claimed_length_allocates_nothing() {
    let rss = crate::leaks::resident_bytes();
    for pickle in [&b"\x80\x04\x8e\0\0\0\0\0\x01\0\0x"[..], b"\x80\x04\x95\0\0\0\0\0\x01\0\0N.", b"]r\xff\xff\xff\xff."]
    {
        let _ = Unpickler::new().loads(pickle);
        let _ = Unpickler::new().load(pickle);
    }
    if let Some((before, after)) = rss.zip(crate::leaks::resident_bytes()) {
        assert!(after.saturating_sub(before) < 256 << 20, "{before} bytes became {after}");
    }
}

#[test]
fn numbers_within_the_default_limit_load_and_print_quickly() {
    let digits = "7".repeat(300_000);
    let graph = crate::soon(|| picklevm::loads(format!("L{digits}L\n."))).expect("a number within the limit");
    assert_eq!(crate::soon(|| graph.root().as_int().map(|int| int.to_string())), Some(digits));
}

#[test]
fn pop_does_not_postpone_limit_checks() {
    // Limits are checked every few thousand bytes; POP restarts the loop.
    let lists = [&b"N"[..], &b"]0".repeat(100_000), b"."].concat();
    for limits in [Limits::none().nodes(10_000), Limits::none().opcodes(20_000), Limits::none().bytes(100_000)] {
        let unpickler = Unpickler::new().limits(limits);
        let from_slice = unpickler.loads(&lists).expect_err("more than the limit");
        let from_reader = unpickler.load(BufReader::new(&lists[..])).expect_err("more than the limit");
        assert_eq!(from_slice.kind(), ErrorKind::Limit);
        assert_eq!(from_slice.to_string(), from_reader.to_string());
    }
    let error = message(Limits::none().opcodes(4), b"N0N0N.");
    assert_eq!(error, "offset 4: NONE: expected at most 4 opcodes (Limits::opcodes), found 5");
}
