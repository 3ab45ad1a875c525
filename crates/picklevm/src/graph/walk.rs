//! Walking a graph in depth-first order.

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::compare::is_compound;
use super::node_index::NodeIndex;

/// Depth-first iterator over the compound values that the roots reach, each once: parents before children, children
/// from left to right.
pub(crate) struct Walk<'g> {
    arena: &'g Arena,
    index: NodeIndex,
    seen: Vec<bool>,
    work: Vec<Cell>,
}

impl<'g> Walk<'g> {
    pub(crate) fn new(arena: &'g Arena, roots: impl DoubleEndedIterator<Item = Cell>) -> Self {
        let index = NodeIndex::new(arena);
        Walk { arena, index, seen: vec![false; index.len()], work: roots.rev().collect() }
    }

    /// Adds roots.
    pub(crate) fn add(&mut self, roots: &[Cell]) {
        self.work.extend(roots);
    }

    /// Whether the walk has visited this compound value.
    pub(crate) fn has_seen(&self, cell: Cell) -> bool {
        self.seen[self.index.of(cell)]
    }
}

impl Iterator for Walk<'_> {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        while let Some(cell) = self.work.pop() {
            if !is_compound(cell.tag()) || cell.is(Tag::EmptyTuple) {
                continue;
            }
            if std::mem::replace(&mut self.seen[self.index.of(cell)], true) {
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
    /// Returns the nesting depth of compound values, including this one. A value that contains itself ends a path.
    pub(crate) fn nesting(&self, root: Cell) -> u64 {
        let index = NodeIndex::new(self);
        // Values in progress count as 0, so that cycles add nothing.
        let mut depths: Vec<u32> = vec![0; index.len()];
        let mut seen = vec![false; index.len()];
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
                        deepest = deepest.max(depths[index.of(child)]);
                    }
                });
                depths[index.of(cell)] = deepest + 1;
            } else if !std::mem::replace(&mut seen[index.of(cell)], true) {
                work.push((cell, true));
                self.each_child(cell, |child| work.push((child, false)));
            }
        }
        if is_node(root) { depths[index.of(root)].into() } else { 0 }
    }

    /// Removes effects that the roots reach, and duplicates.
    pub(crate) fn drop_reached_effects(&mut self) {
        let mut walk = Walk::new(self, self.roots.iter().copied());
        walk.by_ref().for_each(drop);
        let mut unique = std::collections::HashSet::with_capacity(self.effects.len());
        let kept = self.effects.iter().copied().filter(|e| !walk.has_seen(*e) && unique.insert(*e)).collect();
        self.effects = kept;
    }
}
