//! Lookahead: whether a value is more than its first op makes, and whether it is the only item of a list or dict.

use picklevm_ops::{Decoder, Opcode};

use super::cursor::MEMOIZE;
use super::stack::{Effect, Mark, atom_len};

/// What lies ahead in a part of the ops, by the offsets at which values start.
#[derive(Default)]
pub(super) struct Starts {
    until: usize,
    /// Values of several ops that start with a value.
    compound: Vec<usize>,
    /// Values, or keys with a value, that are the only item of a batch without a mark.
    single: Vec<usize>,
    /// Where the values on the stack start, and the marks.
    starts: Vec<usize>,
    marks: Vec<Mark>,
}

impl Starts {
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
        for offsets in [&mut self.compound, &mut self.single, &mut self.starts] {
            offsets.clear();
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
