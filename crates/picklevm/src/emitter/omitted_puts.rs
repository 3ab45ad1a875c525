//! PUTs that Python 2's cPickle omits.
//!
//! Its `put` writes none for a value with only one reference, since nothing can fetch it later. A graph does not contain the
//! program's other references, but a pickle shows them by its PUTs: values loaded from cPickle get the PUTs that they had.
//! For other values, a rule replaces the count: every value has other references, except values newly made by a call of
//! `__reduce_ex__`.

use crate::graph::{Arena, Cell, NodeIndex, Walk};

/// Which PUTs are omitted.
pub(super) enum OmittedPuts {
    /// Those of these nodes, by slot: nodes without a PUT in their pickle, unless they now have two references.
    Listed(Vec<bool>),
    /// Those given by the rule.
    ByRule,
}

impl OmittedPuts {
    pub(super) fn of(arena: &Arena, slots: &NodeIndex, root: Cell, effects: &[Cell]) -> OmittedPuts {
        let Some(memoized) = &arena.memoized else { return OmittedPuts::ByRule };
        let mut left_out = memoized.left_out(slots);
        let mut is_seen = vec![false; slots.len()];
        let mut visit = |cell: Cell| {
            if NodeIndex::has(cell) {
                let slot = slots.of(cell);
                left_out[slot] &= !is_seen[slot];
                is_seen[slot] = true;
            }
        };
        let roots = || std::iter::once(root).chain(effects.iter().copied());
        roots().for_each(&mut visit);
        let mut walk = Walk::new(arena, roots());
        while let Some(cell) = walk.next() {
            arena.each_child(cell, &mut visit);
            walk.add(arena.outer_calls.equal_to(cell));
        }
        OmittedPuts::Listed(left_out)
    }

    /// Whether the PUT of a node is omitted, if that depends only on the node.
    pub(super) fn has(&self, slot: usize) -> bool {
        match self {
            OmittedPuts::Listed(left_out) => left_out.get(slot).is_some_and(|left_out| *left_out),
            OmittedPuts::ByRule => false,
        }
    }

    pub(super) fn is_by_rule(&self) -> bool {
        matches!(self, OmittedPuts::ByRule)
    }
}
