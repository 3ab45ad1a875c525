//! State of reading: open values (for cycles and depth), the budget for shared values, a cache of names.

use std::num::Wrapping;

use super::super::error::{Error, ErrorKind, too_deep};
use super::shared::Session;
use crate::graph::{Arena, Cell};
use crate::python::Class;

/// Text with the longest lifetime available.
#[derive(Clone, Copy)]
pub(crate) enum Lent<'g, 'de> {
    /// Borrowed from the input or graph.
    Long(&'de str),
    /// Borrowed for the current call.
    Short(&'g str),
}

/// Source from which text and bytes of a graph can be borrowed for longer than the graph lives.
pub(crate) trait Lend<'g, 'de> {
    fn bytes(&self, bytes: &'g [u8]) -> Option<&'de [u8]>;
    fn str(&self, text: &'g str) -> Option<&'de str>;
}

/// Borrows everything from the graph itself.
pub(crate) struct FromGraph;

impl<'g> Lend<'g, 'g> for FromGraph {
    fn bytes(&self, bytes: &'g [u8]) -> Option<&'g [u8]> {
        Some(bytes)
    }

    fn str(&self, text: &'g str) -> Option<&'g str> {
        Some(text)
    }
}

/// Borrows from the input. The graph was loaded from a copy of it: data in the copy is at the same offset in the input.
pub(crate) struct FromInput<'de> {
    pub(crate) input: &'de [u8],
    /// Address of the copy.
    pub(crate) copy: usize,
}

impl<'g, 'de> Lend<'g, 'de> for FromInput<'de> {
    fn bytes(&self, bytes: &'g [u8]) -> Option<&'de [u8]> {
        let Wrapping(from) = Wrapping(bytes.as_ptr().addr()) - Wrapping(self.copy);
        self.input.get(from..from.checked_add(bytes.len())?)
    }

    fn str(&self, text: &'g str) -> Option<&'de str> {
        std::str::from_utf8(self.bytes(text.as_bytes())?).ok()
    }
}

/// Size of the cache of names: a power of two, larger than the number of fields of most records.
const NAME_CACHE: usize = 32;

pub(crate) struct Context<'g, 'de, L> {
    pub(crate) arena: &'g Arena,
    pub(crate) lend: L,
    /// Compound values being read, outermost first.
    open: Vec<Cell>,
    depth: usize,
    /// Bytes that may still be read.
    budget: u64,
    /// Part of the budget that is for values read again.
    shared: u64,
    names: [(Cell, Lent<'g, 'de>); NAME_CACHE],
    /// The last class looked up.
    pub(crate) class: (Cell, Class),
    pub(crate) session: Session,
}

impl<'g, 'de, L: Lend<'g, 'de>> Context<'g, 'de, L> {
    pub(crate) fn new(arena: &'g Arena, lend: L, depth: usize, shared: u64) -> Self {
        // Reading each value once costs at most its size in the graph.
        let once = (arena.held_bytes() + arena.payloads.len()) as u64;
        Context {
            arena,
            lend,
            open: Vec::new(),
            depth,
            budget: once.saturating_add(shared),
            shared,
            names: [(Cell::HOLE, Lent::Short("")); NAME_CACHE],
            class: (Cell::HOLE, Class::Other),
            session: Session::default(),
        }
    }

    /// Starts reading a compound value of `len` cells.
    #[inline]
    pub(crate) fn enter(&mut self, cell: Cell, len: usize) -> Result<(), Error> {
        self.spend(8 * len)?;
        if self.open.len() >= self.depth {
            return Err(too_deep(self.depth));
        }
        if let Some(at) = self.open.iter().position(|open| *open == cell) {
            return Err(Error::cycle(at));
        }
        self.open.push(cell);
        Ok(())
    }

    /// Ends reading the compound value of the last [`enter`](Context::enter).
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.open.pop();
    }

    /// Subtracts bytes read from the budget.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.spend_long(bytes as u64)
    }

    /// [`spend`](Self::spend) for lengths that may exceed the memory.
    pub(crate) fn spend_long(&mut self, bytes: u64) -> Result<(), Error> {
        match self.budget.checked_sub(bytes) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(too_much(self.shared)),
        }
    }

    /// Returns the text of a `str`, if it has no surrogates.
    #[inline]
    pub(crate) fn text(&mut self, cell: Cell) -> Result<Option<&'g str>, Error> {
        let text = self.arena.text(cell);
        self.spend(text.as_bytes().len())?;
        Ok(text.as_str())
    }

    /// Returns the text of a `str` that is a name, which is likely to be read again.
    #[inline]
    pub(crate) fn name(&mut self, cell: Cell) -> Result<Option<Lent<'g, 'de>>, Error> {
        let slot = cell.high() as usize % NAME_CACHE;
        let (known, name) = self.names[slot];
        if known == cell {
            return Ok(Some(name));
        }
        let Some(text) = self.text(cell)? else { return Ok(None) };
        let name = self.lend.str(text).map_or(Lent::Short(text), Lent::Long);
        self.names[slot] = (cell, name);
        Ok(Some(name))
    }
}

#[cold]
#[inline(never)]
fn too_much(shared: u64) -> Error {
    Error::new(ErrorKind::Limit, format!("at most {shared} bytes of shared values read again (Limits::shared)"), "more")
}
