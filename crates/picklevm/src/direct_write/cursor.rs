//! The position in the chunk by value: in a register, where it would have to be stored and loaded again for each op of the chunk,
//! as the compiler cannot know that an op is not written over it.

use picklevm_ops::{Opcode, Sink};

use super::Direct;
use super::atom::{Atom, Get};
use crate::error::Result;

/// A writer with the position where its next op begins. That in its memory does not count meanwhile.
#[derive(Debug)]
pub struct Cursor<'c, 'w, S, C> {
    pub(crate) direct: &'c mut Direct<'w, S, C>,
    pub(crate) at: Position,
}

/// Length of the ops in the chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position(pub(super) usize);

impl<'w, S: Sink, C> Direct<'w, S, C> {
    /// Returns a cursor. [`go_to`](Self::go_to) its end.
    #[inline(always)]
    pub(crate) fn cursor(&mut self) -> Cursor<'_, 'w, S, C> {
        Cursor { at: self.chunk.position(), direct: self }
    }

    /// Continues where a cursor ended.
    #[inline(always)]
    pub(crate) fn go_to(&mut self, at: Position) {
        self.chunk.go_to(at);
    }

    /// Writes by a cursor.
    #[inline(always)]
    pub(crate) fn by_cursor<T>(&mut self, write: impl FnOnce(&mut Cursor<'_, 'w, S, C>) -> Result<T>) -> Result<T> {
        let mut cursor = self.cursor();
        let written = write(&mut cursor)?;
        let at = cursor.at;
        self.go_to(at);
        Ok(written)
    }
}

impl<'w, S: Sink, C> Cursor<'_, 'w, S, C> {
    /// Returns the cursor for a value inside.
    #[inline(always)]
    pub(crate) fn again(&mut self) -> Cursor<'_, 'w, S, C> {
        Cursor { direct: self.direct, at: self.at }
    }

    /// Writes what need not be fast.
    #[inline(always)]
    pub(crate) fn by_memory<T, E>(
        &mut self,
        write: impl FnOnce(&mut Direct<'w, S, C>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.direct.go_to(self.at);
        let written = write(self.direct)?;
        self.at = self.direct.chunk.position();
        Ok(written)
    }

    /// Whether a value must not begin here.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.direct.chunk.is_full_at(self.at)
    }

    /// Writes a value of one op: in a run where the chunk has space, as it never has at a protocol without runs.
    #[inline(always)]
    fn atom(&mut self, atom: impl Atom) -> Result<()> {
        if self.is_full() {
            return self.by_memory(|direct| direct.next_atom(atom));
        }
        let mut run = self.direct.chunk.run_at(self.at);
        atom.run(&mut run);
        self.at.0 += run.len();
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn int(&mut self, value: i64) -> Result<()> {
        match i32::try_from(value) {
            Ok(value) => self.atom(value),
            Err(_) => self.atom(value),
        }
    }

    #[inline(always)]
    pub(crate) fn bool(&mut self, value: bool) -> Result<()> {
        self.atom(value)
    }

    #[inline(always)]
    pub(crate) fn float(&mut self, value: f64) -> Result<()> {
        self.atom(value)
    }

    #[inline(always)]
    pub(crate) fn none(&mut self) -> Result<()> {
        self.atom(())
    }

    /// Writes a value that is in the memo.
    #[inline(always)]
    pub(super) fn get(&mut self, number: u32) -> Result<()> {
        self.atom(Get(number))
    }

    /// Writes a `u64`.
    #[inline(always)]
    pub(crate) fn unsigned(&mut self, value: u64) -> Result<()> {
        match i64::try_from(value) {
            Ok(value) => self.int(value),
            Err(_) => self.by_memory(|direct| direct.long(&u128::from(value).to_le_bytes())),
        }
    }

    /// Writes an op without an operand.
    #[inline(always)]
    pub(super) fn bare(&mut self, opcode: Opcode) -> Result<()> {
        if self.direct.chunk.has_no_space_at(self.at) {
            return self.by_memory(|direct| direct.bare(opcode));
        }
        self.direct.chunk.run_at(self.at).bare(opcode);
        self.at.0 += 1;
        Ok(())
    }
}
