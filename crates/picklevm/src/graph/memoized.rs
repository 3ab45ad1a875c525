//! The nodes that a pickle put into its memo: the PUTs that cPickle omits show how it counted references.

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::node_index::NodeIndex;
use super::walk::Walk;

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

    /// Returns the record of a graph of which these nodes were left out of the memo, and no others.
    pub(crate) fn all_but(arena: &Arena, left_out: &[Cell]) -> Memoized {
        let mut memoized = Memoized::none(arena);
        for (bits, count) in memoized.bits.iter_mut().zip(memoized.counts) {
            *bits = vec![u64::MAX; count.div_ceil(64)];
        }
        for (kind, number) in left_out.iter().copied().filter_map(NodeIndex::place) {
            if let Some(word) = memoized.bits[kind].get_mut(number / 64) {
                *word &= !(1 << (number % 64));
            }
        }
        memoized
    }

    /// Returns the record of a graph of which no node was put into the memo.
    pub(crate) fn none(arena: &Arena) -> Memoized {
        let mut memoized = Memoized::default();
        for (count, kind) in memoized.counts.iter_mut().zip(NodeIndex::new(arena).kinds()) {
            *count = kind.len();
        }
        memoized
    }

    /// Returns which nodes were not put into the memo, by node index. Nodes added after the pickle do not count.
    fn left_out(&self, slots: &NodeIndex) -> Vec<bool> {
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

/// The nodes that cPickle does not put into the memo: those without a PUT in their pickle, unless they now have two
/// references.
pub(crate) struct Unmemoized {
    index: NodeIndex,
    left_out: Vec<bool>,
    /// Whether some node has a PUT.
    pub(crate) has_puts: bool,
}

impl Unmemoized {
    /// Returns them for what a root and the effects reach, if the graph records which nodes were put into the memo
    /// and there are any.
    pub(crate) fn of(arena: &Arena, index: NodeIndex, root: Cell, effects: &[Cell]) -> Option<Unmemoized> {
        let mut left_out = arena.memoized.as_ref()?.left_out(&index);
        let mut is_seen = vec![false; index.len()];
        let (mut has_puts, mut has_nodes) = (false, false);
        let mut visit = |cell: Cell| {
            if NodeIndex::has(cell) {
                let slot = index.of(cell);
                left_out[slot] &= !is_seen[slot];
                is_seen[slot] = true;
                let is_node = !cell.is(Tag::BigInt);
                has_nodes |= is_node;
                has_puts |= is_node && !left_out[slot];
            }
        };
        let roots = || std::iter::once(root).chain(effects.iter().copied());
        roots().for_each(&mut visit);
        let mut walk = Walk::new(arena, roots());
        while let Some(cell) = walk.next() {
            arena.each_child(cell, &mut visit);
            walk.add(arena.outer_calls.equal_to(cell));
        }
        has_nodes.then_some(Unmemoized { index, left_out, has_puts })
    }

    /// Whether a node is one of them, by its index.
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.left_out.get(slot).is_some_and(|left_out| *left_out)
    }

    /// Whether a value is one of them. Integers never have a PUT, and are none.
    pub(crate) fn contains(&self, cell: Cell) -> bool {
        NodeIndex::has(cell) && !cell.is(Tag::BigInt) && self.has(self.index.of(cell))
    }
}
