//! The trait of everything that ops are read from.

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
    /// Reads the next op; see [`Decoder::next_op`] and [`Reader::next_op`].
    ///
    /// # Errors
    ///
    /// See there.
    fn next_op(&mut self) -> Result<Op<'_>, Error>;

    /// Passes the next op to a visitor; see [`Decoder::visit_op`].
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

    /// Passes ops to a visitor until it returns `false`, or until an op ends at or after the offset `until`. There are
    /// at most as many ops as bytes up to `until`. Several small integers may be passed at once. Afterwards
    /// [`op_offset`](Self::op_offset) is known only if the visitor returned `false`, and not for a MEMOIZE.
    ///
    /// The source is passed and returned by value, so that a local variable can stay in registers.
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

    /// Returns the opcode of the last op.
    fn op_opcode(&self) -> Option<Opcode>;

    /// Returns the offset of the last op, in bytes from the beginning of the source.
    fn op_offset(&self) -> u64;

    /// Returns the offset after the last op.
    fn offset(&self) -> u64;

    /// Begins the next pickle of the source.
    fn start_pickle(&mut self);

    /// Returns the opcode of the next op, if there is one, and reads nothing past it.
    fn peek_opcode(&mut self) -> Option<Opcode>;

    /// Returns the length of the whole source in bytes, if it is known.
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
