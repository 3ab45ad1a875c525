//! Arrays: a type, a shape, strides, and bytes that are shared with the input.

use std::borrow::Cow;
use std::io::Write;

use bytes::Bytes;
use picklevm::{Items, Value};

use super::dtype::{ByteOrder, DType, DTypeKind};
use super::rust_types::Element;
use crate::error::{Error, Result};

/// An array of NumPy, or a tensor: type, shape, strides and data.
///
/// Nothing is copied when one is made: the bytes are those of the graph, which are those of the input where it was
/// loaded with [`load_bytes`](picklevm::Unpickler::load_bytes). Every offset has been checked to lie inside of them.
///
/// ```
/// use picklevm_data::numpy::{DType, NdArray};
///
/// let array = NdArray::new(DType::parse("<f4").unwrap(), vec![2, 2], vec![0; 16])?;
/// assert_eq!(array.to_vec::<f32>()?, [0.0; 4]);
/// assert_eq!(array.to_string(), "array(shape=(2, 2), dtype=float32, [[0.0, 0.0], [0.0, 0.0]])");
/// # Ok::<(), picklevm_data::Error>(())
/// ```
#[derive(Clone)]
pub struct NdArray<'g> {
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    /// In bytes; in items where the data are objects.
    pub(crate) strides: Vec<isize>,
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) data: Data<'g>,
}

/// The data of the elements.
#[derive(Clone)]
pub(crate) enum Data<'g> {
    Bytes(Bytes),
    Objects(Items<'g>),
}

/// The order in which elements of an array follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    C,
    Fortran,
}

