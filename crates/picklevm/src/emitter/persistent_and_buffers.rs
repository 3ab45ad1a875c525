//! What lies outside of the pickle: persistent references and out-of-band buffers.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use picklevm_ops::{Op, Sink};

use super::memo::Entry;
use super::refcounts::is_made_for_arguments;
use super::{Emitter, Place, Step, unrepresentable};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Buffer, Cell, Tag, is_compound};

/// Decides about a buffer: `true` takes it out of band, `false` leaves its bytes in the pickle.
pub(crate) type BufferCallback = dyn FnMut(Buffer<'_>) -> bool + Send;

/// Values that are looked at in one pickle, at the most, to tell which objects their own arguments lead back to.
pub(super) const REENTRY_WORK_LIMIT: u32 = 1 << 20;

impl<S: Sink> Emitter<'_, '_, S> {
    /// Begins a persistent reference: its id comes first. CPython asks for it each time and memoizes none; one that is
    /// shared in the graph is put into the memo nevertheless.
    pub(super) fn persistent(&mut self, cell: Cell, slot: usize, entry: Entry) -> Result<()> {
        self.open_immutable(slot, entry)?;
        let pid = self.arena.persistents[cell];
        if self.protocol > 0 {
            self.steps.push(Step::Persistent(cell));
            // A step of its own: an id may be a persistent reference again, however deep.
            self.steps.push(Step::Save(pid, Place::DATA));
            return Ok(());
        }
        let line = if pid.is(Tag::Str) { self.arena.text(pid).as_str() } else { None };
        match line.filter(|line| line.is_ascii() && !line.contains('\n')) {
            Some(line) => self.op(Op::PersId(line))?,
            None => {
                let found = format!("{:?}", crate::graph::Value::new(self.arena, pid));
                return Err(unrepresentable("a persistent id that is one line of ASCII text at protocol 0", found));
            }
        }
        self.put_if_shared(cell)
    }

    /// BINPERSID, after the id.
    pub(super) fn finish_persistent(&mut self, cell: Cell) -> Result<()> {
        self.op(Op::BinPersId)?;
        if let Some(number) = self.memo.entry(self.memo.slot(cell)).number() {
            // It was met inside its own id, and written completely there.
            self.op(Op::Pop)?;
            return self.get(number);
        }
        self.put_if_shared(cell)
    }

    fn put_if_shared(&mut self, cell: Cell) -> Result<()> {
        let slot = self.memo.slot(cell);
        if self.refcounts().is_shared(cell) {
            return self.put(slot);
        }
        // It is complete: a later pickle with this memo writes it again.
        self.memo.set(slot, Entry::NONE);
        Ok(())
    }

    /// Sees to it that the persistent references that make an object are put into the memo, if it will be met inside its
    /// own arguments: made of others, the one that is dropped would be another call.
    pub(super) fn hold_persistents(&mut self, object: Cell) {
        if self.arena.persistents.is_empty() || self.options.fast || !self.refcounts().is_shared(object) {
            return;
        }
        let mut references = Vec::new();
        let mut left = self.made_of(object);
        while let Some(cell) = left.pop() {
            if cell.is(Tag::Persistent) {
                references.push(cell);
            } else if is_made_for_arguments(cell) && !self.refcounts().is_shared(cell) {
                left.extend(self.arena.items(cell));
            }
        }
        if !references.is_empty() && self.leads_back(object) {
            references.into_iter().for_each(|reference| self.refcounts().hold(reference));
        }
    }

    /// Whether an object is met again while what makes it is written; `true` where telling would cost too much.
    fn leads_back(&mut self, object: Cell) -> bool {
        let mut left = self.made_of(object);
        let mut seen = HashSet::with_hasher(RandomState::default());
        while let Some(cell) = left.pop() {
            if cell == object {
                return true;
            }
            let is_fetched = || self.memo.entry(self.memo.slot(cell)).number().is_some();
            if !is_compound(cell.tag()) || cell.is(Tag::EmptyTuple) || is_fetched() || !seen.insert(cell) {
                continue;
            }
            let from = left.len();
            self.arena.each_child(cell, |child| left.push(child));
            let Some(rest) = self.curiosity.checked_sub(1 + (left.len() - from) as u32) else { return true };
            self.curiosity = rest;
        }
        false
    }

    /// What an object is made of: class and arguments; the items of a set or tuple.
    pub(super) fn made_of(&self, cell: Cell) -> Vec<Cell> {
        if !cell.is(Tag::Object) {
            return self.arena.items(cell).to_vec();
        }
        let node = self.arena.objects[cell];
        vec![node.class, node.args]
    }

    /// A buffer, out of band or, if it is declined, in band as bytes or a bytearray.
    pub(super) fn buffer(&mut self, cell: Cell) -> Result<()> {
        let slot = self.memo.slot(cell);
        if let Some(number) = self.memo.entry(slot).number() {
            return self.get(number);
        }
        let buffer = Buffer::new(self.arena, cell);
        if self.protocol < 5 {
            return Err(unrepresentable("protocol 5 for a buffer", format!("protocol {}", self.protocol)));
        }
        let is_taken = match &mut self.buffer_callback {
            Some(callback) => callback(buffer),
            None => buffer.data().is_none(),
        };
        if is_taken {
            self.op(Op::NextBuffer)?;
            if buffer.is_readonly() {
                self.op(Op::ReadonlyBuffer)?;
            }
            return self.put_if_shared(cell);
        }
        let Some(data) = buffer.data() else {
            let found = format!("a reference to buffer {}", buffer.index());
            return Err(Error::new(ErrorKind::Buffer, "the bytes of a buffer that stays in the pickle", found));
        };
        if buffer.is_readonly() {
            self.bytes(data)?
        } else {
            self.byte_array(data)?
        }
        self.put(slot)
    }
}
