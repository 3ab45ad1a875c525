//! State of reading: open values (for cycles and depth), the budget for shared values, a cache of names.

use std::num::Wrapping;

use bytes::Bytes;

use super::super::error::{Error, ErrorKind, too_deep};
use super::recorder::Recorder;
use super::shared::Session;
use crate::convert::{Budget, Refusal};
use crate::graph::{Arena, Cell, Graph};
use crate::load::Unpickler;
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
#[derive(Clone, Copy)]
pub(crate) struct FromInput<'de> {
    input: &'de [u8],
    /// Address of the copy.
    copy: usize,
}

impl<'de> FromInput<'de> {
    /// Loads a graph that refers to text in a copy of the input.
    pub(crate) fn load(unpickler: &Unpickler, input: &'de [u8]) -> Result<(Graph, Self), Error> {
        let copy = Bytes::copy_from_slice(input);
        let lend = FromInput { input, copy: copy.as_ptr().addr() };
        Ok((unpickler.load_sharing(copy)?, lend))
    }
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
    pub(super) budget: Budget,
    /// Whether a value was refused because of the budget.
    pub(crate) is_limited: bool,
    pub(super) depth: usize,
    names: [(Cell, Lent<'g, 'de>); NAME_CACHE],
    /// The last class looked up.
    pub(crate) class: (Cell, Class),
    pub(crate) session: Session,
    pub(super) recorder: Recorder<'g>,
}

impl<'g, 'de, L: Lend<'g, 'de>> Context<'g, 'de, L> {
    pub(crate) fn new(arena: &'g Arena, lend: L, depth: usize, shared: u64) -> Self {
        Context {
            arena,
            lend,
            budget: Budget::new(arena, depth, shared),
            is_limited: false,
            depth,
            names: [(Cell::HOLE, Lent::Short("")); NAME_CACHE],
            class: (Cell::HOLE, Class::Other),
            session: Session::default(),
            recorder: Recorder::default(),
        }
    }

    /// Sets the graph whose arena is read, which saves copies of values that serde buffers.
    pub(crate) fn keeping(mut self, graph: Option<&'g Graph>) -> Self {
        self.recorder.graph = graph;
        self
    }

    /// Starts reading a compound value of `len` cells.
    #[inline]
    pub(crate) fn enter(&mut self, cell: Cell, len: usize) -> Result<(), Error> {
        self.budget.enter(cell, len).map_err(|refusal| self.refused(refusal, cell))
    }

    /// Ends reading the compound value of the last [`enter`](Context::enter).
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.budget.leave();
    }

    /// Subtracts bytes read from the budget.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.spend_long(bytes as u64)
    }

    /// [`spend`](Self::spend) for lengths that may exceed the memory.
    pub(crate) fn spend_long(&mut self, bytes: u64) -> Result<(), Error> {
        self.budget.spend(bytes).map_err(|refusal| self.refused(refusal, Cell::NONE))
    }

    #[cold]
    #[inline(never)]
    fn refused(&mut self, refusal: Refusal, cell: Cell) -> Error {
        self.is_limited |= matches!(refusal, Refusal::TooMuch);
        match refusal {
            Refusal::TooMuch => Error::new(ErrorKind::Limit, self.budget.expected(), "more"),
            Refusal::TooDeep => too_deep(self.depth),
            Refusal::Cycle => Error::cycle(self.budget.level(cell)),
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
