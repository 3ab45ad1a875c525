//! Bytes for the machine from a Python file, read in the calls that `_pickle` makes.

use std::io;

use picklevm_ops::Feed;
use pyo3::exceptions::{PyNotImplementedError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

/// Bytes that `peek` is asked for, and up to which it is asked: as in `_pickle`.
const PREFETCH: u64 = 128 * 1024;

/// Bytes that the first call asks for where more are needed: a file may make room for as many as it is asked for.
const FIRST_READ: u64 = 1 << 20;

/// The methods of a file.
pub(crate) struct File {
    read: Py<PyAny>,
    readline: Py<PyAny>,
    peek: Option<Py<PyAny>>,
    /// Bytes that were read from the file, but not used: those of a frame after STOP.
    rest: Option<Py<PyBytes>>,
}

impl File {
    /// Looks the methods of a file up.
    pub(crate) fn new(file: &Bound<'_, PyAny>) -> PyResult<File> {
        let py = file.py();
        let peek = file.getattr_opt(intern!(py, "peek"))?;
        let read = file.getattr_opt(intern!(py, "read"))?;
        let readline = file.getattr_opt(intern!(py, "readline"))?;
        let (Some(read), Some(readline)) = (read, readline) else {
            return Err(PyTypeError::new_err("file must have 'read' and 'readline' attributes"));
        };
        Ok(File { read: read.unbind(), readline: readline.unbind(), peek: peek.map(Bound::unbind), rest: None })
    }

    /// Passes the references to the garbage collector.
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.read)?;
        visit.call(&self.readline)?;
        visit.call(&self.peek)
    }
}

/// A file that is read.
pub(crate) struct FileFeed<'py> {
    py: Python<'py>,
    file: File,
    /// The last bytes that a method returned.
    chunk: Bound<'py, PyBytes>,
    /// Position in the chunk.
    at: usize,
    /// Position of the file in the chunk: before its end if `peek` returned it.
    file_at: usize,
    /// The longest line that is read at once, if that is limited.
    longest_line: Option<u64>,
}

impl<'py> FileFeed<'py> {
    pub(crate) fn new(py: Python<'py>, mut file: File) -> Self {
        let chunk = file.rest.take().map_or_else(|| PyBytes::new(py, b""), |rest| rest.into_bound(py));
        FileFeed { py, file, at: 0, file_at: chunk.as_bytes().len(), chunk, longest_line: None }
    }

    /// Reads no lines that are longer, from files that can be told.
    pub(crate) fn longest_line(self, most: u64) -> Self {
        FileFeed { longest_line: Some(most), ..self }
    }

    /// Ends reading: moves the file behind what was used, and returns it.
    pub(crate) fn finish(mut self) -> (File, PyResult<()>) {
        let done = self.skip_used();
        let rest = &self.chunk.as_bytes()[self.at..];
        if self.file_at > self.at && !rest.is_empty() {
            self.file.rest = Some(PyBytes::new(self.py, rest).unbind());
        }
        (self.file, done)
    }

    /// Ends reading after an error.
    pub(crate) fn abandon(self) -> File {
        self.file
    }

    /// Moves the file over bytes that were used, but only peeked at.
    fn skip_used(&mut self) -> PyResult<()> {
        if self.at > self.file_at {
            self.file.read.bind(self.py).call1((self.at - self.file_at,))?;
            self.file_at = self.at;
        }
        Ok(())
    }

    /// Appends bytes to those of the chunk that were read from the file and not used.
    fn append(&mut self, data: Bound<'py, PyBytes>) {
        let rest = self.chunk.as_bytes().get(self.at..self.file_at).unwrap_or_default();
        self.chunk = match rest {
            [] => data,
            rest => PyBytes::new(self.py, &[rest, data.as_bytes()].concat()),
        };
        (self.at, self.file_at) = (0, self.chunk.as_bytes().len());
    }

    fn read(&mut self, len: u64) -> PyResult<Bound<'py, PyBytes>> {
        to_bytes(self.file.read.bind(self.py).call1((len,))?)
    }

    fn fill_up(&mut self, len: u64) -> PyResult<bool> {
        if len <= self.bytes().len() as u64 {
            return Ok(true);
        }
        self.skip_used()?;
        if len < PREFETCH
            && self.file_at == self.at
            && let Some(peek) = &self.file.peek
        {
            match peek.bind(self.py).call1((PREFETCH,)) {
                Ok(data) => {
                    self.chunk = to_bytes(data)?;
                    (self.at, self.file_at) = (0, 0);
                    if len <= self.bytes().len() as u64 {
                        return Ok(true);
                    }
                }
                Err(error) if error.is_instance_of::<PyNotImplementedError>(self.py) => self.file.peek = None,
                Err(error) => return Err(error),
            }
        }
        let mut most = FIRST_READ;
        loop {
            let missing = len - (self.file_at - self.at) as u64;
            let asked = missing.min(most);
            let data = self.read(asked)?;
            let arrived = data.as_bytes().len() as u64;
            self.append(data);
            if arrived >= missing {
                return Ok(true);
            }
            if arrived < asked {
                return Ok(false);
            }
            most = most.saturating_mul(2);
        }
    }

    fn fill_up_line(&mut self, from: usize) -> PyResult<bool> {
        let has_line = |bytes: &[u8]| bytes.get(from..).is_some_and(|rest| rest.contains(&b'\n'));
        if has_line(self.bytes()) {
            return Ok(true);
        }
        self.skip_used()?;
        let readline = self.file.readline.bind(self.py);
        let line = match self.longest_line.map(|most| readline.call1((most,))) {
            Some(Err(error)) if !error.is_instance_of::<PyTypeError>(self.py) => return Err(error),
            Some(Ok(line)) => line,
            _ => readline.call0()?,
        };
        let line = to_bytes(line)?;
        // What was peeked at and not used comes again.
        self.append(line);
        Ok(has_line(self.bytes()))
    }
}

impl Feed for FileFeed<'_> {
    fn bytes(&self) -> &[u8] {
        self.chunk.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn consume(&mut self, len: usize) {
        self.at += len;
    }

    fn fill(&mut self, len: u64) -> io::Result<bool> {
        self.fill_up(len).map_err(io::Error::other)
    }

    fn fill_line(&mut self, from: usize) -> io::Result<bool> {
        self.fill_up_line(from).map_err(io::Error::other)
    }
}

/// Returns the bytes of an object that has a buffer, without a copy if it is bytes.
pub(crate) fn to_bytes(data: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
    match data.cast_into::<PyBytes>() {
        Ok(bytes) => Ok(bytes),
        Err(error) => {
            let data = error.into_inner();
            let py = data.py();
            let view = contiguous(&data)?;
            Ok(view.call_method0(intern!(py, "tobytes"))?.cast_into::<PyBytes>()?)
        }
    }
}

/// Returns a view of an object whose buffer is contiguous.
fn contiguous<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyMemoryView>> {
    let py = data.py();
    let view = PyMemoryView::from(data).map_err(|error| match error.is_instance_of::<PyTypeError>(py) {
        true => {
            let name = crate::state::type_name(data);
            PyTypeError::new_err(format!("a bytes-like object is required, not '{name}'"))
        }
        false => error,
    })?;
    if view.getattr(intern!(py, "c_contiguous"))?.is_truthy()? {
        return Ok(view);
    }
    Err(pyo3::exceptions::PyBufferError::new_err("memoryview: underlying buffer is not C-contiguous"))
}
