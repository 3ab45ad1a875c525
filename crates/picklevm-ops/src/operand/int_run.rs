//! Integers of one or two bytes, several read at once without a branch on how many there are.

use std::hint::select_unpredictable;

use super::short_int::{ShortInt, by_opcode};
use crate::op::Op;
use crate::opcode::Opcode;

/// One to three integers, one behind the other: BININT1 and BININT2, as far as they lie in nine bytes. See
/// [`RunVisitor::visit_ints`](crate::RunVisitor::visit_ints).
#[derive(Debug, Clone, Copy)]
pub struct IntRun {
    /// What lies where each begins, or would begin. Behind the last, all are the same.
    words: [u32; Self::MOST],
}

/// The bits that an integer takes with its opcode, where it is one of those.
const BITS: [u8; 256] = by_opcode([0, 16, 24, 0], 0);
/// The same in bytes.
const WIDTHS: [u8; 256] = by_opcode([0, 2, 3, 0], 0);
/// The bits that are the integer's, of those behind the opcode.
const MASKS: [u16; 256] = by_opcode([0, 0xff, 0xffff, 0], 0);

/// The opcode that lies at the beginning of a word.
#[inline(always)]
fn opcode_in(word: impl Into<u64>) -> usize {
    usize::from(word.into() as u8)
}

impl IntRun {
    /// How many there are at most.
    pub const MOST: usize = 3;

    /// Whether an opcode that holds a [`ShortInt`] holds one of these: their numbers are odd.
    #[inline(always)]
    pub(crate) fn is_held_by(opcode: u8) -> bool {
        opcode & 1 != 0
    }

    /// Those from an opcode on that holds one, and how many bytes they take behind it.
    #[inline(always)]
    pub(crate) fn new(opcode: u8, bytes: &[u8; 8]) -> (Self, usize) {
        // Where the third begins is known sooner if both places where the second may begin are looked at, and sooner from
        // a word that is shifted than from memory.
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

    /// Whether there is only one.
    #[inline(always)]
    pub(crate) fn is_single(self) -> bool {
        let [_, second, _] = self.words;
        BITS[opcode_in(second)] == 0
    }

    /// How many there are.
    #[inline(always)]
    pub fn count(self) -> usize {
        let [_, second, third] = self.words;
        1 + usize::from(BITS[opcode_in(second)] != 0) + usize::from(BITS[opcode_in(third)] != 0)
    }

    /// The integers, and 0 in place of those that are not there: who needs them without a branch takes all, and counts
    /// [`count`](Self::count).
    #[inline(always)]
    pub fn values(self) -> [u16; Self::MOST] {
        self.words.map(|word| (word >> 8) as u16 & MASKS[opcode_in(word)])
    }

    /// The opcode of each; of those that are not there, any.
    #[inline(always)]
    pub fn opcodes(self) -> [Opcode; Self::MOST] {
        self.words.map(|word| match word as u8 {
            ShortInt::BININT2 => Opcode::BinInt2,
            _ => Opcode::BinInt1,
        })
    }

    /// Where each begins, in bytes behind where the first does.
    #[inline(always)]
    pub fn offsets(self) -> [u64; Self::MOST] {
        let [first, second, _] = self.words.map(|word| u64::from(BITS[opcode_in(word)]) / 8);
        [0, first, first + second]
    }

    /// Each with its offset as an op.
    ///
    /// ```
    /// use picklevm_ops::{PredictableDecoder, Op, RunVisitor, IntRun, Source, Visitor};
    ///
    /// /// Keeps ops with their offsets.
    /// struct Kept<'a>(Vec<(u64, Op<'a>)>);
    /// #
    /// # impl<'a> Visitor<'a> for Kept<'_> {
    /// #     type Output = bool;
    /// #     fn visit<const BYTE: u8>(&mut self, _: u64, op: Op<'a>) -> bool {
    /// #         op != Op::Stop
    /// #     }
    /// # }
    ///
    /// impl<'a> RunVisitor<'a> for Kept<'_> {
    ///     # fn visit_run<const N: usize>(&mut self, _: u64, _: [u8; N]) -> bool {
    ///     #     true
    ///     # }
    ///     // And the other methods.
    ///     fn visit_ints(&mut self, offset: u64, ints: IntRun) -> bool {
    ///         self.0.extend(ints.ops().map(|(at, op)| (offset + at, op)));
    ///         true
    ///     }
    /// }
    ///
    /// let mut kept = Kept(Vec::new());
    /// let (_, visited) = PredictableDecoder::new(b"(K\x01M\x00\x01t........").visit_until(u64::MAX, &mut kept);
    /// visited?;
    /// assert_eq!(kept.0, [(1, Op::BinInt1(1)), (3, Op::BinInt2(256))]);
    /// # Ok::<(), picklevm_ops::Error>(())
    /// ```
    pub fn ops(self) -> impl Iterator<Item = (u64, Op<'static>)> {
        let (values, opcodes, offsets) = (self.values(), self.opcodes(), self.offsets());
        (0..self.count()).map(move |n| {
            let op = match opcodes[n] {
                Opcode::BinInt2 => Op::BinInt2(values[n]),
                _ => Op::BinInt1(values[n] as u8),
            };
            (offsets[n], op)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::Decoder;

    /// The ops from the first on, one by one, up to three that are BININT1 or BININT2.
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
    fn they_are_what_single_ops_say() {
        // All ways to go on behind an integer: others of each opcode, other ops, and operands that look like opcodes.
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
    fn other_short_integers_are_none() {
        assert!(!IntRun::is_held_by(ShortInt::BININT) && !IntRun::is_held_by(ShortInt::LONG1));
    }
}
