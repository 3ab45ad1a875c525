//! One load: the machine runs a pickle with the builder.

use picklevm::machine::{self, Machine};
use picklevm::{Cause, Error, Limits};
use picklevm_ops::{ErrorKind, Feed, FeedReader, Op};
use pyo3::prelude::*;

use super::builder::PyBuilder;
use super::error::{padded_int, to_python};
use super::options::Options;
use crate::feed::{File, FileFeed};
use crate::state::State;
use crate::value::Ref;

/// Loads a pickle from memory.
pub(crate) fn load_slice<'py>(
    py: Python<'py>,
    machine: &mut Machine<Ref>,
    data: &[u8],
    options: Options<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    load(py, machine, data, options).1
}

/// Loads a pickle from a file, which is left right after it.
pub(crate) fn load_file<'py>(
    py: Python<'py>,
    machine: &mut Machine<Ref>,
    file: File,
    options: Options<'py>,
) -> (File, PyResult<Bound<'py, PyAny>>) {
    let (feed, loaded) = load(py, machine, FileFeed::new(py, file), options);
    match loaded {
        Ok(value) => {
            let (file, done) = feed.finish();
            (file, done.map(|()| value))
        }
        Err(error) => (feed.abandon(), Err(error)),
    }
}

fn load<'py, F: Feed>(
    py: Python<'py>,
    machine: &mut Machine<Ref>,
    feed: F,
    options: Options<'py>,
) -> (F, PyResult<Bound<'py, PyAny>>) {
    let state = match State::get(py) {
        Ok(state) => state,
        Err(error) => return (feed, Err(error)),
    };
    let limits = options.budget.as_ref().map_or(Limits::none(), |budget| budget.limits);
    let mut builder = PyBuilder::new(py, state, options);
    let reader = FeedReader::new(feed).check_frames(state.minor >= 14);
    let (reader, mut done) = machine::load(machine, &mut builder, reader, &limits);
    let mut feed = reader.into_inner();
    // An integer with leading zeros: its value is pushed, and the load goes on after its line.
    while let Err(error) = &done
        && let Cause::Op(ErrorKind::BadOperand) = error.cause()
        && let Some(value) = padded_int(state, error, feed.bytes())
    {
        let line = feed.bytes().iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        feed.consume(line);
        if let Err(error) = machine::step(machine, &mut builder, Op::Long1(&value.to_le_bytes()), &limits) {
            done = Err(error);
            break;
        }
        let (reader, rest) = machine::resume(machine, &mut builder, FeedReader::new(feed), &limits);
        (feed, done) = (reader.into_inner(), rest);
    }
    machine.clear_stack();
    let loaded = match done {
        Ok(_) if builder.is_over_budget() => Err(crate::errors::limit_error(py, &builder.exceeded(&Error::foreign()))),
        Ok(value) => Ok(value.0.unwrap_or_else(|| py.None()).into_bound(py)),
        Err(error) => Err(match builder.raised.take() {
            Some(raised) => raised,
            None if builder.has_budget() && error.kind() == picklevm::ErrorKind::Limit => {
                crate::errors::limit_error(py, &builder.exceeded(&error))
            }
            None => to_python(py, state, &error, feed.bytes()),
        }),
    };
    (feed, loaded)
}
