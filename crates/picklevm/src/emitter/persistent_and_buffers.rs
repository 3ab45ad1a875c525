//! Writes persistent references and out-of-band buffers.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use picklevm_ops::{Op, Sink};

use super::memo::Entry;
use super::{Emitter, Place, Step, unrepresentable};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Buffer, Cell, Tag, is_compound};

/// Callback for a buffer: returns `true` to take it out of band, `false` to keep its bytes in the pickle.
pub(crate) type BufferCallback = dyn FnMut(Buffer<'_>) -> bool + Send;

/// Maximum number of values visited per pickle in the search for objects inside their own arguments.
pub(super) const REENTRY_WORK_LIMIT: u32 = 1 << 20;

impl<S: Sink> Emitter<'_, '_, S> {
    /// Starts a persistent reference with its id. CPython calls `persistent_id` each time and memoizes no reference; one
    /// that is shared in the graph is memoized here.
    pub(super) fn persistent(&mut self, cell: Cell, slot: usize, entry: Entry) -> Result<()> {
        self.open_immutable(slot, entry)?;
        let pid = self.arena.persistents[cell];
        if self.protocol > 0 {
            self.steps.push(Step::Persistent(cell));
            // A separate step, since ids may be nested persistent references of any depth.
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

    /// Writes BINPERSID, after the id.
    pub(super) fn finish_persistent(&mut self, cell: Cell) -> Result<()> {
        self.op(Op::BinPersId)?;
        if let Some(number) = self.memo.entry(self.memo.slot(cell)).number() {
            // It occurred inside its own id, and was written completely there.
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
        // Complete: a later pickle with this memo writes it again.
        self.memo.set(slot, Entry::NONE);
        Ok(())
    }

    /// Whether an object will be written within class and arguments of a call. Returns `None` if the search is too expensive.
    pub(super) fn leads_back(&mut self, call: Cell, object: Cell) -> Option<bool> {
        let mut left = self.constructor_values(call);
        let mut seen = HashSet::with_hasher(RandomState::default());
        while let Some(cell) = left.pop() {
            if cell == object {
                return Some(true);
            }
            let is_fetched = || self.memo.entry(self.memo.slot(cell)).number().is_some();
            if !is_compound(cell.tag()) || cell.is(Tag::EmptyTuple) || is_fetched() || !seen.insert(cell) {
                continue;
            }
            let from = left.len();
            self.arena.each_child(cell, |child| left.push(child));
            self.reentry_work = self.reentry_work.checked_sub(1 + (left.len() - from) as u32)?;
        }
        Some(false)
    }

    /// Returns the values that an object is made from: class and arguments, or the items of a set or tuple.
    pub(super) fn constructor_values(&self, cell: Cell) -> Vec<Cell> {
        if !cell.is(Tag::Object) {
            return self.arena.items(cell).to_vec();
        }
        let node = self.arena.objects[cell];
        vec![node.class, node.args]
    }

    /// Writes a buffer, out of band or, if the callback declines, in band as bytes or a bytearray.
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
