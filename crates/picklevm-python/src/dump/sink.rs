//! Where the bytes of a pickle go.

use std::error::Error as _;
use std::io;

use picklevm_ops as ops;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::state::State;

/// A destination of bytes.
pub(crate) enum Target<'py> {
    /// Memory, for `dumps`.
    Memory(Vec<u8>),
    /// The method `write` of a file.
    File(Bound<'py, PyAny>),
}

impl Target<'_> {
    /// Returns the bytes that were written to memory.
    pub(crate) fn memory(&self) -> &[u8] {
        match self {
            Target::Memory(memory) => memory,
            Target::File(_) => &[],
        }
    }
}

impl io::Write for Target<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Memory(memory) => memory.extend_from_slice(bytes),
            Target::File(_) if bytes.is_empty() => {}
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
