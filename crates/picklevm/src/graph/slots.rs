//! A dense number for every node of a graph, across the kinds, for tables by node.

use std::ops::Range;

use super::arena::Arena;
use super::cell::{Cell, Tag};

/// The first slot of each kind of node.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slots {
    bases: [usize; 32],
    len: usize,
}

/// Tags whose nodes lie in one arena, in the order of their slots.
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
    &[Tag::Live],
    &[Tag::Complex],
];

impl Slots {
    pub(crate) fn new(arena: &Arena) -> Slots {
        let mut slots = Slots { bases: [0; 32], len: 0 };
        let counts = [
            arena.lists.len(),
            arena.tuples.len(),
            arena.dicts.len(),
            arena.sets.len(),
            arena.spans.len(),
            arena.globals.len(),
            arena.buffers.len(),
            arena.persistents.len(),
            arena.objects.len(),
            arena.lives.len(),
            arena.complexes.len(),
        ];
        for (tags, count) in KINDS.iter().zip(counts) {
            for tag in *tags {
                slots.bases[*tag as usize & 31] = slots.len;
            }
            slots.len += count;
        }
        slots
    }

    /// The slots of each kind of node, one kind after the other.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Range<usize>> {
        let base = |tags: &[Tag]| tags.first().map_or(self.len, |tag| self.bases[*tag as usize & 31]);
        (0..KINDS.len()).map(move |kind| base(KINDS[kind])..KINDS.get(kind + 1).map_or(self.len, |next| base(next)))
    }

    /// The number of slots.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether a value is a node that has a slot.
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

    /// The slot of a node; meaningless for what is no node.
    #[inline(always)]
    pub(crate) fn of(&self, cell: Cell) -> usize {
        self.bases[cell.tag() as usize & 31] + cell.id()
    }
}
