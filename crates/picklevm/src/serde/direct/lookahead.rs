//! Lookahead: how many items of one op follow at least, for the capacity of a vector, and whether they are numbers.

use picklevm_ops::Opcode;

/// Number of items between a mark and its end in all batches but the last (`_BATCHSIZE`).
pub(super) const BATCH_SIZE: usize = 1000;

/// Number of items to look at if their ops have different lengths.
const MOST_ITEMS: usize = 16;

const BINFLOAT: u8 = Opcode::BinFloat.byte();

/// Length of BINFLOAT in bytes.
const FLOAT_LEN: usize = 9;

/// What is known of an op that makes an item: its length in bytes without counted bytes, and flags. 0 for other ops. Text is
/// followed by MEMOIZE.
pub(super) const ITEMS: [u8; 256] = by_opcode(
    &[
        (&[Opcode::None, Opcode::NewTrue, Opcode::NewFalse], 1),
        (&[Opcode::BinInt1], 2 | IS_NUMBER),
        (&[Opcode::BinInt2], 3 | IS_NUMBER),
        (&[Opcode::BinInt], 5 | IS_NUMBER),
        (&[Opcode::Long1], 2 | IS_NUMBER | IS_COUNTED),
        (&[Opcode::BinFloat], FLOAT_LEN as u8 | IS_NUMBER),
        (&[Opcode::BinGet], 2),
        (&[Opcode::ShortBinUnicode], 3 | IS_COUNTED),
    ],
    0,
);

/// Returns a table of the values of opcodes, and of another value for all other bytes.
pub(super) const fn by_opcode<T: Copy>(rows: &[(&[Opcode], T)], other: T) -> [T; 256] {
    let mut table = [other; 256];
    let mut row = 0;
    while row < rows.len() {
        let (opcodes, value) = rows[row];
        let mut at = 0;
        while at < opcodes.len() {
            table[opcodes[at].byte() as usize] = value;
            at += 1;
        }
        row += 1;
    }
    table
}

/// Bits of [`ITEMS`] for the length.
pub(super) const LEN: u8 = 0x0f;
const IS_NUMBER: u8 = 0x40;
/// The op counts bytes that follow.
pub(super) const IS_COUNTED: u8 = 0x80;

/// What the first items of a list look like.
#[derive(Debug, PartialEq)]
pub(super) struct Ahead {
    /// Number of items that follow at least, if they are not parts of tuples.
    pub(super) count: usize,
    /// Whether they are numbers, and more numbers or the end of the list may follow.
    pub(super) are_numbers: bool,
}

impl Ahead {
    pub(super) const NONE: Ahead = Ahead { count: 0, are_numbers: false };
}

/// Looks at the items of a list, given the rest of a frame. Floats are all counted, as they have one length: their opcodes
/// are compared without waiting for each other.
#[inline]
pub(super) fn items_ahead(rest: &[u8]) -> Ahead {
    if rest.first() == Some(&BINFLOAT) {
        return floats_ahead(rest);
    }
    if let Some(ahead) = ints_ahead(rest) {
        return ahead;
    }
    let (mut at, mut all) = (0, IS_NUMBER);
    for count in 0..MOST_ITEMS {
        let Some([opcode, counted]) = rest.get(at..).and_then(|rest| rest.first_chunk()) else {
            return Ahead { count, are_numbers: false };
        };
        let item = ITEMS[usize::from(*opcode)];
        if item == 0 {
            return Ahead { count, are_numbers: all != 0 && count > 0 && *opcode == APPENDS };
        }
        let counted = if item & IS_COUNTED != 0 { *counted } else { 0 };
        at += usize::from(item & LEN) + usize::from(counted);
        all &= item;
    }
    Ahead { count: MOST_ITEMS, are_numbers: all != 0 }
}

const APPENDS: u8 = Opcode::Appends.byte();

/// Counts the integers, if there are only short ones up to the end or the last item to look at.
#[inline]
fn ints_ahead(rest: &[u8]) -> Option<Ahead> {
    const LENGTHS: [u8; 256] =
        by_opcode(&[(&[Opcode::BinInt1], 2), (&[Opcode::BinInt2], 3), (&[Opcode::BinInt], 5)], 0);
    let (mut at, mut count) = (0, 0);
    while count < MOST_ITEMS {
        let opcode = *rest.get(at)?;
        let len = LENGTHS[usize::from(opcode)];
        if len == 0 {
            return (opcode == APPENDS && count > 0).then_some(Ahead { count, are_numbers: true });
        }
        at += usize::from(len);
        count += 1;
    }
    Some(Ahead { count, are_numbers: true })
}

/// Counts the floats, in batches with nothing between them but their ends.
#[inline(never)]
fn floats_ahead(mut rest: &[u8]) -> Ahead {
    const BORDER: [u8; 2] = [APPENDS, Opcode::Mark.byte()];
    let mut all = 0;
    loop {
        let count = rest.chunks_exact(FLOAT_LEN).take_while(|op| op.first() == Some(&BINFLOAT)).count();
        all += count;
        rest = rest.get(count * FLOAT_LEN..).unwrap_or_default();
        match rest.strip_prefix(&BORDER) {
            Some(next) if count == BATCH_SIZE => rest = next,
            _ => break,
        }
    }
    // A tuple has few items.
    let are_numbers = all > MOST_ITEMS || rest.first() == Some(&APPENDS);
    Ahead { count: all, are_numbers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_op_are_counted_up_to_the_end_of_their_batch() {
        let ahead = |rest: &[u8]| {
            let Ahead { count, are_numbers } = items_ahead(rest);
            (count, are_numbers)
        };
        let numbers = b"K\x01M\x00\x01J\0\0\0\0\x8a\x01\x07G\0\0\0\0\0\0\0\0e.";
        assert_eq!(ahead(numbers), (5, true));
        assert_eq!(ahead(b"K\x01M\x00\x01J\0\0\0\0e."), (3, true));
        assert_eq!(ahead(b"K\x01N\x8c\x01a\x94e."), (3, false));
        assert_eq!(ahead(b"e."), (0, false));
        assert_eq!(ahead(b"K\x01]\x94e."), (1, false));
        assert_eq!(ahead(b"K\x01K\x02\x86e."), (2, false));
        assert_eq!(ahead(b"K\x01K\x02"), (2, false));
        assert_eq!(ahead(&b"K\x01".repeat(100)), (MOST_ITEMS, true));
    }

    #[test]
    fn floats_are_counted_over_batches() {
        let batch = |count| [&b"("[..], &b"G\0\0\0\0\0\0\0\0".repeat(count), b"e"].concat();
        let all = [batch(1000), batch(1000), batch(7), b".".to_vec()].concat();
        assert_eq!(items_ahead(&all[1..]), Ahead { count: 2007, are_numbers: true });
        assert_eq!(items_ahead(&all[1..100]), Ahead { count: 11, are_numbers: false });
    }
}
