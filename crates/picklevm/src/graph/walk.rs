//! Walking a graph: which values are reached, in which order.

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::compare::is_compound;
use super::node_index::NodeIndex;

/// A depth-first walk over the compound values that some values reach, parents before children, children from left to
/// right, each once.
pub(crate) struct Walk<'g> {
    arena: &'g Arena,
    slots: NodeIndex,
    seen: Vec<bool>,
    work: Vec<Cell>,
}

impl<'g> Walk<'g> {
    pub(crate) fn new(arena: &'g Arena, roots: impl DoubleEndedIterator<Item = Cell>) -> Self {
        let slots = NodeIndex::new(arena);
        Walk { arena, slots, seen: vec![false; slots.len()], work: roots.rev().collect() }
    }

    /// Whether the walk has come by this compound value.
    pub(crate) fn has_seen(&self, cell: Cell) -> bool {
        self.seen[self.slots.of(cell)]
    }
}

impl Iterator for Walk<'_> {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        while let Some(cell) = self.work.pop() {
            if !is_compound(cell.tag()) || cell.is(Tag::EmptyTuple) {
                continue;
            }
            if std::mem::replace(&mut self.seen[self.slots.of(cell)], true) {
                continue;
            }
            let from = self.work.len();
            self.arena.each_child(cell, |child| {
                if is_compound(child.tag()) {
                    self.work.push(child);
                }
            });
            self.work[from..].reverse();
            return Some(cell);
        }
        None
    }
}

impl Arena {
    /// How many compound values lie inside one another below this one, and with it, on the longest way down. A value that
    /// contains itself ends the way.
    pub(crate) fn nesting(&self, root: Cell) -> u64 {
        let slots = NodeIndex::new(self);
        // What is still open counts as 0, so that cycles add nothing.
        let mut depths: Vec<u32> = vec![0; slots.len()];
        let mut seen = vec![false; slots.len()];
        let mut work = vec![(root, false)];
        let is_node = |cell: Cell| is_compound(cell.tag()) && !cell.is(Tag::EmptyTuple);
        while let Some((cell, ready)) = work.pop() {
            if !is_node(cell) {
                continue;
            }
            if ready {
                let mut deepest = 0;
                self.each_child(cell, |child| {
                    if is_node(child) {
                        deepest = deepest.max(depths[slots.of(child)]);
                    }
                });
                depths[slots.of(cell)] = deepest + 1;
            } else if !std::mem::replace(&mut seen[slots.of(cell)], true) {
                work.push((cell, true));
                self.each_child(cell, |child| work.push((child, false)));
            }
        }
        if is_node(root) { depths[slots.of(root)].into() } else { 0 }
    }

    /// Leaves those effects out that the roots still reach, and those that are named twice.
    pub(crate) fn drop_reached_effects(&mut self) {
        let mut walk = Walk::new(self, self.roots.iter().copied());
        walk.by_ref().for_each(drop);
        let mut named = std::collections::HashSet::with_capacity(self.effects.len());
        let kept = self.effects.iter().copied().filter(|e| !walk.has_seen(*e) && named.insert(*e)).collect();
        self.effects = kept;
    }
}
