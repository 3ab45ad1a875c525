//! The opcodes that CPython's picklers write for values, at each protocol: `save_long`, `save_float`, … of `_pickle.c`.
//!
//! Everything that writes pickles takes its opcodes from here: [`OpRun`](crate::internal::OpRun), the emitter of graphs
//! and the serializer of Rust types. The functions are `const`, so that a writer of one protocol has no branch on it.

use crate::opcode::Opcode;

/// Length in bytes from which text and bytes need an opcode with a length of four bytes.
const SHORT_LEN: u64 = 256;

/// Largest number of items in one batch of APPENDS, SETITEMS or ADDITEMS: `BATCHSIZE`.
pub const BATCH: u32 = 1000;

/// Returns the opcode of a boolean; below protocol 2 it is INT with the digits `01` or `00`.
#[inline(always)]
pub const fn bool(protocol: u8, value: bool) -> Opcode {
    match value {
        _ if protocol < 2 => Opcode::Int,
        true => Opcode::NewTrue,
        false => Opcode::NewFalse,
    }
}

/// Returns the opcode of an integer.
#[inline(always)]
pub const fn int(protocol: u8, value: i64) -> Opcode {
    match value {
        _ if value as i32 as i64 != value => long(protocol, 8),
        _ if protocol == 0 => Opcode::Int,
        0..=0xff => Opcode::BinInt1,
        0x100..=0xffff => Opcode::BinInt2,
        _ => Opcode::BinInt,
    }
}

/// Returns the opcode of an integer of more than 32 bits, given its length in bytes.
#[inline(always)]
pub const fn long(protocol: u8, len: u64) -> Opcode {
    match len {
        _ if protocol < 2 => Opcode::Long,
        0..SHORT_LEN => Opcode::Long1,
        _ => Opcode::Long4,
    }
}

/// Returns the opcode of a float.
#[inline(always)]
pub const fn float(protocol: u8) -> Opcode {
    if protocol == 0 { Opcode::Float } else { Opcode::BinFloat }
}

/// Returns the opcode of text, given its length as UTF-8. Below protocol 4 there is none for 4 GiB or more.
#[inline(always)]
pub const fn text(protocol: u8, len: u64) -> Option<Opcode> {
    Some(match len {
        _ if protocol == 0 => Opcode::Unicode,
        0..SHORT_LEN if protocol >= 4 => Opcode::ShortBinUnicode,
        0..=0xffff_ffff => Opcode::BinUnicode,
        _ if protocol >= 4 => Opcode::BinUnicode8,
        _ => return None,
    })
}

/// Returns the opcode of bytes, given their length. Below protocol 3 there is none, and at protocol 3 none for 4 GiB or
/// more.
#[inline(always)]
pub const fn bytes(protocol: u8, len: u64) -> Option<Opcode> {
    Some(match len {
        _ if protocol < 3 => return None,
        0..SHORT_LEN => Opcode::ShortBinBytes,
        SHORT_LEN..=0xffff_ffff => Opcode::BinBytes,
        _ if protocol >= 4 => Opcode::BinBytes8,
        _ => return None,
    })
}

/// Returns the opcode of an 8-bit string of Python 2, given its length. There is none for 2 GiB or more.
#[inline(always)]
pub const fn byte_str(protocol: u8, len: u64) -> Option<Opcode> {
    Some(match len {
        _ if protocol == 0 => Opcode::String,
        0..SHORT_LEN => Opcode::ShortBinString,
        SHORT_LEN..=0x7fff_ffff => Opcode::BinString,
        _ => return None,
    })
}

/// Whether a tuple of `len` items is written without a MARK before them.
#[inline(always)]
pub const fn is_short_tuple(protocol: u8, len: usize) -> bool {
    len <= 3 && protocol >= 2
}

/// Returns the opcode that makes a tuple of `len` items, at least one.
#[inline(always)]
pub const fn tuple(protocol: u8, len: usize) -> Opcode {
    match len {
        _ if protocol < 2 => Opcode::Tuple,
        1 => Opcode::Tuple1,
        2 => Opcode::Tuple2,
        3 => Opcode::Tuple3,
        _ => Opcode::Tuple,
    }
}

/// Returns the opcode that fetches a memo index.
#[inline(always)]
pub const fn get(protocol: u8, index: u32) -> Opcode {
    match index {
        _ if protocol == 0 => Opcode::Get,
        0..=0xff => Opcode::BinGet,
        _ => Opcode::LongBinGet,
    }
}

/// Returns the opcode that stores the top of the stack under the next memo index.
#[inline(always)]
pub const fn put(protocol: u8, index: u32) -> Opcode {
    match index {
        _ if protocol >= 4 => Opcode::Memoize,
        _ if protocol == 0 => Opcode::Put,
        0..=0xff => Opcode::BinPut,
        _ => Opcode::LongBinPut,
    }
}

/// Returns the number of items in a full batch. Protocol 0 adds items one by one.
#[inline(always)]
pub const fn batch(protocol: u8) -> u32 {
    if protocol == 0 { 1 } else { BATCH }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcode::Opcode::{BinUnicode, BinUnicode8, ShortBinBytes, ShortBinUnicode, Tuple, Tuple1, Tuple3};

    #[test]
    fn no_opcode_is_newer_than_its_protocol() {
        for protocol in 0..=5 {
            let lengths = [0, 1, 255, 256, 1 << 31, 1 << 32, u64::MAX];
            let texts =
                lengths.iter().flat_map(|len| [text(protocol, *len), bytes(protocol, *len), byte_str(protocol, *len)]);
            let longs = lengths.iter().map(|len| long(protocol, *len));
            let ints = [0, 255, 256, -1, 1 << 31, i64::MIN].map(|value| int(protocol, value));
            let tuples = (1..6).map(|len| tuple(protocol, len));
            let memo = [0, 255, 256].into_iter().flat_map(|index| [get(protocol, index), put(protocol, index)]);
            let others = [bool(protocol, true), bool(protocol, false), float(protocol)];
            for opcode in texts.flatten().chain(longs).chain(ints).chain(tuples).chain(memo).chain(others) {
                assert!(opcode.protocol() <= protocol, "{opcode:?} at protocol {protocol}");
            }
        }
    }

    #[test]
    fn lengths_decide_the_opcode() {
        assert_eq!(
            [0, 255, 256].map(|len| text(4, len)),
            [Some(ShortBinUnicode), Some(ShortBinUnicode), Some(BinUnicode)]
        );
        assert_eq!([text(3, 0), text(3, 1 << 32), text(4, 1 << 32)], [Some(BinUnicode), None, Some(BinUnicode8)]);
        assert_eq!([bytes(2, 0), bytes(3, 0), bytes(3, 1 << 32)], [None, Some(ShortBinBytes), None]);
        assert_eq!([byte_str(1, 1 << 31), byte_str(0, 1 << 31)], [None, Some(Opcode::String)]);
        assert_eq!([1, 3, 4].map(|len| tuple(2, len)), [Tuple1, Tuple3, Tuple]);
        assert_eq!([1, 3, 4].map(|len| tuple(1, len)), [Tuple, Tuple, Tuple]);
    }
}