impl<'g> NdArray<'g> {
    /// An array of elements that lie one after the other in C order.
    ///
    /// # Errors
    ///
    /// If there are not as many bytes as the shape says.
    pub fn new(dtype: DType, shape: Vec<usize>, data: impl Into<Bytes>) -> Result<NdArray<'static>> {
        NdArray::contiguous(dtype, shape, Data::Bytes(data.into()), Layout::C)
    }

    /// An array of elements without gaps, of exactly as many bytes or items as the shape says.
    pub(crate) fn contiguous(dtype: DType, shape: Vec<usize>, data: Data<'g>, layout: Layout) -> Result<NdArray<'g>> {
        let unit = data.unit(&dtype);
        let len = count(&shape)?;
        let (wanted, there) = (len.checked_mul(unit).ok_or_else(too_large)?, data.len());
        if wanted != there {
            let what = if matches!(data, Data::Bytes(_)) { "bytes" } else { "items" };
            return Err(Error::malformed(format!(
                "the shape {shape:?} of {dtype} takes {wanted} {what}, found {there}"
            )));
        }
        let mut strides = vec![0; shape.len()];
        let mut step = unit as isize;
        let mut set = |axis: usize| {
            strides[axis] = step;
            // An axis of length 0 leaves nothing to step over.
            step = step.saturating_mul(shape[axis].max(1) as isize);
        };
        match layout {
            Layout::C => (0..shape.len()).rev().for_each(&mut set),
            Layout::Fortran => (0..shape.len()).for_each(&mut set),
        }
        Ok(NdArray { dtype, shape, strides, offset: 0, len, data })
    }

    /// A view with strides in bytes into data; every element has to lie inside of them.
    pub(crate) fn strided(
        dtype: DType,
        shape: Vec<usize>,
        strides: Vec<isize>,
        offset: usize,
        data: Bytes,
    ) -> Result<NdArray<'static>> {
        let len = count(&shape)?;
        if shape.len() != strides.len() {
            return Err(Error::malformed(format!("{} lengths and {} strides", shape.len(), strides.len())));
        }
        if len > 0 {
            let (mut low, mut high) = (offset as i128, offset as i128 + dtype.size as i128);
            for (len, stride) in shape.iter().zip(&strides) {
                let span = (*len as i128 - 1) * *stride as i128;
                (low, high) = (low + span.min(0), high + span.max(0));
            }
            if low < 0 || high > data.len() as i128 {
                return Err(Error::malformed(format!(
                    "elements from byte {low} to {high} of data that have {} bytes",
                    data.len()
                )));
            }
        }
        Ok(NdArray { dtype, shape, strides, offset, len, data: Data::Bytes(data) })
    }

    /// Returns the type of the elements.
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// Returns the lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the distance of elements on each axis: in bytes, or in items if they are Python objects.
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the number of bytes of all elements; `None` if it overflows.
    pub fn byte_len(&self) -> Option<usize> {
        self.len.checked_mul(self.dtype.size)
    }

    /// Returns whether the elements are contiguous in C order.
    pub fn is_c_contiguous(&self) -> bool {
        self.is_contiguous(Layout::C)
    }

    pub(crate) fn is_contiguous(&self, layout: Layout) -> bool {
        is_contiguous(&self.shape, &self.strides, self.data.unit(&self.dtype), layout)
    }

    /// The bytes of all elements in C order as they lie, without a copy; `None` if they do not lie so, or are objects.
    pub fn bytes(&self) -> Option<Bytes> {
        match &self.data {
            Data::Bytes(bytes) if self.len == 0 => Some(bytes.slice(..0)),
            Data::Bytes(bytes) if self.is_c_contiguous() => {
                Some(bytes.slice(self.offset..self.offset + self.byte_len()?))
            }
            _ => None,
        }
    }

    /// The memory that the elements lie in, without a copy, and where in it the first one begins; how far they lie apart say the
    /// [`strides`](NdArray::strides). `None` if they are objects.
    pub fn memory(&self) -> Option<(Bytes, usize)> {
        match &self.data {
            Data::Bytes(bytes) => Some((bytes.clone(), self.offset)),
            Data::Objects(_) => None,
        }
    }

    /// The elements as a slice, without a copy.
    ///
    /// `None` if `T` is not their type, if they do not lie one after the other in this machine's byte order, or at an
    /// address that `T` cannot have; [`to_vec`](NdArray::to_vec) reads those too.
    pub fn as_slice<T: Element>(&self) -> Option<&[T]> {
        if !T::is(&self.dtype) || !self.is_native() || !(self.len == 0 || self.is_c_contiguous()) {
            return None;
        }
        match &self.data {
            Data::Bytes(bytes) => bytemuck::try_cast_slice(&bytes[self.offset..][..self.byte_len()?]).ok(),
            Data::Objects(_) => None,
        }
    }

    /// The elements in C order.
    ///
    /// # Errors
    ///
    /// If `T` is not their type, or they repeat a few bytes very often.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if !T::is(&self.dtype) {
            return Err(Error::unsupported(format!("elements are {}, not {}", self.dtype, T::NAME)));
        }
        if let Some(slice) = self.as_slice() {
            return Ok(slice.to_vec());
        }
        let bytes = self.to_bytes(native_order())?;
        Ok(match bytemuck::try_cast_slice::<u8, T>(&bytes) {
            Ok(slice) => slice.to_vec(),
            Err(_) => bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect(),
        })
    }

    /// The elements as an array of the crate `ndarray`: borrowed where [`as_slice`](NdArray::as_slice) is.
    ///
    /// # Errors
    ///
    /// Those of [`to_vec`](NdArray::to_vec).
    #[cfg(feature = "ndarray")]
    pub fn to_ndarray<T: Element>(&self) -> Result<ndarray::CowArray<'_, T, ndarray::IxDyn>> {
        let shape = ndarray::IxDyn(&self.shape);
        let bad = |error| Error::other(crate::ErrorKind::Malformed, error);
        match self.as_slice() {
            Some(slice) => Ok(ndarray::ArrayViewD::from_shape(shape, slice).map_err(bad)?.into()),
            None => Ok(ndarray::ArrayD::from_shape_vec(shape, self.to_vec()?).map_err(bad)?.into()),
        }
    }

    /// The bytes of all elements in C order and a byte order: shared where they lie so, or a copy.
    ///
    /// # Errors
    ///
    /// If the elements are objects, or repeat a few bytes very often.
    pub fn to_bytes(&self, order: ByteOrder) -> Result<Bytes> {
        if let Some(bytes) = self.bytes().filter(|_| !self.dtype.differs_from(order)) {
            return Ok(bytes);
        }
        self.check_expansion()?;
        let mut out = Vec::with_capacity(self.byte_len().ok_or_else(too_large)?);
        self.write_bytes(order, &mut out)?;
        Ok(out.into())
    }

    /// Writes the bytes of all elements in C order and a byte order.
    ///
    /// # Errors
    ///
    /// Those of the writer, and of [`to_bytes`](NdArray::to_bytes).
    pub fn write_bytes(&self, order: ByteOrder, mut out: impl Write) -> Result<()> {
        let Data::Bytes(data) = &self.data else {
            return Err(Error::unsupported(format!("elements of {} are Python objects, without bytes", self.dtype)));
        };
        self.check_expansion()?;
        let swap = self.dtype.differs_from(order);
        if let Some(bytes) = self.bytes().filter(|_| !swap) {
            return Ok(out.write_all(&bytes)?);
        }
        let size = self.dtype.size;
        let mut buffer = Vec::with_capacity(CHUNK + size);
        for at in self.offsets() {
            let from = buffer.len();
            buffer.extend_from_slice(&data[at..at + size]);
            if swap {
                swap_order(&self.dtype, order, &mut buffer[from..]);
            }
            if buffer.len() >= CHUNK {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
        Ok(out.write_all(&buffer)?)
    }

    /// The objects, if the elements are some.
    pub fn objects(&self) -> Option<impl ExactSizeIterator<Item = Value<'g>> + '_> {
        let Data::Objects(items) = self.data else { return None };
        let none = items.get(0);
        Some(self.offsets().map(move |at| items.get(at).or(none).expect("offsets were checked")))
    }

    /// The object at a position of an array of one axis.
    pub(crate) fn object(&self, index: usize) -> Option<Value<'g>> {
        let (Data::Objects(items), [len], [stride]) = (&self.data, &self.shape[..], &self.strides[..]) else {
            return None;
        };
        let at = (index < *len).then(|| self.offset as isize + stride * index as isize)?;
        items.get(usize::try_from(at).ok()?)
    }

    /// Where the elements begin, in C order.
    pub(crate) fn offsets(&self) -> Offsets<'_> {
        Offsets {
            shape: &self.shape,
            strides: &self.strides,
            index: vec![0; self.shape.len()],
            at: self.offset as isize,
            left: self.len,
        }
    }

    /// The array of one position on the first axis, without that axis.
    pub(crate) fn row(&self, at: usize) -> Option<NdArray<'g>> {
        let (len, stride) = (*self.shape.first()?, *self.strides.first()?);
        if at >= len {
            return None;
        }
        let offset = (self.offset as isize).checked_add(stride.checked_mul(at as isize)?)?;
        Some(NdArray {
            dtype: self.dtype.clone(),
            shape: self.shape[1..].to_vec(),
            strides: self.strides[1..].to_vec(),
            offset: usize::try_from(offset).ok()?,
            len: self.len / len,
            data: self.data.clone(),
        })
    }

    /// A part of an array of one axis.
    #[cfg(feature = "parquet")]
    pub(crate) fn rows(&self, start: usize, len: usize) -> Option<NdArray<'g>> {
        let ([all], [stride]) = (&self.shape[..], &self.strides[..]) else { return None };
        start.checked_add(len).filter(|end| end <= all)?;
        let offset = (self.offset as isize).checked_add(stride.checked_mul(start as isize)?)?;
        let offset = if len == 0 { self.offset } else { usize::try_from(offset).ok()? };
        Some(NdArray { shape: vec![len], offset, len, ..self.clone() })
    }

    /// The axes in another order.
    pub(crate) fn transposed(mut self, axes: &[usize]) -> Result<NdArray<'g>> {
        let mut seen = vec![false; self.shape.len()];
        let fits = axes.len() == self.shape.len()
            && axes.iter().all(|axis| seen.get_mut(*axis).is_some_and(|seen| !std::mem::replace(seen, true)));
        if !fits {
            return Err(Error::malformed(format!("axes {axes:?} of an array of {} dimensions", self.shape.len())));
        }
        self.shape = axes.iter().map(|axis| self.shape[*axis]).collect();
        self.strides = axes.iter().map(|axis| self.strides[*axis]).collect();
        Ok(self)
    }

    /// Checks that writing the elements out is not refused because they repeat few bytes very often.
    ///
    /// # Errors
    ///
    /// If they do.
    pub fn check_expansion(&self) -> Result<()> {
        check_expansion(self.data.len(), self.len as u128 * self.data.unit(&self.dtype) as u128)
    }

    fn is_native(&self) -> bool {
        !self.dtype.differs_from(native_order())
    }
}

