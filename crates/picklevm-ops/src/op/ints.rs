//! Ops of the integers that are decoded without a branch on their opcode.

use super::Op;
use crate::ints::{IntRun, ShortInt};
use crate::opcode::Opcode;

impl<'a> ShortInt<'a> {
    /// Returns the op: opcode and operand.
    #[inline]
    pub fn op(self) -> Op<'a> {
        let bytes = self.bytes();
        let [first, second, third, fourth, ..] = *bytes;
        match self.opcode() {
            Opcode::BinInt1 => Op::BinInt1(first),
            Opcode::BinInt2 => Op::BinInt2(u16::from_le_bytes([first, second])),
            Opcode::BinInt => Op::BinInt(i32::from_le_bytes([first, second, third, fourth])),
            _ => Op::Long1(bytes[1..].get(..first.into()).unwrap_or_default()),
        }
    }
}

impl IntRun {
    /// Returns the op of each integer with its offset.
    ///
    /// ```
    /// use picklevm_ops::{Op, Source, Visitor};
    /// use picklevm_ops::internal::{IntRun, PredictableDecoder, RunVisitor};
    ///
    /// /// Keeps ops with their offsets.
    /// struct Collector<'a>(Vec<(u64, Op<'a>)>);
    /// #
    /// # impl<'a> Visitor<'a> for Collector<'_> {
    /// #     type Output = bool;
    /// #     fn visit<const BYTE: u8>(&mut self, _: u64, op: Op<'a>) -> bool {
    /// #         op != Op::Stop
    /// #     }
    /// # }
    ///
    /// impl<'a> RunVisitor<'a> for Collector<'_> {
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
    /// let mut collector = Collector(Vec::new());
    /// let (_, visited) = PredictableDecoder::new(b"(K\x01M\x00\x01t........").visit_until(u64::MAX, &mut collector);
    /// visited?;
    /// assert_eq!(collector.0, [(1, Op::BinInt1(1)), (3, Op::BinInt2(256))]);
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
