//! Short integers, read without a branch on their opcode.

use crate::opcode::Opcode;

/// An integer of at most seven bytes: the operand of BININT1, BININT2, BININT or LONG1. See
/// [`Visitor::visit_int`](crate::Visitor::visit_int).
#[derive(Debug, Clone, Copy)]
pub struct ShortInt<'a> {
    opcode: u8,
    /// The eight bytes after the opcode.
    bytes: &'a [u8; 8],
}

// One table for each fact, so that the end of an op is known after two loads: the next op depends on nothing else.

/// Length of the operand in bytes, without counted bytes; 0 for opcodes that hold no short integer.
const WIDTHS: [u8; 256] = by_opcode([4, 1, 2, 1], 0);
/// All bits set if the first byte is a length, otherwise 0.
const COUNTED: [u8; 256] = by_opcode([0, 0, 0, 0xff], 0);
/// Bits of the integer, after sign extension.
const MASKS: [i64; 256] = by_opcode([-1, 0xff, 0xffff, -1], 0);

/// Builds a table with a value for each of [`ShortInt::OPCODES`].
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

    /// The opcodes that hold a short integer.
    pub(crate) const OPCODES: [u8; 4] = [Self::BININT, Self::BININT1, Self::BININT2, Self::LONG1];

    /// Returns whether an opcode holds a short integer.
    #[inline(always)]
    pub(crate) fn is_held_by(opcode: u8) -> bool {
        WIDTHS[opcode as usize] != 0
    }

    /// Reads the integer from an opcode and the eight bytes after it, if they hold all of it.
    #[inline(always)]
    pub(crate) fn new(opcode: u8, bytes: &'a [u8; 8]) -> Option<Self> {
        (bytes[0] & COUNTED[opcode as usize] <= 7).then_some(ShortInt { opcode, bytes })
    }

    /// Reads the op at the beginning of some bytes, if it is a short integer and eight bytes follow its opcode.
    ///
    /// ```
    /// use picklevm_ops::internal::ShortInt;
    ///
    /// let int = ShortInt::first_of(b"M\x00\x01K\x01K\x02K\x03").expect("a short integer");
    /// assert_eq!((int.value(), int.op_len()), (256, 3));
    /// assert!(ShortInt::first_of(b"NK\x01K\x02K\x03K\x04").is_none());
    /// ```
    #[inline(always)]
    pub fn first_of(bytes: &'a [u8]) -> Option<Self> {
        let (opcode, rest) = bytes.split_first()?;
        let bytes = rest.first_chunk()?;
        ShortInt::is_held_by(*opcode).then(|| ShortInt::new(*opcode, bytes)).flatten()
    }

    /// Returns the length of the op in bytes.
    #[inline(always)]
    pub fn op_len(self) -> usize {
        1 + self.width()
    }

    /// Returns the length of the operand in bytes.
    #[inline(always)]
    pub(crate) fn width(self) -> usize {
        usize::from(WIDTHS[self.opcode as usize]) + usize::from(self.bytes[0] & COUNTED[self.opcode as usize])
    }

    /// Returns the integer.
    #[inline(always)]
    pub fn value(self) -> i64 {
        // The shift left drops the bytes after the integer, the shift right the length. If the integer has no bytes,
        // the length remains, which is 0 then.
        let above = (8 * self.width() as u32).wrapping_neg();
        let unused = above.wrapping_add(u32::from(COUNTED[self.opcode as usize] & 8));
        let signed = (u64::from_le_bytes(*self.bytes).wrapping_shl(above) as i64).wrapping_shr(unused);
        signed & MASKS[self.opcode as usize]
    }

    /// Returns the eight bytes after the opcode.
    #[inline(always)]
    pub(crate) fn bytes(self) -> &'a [u8; 8] {
        self.bytes
    }

    /// Returns the opcode.
    #[inline]
    pub fn opcode(self) -> Opcode {
        match self.opcode {
            ShortInt::BININT1 => Opcode::BinInt1,
            ShortInt::BININT2 => Opcode::BinInt2,
            ShortInt::BININT => Opcode::BinInt,
            _ => Opcode::Long1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::Decoder;
    use crate::op::Op;

    #[test]
    fn the_value_equals_that_of_the_op() {
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
