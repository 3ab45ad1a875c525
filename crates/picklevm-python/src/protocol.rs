//! Protocol numbers as `pickle` takes them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::state::State;

/// The highest protocol.
pub(crate) const HIGHEST: u8 = 5;

/// Returns the default protocol of the running Python.
pub(crate) fn default_protocol(state: &State) -> u8 {
    if state.minor >= 14 { 5 } else { 4 }
}

/// Returns the protocol for an argument: the default for `None`, the highest for a negative number.
pub(crate) fn protocol_number(py: Python<'_>, protocol: Option<&Bound<'_, PyAny>>) -> PyResult<u8> {
    let Some(protocol) = protocol else { return Ok(default_protocol(State::get(py)?)) };
    match protocol.extract::<i64>()? {
        ..0 => Ok(HIGHEST),
        protocol @ 0..=5 => Ok(protocol as u8),
        _ => Err(PyValueError::new_err(format!("pickle protocol must be <= {HIGHEST}"))),
    }
}
