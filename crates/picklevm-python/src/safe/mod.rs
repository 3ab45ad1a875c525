//! Safe loading: a pickle is scanned as a whole before anything of it runs, and then loaded with no more than the scan saw.
//!
//! [`Policy`](policy::SafePolicy) is what a program allows, [`Checked`](checked::Checked) a pickle that the scan called
//! harmless under it, with its bytes and the names that the scan saw. The [`Gate`] finds these names and no others. The
//! functions that programs call are in Python, in `picklevm/_safe.py`.

mod checked;
mod gate;
mod policy;
mod read;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

pub(crate) use self::gate::Gate;

/// Adds what `picklevm/_safe.py` uses.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<policy::SafePolicy>()?;
    module.add_class::<checked::Checked>()?;
    module.add_function(wrap_pyfunction!(checked::check_joblib, module)?)?;
    module.add_function(wrap_pyfunction!(read::read_pickle, module)?)
}

/// Returns an exception of a class of `picklevm/_safe.py`.
#[cold]
fn error<A: for<'py> pyo3::call::PyCallArgs<'py>>(py: Python<'_>, class: &str, args: A) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("picklevm._errors").map(Bound::unbind));
    let made = module.and_then(|module| {
        let class = module.bind(py).getattr(class)?;
        class.cast::<PyType>()?.call1(args)
    });
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// Returns the exception for a limit that is exceeded.
#[cold]
pub(crate) fn limit_error(py: Python<'_>, message: &str) -> PyErr {
    error(py, "LimitError", (message,))
}
