//! Decoding alone: the cost of a load without its graph.

use std::hint::black_box;

use picklevm_ops::internal::{IntRun, PredictableDecoder, RunVisitor, ShortInt};
use picklevm_ops::{Decoder, Op, Source, Visitor};

/// The number of ops of the first pickle in `data`, decoded as a load decodes them.
pub(super) fn count_ops(data: &[u8]) -> Result<u64, picklevm_ops::Error> {
    if data.len() < PredictableDecoder::LONG_INPUT_LEN {
        count_from(Decoder::new(data))
    } else {
        count_from(PredictableDecoder::new(data))
    }
}

fn count_from(source: impl Source) -> Result<u64, picklevm_ops::Error> {
    let mut passed = Passed { ops: 0 };
    let (_, done) = source.visit_until(u64::MAX, &mut passed);
    done.map(|()| passed.ops)
}

/// Counts ops up to STOP, and does nothing else with them.
struct Passed {
    ops: u64,
}

impl<'a> Visitor<'a> for Passed {
    type Output = bool;

    #[inline(always)]
    fn visit<const BYTE: u8>(&mut self, _: u64, op: Op<'a>) -> bool {
        self.ops += 1;
        let is_stop = op == Op::Stop;
        black_box(op);
        !is_stop
    }

    #[inline(always)]
    fn visit_int(&mut self, _: u64, int: ShortInt<'a>) -> bool {
        self.ops += 1;
        black_box(int.value());
        true
    }

    #[inline(always)]
    fn visit_tuple(&mut self, _: u64, len: u8) -> bool {
        self.ops += 1;
        black_box(len);
        true
    }
}

impl RunVisitor<'_> for Passed {
    #[inline(always)]
    fn visit_run<const N: usize>(&mut self, _: u64, operands: [u8; N]) -> bool {
        self.ops += N as u64;
        black_box(operands);
        true
    }

    #[inline(always)]
    fn visit_ints(&mut self, _: u64, ints: IntRun) -> bool {
        self.ops += ints.count() as u64;
        black_box(ints.values().map(i64::from));
        true
    }
}
