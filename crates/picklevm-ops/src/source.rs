//! The trait of everything that ops are read from.

use crate::error::Error;
use crate::op::{Op, RunVisitor, Visitor};
use crate::opcode::Opcode;

pub(crate) mod private {
    pub trait Sealed {}
}

/// A source of ops: a [`Decoder`](crate::Decoder), a [`Reader`](crate::Reader) or a [`FeedReader`](crate::FeedReader). The
/// trait is sealed.
pub trait Source: private::Sealed {
    /// Reads the next op; see [`Decoder::next_op`](crate::Decoder::next_op) and [`Reader::next_op`](crate::Reader::next_op).
    ///
    /// # Errors
    ///
    /// See there.
    fn next_op(&mut self) -> Result<Op<'_>, Error>;

    /// Passes the next op to a visitor; see [`Decoder::visit_op`](crate::Decoder::visit_op).
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
    #[doc(hidden)]
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
