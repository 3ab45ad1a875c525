//! The PUTs that the cPickle of Python 2 leaves out.
//!
//! Its `put` writes none for a value to which there is one reference only, as nothing can fetch it later. A graph does not
//! tell which references a program held besides; a pickle does, by the PUTs that it has. So what came from cPickle gets
//! the PUTs that it had. For all else a rule stands in for the count: every value is taken to be held by someone, but for
//! what a call of `__reduce_ex__` makes afresh.

use crate::graph::{Arena, Cell, NodeIndex, Walk};

/// What is put into the memo, where that is not all.
pub(super) enum LeftOut {
    /// By slot, the nodes whose pickle had no PUT for them, but for those that are referred to twice by now.
    Listed(Vec<bool>),
    /// What the rule says.
    ByRule,
}

impl LeftOut {
    pub(super) fn of(arena: &Arena, slots: &NodeIndex, root: Cell, effects: &[Cell]) -> LeftOut {
        let Some(memoized) = &arena.memoized else { return LeftOut::ByRule };
        let mut left_out = memoized.left_out(slots);
        let mut is_met = vec![false; slots.len()];
        let mut meet = |cell: Cell| {
            if NodeIndex::has(cell) {
                let slot = slots.of(cell);
                left_out[slot] &= !is_met[slot];
                is_met[slot] = true;
            }
        };
        let roots = || std::iter::once(root).chain(effects.iter().copied());
        roots().for_each(&mut meet);
        for cell in Walk::new(arena, roots()) {
            arena.each_child(cell, &mut meet);
        }
        LeftOut::Listed(left_out)
    }

    /// Whether there is no PUT for a node that nothing but its place tells from others.
    pub(super) fn has(&self, slot: usize) -> bool {
        match self {
            LeftOut::Listed(left_out) => left_out.get(slot).is_some_and(|left_out| *left_out),
            LeftOut::ByRule => false,
        }
    }

    pub(super) fn is_by_rule(&self) -> bool {
        matches!(self, LeftOut::ByRule)
    }
}
