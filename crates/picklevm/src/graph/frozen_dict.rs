//! Objects that are a `frozendict` of CPython 3.15, which Python hashes and compares by content.

use super::arena::Arena;
use super::cell::{Cell, Tag};
use super::object::Construction;

impl Arena {
    /// Returns the dict, or the empty tuple for an empty one, that a value equals: a dict itself, or that of a
    /// `frozendict`.
    pub(super) fn mapping(&self, cell: Cell) -> Option<Cell> {
        if cell.is(Tag::Dict) { Some(cell) } else { self.frozen_contents(cell) }
    }

    /// Returns the dict that an object is made of if it is a `frozendict`, or the empty tuple if it is made of nothing.
    ///
    /// A `frozendict` that is not made of one dict or of keyword arguments (no pickler writes one) is a key by
    /// identity, as other objects are.
    pub(super) fn frozen_contents(&self, object: Cell) -> Option<Cell> {
        let node = self.objects.get(object)?;
        if !self.is_frozendict_class(node.class) {
            return None;
        }
        let (args, kwargs) = match node.how {
            Construction::NewObjEx => match self.items(node.args) {
                [args, kwargs] => (*args, *kwargs),
                _ => return None,
            },
            _ => (node.args, Cell::EMPTY_TUPLE),
        };
        match self.items(args) {
            [] => Some(kwargs),
            [dict] if dict.is(Tag::Dict) && self.items(kwargs).is_empty() => Some(*dict),
            [empty] if empty.is(Tag::EmptyTuple) => Some(kwargs),
            _ => None,
        }
    }

    fn is_frozendict_class(&self, class: Cell) -> bool {
        const NAME: &[u8] = b"frozendict";
        let Some(global) = self.globals.get(class) else { return false };
        // The fingerprint decides for most names, without reading them.
        global.name.fingerprint() == Cell::text(global.name.tag(), 0, NAME).fingerprint()
            && self.payload(global.name) == NAME
            && matches!(self.payload(global.module), b"builtins" | b"__builtin__")
    }
}
