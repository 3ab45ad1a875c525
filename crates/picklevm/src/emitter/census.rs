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
        let mut called_persistents = Vec::new();
        for cell in Walk::new(arena, roots()) {
            arena.each_child(cell, |child| census.count(child));
            if cell.is(Tag::Object) {
                let node = arena.objects[cell.id()];
                if node.how == How::Reduce && Slots::has(node.class) {
                    census.counts[slots.of(node.class)] |= CALLED;
                }
                if node.class.is(Tag::Persistent) && !node.args.is(Tag::EmptyTuple) {
                    called_persistents.push(cell);
                }
            }
        }
        // An object that is met inside its own arguments is made twice, and both times of the same persistent reference.
        for cell in called_persistents {
            if census.is_shared(cell) {
                census.count(arena.objects[cell.id()].class);
            }
        }
        census
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
