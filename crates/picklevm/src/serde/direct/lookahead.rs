//! Lookahead: whether the next op after the start of a list or dict starts its only item, or follows the container.

use picklevm_ops::{Decoder, Opcode};
use smallvec::SmallVec;

use super::cursor::is_between;

/// Maximum number of ops to look at.
const LOOKAHEAD_LIMIT: usize = 32;

/// Whether `values` values follow and then the opcode `end`, which takes them: an item without a mark. Returns true if the
/// first [`LOOKAHEAD_LIMIT`] ops do not decide it.
#[inline(never)]
pub(super) fn come_before(mut decoder: Decoder<'_>, values: usize, end: Opcode) -> bool {
    let mut height = 0usize;
    let mut marks: SmallVec<[usize; 8]> = SmallVec::new();
    for _ in 0..LOOKAHEAD_LIMIT {
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
            // The op took a value below the container.
            _ => return false,
        }
    }
    true
}

/// Whether an opcode makes a value from its operand alone.
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
