//! SciPy: sparse matrices and arrays of all seven formats; PyTorch's sparse tensors read as the same.

use picklevm::typed::InstanceView;
use picklevm::{Kind, Value};

use crate::cell::Cell;
use crate::error::{Error, ErrorKind, Result};
use crate::item::{Item, Reader};
use crate::numpy::{DType, DTypeKind, NdArray, add, count, dtype_of, encode, native_order, read_cell, shape_of};
use crate::pandas::attr;

/// A sparse matrix or array.
#[derive(Clone, Debug)]
pub struct Sparse<'g> {
    pub(crate) format: &'static str,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    pub(crate) parts: Parts<'g>,
    /// Whether PyTorch has it.
    pub(crate) is_tensor: bool,
}

/// The arrays that a format consists of.
#[derive(Clone, Debug)]
pub(crate) enum Parts<'g> {
    /// Rows (or columns) one after the other: where each begins, and its positions.
    Compressed { by_rows: bool, starts: NdArray<'g>, indices: NdArray<'g>, data: NdArray<'g> },
    /// The positions of each value on each axis.
    Coordinates { coords: Vec<NdArray<'g>>, data: NdArray<'g> },
    /// Diagonals.
    Diagonals { offsets: NdArray<'g>, data: NdArray<'g> },
    /// A list of positions and one of values for each row.
    Lists { rows: NdArray<'g>, data: NdArray<'g> },
    /// Positions and values in a dict.
    Entries(Vec<(Value<'g>, Value<'g>)>),
}

/// What [`Sparse::to_dense`] may make, in bytes, beyond what the sparse data have.
const MAX_DENSE: usize = 1 << 30;

impl<'g> Sparse<'g> {
    /// The sparse matrix of SciPy that a value is.
    pub(crate) fn from_value(value: Value<'g>, reader: &Reader<'g, '_>) -> Result<Sparse<'g>> {
        let class = crate::names::class(value).and_then(Value::as_global);
        let name = class.map(|class| class.name().to_string()).unwrap_or_default();
        let array = |names: &[&str]| {
            let part =
                attr(value, names).ok_or_else(|| Error::malformed(format!("a sparse matrix without {}", names[0])))?;
            match reader.item(part) {
                Some((_, Ok(Item::Array(array)))) => Ok(array),
                Some((_, Err(error))) => Err(error),
                _ => Err(Error::expected("an array of NumPy", part)),
            }
        };
        let shape =
            attr(value, &["_shape", "shape"]).ok_or_else(|| Error::malformed("a sparse matrix without a shape"))?;
        let shape = shape_of(shape)?;
        let compressed = |by_rows| -> Result<Parts<'g>> {
            Ok(Parts::Compressed {
                by_rows,
                starts: array(&["indptr"])?,
                indices: array(&["indices"])?,
                data: array(&["data"])?,
            })
        };
        let (format, parts) = match name.split('_').next().unwrap_or_default() {
            "csr" => ("csr", compressed(true)?),
            "csc" => ("csc", compressed(false)?),
            "bsr" => ("bsr", compressed(true)?),
            "coo" => {
                let coords = match attr(value, &["coords"]) {
                    Some(coords) => coords
                        .items()
                        .map(|part| match reader.item(part) {
                            Some((_, Ok(Item::Array(array)))) => Ok(array),
                            _ => Err(Error::expected("an array of positions", part)),
                        })
                        .collect::<Result<Vec<_>>>()?,
                    None => vec![array(&["row"])?, array(&["col"])?],
                };
                ("coo", Parts::Coordinates { coords, data: array(&["data"])? })
            }
            "dia" => ("dia", Parts::Diagonals { offsets: array(&["offsets"])?, data: array(&["data"])? }),
            "lil" => ("lil", Parts::Lists { rows: array(&["rows"])?, data: array(&["data"])? }),
            "dok" => {
                let entries = match attr(value, &["_dict"]) {
                    Some(dict) => dict.entries().collect(),
                    None => value
                        .view::<InstanceView<'_>>()
                        .map(|instance| instance.entries().collect())
                        .unwrap_or_default(),
                };
                ("dok", Parts::Entries(entries))
            }
            _ => return Err(Error::unsupported(format!("a sparse matrix of the class {name}"))),
        };
        let dtype = match &parts {
            Parts::Compressed { data, .. } | Parts::Coordinates { data, .. } | Parts::Diagonals { data, .. } => {
                data.dtype.clone()
            }
            Parts::Lists { .. } | Parts::Entries(_) => match attr(value, &["dtype", "_dtype"]) {
                Some(dtype) => dtype_of(dtype)?,
                None => return Err(Error::malformed("a sparse matrix without a dtype")),
            },
        };
        Ok(Sparse { format, dtype, shape, parts, is_tensor: false })
    }

