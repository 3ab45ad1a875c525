//! Arrays and tensors, whose memory NumPy shares.

use std::sync::OnceLock;

use bytes::Bytes;
use picklevm_data::files::Loaded;
use picklevm_data::numpy::{DTypeKind, NdArray};
use picklevm_data::{Error, Item};
use pyo3::exceptions::{PyAttributeError, PyBufferError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::cells::Cells;
use super::found::{About, Held, find};

/// Bytes by which memory is aligned that is copied.
const ALIGNMENT: usize = 64;

/// An array of NumPy, or a tensor of PyTorch, in a pickle.
///
/// numpy.asarray(array) shares its memory, which is read-only and lives as long as the array does: nothing is copied where the
/// file has the numbers aligned, else once. memoryview(array) does so from Python 3.12 on, array.memoryview() on all versions.
/// Neither NumPy nor PyTorch is needed to read one: see to_pylist().
#[pyclass(frozen, module = "picklevm")]
pub(crate) struct Array {
    held: Held,
    /// "array", "scalar", "masked", "sparse", "index" or "tensor".
    #[pyo3(get)]
    kind: &'static str,
    /// Its path in the pickle, which is its key.
    #[pyo3(get)]
    path: String,
    /// The path of the same array, if the pickle has it in several places.
    #[pyo3(get)]
    same_as: Option<String>,
    /// The name of its type, as NumPy and PyTorch have it: "float32".
    #[pyo3(get)]
    dtype: String,
    shape: Vec<usize>,
    /// The storage that a tensor is a view of; views of one storage have the same.
    #[pyo3(get)]
    storage: Option<String>,
    /// Why it has no numbers, such as a tensor on the "meta" device.
    #[pyo3(get)]
    problem: Option<String>,
    memory: OnceLock<Memory>,
}

/// The elements in memory, as NumPy's array interface describes them.
struct Memory {
    bytes: Bytes,
    /// Of the first element.
    offset: usize,
    typestr: String,
    /// The fields of a record, as a literal.
    fields: Option<String>,
    strides: Vec<isize>,
    is_contiguous: bool,
}

/// Return every array of NumPy in a file, by path: arrays, scalars, masked arrays, sparse matrices and indexes.
///
/// The file is given by its path or as bytes, and may be a pickle, .npy, .npz, joblib or an archive. NumPy is not needed. An array
/// that is the pickle itself has the path ".".
///
/// >>> numpy.asarray(picklevm.arrays("data_batch_1")["['data']"])
#[pyfunction]
pub(crate) fn arrays<'py>(py: Python<'py>, path_or_bytes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    by_path(py, path_or_bytes, |kind| matches!(kind, "array" | "scalar" | "masked" | "sparse" | "index"))
}

/// Return every tensor of PyTorch in a file, by path. PyTorch is not needed. Storages are read when numbers are asked for.
///
/// torch.from_numpy(numpy.asarray(tensor)) makes a tensor of one. Types that NumPy does not have, as bfloat16, are widened to float32
/// for it.
///
/// >>> picklevm.tensors("model.pt")["['model']['weight']"].shape
/// (4096, 4096)
#[pyfunction]
pub(crate) fn tensors<'py>(py: Python<'py>, path_or_bytes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    by_path(py, path_or_bytes, |kind| kind == "tensor")
}

fn by_path<'py>(
    py: Python<'py>,
    path_or_bytes: &Bound<'py, PyAny>,
    is_wanted: impl Fn(&str) -> bool,
) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for about in find(py, path_or_bytes)? {
        if is_wanted(about.kind) {
            let key = about.key.clone();
            all.set_item(key, Array::new(about))?;
        }
    }
    Ok(all)
}

/// An item as one array.
fn array_of<'g>(item: &Item<'g>, loaded: &Loaded) -> Result<NdArray<'g>, Error> {
    match item {
        Item::Array(array) => Ok(array.clone()),
        Item::Scalar(scalar) => Ok(scalar.0.clone()),
        Item::Masked(masked) => Ok(masked.data().clone()),
        Item::Sparse(sparse) => sparse.to_dense(),
        Item::Tensor(tensor) => tensor.to_array(&*loaded.source),
        Item::Index(index) => match index.levels() {
            [level] => level.values().to_array(),
            _ => Err(Error::missing("an array of an index of several levels")),
        },
        _ => Err(Error::missing("an array of a table")),
    }
}

/// The type and shape of an item.
fn describe(item: &Item<'_>) -> (String, Vec<usize>, Option<String>, Option<String>) {
    match item {
        Item::Array(array) => (array.dtype().name(), array.shape().to_vec(), None, None),
        Item::Scalar(scalar) => (scalar.0.dtype().name(), scalar.0.shape().to_vec(), None, None),
        Item::Masked(masked) => (masked.data().dtype().name(), masked.data().shape().to_vec(), None, None),
        Item::Sparse(sparse) => (sparse.dtype().name(), sparse.shape().to_vec(), None, None),
        Item::Index(index) => {
            let dtype = if let [level] = index.levels() { level.values().dtype() } else { "object".to_owned() };
            (dtype, vec![index.len()], None, None)
        }
        Item::Tensor(tensor) => (
            tensor.dtype_name(),
            tensor.shape().to_vec(),
            tensor.storage().map(str::to_owned),
            tensor.missing().map(str::to_owned),
        ),
        _ => (String::new(), Vec::new(), None, None),
    }
}

