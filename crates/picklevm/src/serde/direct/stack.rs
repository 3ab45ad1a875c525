//! The stack of the machine without its values: where each one begins, for looking ahead and for finding a place.

use std::collections::HashMap;

use picklevm_ops::{Op, Opcode, StackObject};

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

/// Whether an opcode takes all that is above a mark.
pub(super) fn takes_mark(opcode: Opcode) -> bool {
    opcode.stack_before().contains(&StackObject::StackSlice)
}

/// Returns how many items an opcode takes off the stack that takes no mark.
pub(super) fn taken(opcode: Opcode) -> usize {
    let stays = opcode.is_mutating() || opcode.is_put() || opcode == Opcode::Dup;
    opcode.stack_before().len().saturating_sub(stays.into())
}

impl Stack {
    /// Returns the number of items that an opcode leaves below those it takes. `None` if there are too few.
    pub(super) fn base(&self, opcode: Opcode) -> Option<usize> {
        if takes_mark(opcode) {
            return self.marks.last().map(|mark| mark.height);
        }
        let above = self.items.len() - self.marks.last().map_or(0, |mark| mark.height);
        let taken = taken(opcode);
        (taken <= above).then(|| self.items.len() - taken)
    }

    /// Runs an op that leaves `base` items below those it takes.
    pub(super) fn run(&mut self, op: &Op<'_>, at: usize, base: usize) {
        let opcode = op.opcode();
        let made = match *op {
            Op::Mark => return self.marks.push(Mark { at, height: base }),
            Op::Memoize => return self.put((self.memo.len() + self.others.len()) as u64),
            Op::BinPut(number) => return self.put(number.into()),
            Op::LongBinPut(number) => return self.put(number.into()),
            Op::Put(number) => return self.put(number),
            Op::BinGet(number) => self.get(number.into()),
            Op::LongBinGet(number) => self.get(number.into()),
            Op::Get(number) => self.get(number),
            Op::Dup => self.items.last().map_or(at, |item| item.made),
            _ => at,
        };
        let mark = if takes_mark(opcode) { self.marks.pop() } else { None };
        let first = mark.map(|mark| mark.at).or_else(|| self.items.get(base).map(|item| item.at));
        let taken = self.items.len() - base;
        self.items.truncate(base);
        match self.items.last_mut() {
            Some(item) if opcode.is_mutating() => item.len += taken,
            _ if opcode.stack_after().is_empty() => {}
            _ => self.items.push(Item { at: first.unwrap_or(at), made, len: 0 }),
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

    fn get(&self, number: u64) -> usize {
        let first = usize::try_from(number).ok().and_then(|number| self.memo.get(number));
        first.or_else(|| self.others.get(&number)).copied().unwrap_or_default()
    }
}
