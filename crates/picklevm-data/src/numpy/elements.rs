//! Elements that are written when their turn comes: those of arrays, and of what is read meanwhile.

use std::io::{self, Write};

use super::array::NdArray;
use super::dtype::{ByteOrder, DType};
use crate::error::Result;

/// Elements of one type in a shape: an array, or a [`StoredTensor`](crate::torch::StoredTensor), which is read from its file
/// while it is written.
pub trait Elements {
    /// What the elements are.
    fn dtype(&self) -> &DType;

    /// The lengths of the axes.
    fn shape(&self) -> &[usize];

    /// Writes the bytes of all elements in C order and a byte order.
    ///
    /// # Errors
    ///
    /// If they cannot be read, have no bytes, or cannot be written.
    fn write(&self, order: ByteOrder, out: &mut dyn Write) -> Result<()>;

    /// The array, if the elements are those of one.
    fn array(&self) -> Option<&NdArray<'_>> {
        None
    }
}

impl Elements for NdArray<'_> {
    fn dtype(&self) -> &DType {
        self.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.shape()
    }

    fn write(&self, order: ByteOrder, out: &mut dyn Write) -> Result<()> {
        self.write_bytes(order, out)
    }

    fn array(&self) -> Option<&NdArray<'_>> {
        Some(self)
    }
}

macro_rules! by_reference {
    ($($type:ty),*) => {$(
        impl<T: Elements + ?Sized> Elements for $type {
            fn dtype(&self) -> &DType {
                (**self).dtype()
            }

            fn shape(&self) -> &[usize] {
                (**self).shape()
            }

            fn write(&self, order: ByteOrder, out: &mut dyn Write) -> Result<()> {
                (**self).write(order, out)
            }

            fn array(&self) -> Option<&NdArray<'_>> {
                (**self).array()
            }
        }
    )*};
}

by_reference!(&T, Box<T>);

/// How many bytes elements have together.
pub(crate) fn byte_len(elements: &(impl Elements + ?Sized)) -> Result<usize> {
    super::count(elements.shape())?.checked_mul(elements.dtype().size).ok_or_else(super::array::too_large)
}

/// Small floats as `float32`, small integers as `int8`, which hold every value of theirs.
#[derive(Clone, Debug)]
pub struct Widened<E> {
    elements: E,
    dtype: DType,
}

impl<E: Elements> Widened<E> {
    /// Elements of a wider type.
    ///
    /// # Errors
    ///
    /// If they are of no small type.
    pub fn new(elements: E) -> Result<Widened<E>> {
        let dtype = elements.dtype().widened()?;
        Ok(Widened { elements, dtype })
    }
}

impl<E: Elements> Elements for Widened<E> {
    fn dtype(&self) -> &DType {
        &self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.elements.shape()
    }

    fn write(&self, order: ByteOrder, out: &mut dyn Write) -> Result<()> {
        let small = self.elements.dtype().with_order(ByteOrder::Little);
        let mut whole = WholeElements::new(small.size, |bytes: &mut [u8]| {
            let array = NdArray::new(small.clone(), vec![bytes.len() / small.size], bytes.to_vec())?;
            array.widened()?.write_bytes(order, &mut *out)
        });
        self.elements.write(ByteOrder::Little, &mut whole)
    }
}

/// Passes on what is written to it in pieces that end where an element ends.
pub(crate) struct WholeElements<F> {
    size: usize,
    rest: Vec<u8>,
    each: F,
}

impl<F: FnMut(&mut [u8]) -> Result<()>> WholeElements<F> {
    pub(crate) fn new(size: usize, each: F) -> WholeElements<F> {
        WholeElements { size: size.max(1), rest: Vec::new(), each }
    }
}

impl<F: FnMut(&mut [u8]) -> Result<()>> Write for WholeElements<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        /// What lies in memory comes in one piece.
        const MOST: usize = 1 << 20;
        let taken = &bytes[..bytes.len().min(MOST)];
        self.rest.extend_from_slice(taken);
        let end = self.rest.len() - self.rest.len() % self.size;
        (self.each)(&mut self.rest[..end]).map_err(io::Error::other)?;
        self.rest.drain(..end);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
