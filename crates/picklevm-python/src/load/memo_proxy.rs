//! The value of `Unpickler.memo`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::unpickler::Unpickler;

/// The memo of an Unpickler.
#[pyclass(frozen, module = "picklevm.pickle")]
pub(crate) struct UnpicklerMemoProxy(pub(crate) Py<Unpickler>);

#[pymethods]
impl UnpicklerMemoProxy {
    /// Remove all items from the memo.
    fn clear(&self) -> PyResult<()> {
        self.0.get().set_memo_entries(Vec::new())
    }

    /// Copy the memo to a new dict.
    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (index, value) in self.0.get().memo_entries()? {
            dict.set_item(index, value.0)?;
        }
        Ok(dict)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (py.get_type::<PyDict>(), (self.copy(py)?,)).into_pyobject(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}
