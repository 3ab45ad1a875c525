//! The output of a dump.

use std::cell::Cell;
use std::error::Error as _;
use std::io;

use picklevm_ops as ops;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::state::State;

/// The bytes object whose contents are written next, if they are long: where they arrive, it is used itself and not copied.
pub(crate) type Lent<'py> = Cell<Option<Bound<'py, PyBytes>>>;

/// A destination of bytes.
pub(crate) enum Target<'py> {
    /// Memory, for `dumps`: the parts of the pickle.
    Memory(Parts<'py>),
    /// The method `write` of a file.
    File(Bound<'py, PyAny>),
}

/// The parts of a pickle: the first, and as a short pickle has no others, those after it.
pub(crate) struct Parts<'py> {
    first: Option<Bound<'py, PyBytes>>,
    others: Vec<Bound<'py, PyBytes>>,
}

impl<'py> Target<'py> {
    pub(crate) fn memory() -> Self {
        Target::Memory(Parts { first: None, others: Vec::new() })
    }

    /// Returns the bytes that were written to memory.
    pub(crate) fn into_bytes(self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let parts = match self {
            Target::Memory(parts) => parts,
            Target::File(_) => Parts { first: None, others: Vec::new() },
        };
        let first = parts.first.unwrap_or_else(|| PyBytes::new(py, &[]));
        if parts.others.is_empty() {
            return Ok(first);
        }
        let all = PyList::new(py, std::iter::once(first).chain(parts.others).collect::<Vec<_>>())?;
        Ok(PyBytes::new(py, &[]).call_method1(intern!(py, "join"), (all,))?.cast_into()?)
    }
}

/// A destination, and the object that may arrive there.
pub(crate) struct Sink<'py, 'm> {
    pub(crate) py: Python<'py>,
    pub(crate) target: Target<'py>,
    pub(crate) lent: &'m Lent<'py>,
}

impl<'py> Sink<'py, '_> {
    /// Returns these bytes as an object: the one that was lent if they are its.
    fn object(&self, bytes: &[u8]) -> Bound<'py, PyBytes> {
        match self.lent.take() {
            Some(object) if std::ptr::eq(object.as_bytes(), bytes) => object,
            // What comes before it.
            other => {
                self.lent.set(other);
                PyBytes::new(self.py, bytes)
            }
        }
    }
}

impl io::Write for Sink<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let object = self.object(bytes);
        match &mut self.target {
            Target::Memory(Parts { first: first @ None, .. }) => *first = Some(object),
            Target::Memory(Parts { others, .. }) => others.push(object),
            Target::File(write) => drop(write.call1((object,)).map_err(io::Error::other)?),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the exception for an op that could not be written.
#[cold]
pub(crate) fn to_python(py: Python<'_>, state: &State, error: &ops::Error) -> PyErr {
    let io = error.source().and_then(|io| io.downcast_ref::<io::Error>());
    match io.and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref::<PyErr>()) {
        Some(raised) => raised.clone_ref(py),
        None => state.pickling(py, error.to_string()),
    }
}