    /// `csr`, `csc`, `coo`, `bsr`, `dia`, `lil` or `dok`.
    pub fn format(&self) -> &str {
        self.format
    }

    /// Returns whether it is a tensor of PyTorch.
    pub fn is_tensor(&self) -> bool {
        self.is_tensor
    }

    /// Returns the type of the elements.
    pub fn dtype(&self) -> &DType {
        &self.dtype
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The arrays that it consists of, with SciPy's names.
    ///
    /// # Errors
    ///
    /// If it consists of lists or of a dict.
    pub fn arrays(&self) -> Result<Vec<(&'static str, NdArray<'g>)>> {
        Ok(match &self.parts {
            Parts::Compressed { starts, indices, data, .. } => {
                vec![("indices", indices.clone()), ("indptr", starts.clone()), ("data", data.clone())]
            }
            Parts::Coordinates { coords, data } => {
                let names: &[&'static str] = if coords.len() == 2 { &["row", "col"] } else { &["coords"] };
                let mut all: Vec<_> = names.iter().copied().zip(coords.iter().cloned()).collect();
                all.push(("data", data.clone()));
                all
            }
            Parts::Diagonals { offsets, data } => vec![("offsets", offsets.clone()), ("data", data.clone())],
            Parts::Lists { .. } | Parts::Entries(_) => {
                return Err(Error::unsupported(format!(
                    "a sparse matrix in the format {} is not made of arrays",
                    self.format
                )));
            }
        })
    }

    /// The matrix with all its zeros.
    ///
    /// # Errors
    ///
    /// If positions lie outside of the shape, or the result would be larger than a gigabyte.
    pub fn to_dense(&self) -> Result<NdArray<'static>> {
        let len = count(&self.shape)?;
        let size = len.checked_mul(self.dtype.size).filter(|size| *size <= MAX_DENSE);
        let size = size.ok_or_else(|| {
            Error::new(
                ErrorKind::Limit,
                format!("a dense matrix of the shape {:?} would be larger than 1 GiB", self.shape),
            )
        })?;
        if self.dtype.has_objects() || matches!(self.dtype.kind, DTypeKind::Record { .. }) {
            return Err(Error::unsupported(format!("a dense matrix of {}", self.dtype)));
        }
        let dtype = self.dtype.with_order(native_order());
        let mut dense = Dense { out: vec![0; size], seen: vec![0; len.div_ceil(8)], dtype: &dtype, shape: &self.shape };
        self.fill(&mut dense)?;
        let out = dense.out;
        NdArray::new(dtype, self.shape.clone(), out)
    }

    fn fill(&self, dense: &mut Dense<'_>) -> Result<()> {
        let bad = || Error::malformed("a sparse matrix whose parts do not fit each other");
        match &self.parts {
            Parts::Compressed { by_rows, starts, indices, data } => {
                let [rows, columns] = self.shape[..] else { return Err(bad()) };
                let starts = numbers(starts)?;
                let indices = numbers(indices)?;
                let values = native_bytes(data)?;
                // A block of values for each position, of one row and one column but in `bsr`.
                let (high, wide) = match data.shape() {
                    [_] => (1, 1),
                    [_, high, wide] => (*high, *wide),
                    _ => return Err(bad()),
                };
                let major = if *by_rows { rows.checked_div(high) } else { Some(columns) }.ok_or_else(bad)?;
                if starts.len() != major + 1
                    || starts.windows(2).any(|pair| pair[0] > pair[1])
                    || data.shape()[0] < indices.len().min(starts[major])
                {
                    return Err(bad());
                }
                for row in 0..major {
                    for at in starts[row]..starts[row + 1] {
                        let column = *indices.get(at).ok_or_else(bad)?;
                        for y in 0..high {
                            for x in 0..wide {
                                let value = dense.element(&values, (at * high + y) * wide + x)?;
                                let (r, c) = (row * high + y, column.checked_mul(wide).ok_or_else(bad)? + x);
                                let index = if *by_rows { [r, c] } else { [c, r] };
                                dense.set(&index, value)?;
                            }
                        }
                    }
                }
            }
            Parts::Coordinates { coords, data } => {
                let values = native_bytes(data)?;
                let coords: Vec<Vec<usize>> = coords.iter().map(numbers).collect::<Result<_>>()?;
                let entries = *data.shape().first().ok_or_else(bad)?;
                // The last axes of a hybrid tensor of PyTorch are dense.
                let block = data.len().checked_div(entries).unwrap_or(0);
                let inner = &self.shape[coords.len().min(self.shape.len())..];
                if coords.iter().any(|coords| coords.len() != entries) || entries > 0 && count(inner)? != block {
                    return Err(bad());
                }
                let mut index = vec![0; self.shape.len()];
                for entry in 0..entries {
                    for (axis, coords) in coords.iter().enumerate() {
                        *index.get_mut(axis).ok_or_else(bad)? = coords[entry];
                    }
                    for at in 0..block {
                        let mut left = at;
                        for axis in (coords.len()..self.shape.len()).rev() {
                            (index[axis], left) = (left % self.shape[axis], left / self.shape[axis]);
                        }
                        let value = dense.element(&values, entry * block + at)?;
                        dense.set(&index, value)?;
                    }
                }
            }
            Parts::Diagonals { offsets, data } => {
                let [rows, columns] = self.shape[..] else { return Err(bad()) };
                let values = native_bytes(data)?;
                let [diagonals, width] = *data.shape() else { return Err(bad()) };
                if offsets.len() != diagonals {
                    return Err(bad());
                }
                for (diagonal, offset) in offsets.cells().enumerate() {
                    let offset = offset?.as_i64().ok_or_else(bad)?;
                    for column in 0..width.min(columns) {
                        let row = column as i64 - offset;
                        if (0..rows as i64).contains(&row) {
                            let value = dense.element(&values, diagonal * width + column)?;
                            dense.set(&[row as usize, column], value)?;
                        }
                    }
                }
            }
            Parts::Lists { rows, data } => {
                let (rows, data) = (rows.objects().ok_or_else(bad)?, data.objects().ok_or_else(bad)?);
                for (row, (columns, values)) in rows.zip(data).enumerate() {
                    if columns.items().len() != values.items().len() {
                        return Err(bad());
                    }
                    for (column, value) in columns.items().zip(values.items()) {
                        let column = crate::text::resolve(column)
                            .as_i64()
                            .and_then(|n| usize::try_from(n).ok())
                            .ok_or_else(bad)?;
                        dense.set_cell(&[row, column], &crate::text::resolve(value))?;
                    }
                }
            }
            Parts::Entries(entries) => {
                for (key, value) in entries {
                    let index = match key.kind() {
                        Kind::Tuple(items) => items
                            .map(|item| crate::text::resolve(item).as_i64().and_then(|n| usize::try_from(n).ok()))
                            .collect(),
                        _ => crate::text::resolve(*key)
                            .as_i64()
                            .map(|n| usize::try_from(n).ok().into_iter().collect::<Vec<_>>()),
                    };
                    dense.set_cell(&index.ok_or_else(bad)?, &crate::text::resolve(*value))?;
                }
            }
        }
        Ok(())
    }
}

fn numbers(array: &NdArray<'_>) -> Result<Vec<usize>> {
    let bad = || Error::malformed("positions of a sparse matrix that are no numbers from 0");
    array.cells().map(|cell| cell?.as_i64().and_then(|n| usize::try_from(n).ok()).ok_or_else(bad)).collect()
}

fn native_bytes(data: &NdArray<'_>) -> Result<bytes::Bytes> {
    data.to_bytes(native_order())
}

/// The elements of the matrix, and which have been set.
struct Dense<'a> {
    out: Vec<u8>,
    seen: Vec<u8>,
    dtype: &'a DType,
    shape: &'a [usize],
}

