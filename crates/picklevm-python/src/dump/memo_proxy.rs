//! The value of `Pickler.memo`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::memo::Memo;
use super::pickler::Pickler;

/// The memo of a Pickler.
#[pyclass(frozen, module = "picklevm.pickle")]
pub(crate) struct PicklerMemoProxy(pub(crate) Py<Pickler>);

#[pymethods]
impl PicklerMemoProxy {
    /// Remove all items from the memo.
    fn clear(&self) -> PyResult<()> {
        self.0.get().replace_memo(Memo::default())
    }

    /// Copy the memo to a new dict.
    fn copy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (address, index, object) in self.0.get().with_memo(|memo| memo.entries(py))? {
            dict.set_item(address, (index, object))?;
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
