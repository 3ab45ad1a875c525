//! Inputs of 4 KiB and more use a separate decoder loop, with the same results as for short inputs.

use picklevm::Unpickler;
use picklevm_ops::Opcode;

/// Ops without effect.
const NO_OPS: &[u8] = b"N0";
/// Length of the prefix: PROTO and many `NO_OPS`.
const PREFIX: usize = 2 + 3000 * 2;

fn long(tail: &[u8]) -> Vec<u8> {
    [b"\x80\x04", &NO_OPS.repeat(3000)[..], tail].concat()
}

fn short(tail: &[u8]) -> Vec<u8> {
    [b"\x80\x04", tail].concat()
}

#[test]
fn tuples_and_small_integers_load_the_same() {
    for tail in [
        &b"K\x01\x85\x94."[..],
        b"K\x01M\x00\x01\x86.",
        b"K\x01K\x02J\xff\xff\xff\xff\x87\x94.",
        b"(K\x01M\x02\x03K\x04K\x05\x8a\x01\xffK\x06t\x94\x85.",
        b"K\x07.",
        b"(M\x01\x02M\x03\x04\x86\x85K\x01K\x02K\x03K\x04l.",
    ] {
        let [one, other] = [long(tail), short(tail)].map(|pickle| Unpickler::new().loads(&pickle).expect("it loads"));
        assert_eq!(one, other, "{}", tail.escape_ascii());
    }
}

#[test]
fn a_tuple_without_items_is_the_same_error_at_its_offset() {
    for (tail, opcode) in [
        (&b"\x85."[..], Opcode::Tuple1),
        (b"N\x86.", Opcode::Tuple2),
        (b"K\x01M\x00\x01\x87.", Opcode::Tuple3),
        (b"NNN(K\x01\x86\x94.", Opcode::Tuple2),
    ] {
        let [one, other] =
            [long(tail), short(tail)].map(|pickle| Unpickler::new().loads(&pickle).expect_err("too few"));
        let at = tail.iter().position(|byte| *byte == opcode.byte()).expect("it is there") as u64;
        assert_eq!((one.kind(), one.opcode(), one.offset()), (other.kind(), Some(opcode), Some(PREFIX as u64 + at)));
        assert_eq!((other.opcode(), other.offset()), (Some(opcode), Some(2 + at)), "{}", tail.escape_ascii());
    }
}
