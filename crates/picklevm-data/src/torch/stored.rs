//! Tensors that are written while their storages are read, piece by piece.

use std::io::Write;
use std::ops::Range;

use super::{Place, Storage, Tensor};
use crate::error::{Error, Result};
use crate::item::Source;
use crate::numpy::{ByteOrder, DType, DTypeKind, Elements, Layout, WholeElements, count, is_contiguous, swap_order};

/// A tensor beside the source of its storage.
///
/// Where the elements lie one after the other in the storage they are written piece by piece, in memory that does not grow with
/// them; others are read into memory when they are written.
pub struct StoredTensor<'g, 's> {
    tensor: Tensor<'g>,
    source: &'s dyn Source,
    dtype: DType,
}

impl std::fmt::Debug for StoredTensor<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTensor").field("tensor", &self.tensor).finish_non_exhaustive()
    }
}

impl Elements for StoredTensor<'_, '_> {
    fn dtype(&self) -> &DType {
        &self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.tensor.shape()
    }

    fn write(&self, order: ByteOrder, out: &mut dyn Write) -> Result<()> {
        let Some((storage, range)) = self.tensor.in_order()? else {
            return self.tensor.to_array(self.source)?.write_bytes(order, out);
        };
        storage.check(self.source)?;
        let stored = self.tensor.dtype.with_order(stored_order(self.source));
        let signs = self.tensor.signs()?;
        if signs.is_none() && !stored.differs_from(order) {
            return self.source.storage_pieces(&storage.key, range, &mut |piece| Ok(out.write_all(piece)?));
        }
        let little = stored.with_order(ByteOrder::Little);
        let mut whole = WholeElements::new(stored.size, |bytes: &mut [u8]| {
            swap_order(&stored, ByteOrder::Little, bytes);
            if let Some(signs) = signs {
                signs.flip(bytes);
            }
            swap_order(&little, order, bytes);
            Ok(out.write_all(bytes)?)
        });
        self.source.storage_pieces(&storage.key, range, &mut |piece| Ok(whole.write_all(piece)?))
    }
}

impl<'g> Tensor<'g> {
    /// The elements of [`to_array`](Tensor::to_array), which are read when they are written.
    pub fn elements<'s>(&self, source: &'s dyn Source) -> StoredTensor<'g, 's> {
        StoredTensor { tensor: self.clone(), source, dtype: self.value_dtype() }
    }

    /// The storage and the bytes of it that are the elements in C order; `None` if they do not lie so, or in no storage.
    fn in_order(&self) -> Result<Option<(&Storage, Range<u64>)>> {
        let Place::Storage(storage) = &self.place else { return Ok(None) };
        let fits = self.quantized.is_none() && is_contiguous(&self.shape, &self.strides, 1, Layout::C);
        Ok(if fits { Some((storage, self.span(storage)?)) } else { None })
    }

    /// The bytes of a storage from the first to the last element.
    pub(super) fn span(&self, storage: &Storage) -> Result<Range<u64>> {
        let beyond = || Error::malformed("elements beyond memory");
        let start = self.offset.checked_mul(self.dtype.size).and_then(|at| at.checked_add(storage.start));
        let start = start.ok_or_else(beyond)?;
        if count(&self.shape)? == 0 {
            return Ok(start as u64..start as u64);
        }
        let last = self.shape.iter().zip(&self.strides).try_fold(0usize, |at, (len, stride)| {
            at.checked_add((len - 1).checked_mul(usize::try_from(*stride).ok()?)?)
        });
        let len = last.and_then(|last| last.checked_add(1)?.checked_mul(self.dtype.size));
        let end = len.and_then(|len| start.checked_add(len)).ok_or_else(beyond)?;
        Ok(start as u64..end as u64)
    }

    /// Which signs of the elements differ from those in the storage.
    pub(super) fn signs(&self) -> Result<Option<Signs>> {
        if !self.conjugate && !self.negative {
            return Ok(None);
        }
        let (width, is_complex) = match self.dtype.kind {
            DTypeKind::Complex => (self.dtype.size / 2, true),
            DTypeKind::Float | DTypeKind::Small(_) => (self.dtype.size, false),
            _ => return Err(Error::unsupported(format!("a conjugate or negative view of {}", self.dtype.name()))),
        };
        Ok(Some(Signs { width, real: self.negative, imaginary: self.negative != (self.conjugate && is_complex) }))
    }
}

impl Storage {
    /// Checks that the storage is as long as its id says.
    pub(super) fn check(&self, source: &dyn Source) -> Result<()> {
        let len = source.storage_len(&self.key).map_err(|error| self.named(error))?;
        let end = self.start.saturating_add(self.len);
        if len < end as u64 {
            return Err(Error::malformed(format!("the storage {:?} has {len} bytes, expected {end}", self.key)));
        }
        Ok(())
    }

    pub(super) fn named(&self, error: Error) -> Error {
        error.inside(format!("storage {:?}", self.key))
    }
}

/// The byte order of the storages of a file.
pub(super) fn stored_order(source: &dyn Source) -> ByteOrder {
    if source.is_big_endian() { ByteOrder::Big } else { ByteOrder::Little }
}

/// What conjugate and negative views change: signs alone. The elements are numbers of one part, or of two in turns.
#[derive(Clone, Copy)]
pub(super) struct Signs {
    /// Bytes of a part.
    width: usize,
    real: bool,
    imaginary: bool,
}

impl Signs {
    /// Changes the signs of whole elements in little-endian order.
    pub(super) fn flip(self, bytes: &mut [u8]) {
        for (at, number) in bytes.chunks_exact_mut(self.width).enumerate() {
            let flips = if at % 2 == 0 { self.real } else { self.imaginary };
            if let (true, Some(last)) = (flips, number.last_mut()) {
                *last ^= 0x80;
            }
        }
    }
}
