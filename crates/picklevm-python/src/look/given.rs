//! The argument to read, a path or bytes, and exceptions if it cannot be read.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use picklevm_files::{File, Opener};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyString;

use crate::feed::to_bytes;
use crate::state::State;

/// A path, or the contents of a file.
pub(crate) enum Given {
    Path(PathBuf),
    Bytes(Bytes),
}

impl Given {
    /// Text and objects with `__fspath__` are paths; what has a buffer is the contents. Bytes are not copied.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Given> {
        if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
            return Ok(Given::Path(object.extract()?));
        }
        Ok(Given::Bytes(shared(object)?))
    }

    /// What the file is called in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Given::Path(path) => path.display().to_string(),
            Given::Bytes(_) => "<bytes>".to_owned(),
        }
    }

    /// Opens it. The file is read without the GIL.
    pub(crate) fn open(self, py: Python<'_>) -> PyResult<File> {
        let name = self.name();
        match self {
            Given::Bytes(bytes) => Ok(Opener::new().bytes(bytes)),
            Given::Path(path) => {
                let opened = py.detach(|| match std::fs::metadata(&path) {
                    Err(error) => Err(Opened::System(error)),
                    Ok(about) if about.is_dir() => Err(Opened::System(io::Error::from_raw_os_error(IS_A_DIRECTORY))),
                    Ok(_) => Opener::new().open(&path).map_err(Opened::File),
                });
                opened.map_err(|error| match error {
                    Opened::System(error) => system_error(&error, &name),
                    Opened::File(error) => file_error(py, &name, &error),
                })
            }
        }
    }
}

/// `EISDIR`.
const IS_A_DIRECTORY: i32 = 21;

enum Opened {
    System(io::Error),
    File(picklevm_files::Error),
}

/// The bytes of an object that has a buffer: shared where they are `bytes`, else a copy.
pub(crate) fn shared(object: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    Ok(Bytes::from_owner(PyBackedBytes::from(to_bytes(object.clone())?)))
}

/// An OSError with its number, so that it is FileNotFoundError and the like.
pub(crate) fn system_error(error: &io::Error, name: &str) -> PyErr {
    match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            PyOSError::new_err((number, text, name.to_owned()))
        }
        None => PyOSError::new_err(format!("{name}: {error}")),
    }
}

/// The exception for a file: OSError where the system refused, else UnpicklingError.
pub(crate) fn file_error(py: Python<'_>, name: &str, error: &picklevm_files::Error) -> PyErr {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    match source {
        Some(system) if error.kind() == picklevm_files::ErrorKind::Io => system_error(system, name),
        _ => unpickling(py, format!("{name}: {error}")),
    }
}

/// An UnpicklingError of the standard library.
#[cold]
pub(crate) fn unpickling(py: Python<'_>, message: impl Into<String>) -> PyErr {
    match State::get(py) {
        Ok(state) => state.unpickling(py, message),
        Err(error) => error,
    }
}

/// The exception for a pickle that cannot be read.
#[cold]
pub(crate) fn load_error(py: Python<'_>, name: &str, error: &picklevm::Error) -> PyErr {
    unpickling(py, format!("{name}: {error}"))
}

/// The exception for a change or a lookup that a graph refuses.
#[cold]
pub(crate) fn graph_error(error: &picklevm::Error) -> PyErr {
    use picklevm::ErrorKind::{Missing, OutOfRange, Type, Unhashable};
    let message = error.to_string();
    match error.kind() {
        Missing => PyKeyError::new_err(message),
        OutOfRange => PyIndexError::new_err(message),
        Type | Unhashable => PyTypeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
