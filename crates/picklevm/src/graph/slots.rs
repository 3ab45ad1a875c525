//! A dense number for every node of a graph, across the kinds, for tables by node.

use super::arena::Arena;
use super::cell::{Cell, Tag};

/// The first slot of each kind of node.
#[derive(Clone, Copy)]
pub(crate) struct Slots {
    bases: [usize; 32],
    len: usize,
}

impl Slots {
    pub(crate) fn new(arena: &Arena) -> Slots {
        let mut slots = Slots { bases: [0; 32], len: 0 };
        let spans = [Tag::Str, Tag::Bytes, Tag::ByteStr, Tag::ByteArray, Tag::BigInt];
        for (tags, nodes) in [
            (&[Tag::List][..], arena.lists.len()),
            (&[Tag::Tuple], arena.tuples.len()),
            (&[Tag::Dict], arena.dicts.len()),
            (&[Tag::Set, Tag::FrozenSet], arena.sets.len()),
            (&spans, arena.spans.len()),
            (&[Tag::Global], arena.globals.len()),
            (&[Tag::Buffer], arena.buffers.len()),
            (&[Tag::Persistent], arena.persistents.len()),
            (&[Tag::Object], arena.objects.len()),
            (&[Tag::Live], arena.lives.len()),
            (&[Tag::Complex], arena.complexes.len()),
        ] {
            for tag in tags {
                slots.bases[*tag as usize & 31] = slots.len;
            }
            slots.len += nodes;
        }
        slots
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
