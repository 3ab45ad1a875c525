//! The exceptions of the package itself, which are classes of `picklevm/_errors.py`.

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Returns an exception of a class.
#[cold]
fn error<A: for<'py> PyCallArgs<'py>>(py: Python<'_>, class: &str, args: A) -> PyErr {
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

/// Returns the exception for what is not allowed; `args` are those of its class.
#[cold]
pub(crate) fn not_allowed_error<A: for<'py> PyCallArgs<'py>>(py: Python<'_>, args: A) -> PyErr {
    error(py, "NotAllowedError", args)
}
