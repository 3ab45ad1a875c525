//! Where the bytes of a pickle go.

use std::error::Error as _;
use std::io;

use picklevm_ops as ops;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::state::State;

/// A destination of bytes.
pub(crate) enum Target<'py> {
    /// Memory, for `dumps`: the bytes that come first, as a short pickle has no others, or all of them.
    Memory { py: Python<'py>, first: Option<Bound<'py, PyBytes>>, all: Vec<u8> },
    /// The method `write` of a file.
    File(Bound<'py, PyAny>),
}

impl<'py> Target<'py> {
    pub(crate) fn memory(py: Python<'py>) -> Self {
        Target::Memory { py, first: None, all: Vec::new() }
    }

    /// Returns the bytes that were written to memory.
    pub(crate) fn into_bytes(self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        match self {
            Target::Memory { first: Some(first), .. } => Ok(first),
            Target::Memory { all, .. } => Ok(PyBytes::new(py, &all)),
            Target::File(_) => Ok(PyBytes::new(py, &[])),
        }
    }
}

impl io::Write for Target<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            _ if bytes.is_empty() => {}
            Target::Memory { py, first: first @ None, all } if all.is_empty() => {
                *first = Some(PyBytes::new(*py, bytes))
            }
            Target::Memory { first, all, .. } => {
                if let Some(first) = first.take() {
                    all.extend_from_slice(first.as_bytes());
                }
                all.extend_from_slice(bytes);
            }
            Target::File(write) => {
                let bytes = PyBytes::new(write.py(), bytes);
                write.call1((bytes,)).map_err(io::Error::other)?;
            }
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
