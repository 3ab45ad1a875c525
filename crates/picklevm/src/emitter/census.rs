//! How often nodes are referred to.

use crate::graph::{Arena, Cell, How, Slots, Tag, Walk};

/// How often each node is referred to by what is written, and which are called by REDUCE.
pub(super) struct Census {
    slots: Slots,
    /// Bits 0 and 1: no reference, one, more than one. Bit 2: called.
    counts: Vec<u8>,
}

const MANY: u8 = 2;
const REFERENCES: u8 = 3;
const CALLED: u8 = 4;

impl Census {
    /// Counts the references in all that the root and the effects reach, and themselves.
    pub(super) fn take(arena: &Arena, slots: Slots, root: Cell, effects: &[Cell]) -> Census {
        let mut census = Census { slots, counts: vec![0; slots.len()] };
        let roots = || std::iter::once(root).chain(effects.iter().copied());
        roots().for_each(|root| census.count(root));
        for cell in &arena.held_arguments {
            census.count(*cell);
        }
        for cell in Walk::new(arena, roots()) {
            arena.each_child(cell, |child| census.count(child));
            if cell.is(Tag::Object) {
                let node = arena.objects[cell];
                if node.how == How::Reduce && Slots::has(node.class) {
                    census.counts[slots.of(node.class)] |= CALLED;
                }
            }
        }
        census.spread(arena);
        census
    }

    /// What stands in a list, dict or tuple to which there is more than one reference was not made afresh either.
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
                    self.hold(*item);
                    held.push(*item);
                }
            }
        }
    }

    /// Counts a node as one to which there is more than one reference.
    pub(super) fn hold(&mut self, cell: Cell) {
        self.count(cell);
        self.count(cell);
    }

    fn count(&mut self, cell: Cell) {
        if Slots::has(cell) {
            let count = &mut self.counts[self.slots.of(cell)];
            if *count & REFERENCES < MANY {
                *count += 1;
            }
        }
    }

    /// Whether there is more than one reference to the node.
    pub(super) fn is_shared(&self, cell: Cell) -> bool {
        Slots::has(cell) && self.counts[self.slots.of(cell)] & REFERENCES >= MANY
    }

    /// Whether some REDUCE calls the node.
    pub(super) fn is_called(&self, cell: Cell) -> bool {
        self.counts[self.slots.of(cell)] & CALLED != 0
    }
}

/// Whether a call of `__reduce_ex__` may have made a value for its arguments.
pub(super) fn is_made_for_arguments(cell: Cell) -> bool {
    matches!(cell.tag(), Tag::Tuple | Tag::List | Tag::Dict)
}
