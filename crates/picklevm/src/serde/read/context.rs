//! What reading needs to remember: open values against cycles and depth, a budget for sharing, names seen last.

use std::num::Wrapping;

use super::super::error::{Error, ErrorKind, too_deep};
use super::shared::Session;
use crate::graph::{Arena, Cell};
use crate::typed::class::Class;

/// Text, as long-lived as it can be had.
#[derive(Clone, Copy)]
pub(crate) enum Lent<'g, 'de> {
    /// For as long as the data that is read from.
    Long(&'de str),
    /// For the moment.
    Short(&'g str),
}

/// Where text and bytes of a graph can be borrowed from for longer than the graph lives.
pub(crate) trait Lend<'g, 'de> {
    fn bytes(&self, bytes: &'g [u8]) -> Option<&'de [u8]>;
    fn str(&self, text: &'g str) -> Option<&'de str>;
}

/// Everything is borrowed from the graph itself.
pub(crate) struct FromGraph;

impl<'g> Lend<'g, 'g> for FromGraph {
    fn bytes(&self, bytes: &'g [u8]) -> Option<&'g [u8]> {
        Some(bytes)
    }

    fn str(&self, text: &'g str) -> Option<&'g str> {
        Some(text)
    }
}

/// The graph was loaded from a copy of this input, so that what lies in the copy lies in the input too.
pub(crate) struct FromInput<'de> {
    pub(crate) input: &'de [u8],
    /// The address of the copy.
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

/// How many names are remembered: a power of two, more than most records have fields.
const NAMES: usize = 32;

pub(crate) struct Context<'g, 'de, L> {
    pub(crate) arena: &'g Arena,
    pub(crate) lend: L,
    /// The compound values that are being read, the outermost first.
    open: Vec<Cell>,
    depth: usize,
    /// Bytes that may still be read.
    budget: u64,
    /// What the budget leaves for values that are read again.
    shared: u64,
    names: [(Cell, Lent<'g, 'de>); NAMES],
    /// The class that was looked up last.
    pub(crate) class: (Cell, Class),
    pub(crate) session: Session,
}

impl<'g, 'de, L: Lend<'g, 'de>> Context<'g, 'de, L> {
    pub(crate) fn new(arena: &'g Arena, lend: L, depth: usize, shared: u64) -> Self {
        // What each value costs when it is read once is what it takes in the graph, at the most.
        let once = (arena.held_bytes() + arena.payloads.len()) as u64;
        Context {
            arena,
            lend,
            open: Vec::new(),
            depth,
            budget: once.saturating_add(shared),
            shared,
            names: [(Cell::HOLE, Lent::Short("")); NAMES],
            class: (Cell::HOLE, Class::Other),
            session: Session::default(),
        }
    }

    /// Begins to read a compound value of `len` cells.
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

    /// Ends what [`enter`](Context::enter) began.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.open.pop();
    }

    /// Counts bytes that are read.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        match self.budget.checked_sub(bytes as u64) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => Err(too_much(self.shared)),
        }
    }

    /// The text of a `str`, if it has no surrogates.
    #[inline]
    pub(crate) fn text(&mut self, cell: Cell) -> Result<Option<&'g str>, Error> {
        let text = self.arena.text(cell);
        self.spend(text.as_bytes().len())?;
        Ok(text.as_str())
    }

    /// The text of a `str` that names something, which is likely to come again.
    #[inline]
    pub(crate) fn name(&mut self, cell: Cell) -> Result<Option<Lent<'g, 'de>>, Error> {
        let slot = cell.high() as usize % NAMES;
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
    Error::new(
        ErrorKind::Limit,
        format!("at most {shared} bytes of shared values read again (Limits::shared)"),
        "more of them",
    )
}
