//! The nodes that a pickle put into its memo: the PUTs that cPickle omits show how it counted references.

use super::arena::Arena;
use super::cell::Cell;
use super::node_index::NodeIndex;

/// The nodes that the pickles of a graph put into the memo, if that may not be all nodes.
///
/// Recorded only for pickles up to protocol 2 whose memo is empty at 0. cPickle writes these: it counts from 1 and
/// omits the PUT of values without other references. Every other pickler puts all values, starting at 0.
#[derive(Clone, Default)]
pub(crate) struct Memoized {
    /// One bit per node, by kind.
    bits: [Vec<u64>; NodeIndex::KINDS],
    /// The number of nodes of each kind at the end of the newest pickle.
    counts: [usize; NodeIndex::KINDS],
    /// The number of memo entries already recorded, for pickles that share a memo.
    seen: usize,
}

impl Memoized {
    /// Records the memo of a pickle that has just ended, holes included.
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

    /// Returns which nodes were not put into the memo, by node index. Nodes added after the pickle do not count.
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
