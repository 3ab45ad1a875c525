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

/// How an operand lies in the eight bytes.
#[derive(Clone, Copy)]
struct Form {
    /// Its bytes, but for those that are counted.
    width: u8,
    /// All bits if the first byte counts the others, none if not.
    counted: u8,
    signed: bool,
}

const FORMS: [Form; 256] = {
    let mut forms = [Form { width: 0, counted: 0, signed: false }; 256];
    forms[ShortInt::BININT1 as usize].width = 1;
    forms[ShortInt::BININT2 as usize].width = 2;
    forms[ShortInt::BININT as usize] = Form { width: 4, counted: 0, signed: true };
    forms[ShortInt::LONG1 as usize] = Form { width: 1, counted: 0xff, signed: true };
    forms
};

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
        FORMS[opcode as usize].width != 0
    }

    /// The integer of an opcode that has eight bytes behind it, if they hold all of it.
    #[inline(always)]
    pub(crate) fn new(opcode: u8, bytes: &'a [u8; 8]) -> Option<Self> {
        (bytes[0] & FORMS[opcode as usize].counted <= 7).then_some(ShortInt { opcode, bytes })
    }

    /// How many bytes it takes.
    #[inline(always)]
    pub(crate) fn width(self) -> usize {
        let form = FORMS[self.opcode as usize];
        usize::from(form.width) + usize::from(self.bytes[0] & form.counted)
    }

    /// The integer.
    #[inline(always)]
    pub fn value(self) -> i64 {
        let form = FORMS[self.opcode as usize];
        // The bytes that come after it are shifted out above it, the count below.
        let above = 64u32.wrapping_sub(8 * self.width() as u32);
        let unused = above.wrapping_add(u32::from(form.counted & 8)).min(63);
        let top = u64::from_le_bytes(*self.bytes).wrapping_shl(above);
        if form.signed { top as i64 >> unused } else { (top >> unused) as i64 }
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
