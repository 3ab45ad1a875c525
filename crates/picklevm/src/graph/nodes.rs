//! One arena: the nodes of a kind, to which the cells of that kind alone lead.
//!
//! What a cell holds beside its tag is an index for a node, and any number for others. So nothing takes it for an index
//! but an arena, and an arena looks at the tag first: a cell of another kind leads to nothing.

use std::ops::{Deref, Index};

use super::cell::{Cell, Tag};

/// The nodes of the tags from `FIRST` to `LAST`.
#[derive(Clone)]
pub(crate) struct Nodes<T, const FIRST: u8, const LAST: u8>(Vec<T>);

/// A node that stands for none.
pub(crate) trait Nothing: 'static {
    /// The node.
    const NOTHING: &'static Self;
}

impl<T, const FIRST: u8, const LAST: u8> Nodes<T, FIRST, LAST> {
    /// Adds a node, and returns its index, for [`Cell::node`].
    #[inline(always)]
    pub(super) fn push(&mut self, node: T) -> u32 {
        let id = super::arena::next_id(self.0.len());
        self.0.push(node);
        id
    }

    /// The node that a cell leads to, if there is one in this arena.
    #[inline(always)]
    pub(crate) fn get(&self, cell: Cell) -> Option<&T> {
        if cell.is_from::<FIRST, LAST>() { self.0.get(cell.high() as usize) } else { None }
    }

    /// The same, to be changed.
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, cell: Cell) -> Option<&mut T> {
        if cell.is_from::<FIRST, LAST>() { self.0.get_mut(cell.high() as usize) } else { None }
    }

    /// Puts another node in the place of the one that a cell leads to.
    pub(crate) fn set(&mut self, cell: Cell, node: T) {
        if let Some(place) = self.get_mut(cell) {
            *place = node;
        }
    }

    /// The nodes that were made before the one that a cell leads to: so many at the most.
    #[inline]
    pub(super) fn before(&self, cell: Cell, most: usize) -> &[T] {
        let end = if cell.is_from::<FIRST, LAST>() { cell.high() as usize } else { 0 };
        self.0.get(end.saturating_sub(most)..end).unwrap_or(&[])
    }

    /// The cells of all nodes of one tag, and the nodes.
    pub(super) fn cells(&self, tag: Tag) -> impl DoubleEndedIterator<Item = (Cell, &T)> + ExactSizeIterator {
        self.0.iter().enumerate().map(move |(id, node)| (Cell::node(tag, id as u32), node))
    }

    /// For how many there is room.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The vector, for what is about its memory.
    pub(super) fn vec(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T, const FIRST: u8, const LAST: u8> Default for Nodes<T, FIRST, LAST> {
    fn default() -> Self {
        Nodes(Vec::new())
    }
}

/// All of them.
impl<T, const FIRST: u8, const LAST: u8> Deref for Nodes<T, FIRST, LAST> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// The node that a cell leads to, or [nothing](Nothing).
impl<T: Nothing, const FIRST: u8, const LAST: u8> Index<Cell> for Nodes<T, FIRST, LAST> {
    type Output = T;

    #[inline(always)]
    fn index(&self, cell: Cell) -> &T {
        self.get(cell).unwrap_or(T::NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::arena::Arena;

    #[test]
    fn a_cell_of_another_kind_leads_to_nothing() {
        let mut arena = Arena::default();
        let text = arena.new_text(Tag::Str, b"text", false);
        let list = arena.new_list(&[text]);
        let others = [Cell::NONE, Cell::TRUE, Cell::HOLE, Cell::EMPTY_TUPLE, Cell::small_int(0), Cell::small_int(8)];
        let floats = [0.0, 1.0, -1.5, 1e300].map(|float| arena.new_float(float));
        for cell in others.into_iter().chain(floats).chain([list]) {
            assert!(arena.spans.get(cell).is_none(), "{cell:?}");
            assert_eq!((arena.payload(cell), arena.text(cell).as_bytes()), (&b""[..], &b""[..]));
        }
        for cell in others.into_iter().chain(floats).chain([text]) {
            assert!(arena.lists.get(cell).is_none() && arena.objects.get(cell).is_none(), "{cell:?}");
            assert_eq!(arena.items(cell), []);
        }
        assert_eq!((arena.payload(text), arena.items(list)), (&b"text"[..], &[text][..]));
    }
}
