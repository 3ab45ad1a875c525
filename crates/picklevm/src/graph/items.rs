//! Iterators over items of lists, tuples and sets, and over keys and values.

use std::iter::FusedIterator;

use super::arena::Arena;
use super::cell::Cell;
use super::value::Value;

/// Iterator over the items of a list, tuple, set or frozenset, with access by position.
#[derive(Clone, Copy)]
pub struct Items<'g> {
    arena: &'g Arena,
    cells: &'g [Cell],
}

impl<'g> Items<'g> {
    #[inline]
    pub(crate) fn new(arena: &'g Arena, cells: &'g [Cell]) -> Self {
        Items { arena, cells }
    }

    /// Returns the item at a position, counted from 0.
    #[inline]
    pub fn get(self, at: usize) -> Option<Value<'g>> {
        self.cells.get(at).map(|cell| Value::new(self.arena, *cell))
    }

    /// Returns the number of remaining items.
    #[inline]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Returns whether no items remain.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Returns the items as an array, if there are exactly `N`.
    ///
    /// ```
    /// let graph = picklevm::value!((1, 2));
    /// let Some([x, y]) = graph.root().items().as_array() else { panic!() };
    /// assert_eq!((x.as_i64(), y.as_i64()), (Some(1), Some(2)));
    /// ```
    pub fn as_array<const N: usize>(self) -> Option<[Value<'g>; N]> {
        let cells: &[Cell; N] = self.cells.try_into().ok()?;
        Some(cells.map(|cell| Value::new(self.arena, cell)))
    }

    pub(crate) fn cells(self) -> &'g [Cell] {
        self.cells
    }

    pub(crate) fn arena(self) -> &'g Arena {
        self.arena
    }

    /// Returns the items from a position on.
    pub(crate) fn from(self, at: usize) -> Items<'g> {
        Items { arena: self.arena, cells: self.cells.get(at..).unwrap_or(&[]) }
    }
}

impl<'g> Iterator for Items<'g> {
    type Item = Value<'g>;

    #[inline]
    fn next(&mut self) -> Option<Value<'g>> {
        let (first, rest) = self.cells.split_first()?;
        self.cells = rest;
        Some(Value::new(self.arena, *first))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.cells.len(), Some(self.cells.len()))
    }

    fn nth(&mut self, n: usize) -> Option<Value<'g>> {
        self.cells = self.cells.get(n..).unwrap_or(&[]);
        self.next()
    }
}

impl<'g> DoubleEndedIterator for Items<'g> {
    #[inline]
    fn next_back(&mut self) -> Option<Value<'g>> {
        let (last, rest) = self.cells.split_last()?;
        self.cells = rest;
        Some(Value::new(self.arena, *last))
    }
}

impl ExactSizeIterator for Items<'_> {}
impl FusedIterator for Items<'_> {}

/// Iterator over keys and values, of a dict or as set on an object.
///
/// For an object, keys may be equal: its class decides what they mean.
#[derive(Clone, Copy)]
pub struct Entries<'g> {
    arena: &'g Arena,
    rows: &'g [[Cell; 2]],
}

impl<'g> Entries<'g> {
    #[inline]
    pub(crate) fn new(arena: &'g Arena, cells: &'g [Cell]) -> Self {
        Entries { arena, rows: cells.as_chunks().0 }
    }

    pub(crate) fn rows(self) -> &'g [[Cell; 2]] {
        self.rows
    }

    #[inline]
    fn pair(&self, row: [Cell; 2]) -> (Value<'g>, Value<'g>) {
        (Value::new(self.arena, row[0]), Value::new(self.arena, row[1]))
    }
}

impl<'g> Iterator for Entries<'g> {
    type Item = (Value<'g>, Value<'g>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (first, rest) = self.rows.split_first()?;
        self.rows = rest;
        Some(self.pair(*first))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rows.len(), Some(self.rows.len()))
    }
}

impl DoubleEndedIterator for Entries<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (last, rest) = self.rows.split_last()?;
        self.rows = rest;
        Some(self.pair(*last))
    }
}

impl ExactSizeIterator for Entries<'_> {}
impl FusedIterator for Entries<'_> {}
