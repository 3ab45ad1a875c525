//! Lookahead: whether a value is more than its first op makes, and whether it is the only item of a list or dict.

use picklevm_ops::{Decoder, Opcode};

use super::cursor::{MARK, MEMOIZE};
use super::lookahead::{IS_COUNTED, LEN, by_opcode};
use super::stack::{Effect, Mark, atom_len};

/// The length of an op that only pushes a value or puts one into the memo, without counted bytes, and a flag for these; a
/// flag for an op that takes all above a mark. 0 for other ops.
const PUSHES: [u8; 256] = {
    use Opcode::{AddItems, Appends, FrozenSet, SetItems, Tuple};
    use Opcode::{
        BinFloat, BinGet, BinInt, BinInt1, BinInt2, BinPut, EmptyDict, EmptyList, EmptySet, EmptyTuple, Long1,
    };
    use Opcode::{LongBinGet, LongBinPut, Memoize, NewFalse, NewTrue, None, ShortBinBytes, ShortBinUnicode};
    by_opcode(
        &[
            (&[None, NewTrue, NewFalse, EmptyList, EmptyDict, EmptySet, EmptyTuple, Memoize], 1),
            (&[BinInt1, BinGet, BinPut], 2),
            (&[BinInt2], 3),
            (&[BinInt, LongBinGet, LongBinPut], 5),
            (&[BinFloat], 9),
            (&[Long1, ShortBinUnicode, ShortBinBytes], 2 | IS_COUNTED),
            (&[Appends, SetItems, AddItems, Tuple, FrozenSet], 1 | TAKES_MARK),
        ],
        0,
    )
};

/// Bit of [`PUSHES`].
const TAKES_MARK: u8 = 0x40;

/// Returns the length of the ops up to the end of the container, if none of them takes a value except between a mark and the
/// end of a batch.
fn plain_len(rest: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0usize);
    loop {
        let [opcode, counted] = rest.get(at..)?.first_chunk()?;
        match PUSHES[usize::from(*opcode)] {
            0 if *opcode == MARK => {
                depth += 1;
                at += 1;
            }
            0 => return None,
            op if op & TAKES_MARK != 0 => {
                if depth == 0 {
                    return Some(at);
                }
                depth -= 1;
                at += 1;
            }
            op => at += usize::from(op & LEN) + if op & IS_COUNTED == 0 { 0 } else { usize::from(*counted) },
        }
    }
}

/// What lies ahead in a part of the ops, by the offsets at which values start.
#[derive(Default)]
pub(super) struct Starts {
    until: usize,
    /// Up to here, no value is compound or single.
    plain_until: usize,
    /// Values of several ops that start with a value.
    compound: Vec<usize>,
    /// Values, or keys with a value, that are the only item of a batch without a mark.
    single: Vec<usize>,
    /// Where the values on the stack start, and the marks.
    starts: Vec<usize>,
    marks: Vec<Mark>,
}

impl Starts {
    /// Whether it is known that the value that comes next at an offset is neither compound nor single.
    #[inline(always)]
    pub(super) fn is_plain(&self, at: usize) -> bool {
        at < self.plain_until
    }

    /// Whether the value at an offset starts with a value: a tuple without a mark, a class, or what has a persistent id.
    pub(super) fn is_compound(&mut self, decoder: Decoder<'_>) -> bool {
        let at = decoder.offset();
        self.look(decoder);
        self.compound.binary_search(&at).is_ok()
    }

    /// Whether APPEND or SETITEM takes the value at an offset, or the key there and its value.
    pub(super) fn is_single(&mut self, decoder: Decoder<'_>) -> bool {
        let at = decoder.offset();
        self.look(decoder);
        self.single.binary_search(&at).is_ok()
    }

    /// Runs the ops without values, up to one that takes what is before this place, unless that has been done.
    #[inline(never)]
    fn look(&mut self, mut decoder: Decoder<'_>) {
        if decoder.offset() < self.until {
            return;
        }
        self.until = decoder.offset() + 1;
        self.marks.clear();
        if let Some(len) = plain_len(decoder.rest()) {
            self.plain_until = decoder.offset() + len;
            self.until = self.plain_until.max(self.until);
        }
        for offsets in [&mut self.compound, &mut self.single, &mut self.starts] {
            offsets.clear();
        }
        if self.is_plain(decoder.offset()) {
            return;
        }
        loop {
            let at = decoder.offset();
            match atom_len(decoder.rest()) {
                0 if decoder.rest().first() == Some(&MEMOIZE) => {
                    decoder.skip_op(1);
                    continue;
                }
                0 => {}
                len => {
                    decoder.skip_op(len);
                    self.starts.push(at);
                    continue;
                }
            }
            let Ok(op) = decoder.next_op() else { break };
            let opcode = op.opcode();
            let effect = Effect::of(opcode);
            let mark = if effect.takes_mark { self.marks.pop() } else { None };
            let base = match mark {
                Some(mark) => mark.height,
                None if effect.takes_mark => break,
                None => self.starts.len().wrapping_sub(effect.taken.into()),
            };
            let bottom = self.marks.last().map_or(0, |mark| mark.height);
            if opcode == Opcode::Stop || !(bottom..=self.starts.len()).contains(&base) {
                break;
            }
            let first = self.starts.get(base).copied();
            match (first, opcode) {
                _ if mark.is_some() => {}
                (Some(first), Opcode::Append | Opcode::SetItem) => self.single.push(first),
                (Some(first), _) => self.compound.push(first),
                _ => {}
            }
            if effect.is_mutating && base == 0 {
                break;
            }
            self.starts.truncate(base);
            if opcode == Opcode::Mark {
                self.marks.push(Mark { at, height: base });
            } else if effect.pushes {
                self.starts.push(mark.map(|mark| mark.at).or(first).unwrap_or(at));
            }
        }
        self.until = decoder.op_offset().max(self.until);
        self.compound.sort_unstable();
        self.single.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ops_that_take_nothing_are_counted_up_to_the_end_of_the_container() {
        // 5, [1, 2], 'a' in the open batch of a dict.
        let ops = b"K\x05h\x00]\x94(K\x01K\x02eh\x01\x8c\x01a\x94u.";
        assert_eq!(plain_len(ops), Some(ops.len() - 2));
    }

    #[test]
    fn ops_with_a_tuple_or_a_single_item_are_not_counted() {
        assert_eq!(plain_len(b"K\x05K\x06\x86\x94h\x00K\x01u."), None);
        assert_eq!(plain_len(b"]\x94K\x05ah\x00K\x01u."), None);
        assert_eq!(plain_len(b"K\x05h\x00"), None);
    }
}
