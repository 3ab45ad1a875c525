//! The values of a load that builds nothing: enough of each to build it if it is part of a persistent id.

use super::memo::Slot;

/// A shadow value: enough of a value to build it if it is part of a persistent id.
///
/// Eight bytes: the [`Kind`] in the low [`KIND_BITS`], and above them its data.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ShadowValue(u64);

/// Number of bits for the kind.
const KIND_BITS: u32 = 3;

/// The kind of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Kind {
    /// No value.
    Hole,
    /// A value that cannot be part of a persistent id: a dict, a set, an instance, a buffer.
    Opaque,
    /// The value of one op, by its offset in the input. The op is read again if the value is needed.
    Atom,
    /// Like [`Atom`](Kind::Atom), for text.
    Text,
    /// A tuple: its length, and above it the index of its first item.
    Tuple,
    /// A tuple too long to be recorded.
    LongTuple,
    /// A global: the index of the texts of its module and its name.
    Global,
    /// A list, by number.
    List,
}

impl ShadowValue {
    pub(super) const OPAQUE: ShadowValue = ShadowValue::new(Kind::Opaque, 0);

    #[inline(always)]
    pub(super) const fn new(kind: Kind, at: u64) -> ShadowValue {
        ShadowValue(kind as u64 | at << KIND_BITS)
    }

    #[inline(always)]
    pub(super) fn kind(self) -> Kind {
        use Kind::*;
        const KINDS: [Kind; 8] = [Hole, Opaque, Atom, Text, Tuple, LongTuple, Global, List];
        KINDS[(self.0 & 7) as usize]
    }

    /// Whether the value has items, which may lead back to it.
    #[inline(always)]
    pub(super) fn is_compound(self) -> bool {
        matches!(self.kind(), Kind::Tuple | Kind::LongTuple | Kind::List)
    }

    /// Returns the offset, index or number.
    #[inline(always)]
    pub(super) fn at(self) -> usize {
        (self.0 >> KIND_BITS) as usize
    }
}

impl Slot for ShadowValue {
    const HOLE: ShadowValue = ShadowValue::new(Kind::Hole, 0);

    #[inline(always)]
    fn is_hole(&self) -> bool {
        *self == ShadowValue::HOLE
    }
}
