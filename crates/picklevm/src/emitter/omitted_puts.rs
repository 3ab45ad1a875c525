//! PUTs that Python 2's cPickle omits.
//!
//! Its `put` writes none for a value with only one reference, since nothing can fetch it later. A graph does not contain the
//! program's other references, but a pickle shows them by its PUTs: values loaded from cPickle get the PUTs that they had.
//! For other values, a rule replaces the count: every value has other references, except values newly made by a call of
//! `__reduce_ex__`.

use crate::graph::{Arena, Cell, NodeIndex, Unmemoized};

/// Which PUTs are omitted.
pub(super) enum OmittedPuts {
    /// Those of these nodes.
    Listed(Box<Unmemoized>),
    /// Those given by the rule.
    ByRule,
}

impl OmittedPuts {
    pub(super) fn of(arena: &Arena, slots: &NodeIndex, root: Cell, effects: &[Cell]) -> OmittedPuts {
        let listed = Unmemoized::of(arena, *slots, root, effects);
        listed.map_or(OmittedPuts::ByRule, |unmemoized| OmittedPuts::Listed(Box::new(unmemoized)))
    }

    /// Whether the PUT of a node is omitted, if that depends only on the node.
    pub(super) fn has(&self, slot: usize) -> bool {
        match self {
            OmittedPuts::Listed(unmemoized) => unmemoized.has(slot),
            OmittedPuts::ByRule => false,
        }
    }

    pub(super) fn is_by_rule(&self) -> bool {
        matches!(self, OmittedPuts::ByRule)
    }
}
