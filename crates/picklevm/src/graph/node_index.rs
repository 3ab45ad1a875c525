//! Dense indexes of all nodes of a graph across the kinds, for tables by node.

use std::ops::Range;

use super::arena::Arena;
use super::cell::{Cell, Tag};

/// The first index of each kind of node.
#[derive(Clone, Copy, Default)]
pub(crate) struct NodeIndex {
    bases: [usize; 32],
    len: usize,
}

/// The kind of each tag, by tag number.
const KIND_OF: [usize; 32] = {
    let mut kind_of = [0; 32];
    let mut kind = 0;
    while kind < KINDS.len() {
        let mut at = 0;
        while at < KINDS[kind].len() {
            kind_of[KINDS[kind][at] as usize & 31] = kind;
            at += 1;
        }
        kind += 1;
    }
    kind_of
};

/// The tags of each arena, in index order.
const KINDS: [&[Tag]; 11] = [
    &[Tag::List],
    &[Tag::Tuple],
    &[Tag::Dict],
    &[Tag::Set, Tag::FrozenSet],
    &[Tag::Str, Tag::Bytes, Tag::ByteStr, Tag::ByteArray, Tag::BigInt],
    &[Tag::Global],
    &[Tag::Buffer],
    &[Tag::Persistent],
    &[Tag::Object],
    &[Tag::NativeObject],
    &[Tag::Complex],
];

impl NodeIndex {
    /// The number of kinds of nodes.
    pub(crate) const KINDS: usize = KINDS.len();

    /// Returns the number of the kind of a node; meaningless for other values.
    pub(crate) fn kind(tag: Tag) -> usize {
        KIND_OF[tag as usize & 31]
    }

    pub(crate) fn new(arena: &Arena) -> NodeIndex {
        let mut index = NodeIndex::default();
        index.reset(arena);
        index
    }

    /// Creates an index with room for as many nodes again of each kind.
    pub(crate) fn with_room(arena: &Arena) -> NodeIndex {
        let exact = NodeIndex::new(arena);
        let mut index = NodeIndex::default();
        for (tags, kind) in KINDS.iter().zip(exact.kinds()) {
            for tag in *tags {
                index.bases[*tag as usize & 31] = index.len;
            }
            index.len += (kind.len() + 1).next_power_of_two();
        }
        index
    }

    /// Whether every node of a graph has an index.
    pub(crate) fn covers(&self, arena: &Arena) -> bool {
        let exact = NodeIndex::new(arena);
        self.kinds().zip(exact.kinds()).all(|(room, nodes)| nodes.len() <= room.len())
    }

    /// Resets the index to another graph.
    #[inline]
    pub(crate) fn reset(&mut self, arena: &Arena) {
        self.len = 0;
        self.add::<0>(arena.lists.len());
        self.add::<1>(arena.tuples.len());
        self.add::<2>(arena.dicts.len());
        self.add::<3>(arena.sets.len());
        self.add::<4>(arena.spans.len());
        self.add::<5>(arena.globals.len());
        self.add::<6>(arena.buffers.len());
        self.add::<7>(arena.persistents.len());
        self.add::<8>(arena.objects.len());
        self.add::<9>(arena.natives.len());
        self.add::<10>(arena.complexes.len());
    }

    /// Adds `count` nodes of the next kind.
    #[inline(always)]
    fn add<const KIND: usize>(&mut self, count: usize) {
        for tag in KINDS[KIND] {
            self.bases[*tag as usize & 31] = self.len;
        }
        self.len += count;
    }

    /// Returns the index range of each kind of node.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Range<usize>> {
        let base = |tags: &[Tag]| tags.first().map_or(self.len, |tag| self.bases[*tag as usize & 31]);
        (0..KINDS.len()).map(move |kind| base(KINDS[kind])..KINDS.get(kind + 1).map_or(self.len, |next| base(next)))
    }

    /// Returns the number of indexes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether a value is a node with an index.
    pub(crate) fn has(cell: Cell) -> bool {
        matches!(
            cell.tag(),
            Tag::List
                | Tag::Tuple
                | Tag::Dict
                | Tag::Set
                | Tag::FrozenSet
                | Tag::Str
                | Tag::Bytes
                | Tag::ByteStr
                | Tag::ByteArray
                | Tag::BigInt
                | Tag::Global
                | Tag::Buffer
                | Tag::Persistent
                | Tag::Object
                | Tag::Complex
        )
    }

    /// Returns the kind of a node with an index, and its number in that kind.
    pub(crate) fn place(cell: Cell) -> Option<(usize, usize)> {
        NodeIndex::has(cell).then(|| (NodeIndex::kind(cell.tag()), cell.high() as usize))
    }

    /// Returns the index of a node; meaningless for other values.
    #[inline(always)]
    pub(crate) fn of(&self, cell: Cell) -> usize {
        self.of_kind(cell.tag(), cell)
    }

    /// Returns the index of a node of a known kind.
    #[inline(always)]
    pub(crate) fn of_kind(&self, tag: Tag, cell: Cell) -> usize {
        self.bases[tag as usize & 31] + cell.high() as usize
    }
}
