//! What the stack and the memo hold where nothing is built: enough of a value to make it for a persistent id.

use super::memo::Slot;

/// A value that was met: enough of it to make it, should it be part of a persistent id.
///
/// Eight bytes: what it is in the low [`KIND_BITS`], and where to find out more above them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ShadowValue(u64);

/// Bits for the kind.
const KIND_BITS: u32 = 3;

/// What was met.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Kind {
    /// No value.
    Hole,
    /// A value that no persistent id is made of: a dict, a set, an instance, a buffer.
    Opaque,
    /// What one op makes, by its offset in the input: there it is read again if it is needed.
    Atom,
    /// The same, of a text.
    Text,
    /// A tuple: its length, and above it the place from which on its items lie.
    Tuple,
    /// A tuple that is too long to be remembered.
    LongTuple,
    /// A global: the texts of its module and its name, from a place on.
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

    /// Whether it holds others, by which it may lead to itself.
    #[inline(always)]
    pub(super) fn is_compound(self) -> bool {
        matches!(self.kind(), Kind::Tuple | Kind::LongTuple | Kind::List)
    }

    /// The offset, place or number.
    #[inline(always)]
    pub(super) fn at(self) -> usize {
        (self.0 >> KIND_BITS) as usize
    }
}

impl Slot for ShadowValue {
    const HOLE: ShadowValue = ShadowValue::new(Kind::Hole, 0);

    #[inline(always)]
    fn is_hole(self) -> bool {
        self == ShadowValue::HOLE
    }
}