impl Array {
    fn new(about: About) -> Array {
        let About { key: path, kind, same_as, held } = about;
        let described = held.with(|item, _| Ok(describe(item)));
        let (dtype, shape, storage, problem) =
            described.unwrap_or_else(|error| (String::new(), Vec::new(), None, Some(error.to_string())));
        Array { held, kind, path, same_as, dtype, shape, storage, problem, memory: OnceLock::new() }
    }

    /// The elements in memory; read at the first call.
    fn memory(&self, py: Python<'_>) -> PyResult<&Memory> {
        if let Some(memory) = self.memory.get() {
            return Ok(memory);
        }
        let memory = py.detach(|| self.held.with(|item, loaded| Memory::new(&array_of(item, loaded)?)))?;
        Ok(self.memory.get_or_init(|| memory))
    }

    /// Whether the elements are Python objects.
    fn is_objects(&self) -> PyResult<bool> {
        self.held.with(|item, _| {
            Ok(match item {
                Item::Array(array) => array.dtype().has_objects(),
                Item::Scalar(scalar) => scalar.0.dtype().has_objects(),
                Item::Masked(masked) => masked.data().dtype().has_objects(),
                Item::Index(_) => array_of(item, &self.held.loaded)?.dtype().has_objects(),
                _ => false,
            })
        })
    }

    fn shape_tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shape)
    }
}

impl Memory {
    fn new(array: &NdArray<'_>) -> Result<Memory, Error> {
        // NumPy has no such floats.
        if matches!(array.dtype().kind(), DTypeKind::Small(_)) {
            return Memory::new(&array.widened()?);
        }
        let (bytes, offset) = array
            .memory()
            .ok_or_else(|| Error::missing(format!("the memory of elements of {}, which are objects", array.dtype())))?;
        let size = array.dtype().size();
        let dtype = array.dtype().to_string();
        let is_record = matches!(array.dtype().kind(), DTypeKind::Record { .. } | DTypeKind::Subarray { .. });
        let (typestr, fields) = if is_record { (format!("|V{size}"), Some(dtype)) } else { (dtype, None) };
        let unit = item_size(array);
        let address = (bytes.as_ptr() as usize).wrapping_add(offset);
        let is_aligned = array.is_empty()
            || address.is_multiple_of(unit)
                && array.strides().iter().all(|step| step.unsigned_abs().is_multiple_of(unit));
        let is_contiguous = array.is_c_contiguous();
        if is_aligned {
            let strides = array.strides().to_vec();
            return Ok(Memory { bytes, offset, typestr, fields, strides, is_contiguous });
        }
        // Once more, in C order.
        let mut out = vec![0; ALIGNMENT];
        out.reserve_exact(array.byte_len().unwrap_or(0) + ALIGNMENT);
        let offset = (out.as_ptr() as usize).next_multiple_of(ALIGNMENT) - out.as_ptr() as usize;
        out.truncate(offset);
        array.check_expansion()?;
        array.write_bytes(array.dtype().order(), &mut out)?;
        let mut strides = vec![0; array.shape().len()];
        let mut step = size as isize;
        for (stride, len) in strides.iter_mut().zip(array.shape()).rev() {
            *stride = step;
            step = step.saturating_mul((*len).max(1) as isize);
        }
        Ok(Memory { bytes: out.into(), offset, typestr, fields, strides, is_contiguous: true })
    }

    fn address(&self) -> usize {
        (self.bytes.as_ptr() as usize).wrapping_add(self.offset)
    }

    /// What `struct` and `memoryview` call the type, if they have it.
    fn format(&self) -> Option<&'static str> {
        let native = if cfg!(target_endian = "big") { '>' } else { '<' };
        let (order, code) = self.typestr.split_at_checked(1)?;
        let is_native = order == "|" || order.starts_with(native);
        let formats = [
            ("b1", "?"),
            ("i1", "b"),
            ("u1", "B"),
            ("i2", "h"),
            ("u2", "H"),
            ("i4", "i"),
            ("u4", "I"),
            ("i8", "q"),
            ("u8", "Q"),
            ("f4", "f"),
            ("f8", "d"),
        ];
        formats.iter().find(|(name, _)| is_native && *name == code).map(|(_, format)| *format)
    }
}

/// The size that elements have to be aligned to.
fn item_size(array: &NdArray<'_>) -> usize {
    let dtype = array.dtype();
    match dtype.kind() {
        DTypeKind::Complex => dtype.size() / 2,
        DTypeKind::Bytes | DTypeKind::Void | DTypeKind::Record { .. } | DTypeKind::Subarray { .. } => 1,
        DTypeKind::Str => 4,
        _ if dtype.size().is_power_of_two() => dtype.size().min(16),
        _ => 1,
    }
}

