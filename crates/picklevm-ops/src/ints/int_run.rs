//! Runs of integers of one or two bytes, read without a branch on their number.

use std::hint::select_unpredictable;

use super::short_int::{ShortInt, by_opcode};
use crate::opcode::Opcode;

/// One to three consecutive integers: BININT1 and BININT2, as many as fit in nine bytes. See
/// [`RunVisitor::visit_ints`](crate::internal::RunVisitor::visit_ints).
#[derive(Debug, Clone, Copy)]
pub struct IntRun {
    /// The bytes at which each integer begins, or would begin. After the last, all words are the same.
    words: [u32; Self::MOST],
}

/// Length in bits of an opcode and its integer, or 0 for other opcodes.
const BITS: [u8; 256] = by_opcode([0, 16, 24, 0], 0);
/// Length in bytes of an opcode and its integer, or 0 for other opcodes.
const WIDTHS: [u8; 256] = by_opcode([0, 2, 3, 0], 0);
/// Bits of the integer among those after the opcode.
const MASKS: [u16; 256] = by_opcode([0, 0xff, 0xffff, 0], 0);

/// Returns the opcode at the beginning of a word.
#[inline(always)]
fn opcode_in(word: impl Into<u64>) -> usize {
    usize::from(word.into() as u8)
}

impl IntRun {
    /// Maximum number of integers.
    pub const MOST: usize = 3;

    /// Returns whether an opcode that holds a [`ShortInt`] holds a small integer: the bytes of BININT1 and BININT2 are
    /// odd.
    #[inline(always)]
    pub(crate) fn is_held_by(opcode: u8) -> bool {
        opcode & 1 != 0
    }

    /// Reads the run that begins with an opcode that holds a small integer. Returns the run and the number of bytes
    /// after that opcode.
    #[inline(always)]
    pub(crate) fn new(opcode: u8, bytes: &[u8; 8]) -> (Self, usize) {
        // The position of the third is known sooner if both possible positions of the second are read, and sooner from
        // a shifted word than from memory.
        let is_two = opcode == ShortInt::BININT2;
        let [_, behind_one, behind_two, ..] = *bytes;
        let (behind_one, behind_two) = (BITS[usize::from(behind_one)], BITS[usize::from(behind_two)]);
        let bytes = u64::from_le_bytes(*bytes);
        let from_second = select_unpredictable(is_two, bytes >> 16, bytes >> 8);
        let from_third = select_unpredictable(
            is_two,
            (bytes >> 16).wrapping_shr(behind_two.into()),
            (bytes >> 8).wrapping_shr(behind_one.into()),
        );
        let second = select_unpredictable(is_two, behind_two, behind_one);
        let width = 1 + usize::from(is_two) + usize::from(second) / 8 + usize::from(WIDTHS[opcode_in(from_third)]);
        let words = [(bytes as u32) << 8 | u32::from(opcode), from_second as u32, from_third as u32];
        (IntRun { words }, width)
    }

    /// Returns whether there is only one integer.
    #[inline(always)]
    pub(crate) fn is_single(self) -> bool {
        let [_, second, _] = self.words;
        BITS[opcode_in(second)] == 0
    }

    /// Returns the number of integers.
    #[inline(always)]
    pub fn count(self) -> usize {
        let [_, second, third] = self.words;
        1 + usize::from(BITS[opcode_in(second)] != 0) + usize::from(BITS[opcode_in(third)] != 0)
    }

    /// Returns the integers, with 0 in place of missing ones: to avoid a branch, copy all of them and count
    /// [`count`](Self::count).
    #[inline(always)]
    pub fn values(self) -> [u16; Self::MOST] {
        self.words.map(|word| (word >> 8) as u16 & MASKS[opcode_in(word)])
    }

    /// Returns the opcode of each integer, and any of the two for missing ones.
    #[inline(always)]
    pub fn opcodes(self) -> [Opcode; Self::MOST] {
        self.words.map(|word| match word as u8 {
            ShortInt::BININT2 => Opcode::BinInt2,
            _ => Opcode::BinInt1,
        })
    }

    /// Returns the position of each integer, in bytes relative to the first.
    #[inline(always)]
    pub fn offsets(self) -> [u64; Self::MOST] {
        let [first, second, _] = self.words.map(|word| u64::from(BITS[opcode_in(word)]) / 8);
        [0, first, first + second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::Decoder;
    use crate::op::Op;

    /// Decodes ops one by one, up to three that are BININT1 or BININT2.
    fn one_by_one(pickle: &[u8]) -> Vec<(u64, Op<'_>)> {
        let mut decoder = Decoder::new(pickle);
        let mut ops = Vec::new();
        while ops.len() < IntRun::MOST
            && let Ok(op @ (Op::BinInt1(_) | Op::BinInt2(_))) = decoder.next_op()
        {
            ops.push((decoder.op_offset() as u64, op));
        }
        ops
    }

    #[test]
    fn a_run_equals_the_ops_read_one_by_one() {
        // All that may follow an integer: others of each opcode, other ops, and operands that look like opcodes.
        let bytes = [ShortInt::BININT1, ShortInt::BININT2, ShortInt::BININT, 0x8a, b'.', 0x00, 0xff];
        let mut at = [0; 8];
        loop {
            let rest = at.map(|at| bytes[at]);
            for opcode in [ShortInt::BININT1, ShortInt::BININT2] {
                assert!(IntRun::is_held_by(opcode));
                let (ints, width) = IntRun::new(opcode, &rest);
                let pickle = [&[opcode], &rest[..]].concat();
                let expected = one_by_one(&pickle);
                assert_eq!(ints.ops().collect::<Vec<_>>(), expected, "{pickle:x?}");
                assert_eq!((ints.count(), ints.is_single()), (expected.len(), expected.len() == 1));
                let mut ends = expected.iter().map(|(at, op)| at + if matches!(op, Op::BinInt1(_)) { 2 } else { 3 });
                assert_eq!(ends.next_back(), Some(1 + width as u64), "{pickle:x?}");
                assert!(ints.values()[ints.count()..].iter().all(|value| *value == 0));
            }
            let Some(next) = at.iter().position(|at| *at + 1 < bytes.len()) else { break };
            at[next] += 1;
            at[..next].fill(0);
        }
    }

    #[test]
    fn bytes_of_binint_and_long1_begin_no_run() {
        assert!(!IntRun::is_held_by(ShortInt::BININT) && !IntRun::is_held_by(ShortInt::LONG1));
    }
}
