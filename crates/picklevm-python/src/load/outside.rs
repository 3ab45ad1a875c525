//! References to things outside of the pickle: extension codes, persistent ids, out-of-band buffers.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyMemoryView, PyString};

use super::builder::PyBuilder;
use crate::state::State;

impl<'py> PyBuilder<'py> {
    pub(super) fn extension(&self, code: i32) -> PyResult<Bound<'py, PyAny>> {
        if self.options.finder.is_restricted() {
            // What a scan cannot name is not loaded, not even if the process has it at hand.
            return Err(self.state.unpickling(self.py, "extension codes are not allowed"));
        }
        if code <= 0 {
            return Err(self.state.unpickling(self.py, "EXT specifies code <= 0"));
        }
        if let Some(known) = self.state.extension_cache.bind(self.py).get_item(code)? {
            return Ok(known);
        }
        let Some(names) = self.state.inverted_registry.bind(self.py).get_item(code)? else {
            return Err(PyValueError::new_err(format!("unregistered extension code {code}")));
        };
        let invalid = || PyValueError::new_err(format!("_inverted_registry[{code}] isn't a 2-tuple of strings"));
        let (module, name) = names.extract::<(Bound<'py, PyString>, Bound<'py, PyString>)>().map_err(|_| invalid())?;
        let found = self.options.finder.find(self.state, &module, &name)?;
        self.state.extension_cache.bind(self.py).set_item(code, &found)?;
        Ok(found)
    }

    pub(super) fn load_persistent(&self, pid: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match &self.options.persistent_load {
            Some(load) => load.call1((pid,)),
            None => Err(no_persistent_load(self.py, self.state)),
        }
    }

    pub(super) fn take_buffer(&self) -> PyResult<Bound<'py, PyAny>> {
        let Some(buffers) = &self.options.buffers else {
            return Err(self
                .state
                .unpickling(self.py, "pickle stream refers to out-of-band data but no *buffers* argument was given"));
        };
        let mut buffers = buffers.try_iter()?;
        buffers.next().unwrap_or_else(|| Err(self.state.unpickling(self.py, "not enough out-of-band buffers")))
    }

    pub(super) fn make_readonly(&self, buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let view = PyMemoryView::from(buffer)?;
        if view.getattr(intern!(self.py, "readonly"))?.is_truthy()? {
            return Ok(buffer.clone());
        }
        view.call_method0(intern!(self.py, "toreadonly"))
    }
}

/// Returns the exception for a persistent id that nothing loads.
#[cold]
pub(crate) fn no_persistent_load(py: Python<'_>, state: &State) -> PyErr {
    let space = if state.minor >= 13 { " " } else { "\n" };
    state.unpickling(
        py,
        format!(
            "A load persistent id instruction was encountered,{space}but no persistent_load function was specified."
        ),
    )
}