impl Dense<'_> {
    fn element<'v>(&self, values: &'v [u8], at: usize) -> Result<&'v [u8]> {
        let size = self.dtype.size;
        values.get(at * size..(at + 1) * size).ok_or_else(|| Error::malformed("a sparse matrix with too few values"))
    }

    /// Sets an element, or adds to it: positions may be there several times.
    fn set(&mut self, index: &[usize], value: &[u8]) -> Result<()> {
        let outside = || Error::malformed(format!("the position {index:?} in a matrix of the shape {:?}", self.shape));
        if index.len() != self.shape.len() || index.iter().zip(self.shape).any(|(at, len)| at >= len) {
            return Err(outside());
        }
        let at = index.iter().zip(self.shape).fold(0, |at, (index, len)| at * len + index);
        let size = self.dtype.size;
        let slot = &mut self.out[at * size..(at + 1) * size];
        if self.seen[at / 8] >> (at % 8) & 1 == 1 {
            let sum = add(&read_cell(self.dtype, slot)?, &read_cell(self.dtype, value)?);
            let sum = sum.ok_or_else(|| Error::unsupported(format!("a sum of {}", self.dtype)))?;
            let mut bytes = Vec::with_capacity(size);
            encode(self.dtype, &sum, &mut bytes)?;
            slot.copy_from_slice(&bytes);
        } else {
            slot.copy_from_slice(value);
        }
        self.seen[at / 8] |= 1 << (at % 8);
        Ok(())
    }

    fn set_cell(&mut self, index: &[usize], value: &Cell<'_>) -> Result<()> {
        let mut bytes = Vec::with_capacity(self.dtype.size);
        encode(self.dtype, value, &mut bytes)?;
        self.set(index, &bytes)
    }
}
