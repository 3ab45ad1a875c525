//! Ops of integers, written without a branch on their size.

use crate::forms;
use crate::op_run::RUN_PROTOCOL;
use crate::opcode::Opcode;

/// Returns an integer's op in protocol 2 and its length, which is at most 15.
#[inline(always)]
pub(crate) fn int_op(value: i64) -> ([u8; 16], usize) {
    // Branch-free: with integers of mixed sizes, a branch on the opcode would be mispredicted.
    let sign = value >> 63;
    // BININT1 and BININT2 are unsigned, so negative integers count as having more bits.
    let magnitude = (value ^ sign | sign & 1 << 16 | 1) as u64;
    let IntForm { head, head_bits, len } = INT_FORMS[magnitude.ilog2() as usize & 63];
    // Only LONG1 stores more than six bytes of a value, after two bytes of opcode and length.
    let (low, high) = (head as u64 | (value as u64) << head_bits, (value >> 48) as u64);
    ((low as u128 | (high as u128) << 64).to_le_bytes(), usize::from(len & 15))
}

/// Returns the op of a short integer in protocol 2 and its length, without BSR: that one waits for what was in the register of its
/// result, such as the end of the op before.
#[inline(always)]
pub(crate) fn short_int_op(value: i32) -> ([u8; 8], usize) {
    const fn opcode(value: i64) -> u8 {
        forms::int(RUN_PROTOCOL, value).byte()
    }
    const OPCODES: [u8; 3] = [opcode(0), opcode(0x100), opcode(0x1_0000)];
    const LENGTHS: [u8; 3] = [2, 3, 5];
    // Negative integers count as large.
    let bits = value as u32;
    let size = usize::from(bits > 0xff) + usize::from(bits > 0xffff);
    ((u64::from(OPCODES[size]) | u64::from(bits) << 8).to_le_bytes(), LENGTHS[size].into())
}

/// The encoding of integers of one size.
#[derive(Clone, Copy)]
struct IntForm {
    /// The opcode, followed by the length for LONG1.
    head: u16,
    /// Number of bits in `head`.
    head_bits: u8,
    /// Length of the op in bytes.
    len: u8,
}

/// Encodings by the position of the highest bit that differs from the sign.
const INT_FORMS: [IntForm; 64] = {
    let mut forms = [IntForm { head: 0, head_bits: 8, len: 0 }; 64];
    let mut at = 0;
    while at < 64 {
        // A value with this highest bit. The sign bit is never the highest bit that differs from it.
        let opcode = forms::int(RUN_PROTOCOL, ((1u64 << at) & (i64::MAX as u64)) as i64);
        forms[at] = match opcode {
            Opcode::BinInt1 if at < 63 => IntForm::fixed(opcode, 1),
            Opcode::BinInt2 => IntForm::fixed(opcode, 2),
            Opcode::BinInt => IntForm::fixed(opcode, 4),
            // The bits and the sign bit.
            _ => IntForm::counted(Opcode::Long1, ((at + 1) / 8 + 1) as u8),
        };
        at += 1;
    }
    forms
};

impl IntForm {
    const fn fixed(opcode: Opcode, width: u8) -> IntForm {
        IntForm { head: opcode.byte() as u16, head_bits: 8, len: 1 + width }
    }

    const fn counted(opcode: Opcode, width: u8) -> IntForm {
        IntForm { head: opcode.byte() as u16 | (width as u16) << 8, head_bits: 16, len: 2 + width }
    }
}
