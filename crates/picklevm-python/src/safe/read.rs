//! The bytes of one pickle, read from a file that is left right after it.

use std::io;

use picklevm_ops::{ErrorKind, Feed, FeedReader, Op, Source};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::limit_error;
use crate::feed::{File, FileFeed};
use crate::load::to_python;
use crate::state::State;

/// A feed that keeps what is consumed.
struct Recorder<F> {
    feed: F,
    bytes: Vec<u8>,
    most: u64,
    is_full: bool,
}

impl<F: Feed> Recorder<F> {
    /// Fails if so many more bytes are too many.
    fn check(&mut self, more: u64) -> io::Result<()> {
        self.is_full |= (self.bytes.len() as u64).saturating_add(more) > self.most;
        if self.is_full { Err(io::Error::other("too many bytes")) } else { Ok(()) }
    }
}

impl<F: Feed> Feed for Recorder<F> {
    fn bytes(&self) -> &[u8] {
        self.feed.bytes()
    }

    fn consume(&mut self, len: usize) {
        let bytes = self.feed.bytes();
        self.bytes.extend_from_slice(&bytes[..len.min(bytes.len())]);
        self.feed.consume(len);
    }

    fn fill(&mut self, len: u64) -> io::Result<bool> {
        self.check(len)?;
        self.feed.fill(len)
    }

    fn fill_payload(&mut self, from: usize, len: u64) -> io::Result<bool> {
        self.check(len.saturating_add(from as u64))?;
        self.feed.fill_payload(from, len)
    }

    fn fill_line(&mut self, from: usize) -> io::Result<bool> {
        let arrived = self.feed.fill_line(from)?;
        if !arrived {
            let len = self.feed.bytes().len() as u64;
            self.check(len)?;
        }
        Ok(arrived)
    }
}

/// Read the bytes of one pickle from a file, at most so many.
///
/// The file is left right after them, as pickle.load leaves it.
#[pyfunction]
#[pyo3(signature = (file, most, /))]
pub(crate) fn read_pickle<'py>(file: &Bound<'py, PyAny>, most: u64) -> PyResult<Bound<'py, PyBytes>> {
    let py = file.py();
    let state = State::get(py)?;
    let recorder = Recorder {
        feed: FileFeed::new(py, File::new(file)?).longest_line(most.saturating_add(1)),
        bytes: Vec::new(),
        most,
        is_full: false,
    };
    let mut reader = FeedReader::new(recorder).check_frames(state.minor >= 14);
    let done = loop {
        match reader.next_op() {
            Ok(Op::Stop) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(picklevm::Error::from(error)),
        }
    };
    let recorder = reader.into_inner();
    if recorder.is_full || recorder.bytes.len() as u64 > most {
        return Err(limit_error(py, &format!("the pickle is longer than {most} bytes (Limits.bytes)")));
    }
    let is_bad_operand = |error: &picklevm::Error| error.cause() == picklevm::Cause::Op(ErrorKind::BadOperand);
    match done {
        Err(error) if !is_bad_operand(&error) => Err(to_python(py, state, &error, recorder.feed.bytes())),
        // What some readers refuse is refused by the check.
        Err(_) => {
            let rest = recorder.feed.bytes();
            Ok(PyBytes::new(py, &[&recorder.bytes, rest].concat()))
        }
        Ok(()) => {
            let bytes = PyBytes::new(py, &recorder.bytes);
            recorder.feed.finish().1?;
            Ok(bytes)
        }
    }
}
