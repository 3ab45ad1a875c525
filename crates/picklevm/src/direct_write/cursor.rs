//! The cursor, which writes ops. It has the position in the chunk by value: in a register, where it would have to be stored and
//! loaded again for each op of the chunk, as the compiler cannot know that an op is not written over it.
//!
//! What writes a value in few instructions is inlined. What is rare is not, and gets the cursor by value, or a
//! [copy](Cursor::call) of it: the address of a cursor in a register is never passed on.

use picklevm_ops::internal::OpRun;
use picklevm_ops::{Opcode, Sink};

use super::atom::{Atom, Get};
use super::{Direct, MEMO_LEN};
use crate::emitter::leaf::Leaf;
use crate::emitter::{self, Scratch};
use crate::error::{Error, Result};
use crate::graph::{Cell, Value};

/// A writer with the position where its next op begins.
#[derive(Debug)]
pub struct Cursor<'c, 'w, S, C> {
    pub(crate) direct: &'c mut Direct<'w, S, C>,
    pub(crate) at: Position,
}

/// Length of the ops in the chunk.
#[derive(Clone, Copy, Debug)]
pub struct Position(pub(super) usize);

impl<'w, S: Sink, C> Cursor<'_, 'w, S, C> {
    /// Returns the cursor for a value inside.
    #[inline(always)]
    pub(crate) fn again(&mut self) -> Cursor<'_, 'w, S, C> {
        Cursor { direct: self.direct, at: self.at }
    }

    /// Calls what is not inlined, with a copy of the cursor.
    #[inline(always)]
    pub(crate) fn call<T, E>(&mut self, write: impl FnOnce(&mut Cursor<'_, 'w, S, C>) -> Result<T, E>) -> Result<T, E> {
        let mut copy = self.again();
        let written = write(&mut copy)?;
        self.at = copy.at;
        Ok(written)
    }

    /// Returns the offset in the pickle.
    #[inline(always)]
    pub(super) fn offset(&self) -> u64 {
        self.direct.out.offset() + self.at.0 as u64
    }

    /// Whether a value must not begin here.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.direct.chunk.is_full_at(self.at)
    }

    /// Starts a value: a full frame ends before it.
    #[inline(always)]
    pub(crate) fn boundary(&mut self) -> Result<()> {
        if self.is_full() {
            self.at = self.again().next_chunk()?;
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn next_chunk(mut self) -> Result<Position> {
        self.at = self.again().flush()?;
        if self.direct.next >= MEMO_LEN {
            return Err(self.direct.leave_to_graph());
        }
        self.direct.out.boundary().map_err(Error::unwritable)?;
        if self.direct.has_runs {
            self.direct.chunk.begin(self.direct.out.frame_left());
        }
        Ok(self.at)
    }

    /// Passes the ops on to the writer.
    #[inline(never)]
    fn flush(self) -> Result<Position> {
        if !self.direct.has_begun {
            self.direct.has_begun = true;
            let framing = self.direct.quirks().framing;
            self.direct.out.begin(self.direct.protocol, framing).map_err(Error::unwritable)?;
        }
        let Direct { chunk, out, start_len, .. } = &mut *self.direct;
        out.append_ops(&chunk.take(self.at)[std::mem::take(start_len)..]);
        Ok(Position(0))
    }

    /// Writes up to 128 bytes of ops where there is space, as there is where a value may begin.
    #[inline(always)]
    pub(super) fn run(&mut self, write: impl FnOnce(&mut OpRun<'_>)) {
        let mut run = self.direct.chunk.run_at(self.at);
        write(&mut run);
        self.at.0 += run.len();
    }

    /// Writes up to 128 bytes of ops.
    #[inline(always)]
    pub(super) fn ops(&mut self, write: impl FnOnce(&mut OpRun<'_>)) -> Result<()> {
        if self.direct.chunk.has_no_space_at(self.at) {
            self.at = self.again().flush()?;
        }
        self.run(write);
        Ok(())
    }

    /// Writes ops that need not be fast: of any protocol and length.
    #[inline(never)]
    pub(super) fn leaf<T>(&mut self, write: impl FnOnce(Leaf<'_, S>) -> Result<T>) -> Result<T> {
        self.at = self.again().flush()?;
        let quirks = self.direct.quirks();
        write(Leaf::new(self.direct.out, self.direct.protocol, quirks))
    }

    /// Writes a value of `side` with the emitter.
    pub(super) fn part(&mut self, cell: Cell) -> Result<()> {
        self.at = self.again().flush()?;
        let Direct { side, scratch, out, next, pickler, .. } = &mut *self.direct;
        let Some(side) = side else { return Err(self.direct.leave_to_graph()) };
        let scratch = scratch.get_or_insert_with(Scratch::take);
        scratch.memo.end_run(*next);
        let written = emitter::part(Value::new(side, cell), out, scratch, &pickler.options);
        *next = scratch.memo.next();
        written
    }

    /// Writes a value of one op: in a run where the chunk has space, as it never has at a protocol without runs.
    #[inline(always)]
    fn atom(&mut self, atom: impl Atom) -> Result<()> {
        if self.is_full() {
            self.at = self.again().next_atom(atom)?;
        } else {
            self.run(|run| atom.run(run));
        }
        Ok(())
    }

    /// Writes a value of one op at the start of a chunk.
    #[cold]
    #[inline(never)]
    fn next_atom(mut self, atom: impl Atom) -> Result<Position> {
        self.at = self.again().next_chunk()?;
        if self.direct.has_runs {
            self.ops(|run| atom.run(run))?;
        } else {
            self.leaf(|leaf| atom.leaf(leaf))?;
        }
        Ok(self.at)
    }

    #[inline(always)]
    pub(crate) fn int(&mut self, value: i64) -> Result<()> {
        match i32::try_from(value) {
            Ok(value) => self.atom(value),
            Err(_) => self.call(|cursor| cursor.wide(value.into())),
        }
    }

    /// Writes an integer of more than 32 bits.
    #[inline(never)]
    fn wide(&mut self, value: i128) -> Result<()> {
        match i64::try_from(value) {
            Ok(value) => self.atom(value),
            Err(_) => self.long(&value.to_le_bytes()),
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

    /// Writes `None`. The derive macro calls it for a part of a state without attributes.
    #[inline(always)]
    pub fn none(&mut self) -> Result<()> {
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
        match i32::try_from(value) {
            Ok(value) => self.atom(value),
            Err(_) => self.call(|cursor| cursor.wide(value.into())),
        }
    }

    /// Writes an op without an operand.
    #[inline(always)]
    pub(crate) fn bare(&mut self, opcode: Opcode) -> Result<()> {
        self.ops(|run| run.bare(opcode))
    }

    /// Puts the value just written into the memo. Returns its index.
    #[inline(always)]
    pub(super) fn put(&mut self) -> Result<u32> {
        let number = self.direct.skip();
        if self.direct.memoizes {
            self.bare(Opcode::Memoize)?;
        } else {
            self.at = self.again().put_index(number)?;
        }
        Ok(number)
    }

    #[inline(never)]
    fn put_index(mut self, number: u32) -> Result<Position> {
        if self.direct.has_runs {
            self.ops(|run| run.put_index(number))?;
        } else {
            self.leaf(|leaf| leaf.put(number))?;
        }
        Ok(self.at)
    }

    /// Removes an op of one byte. Returns `false` if it is not in the current frame.
    pub(super) fn remove_op(&mut self, offset: u64) -> Result<bool> {
        self.at = self.again().flush()?;
        Ok(self.direct.out.remove_op(offset))
    }

    /// Ends the pickle. Returns its length, if it is all in the chunk.
    #[inline]
    pub(super) fn finish(mut self) -> Result<Option<usize>> {
        self.bare(Opcode::Stop)?;
        let Position(end) = self.at;
        let len = end - self.direct.start_len;
        let has_frames = self.direct.protocol >= 4;
        if self.direct.has_begun || (has_frames && !self.direct.quirks().framing.has_one(len)) {
            self.again().flush()?;
            self.direct.out.end_framing().map_err(Error::unwritable)?;
            return Ok(None);
        }
        if has_frames {
            self.direct.chunk.set_frame_len(len);
        }
        Ok(Some(end))
    }
}
