//! Arrays into graphs, in the form that NumPy 1.11 to 2.5 reads.

use picklevm::{Arena, Id, Value};

use super::array::{Data, NdArray};
use super::dtype::{ByteOrder, DType, DTypeKind};
use crate::error::{Error, ErrorKind, Result};
use crate::time::TimeUnit;

/// Puts an array into a graph as `numpy.core.multiarray._reconstruct(numpy.ndarray, (0,), b'b')` with its state: the form
/// that every NumPy reads and writes itself below protocol 5.
///
/// # Errors
///
/// If NumPy has no such type.
///
/// ```
/// use picklevm_data::numpy::{self, DType, NdArray};
///
/// let array = NdArray::new(DType::parse("<i2").unwrap(), vec![2], vec![1, 0, 2, 0])?;
/// let mut graph = picklevm::Graph::new();
/// let id = numpy::to_python(&array, &mut graph)?;
/// graph.set_root(id);
/// assert_eq!(NdArray::from_value(graph.root())?.to_vec::<i16>()?, [1, 2]);
/// # Ok::<(), picklevm_data::Error>(())
/// ```
pub fn to_python(array: &NdArray<'_>, graph: &mut Arena) -> Result<Id> {
    let data = match &array.data {
        Data::Objects(_) => {
            // Objects of the graph that this one is a clone of are shared; those of another one are copied.
            let items: Vec<Id> = array.objects().into_iter().flatten().map(|value| shared(value, graph)).collect();
            graph.list(items)
        }
        Data::Bytes(_) => {
            let bytes = array.to_bytes(array.dtype.order)?;
            // Handed over as it is, where the graph shares it.
            graph.add(bytes)
        }
    };
    let dtype = dtype_to_python(&array.dtype, graph)?;
    array_of(&array.shape, dtype, data, graph)
}

/// The id of a value in a graph that is a clone of its own, or a copy of it in any other.
fn shared(value: Value<'_>, graph: &mut Arena) -> Id {
    graph.add(value)
}

/// An array of objects that are in the graph.
pub(crate) fn objects_to_python(shape: &[usize], items: Vec<Id>, graph: &mut Arena) -> Result<Id> {
    let dtype = dtype_to_python(&DType::known("object_"), graph)?;
    let data = graph.list(items);
    array_of(shape, dtype, data, graph)
}

fn array_of(shape: &[usize], dtype: Id, data: Id, graph: &mut Arena) -> Result<Id> {
    let class = graph.global("numpy", "ndarray");
    let (empty, letter) = (graph.tuple([0]), graph.bytes(b"b"));
    let shape = graph.tuple(shape.iter().map(|len| *len as u64));
    let (version, fortran) = (graph.add(1), graph.add(false));
    let state = graph.tuple([version, shape, dtype, fortran, data]);
    let call = graph.call("numpy.core.multiarray", "_reconstruct").args([class, empty, letter]).state(state);
    call.build().map_err(build_error)
}

pub(crate) fn build_error(error: picklevm::Error) -> Error {
    Error::other(ErrorKind::Unsupported, error)
}

