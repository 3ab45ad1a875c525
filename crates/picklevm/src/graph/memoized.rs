//! Which nodes a pickle put into its memo: what cPickle leaves out tells how it counted references.

use super::arena::Arena;
use super::cell::Cell;
use super::node_index::NodeIndex;

/// The nodes that PUT named in the pickles of a graph, where it may have named some only.
///
/// It is kept of pickles up to protocol 2 whose memo has nothing at 0, as cPickle writes them, which counts from 1 and leaves
/// out the PUT of what nothing else refers to. Every other pickler puts all, beginning at 0: of its pickles nothing is kept.
#[derive(Clone, Default)]
pub(crate) struct Memoized {
    /// A bit a node, by kind.
    bits: [Vec<u64>; NodeIndex::KINDS],
    /// How many nodes of each kind there were at the end of the newest pickle.
    counts: [usize; NodeIndex::KINDS],
    /// Entries of the memo that are noted already, for pickles that share one.
    seen: usize,
}

impl Memoized {
    /// Notes the memo of a pickle that has just ended, holes included.
    pub(crate) fn note(&mut self, arena: &Arena, memo: &[Cell]) {
        if memo.len() < self.seen {
            self.seen = 0;
        }
        for (kind, number) in memo[self.seen..].iter().copied().filter_map(NodeIndex::place) {
            let bits = &mut self.bits[kind];
            let word = number / 64;
            if word >= bits.len() {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << (number % 64);
        }
        self.seen = memo.len();
        for (count, kind) in self.counts.iter_mut().zip(NodeIndex::new(arena).kinds()) {
            *count = kind.len();
        }
    }

    /// The nodes that were left out, by their slots in the arena of now. What was made after the pickle is none of them.
    pub(crate) fn left_out(&self, slots: &NodeIndex) -> Vec<bool> {
        let mut left_out = vec![false; slots.len()];
        for (kind, range) in slots.kinds().enumerate() {
            let bits = &self.bits[kind];
            for (id, left_out) in left_out[range].iter_mut().enumerate().take(self.counts[kind]) {
                *left_out = bits.get(id / 64).is_none_or(|word| word >> (id % 64) & 1 == 0);
            }
        }
        left_out
    }
}
