//! A look ahead: whether what follows a list or dict that just began is its only item, or something after it.

use picklevm_ops::{Decoder, Opcode};
use smallvec::SmallVec;

use super::cursor::is_between;

/// Ops that are looked at.
const FORESIGHT: usize = 32;

/// Whether what comes next is so many values and then this opcode, which takes them: an item without a mark. If that does
/// not show soon, it is taken for granted.
#[inline(never)]
pub(super) fn come_before(mut decoder: Decoder<'_>, values: usize, end: Opcode) -> bool {
    let mut height = 0usize;
    let mut marks: SmallVec<[usize; 8]> = SmallVec::new();
    for _ in 0..FORESIGHT {
        let opcode = match decoder.next_op() {
            Ok(op) => op.opcode(),
            Err(_) => return false,
        };
        if opcode == end && height == values && marks.is_empty() {
            return true;
        }
        let after = match opcode {
            _ if is_between(opcode.byte()) => Some(height),
            _ if makes_a_value(opcode) => Some(height + 1),
            Opcode::Mark => {
                marks.push(height);
                Some(height)
            }
            Opcode::Appends | Opcode::SetItems => marks.pop(),
            Opcode::Tuple => marks.pop().map(|mark| mark + 1),
            Opcode::Append | Opcode::Tuple2 => height.checked_sub(1),
            Opcode::SetItem | Opcode::Tuple3 => height.checked_sub(2),
            Opcode::Tuple1 => Some(height),
            _ => None,
        };
        match after {
            Some(after) if after > 0 || is_between(opcode.byte()) => height = after,
            // Something took what lies below.
            _ => return false,
        }
    }
    true
}

/// Whether an opcode makes a value of nothing but its operand.
fn makes_a_value(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::None
            | Opcode::NewTrue
            | Opcode::NewFalse
            | Opcode::BinInt1
            | Opcode::BinInt2
            | Opcode::BinInt
            | Opcode::Long1
            | Opcode::BinFloat
            | Opcode::ShortBinUnicode
            | Opcode::BinUnicode
            | Opcode::BinUnicode8
            | Opcode::ShortBinBytes
            | Opcode::BinBytes
            | Opcode::BinBytes8
            | Opcode::EmptyTuple
            | Opcode::EmptyList
            | Opcode::EmptyDict
            | Opcode::BinGet
            | Opcode::LongBinGet
    )
}