/// Puts a dtype into a graph: `numpy.dtype(code, 0, 1)` with its state.
///
/// # Errors
///
/// If NumPy has no such type, or only its newest version.
pub(crate) fn dtype_to_python(dtype: &DType, graph: &mut Arena) -> Result<Id> {
    let code = match &dtype.kind {
        DTypeKind::Object => "O8".to_owned(),
        DTypeKind::Str => format!("U{}", dtype.size / 4),
        DTypeKind::Bool | DTypeKind::Int | DTypeKind::UInt | DTypeKind::Float | DTypeKind::Complex => {
            format!("{}{}", dtype.letter(), dtype.size)
        }
        DTypeKind::Bytes | DTypeKind::Void | DTypeKind::Record { .. } | DTypeKind::Subarray { .. } => {
            format!("{}{}", dtype.letter(), dtype.size)
        }
        DTypeKind::Instant { .. } => "M8".to_owned(),
        DTypeKind::Delta { .. } => "m8".to_owned(),
        DTypeKind::Small(small) => {
            return Err(Error::unsupported(format!("NumPy has no dtype for {}", small.0.name)));
        }
        DTypeKind::String(_) => return Err(Error::unsupported("only NumPy 2 has StringDType")),
    };
    let order = graph.add(match dtype.order {
        ByteOrder::Little => "<",
        ByteOrder::Big => ">",
        ByteOrder::None => "|",
    });
    let none = graph.add(());
    let (mut subarray, mut names, mut fields) = (none, none, none);
    let (mut size, mut align, mut flags, mut version) = (-1i64, -1i64, 0i64, 3);
    let mut metadata = None;
    match &dtype.kind {
        DTypeKind::Bytes | DTypeKind::Void => (size, align) = (dtype.size as i64, 1),
        DTypeKind::Str => (size, align, flags) = (dtype.size as i64, 4, 8),
        DTypeKind::Object => flags = 63,
        DTypeKind::Subarray { base, shape } => {
            (size, align) = (dtype.size as i64, 1);
            let base = dtype_to_python(base, graph)?;
            let shape = graph.tuple(shape.iter().map(|len| *len as u64));
            subarray = graph.tuple([base, shape]);
        }
        DTypeKind::Record { fields: rows, aligned } => {
            (size, align, flags) = (dtype.size as i64, 1, 16);
            if *aligned {
                (align, flags) = (8, 16 | 0x80);
            }
            if dtype.has_objects() {
                flags |= 63;
            }
            let mut pairs = Vec::new();
            let mut list = Vec::new();
            for field in rows {
                let name = graph.add(&field.name[..]);
                let (inner, offset) = (dtype_to_python(&field.dtype, graph)?, graph.add(field.offset as u64));
                let title = field.title.as_deref().map(|title| graph.add(title));
                let row: Vec<Id> = [inner, offset].into_iter().chain(title).collect();
                let row = graph.tuple(row);
                list.push(name);
                pairs.push((name, row));
                pairs.extend(title.map(|title| (title, row)));
            }
            names = graph.tuple(list);
            fields = graph.dict(pairs).map_err(build_error)?;
        }
        DTypeKind::Instant { unit, per } | DTypeKind::Delta { unit, per } => {
            version = 4;
            let unit = if *unit == TimeUnit::Generic { "generic" } else { unit.name() };
            let name = graph.bytes(unit);
            let (per, one) = (graph.add(*per), graph.add(1));
            let (empty, parts) =
                (graph.add(std::collections::BTreeMap::<String, i32>::new()), graph.tuple([name, per, one, one]));
            metadata = Some(graph.tuple([empty, parts]));
        }
        _ => {}
    }
    let numbers = [size, align, flags].map(|number| graph.add(number));
    let version = graph.add(version);
    let state: Vec<Id> = [version, order, subarray, names, fields].into_iter().chain(numbers).chain(metadata).collect();
    let state = graph.tuple(state);
    let (code, copy) = (graph.add(&code[..]), [graph.add(0), graph.add(1)]);
    graph.call("numpy", "dtype").args([code, copy[0], copy[1]]).state(state).build().map_err(build_error)
}

impl NdArray<'_> {
    /// Puts an array without axes into a graph as `numpy.core.multiarray.scalar(dtype, bytes)`.
    pub(crate) fn to_scalar(&self, graph: &mut Arena) -> Result<Id> {
        let bytes = self.to_bytes(self.dtype.order)?;
        let (dtype, bytes) = (dtype_to_python(&self.dtype, graph)?, graph.bytes(bytes));
        graph.call("numpy.core.multiarray", "scalar").args([dtype, bytes]).build().map_err(build_error)
    }

    /// Small floats and integers as types that NumPy has, every value exactly.
    ///
    /// # Errors
    ///
    /// Those of [`cells`](NdArray::cells).
    pub fn widened(&self) -> Result<NdArray<'static>> {
        let dtype = self.dtype.widened()?;
        self.check_expansion()?;
        let mut out = Vec::with_capacity(self.len() * dtype.size);
        for cell in self.cells() {
            super::cells::encode(&dtype, &cell?, &mut out)?;
        }
        NdArray::new(dtype, self.shape.clone(), out)
    }
}

/// Puts an array into a graph as `numpy.core.numeric._frombuffer(bytes, dtype, shape, order)`: the form of protocol 5, in
/// which numbers keep their byte order.
///
/// # Errors
///
/// If NumPy has no such type.
pub fn to_python_buffer(array: &NdArray<'_>, graph: &mut Arena) -> Result<Id> {
    let fortran = !array.is_c_contiguous() && array.is_contiguous(super::array::Layout::Fortran);
    let (order, data) = match fortran {
        true => {
            let axes: Vec<usize> = (0..array.shape.len()).rev().collect();
            ("F", array.clone().transposed(&axes)?.to_bytes(array.dtype.order)?)
        }
        false => ("C", array.to_bytes(array.dtype.order)?),
    };
    let (data, dtype) = (graph.bytes(data), dtype_to_python(&array.dtype, graph)?);
    let shape = graph.tuple(array.shape.iter().map(|len| *len as u64));
    let order = graph.add(order);
    graph.call("numpy.core.numeric", "_frombuffer").args([data, dtype, shape, order]).build().map_err(build_error)
}
