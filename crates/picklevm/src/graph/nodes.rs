//! One arena: the nodes of a kind, indexed by cells of that kind only.
//!
//! Besides its tag, a cell holds an index if it is a node, and any other number if not. So only arenas use it as an
//! index, and they check the tag first: a cell of another kind has no node.

use std::ops::{Deref, Index};

use super::cell::{Cell, Tag};

/// The nodes of the tags from `FIRST` to `LAST`.
#[derive(Clone)]
pub(crate) struct Nodes<T, const FIRST: u8, const LAST: u8>(Vec<T>);

/// A type with a default node, used where there is none.
pub(crate) trait DefaultNode: 'static {
    /// The default node.
    const DEFAULT: &'static Self;
}

impl<T, const FIRST: u8, const LAST: u8> Nodes<T, FIRST, LAST> {
    /// Adds a node and returns its index, for [`Cell::node`].
    #[inline(always)]
    pub(super) fn push(&mut self, node: T) -> u32 {
        let id = super::arena::next_id(self.0.len());
        self.0.push(node);
        id
    }

    /// Returns the node of a cell, if it is in this arena.
    #[inline(always)]
    pub(crate) fn get(&self, cell: Cell) -> Option<&T> {
        if cell.is_from::<FIRST, LAST>() { self.0.get(cell.high() as usize) } else { None }
    }

    /// Returns the node of a cell of this tag. With one tag of several, this takes less than [`get`](Nodes::get).
    #[inline(always)]
    pub(crate) fn get_of(&self, tag: Tag, cell: Cell) -> Option<&T> {
        let is_of = FIRST <= tag as u8 && tag as u8 <= LAST && cell.is(tag);
        if is_of { self.0.get(cell.high() as usize) } else { None }
    }

    /// Returns a mutable reference to the node of a cell, if it is in this arena.
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, cell: Cell) -> Option<&mut T> {
        if cell.is_from::<FIRST, LAST>() { self.0.get_mut(cell.high() as usize) } else { None }
    }

    /// Replaces the node of a cell.
    pub(crate) fn set(&mut self, cell: Cell, node: T) {
        if let Some(place) = self.get_mut(cell) {
            *place = node;
        }
    }

    /// Returns up to `most` nodes that were added before the node of a cell.
    #[inline]
    pub(super) fn before(&self, cell: Cell, most: usize) -> &[T] {
        let end = if cell.is_from::<FIRST, LAST>() { cell.high() as usize } else { 0 };
        self.0.get(end.saturating_sub(most)..end).unwrap_or(&[])
    }

    /// Returns the cells of all nodes of one tag, with the nodes.
    pub(super) fn cells(&self, tag: Tag) -> impl DoubleEndedIterator<Item = (Cell, &T)> + ExactSizeIterator {
        self.0.iter().enumerate().map(move |(id, node)| (Cell::node(tag, id as u32), node))
    }

    /// Returns the capacity in nodes.
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Returns the number of bytes of the nodes.
    pub(super) fn held_bytes(&self) -> usize {
        size_of_val(&self[..])
    }

    /// Returns the number of bytes that are allocated.
    pub(super) fn capacity_bytes(&self) -> usize {
        size_of::<T>() * self.0.capacity()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the vector, to manage its memory.
    pub(super) fn vec(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T, const FIRST: u8, const LAST: u8> Default for Nodes<T, FIRST, LAST> {
    fn default() -> Self {
        Nodes(Vec::new())
    }
}

/// The nodes as a slice.
impl<T, const FIRST: u8, const LAST: u8> Deref for Nodes<T, FIRST, LAST> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// Returns the node of a cell of this arena. In a release build, one of another arena has the [default](DefaultNode).
impl<T: DefaultNode, const FIRST: u8, const LAST: u8> Index<Cell> for Nodes<T, FIRST, LAST> {
    type Output = T;

    #[inline(always)]
    fn index(&self, cell: Cell) -> &T {
        let node = self.get(cell);
        debug_assert!(node.is_some(), "{cell:?} has no node in the arena of the tags {FIRST} to {LAST}");
        node.unwrap_or(T::DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::arena::Arena;

    #[test]
    fn a_cell_of_another_kind_has_no_node() {
        let mut arena = Arena::default();
        let text = arena.new_text(Tag::Str, b"text", false);
        let list = arena.new_list(&[text]);
        let others = [Cell::NONE, Cell::TRUE, Cell::HOLE, Cell::EMPTY_TUPLE, Cell::small_int(0), Cell::small_int(8)];
        let floats = [0.0, 1.0, -1.5, 1e300].map(|float| arena.new_float(float));
        for cell in others.into_iter().chain(floats).chain([list]) {
            assert!(arena.spans.get(cell).is_none(), "{cell:?}");
        }
        for cell in others.into_iter().chain(floats).chain([text]) {
            assert!(arena.lists.get(cell).is_none() && arena.objects.get(cell).is_none(), "{cell:?}");
            assert_eq!(arena.items(cell), []);
        }
        assert_eq!((arena.payload(text), arena.items(list)), (&b"text"[..], &[text][..]));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic = "has no node in the arena"]
    fn an_index_of_another_arena_shows_in_debug_builds() {
        let mut arena = Arena::default();
        let text = arena.new_text(Tag::Str, b"text", false);
        let _ = arena.lists[text];
    }
}
