//! Bytes for the machine from a Python file, read in the calls that `_pickle` makes.

use std::io;

use picklevm_ops::Feed;
use pyo3::exceptions::{PyMemoryError, PyNotImplementedError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PySlice};

use crate::state::State;

/// Bytes that `peek` is asked for, and up to which it is asked: as in `_pickle`.
const PREFETCH: u64 = 128 * 1024;

/// The most bytes that the first call asks for where more are needed; each further call asks for as many as have come. A file makes
/// room for what it is asked for. CPython does so from 3.15 on; earlier versions ask for all, as is done here up to a length that
/// takes no harm if it is not true.
fn first_read(minor: u8) -> u64 {
    if minor >= 15 { 1 << 20 } else { 1 << 26 }
}

/// The methods of a file.
pub(crate) struct File {
    read: Py<PyAny>,
    readline: Py<PyAny>,
    readinto: Option<Py<PyAny>>,
    peek: Option<Py<PyAny>>,
    first_read: u64,
    /// Bytes that were read from the file, but not used: those of a frame after STOP.
    rest: Option<Py<PyBytes>>,
}

impl File {
    /// Looks the methods of a file up.
    pub(crate) fn new(file: &Bound<'_, PyAny>) -> PyResult<File> {
        let py = file.py();
        let peek = file.getattr_opt(intern!(py, "peek"))?;
        let readinto = file.getattr_opt(intern!(py, "readinto"))?;
        let read = file.getattr_opt(intern!(py, "read"))?;
        let readline = file.getattr_opt(intern!(py, "readline"))?;
        let (Some(read), Some(readline)) = (read, readline) else {
            return Err(PyTypeError::new_err("file must have 'read' and 'readline' attributes"));
        };
        Ok(File {
            read: read.unbind(),
            readline: readline.unbind(),
            readinto: readinto.map(Bound::unbind),
            peek: peek.map(Bound::unbind),
            first_read: first_read(State::get(py)?.minor),
            rest: None,
        })
    }

    /// Passes the references to the garbage collector.
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.read)?;
        visit.call(&self.readline)?;
        visit.call(&self.readinto)?;
        visit.call(&self.peek)
    }
}

/// Bytes of a file.
enum Chunk<'py> {
    /// As a method returned them.
    Returned(Bound<'py, PyBytes>),
    /// Put together from several calls, or read into memory.
    Joined(Vec<u8>),
}

impl Chunk<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Chunk::Returned(bytes) => bytes.as_bytes(),
            Chunk::Joined(bytes) => bytes,
        }
    }
}

/// A file that is read.
pub(crate) struct FileFeed<'py> {
    py: Python<'py>,
    file: File,
    /// The last bytes that a method returned.
    chunk: Chunk<'py>,
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
        let file_at = chunk.as_bytes().len();
        FileFeed { py, file, at: 0, file_at, chunk: Chunk::Returned(chunk), longest_line: None }
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
            [] => Chunk::Returned(data),
            rest => Chunk::Joined([rest, data.as_bytes()].concat()),
        };
        (self.at, self.file_at) = (0, self.chunk.as_bytes().len());
    }

    fn read(&mut self, len: u64) -> PyResult<Bound<'py, PyBytes>> {
        to_bytes(self.file.read.bind(self.py).call1((len,))?)
    }

    /// Appends bytes that the file writes into memory. Returns how many.
    fn append_into(&mut self, readinto: &Bound<'py, PyAny>, len: u64) -> PyResult<u64> {
        let rest = self.chunk.as_bytes().get(self.at..self.file_at).unwrap_or_default();
        let start = rest.len();
        let end =
            usize::try_from(len).ok().and_then(|len| start.checked_add(len)).filter(|end| *end <= isize::MAX as usize);
        let end = end.ok_or_else(|| PyMemoryError::new_err(()))?;
        let memory = PyByteArray::new_with(self.py, end, |memory| {
            memory[..start].copy_from_slice(rest);
            Ok(())
        })?;
        let place = PyMemoryView::from(&memory)?.get_item(PySlice::new(self.py, start as isize, end as isize, 1))?;
        let arrived: isize = readinto.call1((place,))?.extract()?;
        let arrived =
            usize::try_from(arrived).map_err(|_| PyValueError::new_err("readinto() returned negative size"))?;
        let mut bytes = memory.to_vec();
        bytes.truncate(start.saturating_add(arrived));
        self.chunk = Chunk::Joined(bytes);
        (self.at, self.file_at) = (0, self.chunk.as_bytes().len());
        Ok(arrived as u64)
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
                    self.chunk = Chunk::Returned(to_bytes(data)?);
                    (self.at, self.file_at) = (0, 0);
                    if len <= self.bytes().len() as u64 {
                        return Ok(true);
                    }
                }
                Err(error) if error.is_instance_of::<PyNotImplementedError>(self.py) => self.file.peek = None,
                Err(error) => return Err(error),
            }
        }
        self.read_more(0, len, false)
    }

    /// Reads until so many bytes are at hand, of which the first `from` do not count as read: into memory at once, or from the second
    /// call on.
    fn read_more(&mut self, from: usize, len: u64, into: bool) -> PyResult<bool> {
        let readinto = self.file.readinto.as_ref().map(|readinto| readinto.bind(self.py).clone());
        let mut is_first = true;
        loop {
            let there = self.file_at - self.at;
            let missing = len.saturating_sub(there as u64);
            if missing == 0 {
                return Ok(true);
            }
            let read = there.saturating_sub(from) as u64;
            let asked = missing.min(self.file.first_read.checked_sub(read).filter(|more| *more > 0).unwrap_or(read));
            let arrived = match &readinto {
                Some(readinto) if into || !is_first => self.append_into(readinto, asked)?,
                _ => {
                    let data = self.read(asked)?;
                    let arrived = data.as_bytes().len() as u64;
                    self.append(data);
                    arrived
                }
            };
            if arrived < asked {
                return Ok(false);
            }
            is_first = false;
        }
    }

    fn fill_up_payload(&mut self, from: usize, len: u64) -> PyResult<bool> {
        let len = len.saturating_add(from as u64);
        if len <= self.bytes().len() as u64 {
            return Ok(true);
        }
        // What was peeked at is used to its end.
        let peeked = self.chunk.as_bytes().len() - self.file_at;
        if peeked > 0 {
            self.file.read.bind(self.py).call1((peeked,))?;
            self.file_at += peeked;
        }
        self.read_more(from, len, true)
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

    fn fill_payload(&mut self, from: usize, len: u64) -> io::Result<bool> {
        self.fill_up_payload(from, len).map_err(io::Error::other)
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
