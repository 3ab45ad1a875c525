//! Reference counts of nodes.

use crate::graph::{Arena, Cell, Construction, NodeIndex, Tag, Walk};

/// Reference count of each written node, and whether a REDUCE calls it.
pub(super) struct RefCounts {
    slots: NodeIndex,
    /// Bits 0 and 1: no reference, one, more than one. Bit 2: called.
    counts: Vec<u8>,
}

const MANY: u8 = 2;
const REFERENCES: u8 = 3;
const CALLED: u8 = 4;

impl RefCounts {
    /// Counts the references to and in everything reachable from the root and the effects.
    pub(super) fn take(arena: &Arena, slots: NodeIndex, root: Cell, effects: &[Cell]) -> RefCounts {
        let mut refcounts = RefCounts { slots, counts: vec![0; slots.len()] };
        let roots = || std::iter::once(root).chain(effects.iter().copied());
        roots().for_each(|root| refcounts.count(root));
        for cell in arena.outer_calls.held_arguments() {
            refcounts.count(cell);
        }
        let mut walk = Walk::new(arena, roots());
        while let Some(cell) = walk.next() {
            walk.add(arena.outer_calls.equal_to(cell));
            arena.each_child(cell, |child| refcounts.count(child));
            if cell.is(Tag::Object) {
                let node = arena.objects[cell];
                if node.how == Construction::Reduce && NodeIndex::has(node.class) {
                    refcounts.counts[slots.of(node.class)] |= CALLED;
                }
            }
        }
        refcounts.spread(arena);
        refcounts
    }

    /// Marks the items of a shared list, dict or tuple as shared: they were not newly made either.
    fn spread(&mut self, arena: &Arena) {
        let of_kind = |tag, len| (0..len as u32).map(move |id| Cell::node(tag, id));
        let mut held: Vec<_> = of_kind(Tag::Tuple, arena.tuples.len())
            .chain(of_kind(Tag::List, arena.lists.len()))
            .chain(of_kind(Tag::Dict, arena.dicts.len()))
            .filter(|container| self.is_shared(*container))
            .collect();
        while let Some(container) = held.pop() {
            for item in arena.items(container) {
                if is_made_for_arguments(*item) && !self.is_shared(*item) {
                    self.mark_shared(*item);
                    held.push(*item);
                }
            }
        }
    }

    /// Marks a node as shared.
    fn mark_shared(&mut self, cell: Cell) {
        self.count(cell);
        self.count(cell);
    }

    fn count(&mut self, cell: Cell) {
        if NodeIndex::has(cell) {
            let count = &mut self.counts[self.slots.of(cell)];
            if *count & REFERENCES < MANY {
                *count += 1;
            }
        }
    }

    /// Whether there is more than one reference to the node.
    pub(super) fn is_shared(&self, cell: Cell) -> bool {
        NodeIndex::has(cell) && self.counts[self.slots.of(cell)] & REFERENCES >= MANY
    }

    /// Whether a REDUCE calls the node.
    pub(super) fn is_called(&self, cell: Cell) -> bool {
        self.counts[self.slots.of(cell)] & CALLED != 0
    }
}

/// Whether a call of `__reduce_ex__` may have made a value for its arguments.
fn is_made_for_arguments(cell: Cell) -> bool {
    matches!(cell.tag(), Tag::Tuple | Tag::List | Tag::Dict)
}