/// Whether elements lie without gaps, in steps of so many bytes or items.
pub(crate) fn is_contiguous(shape: &[usize], strides: &[isize], unit: usize, layout: Layout) -> bool {
    let mut step = unit as isize;
    let mut check = |axis: usize| {
        let fits = shape[axis] <= 1 || strides[axis] == step;
        step = step.saturating_mul(shape[axis] as isize);
        fits
    };
    shape.contains(&0)
        || match layout {
            Layout::C => (0..shape.len()).rev().all(&mut check),
            Layout::Fortran => (0..shape.len()).all(&mut check),
        }
}

/// Brings the bytes of elements, of one where it is a record, into an order.
pub(crate) fn swap_order(dtype: &DType, order: ByteOrder, bytes: &mut [u8]) {
    match &dtype.kind {
        DTypeKind::Record { fields, .. } => {
            for field in fields {
                if let Some(bytes) = bytes.get_mut(field.offset..field.offset + field.dtype.size) {
                    swap_order(&field.dtype, order, bytes);
                }
            }
        }
        DTypeKind::Subarray { base, .. } if base.size > 0 => {
            bytes.chunks_exact_mut(base.size).for_each(|bytes| swap_order(base, order, bytes));
        }
        _ if dtype.order != order => {
            if let Some(width) = dtype.swapped_width().filter(|width| *width > 0) {
                bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
            }
        }
        _ => {}
    }
}

