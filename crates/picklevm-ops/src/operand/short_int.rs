//! Integers of few bytes, read without a branch between the opcodes that hold them.

use crate::op::Op;
use crate::opcode::Opcode;

/// An integer of at most seven bytes: the operand of BININT1, BININT2, BININT or LONG1. See
/// [`Visitor::visit_int`](crate::Visitor::visit_int).
#[derive(Debug, Clone, Copy)]
pub struct ShortInt<'a> {
    opcode: u8,
    /// The eight bytes behind the opcode.
    bytes: &'a [u8; 8],
}

// One table each, so that where an op ends is known after two loads: the next op waits for nothing else.

/// The bytes of an operand, but for those that are counted; none where no short integer is held.
const WIDTHS: [u8; 256] = by_opcode([4, 1, 2, 1], 0);
/// All bits if the first byte counts the others, none if not.
const COUNTED: [u8; 256] = by_opcode([0, 0, 0, 0xff], 0);
/// The bits that are the integer's, of one that was extended by its sign.
const MASKS: [i64; 256] = by_opcode([-1, 0xff, 0xffff, -1], 0);

/// A table with a value for each of [`ShortInt::OPCODES`].
pub(super) const fn by_opcode<T: Copy>(values: [T; 4], other: T) -> [T; 256] {
    let (mut table, mut at) = ([other; 256], 0);
    while at < values.len() {
        table[ShortInt::OPCODES[at] as usize] = values[at];
        at += 1;
    }
    table
}

impl<'a> ShortInt<'a> {
    pub(crate) const BININT: u8 = Opcode::BinInt as u8;
    pub(crate) const BININT1: u8 = Opcode::BinInt1 as u8;
    pub(crate) const BININT2: u8 = Opcode::BinInt2 as u8;
    pub(crate) const LONG1: u8 = Opcode::Long1 as u8;

    /// The opcodes that hold one.
    pub(crate) const OPCODES: [u8; 4] = [Self::BININT, Self::BININT1, Self::BININT2, Self::LONG1];

    /// Whether an opcode holds one.
    #[inline(always)]
    pub(crate) fn is_held_by(opcode: u8) -> bool {
        WIDTHS[opcode as usize] != 0
    }

    /// The integer of an opcode that has eight bytes behind it, if they hold all of it.
    #[inline(always)]
    pub(crate) fn new(opcode: u8, bytes: &'a [u8; 8]) -> Option<Self> {
        (bytes[0] & COUNTED[opcode as usize] <= 7).then_some(ShortInt { opcode, bytes })
    }

    /// How many bytes it takes.
    #[inline(always)]
    pub(crate) fn width(self) -> usize {
        usize::from(WIDTHS[self.opcode as usize]) + usize::from(self.bytes[0] & COUNTED[self.opcode as usize])
    }

    /// The integer.
    #[inline(always)]
    pub fn value(self) -> i64 {
        // The bytes that come after it are shifted out above it, the count below. Of an integer of no bytes the count is
        // left, which is none then.
        let above = (8 * self.width() as u32).wrapping_neg();
        let unused = above.wrapping_add(u32::from(COUNTED[self.opcode as usize] & 8));
        let signed = (u64::from_le_bytes(*self.bytes).wrapping_shl(above) as i64).wrapping_shr(unused);
        signed & MASKS[self.opcode as usize]
    }

    /// The opcode that holds it.
    pub fn opcode(self) -> Opcode {
        match self.opcode {
            ShortInt::BININT1 => Opcode::BinInt1,
            ShortInt::BININT2 => Opcode::BinInt2,
            ShortInt::BININT => Opcode::BinInt,
            _ => Opcode::Long1,
        }
    }

    /// Opcode and operand.
    #[inline]
    pub fn op(self) -> Op<'a> {
        let [first, second, third, fourth, ..] = *self.bytes;
        match self.opcode {
            ShortInt::BININT1 => Op::BinInt1(first),
            ShortInt::BININT2 => Op::BinInt2(u16::from_le_bytes([first, second])),
            ShortInt::BININT => Op::BinInt(i32::from_le_bytes([first, second, third, fourth])),
            _ => Op::Long1(self.bytes[1..].get(..first.into()).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::Decoder;

    #[test]
    fn the_value_is_what_the_op_says() {
        let mut bytes = [0x80, 0x7f, 0xff, 0x00, 0x81, 0x01, 0xfe, 0x90];
        for _ in 0..256 {
            for opcode in ShortInt::OPCODES {
                let Some(int) = ShortInt::new(opcode, &bytes) else { continue };
                let value = match int.op() {
                    Op::BinInt(value) => value.into(),
                    Op::BinInt1(value) => value.into(),
                    Op::BinInt2(value) => value.into(),
                    Op::Long1(bytes) => {
                        let sign = if bytes.last().is_some_and(|last| *last >= 0x80) { -1 } else { 0 };
                        bytes.iter().rev().fold(sign, |value, byte| value << 8 | i64::from(*byte))
                    }
                    op => panic!("{op:?}"),
                };
                assert_eq!(int.value(), value, "{opcode:#x} {bytes:x?}");
                let pickle = [&[opcode], &bytes[..]].concat();
                let mut decoder = Decoder::new(&pickle);
                assert_eq!(decoder.next_op().expect("an op"), int.op());
                assert_eq!(decoder.offset(), 1 + int.width());
            }
            bytes.rotate_left(1);
            bytes[7] = bytes[7].wrapping_mul(5).wrapping_add(1);
            bytes[0] %= 8;
        }
    }
}