#[pymethods]
impl Array {
    /// The lengths of its axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.shape_tuple(py)
    }

    /// NumPy's array interface: the address of the memory, its type, shape and strides.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        if self.is_objects()? {
            return Err(PyAttributeError::new_err("elements that are Python objects have no array interface"));
        }
        let memory = self.memory(py)?;
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape_tuple(py)?)?;
        interface.set_item("typestr", &memory.typestr)?;
        interface.set_item("data", (memory.address(), true))?;
        if !memory.is_contiguous {
            interface.set_item("strides", PyTuple::new(py, &memory.strides)?)?;
        }
        if let Some(fields) = &memory.fields {
            interface.set_item("descr", py.import("ast")?.call_method1("literal_eval", (fields,))?)?;
        }
        Ok(interface)
    }

    /// Return a read-only memoryview of the memory, with its shape and type where memoryview has such types, else of its bytes.
    ///
    /// ValueError if the elements do not lie one after the other in C order: numpy.asarray reads those.
    fn memoryview<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        let array = this.get();
        let memory = array.memory(py)?;
        if !memory.is_contiguous {
            return Err(PyValueError::new_err("the elements do not lie one after the other; use numpy.asarray"));
        }
        // An array of ctypes lends memory at an address, and keeps what owns it.
        let ctypes = py.import("ctypes")?;
        let len = memory.bytes.len() - memory.offset;
        let lent = ctypes.getattr("c_ubyte")?.mul(len)?.call_method1("from_address", (memory.address(),))?;
        lent.setattr("_owner", this)?;
        let view = py.get_type::<pyo3::types::PyMemoryView>().call1((lent,))?.call_method0("toreadonly")?;
        match memory.format() {
            Some(format) if !array.shape.is_empty() && !array.shape.contains(&0) => {
                view.call_method1("cast", ("B",))?.call_method1("cast", (format, array.shape_tuple(py)?))
            }
            _ => view.call_method1("cast", ("B",)),
        }
    }

    /// The buffer protocol of Python 3.12 and later: see `__buffer__` in the package.
    fn _buffer<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        let array = this.get();
        let has_format = !array.is_objects()? && array.memory(py)?.format().is_some();
        if !has_format || array.shape.is_empty() || array.shape.contains(&0) {
            return Err(PyBufferError::new_err(format!("memoryview has no type for elements of {}", array.dtype)));
        }
        Array::memoryview(this)
    }

    /// Return the elements as Python's own: a list for each axis. Objects come out as Python's own or as nodes of a graph.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let loaded = self.held.with(|item, loaded| {
            let array = array_of(item, loaded)?;
            Ok(Cells::new(py, self.held.graph()).and_then(|cells| cells.array(&array)))
        });
        loaded?
    }

    /// Return the elements as bytes in C order.
    fn tobytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
        let bytes = py.detach(|| {
            self.held.with(|item, loaded| {
                let array = array_of(item, loaded)?;
                array.to_bytes(array.dtype().order())
            })
        })?;
        Ok(pyo3::types::PyBytes::new(py, &bytes))
    }

    /// What is hidden in a masked array, as an array of booleans that NumPy reads; None of other arrays.
    #[getter]
    fn mask(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.kind != "masked" {
            return Ok(None);
        }
        let (bytes, shape) = self.held.with(|item, _| match item {
            Item::Masked(masked) => {
                Ok((masked.mask().to_bytes(masked.mask().dtype().order())?, masked.mask().shape().to_vec()))
            }
            _ => Err(Error::missing("a mask")),
        })?;
        let view = py.get_type::<pyo3::types::PyMemoryView>().call1((pyo3::types::PyBytes::new(py, &bytes),))?;
        let shape = PyTuple::new(py, shape)?;
        Ok(Some(view.call_method1("cast", ("?", shape))?.unbind()))
    }

    fn __len__(&self) -> PyResult<usize> {
        self.shape.first().copied().ok_or_else(|| PyTypeError::new_err("an array without axes has no length"))
    }

    fn __bool__(&self) -> bool {
        true
    }

    /// Elements that are Python objects, as an array of NumPy. NumPy asks for this where there is no array interface.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = copy;
        let chain = py.import("itertools")?.getattr("chain")?;
        let made = py.import("numpy")?.call_method1("empty", (self.shape_tuple(py)?, "O"))?;
        let mut elements = self.to_pylist(py)?;
        if self.shape.is_empty() {
            made.set_item(PyTuple::empty(py), elements)?;
        } else {
            for _ in 1..self.shape.len() {
                elements = chain.call_method1("from_iterable", (elements,))?;
            }
            let flat = made.call_method1("reshape", (-1,))?;
            for (at, element) in elements.try_iter()?.enumerate() {
                flat.set_item(at, element?)?;
            }
        }
        match dtype {
            Some(dtype) => made.call_method1("astype", (dtype,)),
            None => Ok(made),
        }
    }

    fn __repr__(&self) -> String {
        let shape = self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        let comma = if self.shape.len() == 1 { "," } else { "" };
        let problem = self.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default();
        format!("<picklevm.Array {}: {} {} ({shape}{comma}){problem}>", self.path.escape_debug(), self.kind, self.dtype)
    }
}