/// Bytes gathered before they are written.
const CHUNK: usize = 1 << 16;

/// Elements that repeat the same bytes may become this many bytes.
const MAX_EXPANSION: u128 = 1 << 30;

pub(crate) fn native_order() -> ByteOrder {
    if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little }
}

/// Whether so many bytes of elements may be made of so many that are stored.
pub(crate) fn check_expansion(stored: usize, wanted: u128) -> Result<()> {
    if wanted > (stored as u128).max(MAX_EXPANSION) {
        let message = format!("{wanted} bytes of elements that repeat {stored} bytes of data");
        return Err(Error::new(crate::ErrorKind::Limit, message));
    }
    Ok(())
}

/// How many elements a shape has.
pub(crate) fn count(shape: &[usize]) -> Result<usize> {
    if shape.contains(&0) {
        return Ok(0);
    }
    let count = shape.iter().try_fold(1usize, |count, len| count.checked_mul(*len));
    count.filter(|count| isize::try_from(*count).is_ok()).ok_or_else(too_large)
}

#[cold]
pub(crate) fn too_large() -> Error {
    Error::malformed("an array that is larger than memory can be")
}

impl Data<'_> {
    /// How many bytes or items there are.
    fn len(&self) -> usize {
        match self {
            Data::Bytes(bytes) => bytes.len(),
            Data::Objects(items) => items.len(),
        }
    }

    /// How many of them an element is.
    fn unit(&self, dtype: &DType) -> usize {
        match self {
            Data::Bytes(_) => dtype.size,
            Data::Objects(_) => 1,
        }
    }
}

/// Where elements begin, in C order.
pub(crate) struct Offsets<'a> {
    shape: &'a [usize],
    strides: &'a [isize],
    index: Vec<usize>,
    at: isize,
    left: usize,
}

impl Iterator for Offsets<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let here = self.at;
        if self.left > 0 {
            for axis in (0..self.shape.len()).rev() {
                self.index[axis] += 1;
                self.at += self.strides[axis];
                if self.index[axis] < self.shape[axis] {
                    break;
                }
                self.at -= self.strides[axis] * self.shape[axis] as isize;
                self.index[axis] = 0;
            }
        }
        Some(here as usize)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Offsets<'_> {}

/// Text of an element that ends with zeros: without them.
pub(crate) fn trim_zeros(bytes: &[u8]) -> Cow<'_, [u8]> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    Cow::Borrowed(&bytes[..end])
}
