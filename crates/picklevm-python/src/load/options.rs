//! Load options, and the decoding of 8-bit strings of Python 2.

use std::borrow::Cow;
use std::ffi::{CStr, CString};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::budget::Budget;
use super::find::Finder;

/// The decoding of 8-bit strings of Python 2.
#[derive(Clone)]
pub(crate) struct Decoding {
    encoding: Cow<'static, CStr>,
    errors: Cow<'static, CStr>,
    kind: DecodingKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DecodingKind {
    Bytes,
    Ascii,
    Other,
}

impl Decoding {
    pub(crate) fn new(encoding: &str, errors: &str) -> PyResult<Decoding> {
        let kind = match encoding {
            "bytes" => DecodingKind::Bytes,
            "ASCII" | "ascii" => DecodingKind::Ascii,
            _ => DecodingKind::Other,
        };
        let text = |text: &str| match text {
            // The defaults take no memory.
            "ASCII" => Ok(Cow::Borrowed(c"ASCII")),
            "strict" => Ok(Cow::Borrowed(c"strict")),
            _ => CString::new(text).map(Cow::Owned).map_err(|_| PyValueError::new_err("embedded null character")),
        };
        Ok(Decoding { encoding: text(encoding)?, errors: text(errors)?, kind })
    }

    /// Returns the object of an 8-bit string.
    pub(super) fn decode<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let data = match (self.kind, str::from_utf8(bytes)) {
            (DecodingKind::Bytes, _) => return Ok(PyBytes::new(py, bytes).into_any()),
            (DecodingKind::Ascii, Ok(text)) if text.is_ascii() => return Ok(PyString::new(py, text).into_any()),
            _ => PyBytes::new(py, bytes),
        };
        PyString::from_encoded_object(&data, Some(&self.encoding), Some(&self.errors)).map(Bound::into_any)
    }
}

/// Load options.
pub(crate) struct Options<'py> {
    pub(crate) decoding: Decoding,
    /// An iterator over the out-of-band buffers.
    pub(crate) buffers: Option<Bound<'py, PyAny>>,
    pub(crate) persistent_load: Option<Bound<'py, PyAny>>,
    pub(crate) finder: Finder<'py>,
    /// Resource limits of the load, if there are any.
    pub(crate) budget: Option<Budget>,
}
