//! Writes the changes of an object after it was made: items, state, effects.

use picklevm_ops::Sink;

use super::containers::{Adding, Owner};
use super::{BareOp, Emitter, Place, Step, unrepresentable};
use crate::error::Result;
use crate::graph::{Cell, Fixed, OpKind, Tag};

/// A change to be written; for items, only those in a range.
#[derive(Clone, Copy)]
pub(super) struct PendingChange {
    kind: OpKind,
    value: Cell,
    from: u32,
    to: u32,
}

impl<S: Sink> Emitter<'_, '_, S> {
    pub(super) fn has_changes(&self, cell: Cell) -> bool {
        cell.is(Tag::Object) && self.arena.objects[cell].first_kind != OpKind::Nothing
    }

    /// Starts the changes of an object that was just made. The pure-Python pickler writes them each time it makes an object
    /// that occurs inside its own arguments; then they are divided evenly.
    pub(super) fn begin_changes(&mut self, cell: Cell) -> Result<()> {
        if !self.has_changes(cell) {
            return Ok(());
        }
        let arena = self.arena;
        let from = self.changes.len();
        for (kind, value) in arena.object_ops(arena.objects[cell]) {
            let to = arena.item_range(value).len;
            self.changes.push(PendingChange { kind, value, from: 0, to });
        }
        if self.options.writer.quirks().repeats_changes
            && let Some(reentry) = self.reentries.as_mut().and_then(|reentries| reentries.get_mut(&cell))
        {
            reentry.made += 1;
            divide(&mut self.changes, from, reentry.made - 1, reentry.entries);
        }
        let left = self.changes.len() - from;
        if left > 0 {
            self.changes[from..].reverse();
            self.barriers += 1;
            self.steps.push(Step::Change(cell, left));
        }
        Ok(())
    }

    /// Writes the next of the `left` remaining changes of an object.
    pub(super) fn change(&mut self, cell: Cell, left: usize) -> Result<()> {
        let (Some(change), 1..) = (self.changes.last().copied(), left) else {
            self.barriers -= 1;
            return Ok(());
        };
        self.changes.pop();
        self.steps.push(Step::Change(cell, left - 1));
        let PendingChange { kind, value, from, to } = change;
        let how = match kind {
            OpKind::Build | OpKind::Nothing => {
                self.steps.push(Step::Op(BareOp::Build));
                return self.save(value, Place::DATA);
            }
            OpKind::Effect => return self.effect(value),
            OpKind::Append => Adding::APPEND,
            OpKind::SetItem => Adding::SET_ITEM,
            OpKind::Add if self.protocol < 4 => {
                return Err(unrepresentable("protocol 4 or higher to add items to an object", "a lower protocol"));
            }
            OpKind::Add => Adding::ADD,
        };
        let all = self.arena.item_range(value);
        self.begin_items(cell, Fixed { len: to, ..all }.after(from), how, Owner::Object)
    }
}

/// Keeps only one part of the changes from `from` on. The first part gets all if they do not divide evenly.
fn divide(changes: &mut Vec<PendingChange>, from: usize, part: u32, parts: u32) {
    let len = changes.len() - from;
    let (at, of) = (part as usize, parts as usize);
    if part >= parts {
        changes.truncate(from);
    } else if len.is_multiple_of(of) {
        changes.truncate(from + (at + 1) * (len / of));
        changes.drain(from..from + at * (len / of));
    } else if let [only] = &mut changes[from..]
        && let Some(share) = share_of_items(*only, parts)
    {
        (only.from, only.to) = (part * share, (part + 1) * share);
    } else if part > 0 {
        changes.truncate(from);
    }
}

/// Returns the number of cells per part, if the items divide evenly.
fn share_of_items(change: PendingChange, parts: u32) -> Option<u32> {
    let stride = match change.kind {
        OpKind::Append => 1,
        OpKind::SetItem => 2,
        _ => return None,
    };
    change.to.is_multiple_of(stride * parts).then_some(change.to / parts)
}
