//! The stack of the machine without its values: where each one begins, for looking ahead and for finding a place.

use std::collections::HashMap;

use picklevm_ops::{Decoder, Op, Opcode, StackObject};

use super::cursor::{BINGET, MEMOIZE, SHORT_BINUNICODE};
use super::lookahead::{IS_COUNTED, ITEMS, LEN};

/// What is known of a value on the stack.
#[derive(Clone, Copy)]
pub(super) struct Item {
    /// Offset of the first op of the value.
    pub(super) at: usize,
    /// Offset of the op that made the value: another if it came from the memo.
    pub(super) made: usize,
    /// Number of values that ops added to it.
    pub(super) len: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) at: usize,
    /// Number of items below it.
    pub(super) height: usize,
}

#[derive(Default)]
pub(super) struct Stack {
    pub(super) items: Vec<Item>,
    pub(super) marks: Vec<Mark>,
    /// [`Item::made`] of the values in the memo: those of the first numbers, then others.
    memo: Vec<usize>,
    others: HashMap<u64, usize>,
}

/// What an opcode does to the stack.
#[derive(Clone, Copy)]
pub(super) struct Effect {
    /// Number of items that it takes off, if it takes no mark.
    pub(super) taken: u8,
    /// Whether it takes all that is above a mark.
    pub(super) takes_mark: bool,
    /// Whether it changes the item below those it takes.
    pub(super) is_mutating: bool,
    pub(super) pushes: bool,
}

const EFFECTS: [Effect; 256] = {
    let mut effects = [Effect { taken: 0, takes_mark: false, is_mutating: false, pushes: false }; 256];
    let mut at = 0;
    while at < Opcode::ALL.len() {
        let opcode = Opcode::ALL[at];
        let before = opcode.stack_before();
        let mut takes_mark = false;
        let mut object = 0;
        while object < before.len() {
            takes_mark |= matches!(before[object], StackObject::StackSlice);
            object += 1;
        }
        let stays = opcode.is_mutating() || opcode.is_put() || matches!(opcode, Opcode::Dup);
        effects[opcode.byte() as usize] = Effect {
            taken: before.len().saturating_sub(stays as usize) as u8,
            takes_mark,
            is_mutating: opcode.is_mutating(),
            pushes: !opcode.is_mutating() && !opcode.is_put() && !opcode.stack_after().is_empty(),
        };
        at += 1;
    }
    effects
};

impl Effect {
    #[inline(always)]
    pub(super) fn of(opcode: Opcode) -> Self {
        EFFECTS[usize::from(opcode.byte())]
    }
}

/// Returns the length of the op that comes next, with the MEMOIZE after a text, if it makes an atom; 0 otherwise.
#[inline(always)]
pub(super) fn atom_len(rest: &[u8]) -> usize {
    let Some([opcode, counted]) = rest.first_chunk() else { return 0 };
    let item = ITEMS[usize::from(*opcode)];
    let len = usize::from(item & LEN) + if item & IS_COUNTED == 0 { 0 } else { usize::from(*counted) };
    let is_whole = len <= rest.len() && (*opcode != SHORT_BINUNICODE || rest.get(len - 1) == Some(&MEMOIZE));
    if is_whole { len } else { 0 }
}

impl Stack {
    /// Returns the number of items that an opcode leaves below those it takes. `None` if there are too few.
    pub(super) fn base(&self, effect: Effect) -> Option<usize> {
        if effect.takes_mark {
            return self.marks.last().map(|mark| mark.height);
        }
        let above = self.items.len() - self.marks.last().map_or(0, |mark| mark.height);
        let taken = usize::from(effect.taken);
        (taken <= above).then(|| self.items.len() - taken)
    }

    /// Runs the ops of atoms that come next, up to an offset. Returns their number.
    pub(super) fn run_atoms(&mut self, decoder: &mut Decoder<'_>, until: usize) -> u64 {
        let mut count = 0;
        loop {
            let (at, rest) = (decoder.offset(), decoder.rest());
            let len = atom_len(rest);
            if len == 0 {
                if rest.first() != Some(&MEMOIZE) || at >= until {
                    return count;
                }
                self.memoize();
                decoder.skip_op(1);
                continue;
            }
            if at + len > until {
                return count;
            }
            let made = match *rest {
                [BINGET, number, ..] => self.made(number.into()),
                _ => at,
            };
            self.items.push(Item { at, made, len: 0 });
            if rest.first() == Some(&SHORT_BINUNICODE) {
                self.memoize();
            }
            decoder.skip_op(len);
            count += 1;
        }
    }

    fn memoize(&mut self) {
        self.put((self.memo.len() + self.others.len()) as u64);
    }

    /// Runs an op that leaves `base` items below those it takes.
    pub(super) fn run(&mut self, op: &Op<'_>, at: usize, base: usize) {
        let effect = Effect::of(op.opcode());
        let made = match *op {
            Op::Mark => return self.marks.push(Mark { at, height: base }),
            Op::Memoize => return self.memoize(),
            Op::BinPut(number) => return self.put(number.into()),
            Op::LongBinPut(number) => return self.put(number.into()),
            Op::Put(number) => return self.put(number),
            Op::BinGet(number) => self.made(number.into()),
            Op::LongBinGet(number) => self.made(number.into()),
            Op::Get(number) => self.made(number),
            Op::Dup => self.items.last().map_or(at, |item| item.made),
            _ => at,
        };
        let mark = if effect.takes_mark { self.marks.pop() } else { None };
        let first = mark.map(|mark| mark.at).or_else(|| self.items.get(base).map(|item| item.at));
        let taken = self.items.len() - base;
        self.items.truncate(base);
        match self.items.last_mut() {
            Some(item) if effect.is_mutating => item.len += taken,
            _ if effect.pushes => self.items.push(Item { at: first.unwrap_or(at), made, len: 0 }),
            _ => {}
        }
    }

    fn put(&mut self, number: u64) {
        let Some(made) = self.items.last().map(|item| item.made) else { return };
        match usize::try_from(number).unwrap_or(usize::MAX) {
            number if number < self.memo.len() => self.memo[number] = made,
            number if number == self.memo.len() && self.others.is_empty() => self.memo.push(made),
            _ => _ = self.others.insert(number, made),
        }
    }

    /// Returns the offset of the op that made the value of a memo index.
    pub(super) fn made(&self, number: u64) -> usize {
        let first = usize::try_from(number).ok().and_then(|number| self.memo.get(number));
        first.or_else(|| self.others.get(&number)).copied().unwrap_or_default()
    }
}
