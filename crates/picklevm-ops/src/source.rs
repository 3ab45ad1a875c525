//! What ops are read from.

use std::io;

use crate::decoder::Decoder;
use crate::error::Error;
use crate::op::{Op, RunVisitor, Visitor};
use crate::opcode::Opcode;
use crate::reader::Reader;

pub(crate) mod private {
    pub trait Sealed {}
}

/// A source of ops: a [`Decoder`] or a [`Reader`]. The trait is sealed.
pub trait Source: private::Sealed {
    /// The next op; see [`Decoder::next_op`] and [`Reader::next_op`].
    ///
    /// # Errors
    ///
    /// Those of the two.
    fn next_op(&mut self) -> Result<Op<'_>, Error>;

    /// Hands the next op to a visitor; see [`Decoder::visit_op`].
    ///
    /// # Errors
    ///
    /// Those of [`next_op`](Self::next_op).
    fn visit_op<T, V: for<'o> Visitor<'o, Output = T>>(&mut self, visitor: &mut V) -> Result<T, Error>
    where
        Self: Sized,
    {
        let offset = self.offset();
        Ok(visitor.visit::<0>(offset, self.next_op()?))
    }

    /// Hands ops to a visitor until it says `false`, or until one ends at the offset `until` or behind it: there are no
    /// more of them than bytes up to there. Several small integers may be handed over at once; what
    /// [`op_offset`](Self::op_offset) says is known only if the visitor said `false`, and not of a MEMOIZE.
    ///
    /// The source goes in and out by value, so that one that is a local variable can live in registers.
    ///
    /// # Errors
    ///
    /// Those of [`next_op`](Self::next_op).
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_until<V: for<'o> RunVisitor<'o>>(mut self, until: u64, visitor: &mut V) -> (Self, Result<(), Error>)
    where
        Self: Sized,
    {
        while self.offset() < until {
            match self.visit_op(visitor) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return (self, Err(error)),
            }
        }
        (self, Ok(()))
    }

    /// The opcode of the op that was returned last.
    fn op_opcode(&self) -> Option<Opcode>;

    /// Where the op begins that was returned last, in bytes from the beginning of the source.
    fn op_offset(&self) -> u64;

    /// Where that op ends.
    fn offset(&self) -> u64;

    /// Begins the next pickle of the source.
    fn start_pickle(&mut self);

    /// The opcode of the op that comes next, if there is one; nothing is read past it.
    fn peek_opcode(&mut self) -> Option<Opcode>;

    /// The length of the whole source in bytes, where it is known.
    fn len_hint(&self) -> Option<u64>;
}

impl private::Sealed for Decoder<'_> {}

impl Source for Decoder<'_> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        Decoder::next_op(self)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_op<T, V: for<'o> Visitor<'o, Output = T>>(&mut self, visitor: &mut V) -> Result<T, Error> {
        Decoder::visit_op(self, visitor)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn visit_until<V: for<'o> RunVisitor<'o>>(self, until: u64, visitor: &mut V) -> (Self, Result<(), Error>) {
        self.visit_many::<false, V>(until, visitor)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op_opcode(&self) -> Option<Opcode> {
        Opcode::from_byte(*self.data().get(Decoder::op_offset(self))?)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn op_offset(&self) -> u64 {
        Decoder::op_offset(self) as u64
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn offset(&self) -> u64 {
        Decoder::offset(self) as u64
    }

    #[inline]
    fn start_pickle(&mut self) {
        Decoder::start_pickle(self);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn peek_opcode(&mut self) -> Option<Opcode> {
        Opcode::from_byte(*self.data().get(Decoder::offset(self))?)
    }

    #[inline]
    fn len_hint(&self) -> Option<u64> {
        Some(self.data().len() as u64)
    }
}

impl<R: io::BufRead> private::Sealed for Reader<R> {}

impl<R: io::BufRead> Source for Reader<R> {
    #[inline]
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        Reader::next_op(self)
    }

    fn op_opcode(&self) -> Option<Opcode> {
        self.last_opcode
    }

    #[inline]
    fn op_offset(&self) -> u64 {
        Reader::op_offset(self)
    }

    #[inline]
    fn offset(&self) -> u64 {
        Reader::offset(self)
    }

    #[inline]
    fn start_pickle(&mut self) {
        Reader::start_pickle(self);
    }

    fn peek_opcode(&mut self) -> Option<Opcode> {
        Reader::peek_opcode(self)
    }

    fn len_hint(&self) -> Option<u64> {
        None
    }
}

impl<S: Source + ?Sized> private::Sealed for &mut S {}

impl<S: Source + ?Sized> Source for &mut S {
    #[inline]
    fn next_op(&mut self) -> Result<Op<'_>, Error> {
        (**self).next_op()
    }

    fn op_opcode(&self) -> Option<Opcode> {
        (**self).op_opcode()
    }

    #[inline]
    fn op_offset(&self) -> u64 {
        (**self).op_offset()
    }

    #[inline]
    fn offset(&self) -> u64 {
        (**self).offset()
    }

    fn start_pickle(&mut self) {
        (**self).start_pickle();
    }

    fn peek_opcode(&mut self) -> Option<Opcode> {
        (**self).peek_opcode()
    }

    fn len_hint(&self) -> Option<u64> {
        (**self).len_hint()
    }
}
