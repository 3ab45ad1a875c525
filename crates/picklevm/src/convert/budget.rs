//! How much of a graph is read, how deeply, and without cycles.

use crate::graph::{Arena, Cell};

/// Limits of reading one value of a graph, with all that it holds.
pub(crate) struct Budget {
    /// Compound values being read, outermost first.
    open: Vec<Cell>,
    depth: usize,
    /// Bytes that may still be read.
    left: u64,
    /// Part of the budget that is for values read again.
    shared: u64,
}

/// Why a value is not read.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// Shared values were read again too often.
    TooMuch,
    TooDeep,
    /// The value contains itself.
    Cycle,
}

impl Budget {
    /// Allows to read each value of the graph once, and `shared` bytes more.
    pub(crate) fn new(arena: &Arena, depth: usize, shared: u64) -> Self {
        // Reading each value once costs at most its size in the graph.
        let once = (arena.held_bytes() + arena.payloads.len()) as u64;
        Budget { open: Vec::new(), depth, left: once.saturating_add(shared), shared }
    }

    /// Starts reading a compound value of `len` cells.
    #[inline]
    pub(crate) fn enter(&mut self, cell: Cell, len: usize) -> Result<(), Refusal> {
        self.spend(8 * len as u64)?;
        if self.open.len() >= self.depth {
            return Err(Refusal::TooDeep);
        }
        if self.open.contains(&cell) {
            return Err(Refusal::Cycle);
        }
        self.open.push(cell);
        Ok(())
    }

    /// Ends reading the compound value of the last [`enter`](Budget::enter).
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.open.pop();
    }

    /// Subtracts bytes read.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: u64) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(bytes).ok_or(Refusal::TooMuch)?;
        Ok(())
    }

    /// Returns the number of values around an open value.
    #[cfg(feature = "serde")]
    pub(crate) fn level(&self, cell: Cell) -> usize {
        self.open.iter().position(|open| *open == cell).unwrap_or_default()
    }

    /// Returns the number of values being read.
    #[cfg(feature = "serde")]
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// Returns the innermost value being read.
    #[cfg(feature = "serde")]
    pub(crate) fn innermost(&self) -> Option<Cell> {
        self.open.last().copied()
    }

    /// Returns the innermost value being read when `open` values were.
    #[cfg(feature = "serde")]
    pub(crate) fn at(&self, open: usize) -> Option<Cell> {
        self.open.get(open.checked_sub(1)?).copied()
    }

    /// Returns the part that is for values read again.
    #[cfg(feature = "serde")]
    pub(crate) fn shared(&self) -> u64 {
        self.shared
    }

    /// Returns the bytes left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Returns what is expected of a value that is read again, for the error.
    pub(crate) fn expected(&self) -> String {
        format!("at most {} bytes of shared values read again (Limits::shared)", self.shared)
    }
}
