//! What the package needs of the interpreter, looked up once: the exception classes and tables that `pickle` uses too.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// Objects of the interpreter.
pub(crate) struct State {
    pub(crate) pickling_error: Py<PyType>,
    pub(crate) unpickling_error: Py<PyType>,
    pub(crate) pickle_buffer: Py<PyType>,
    pub(crate) function: Py<PyType>,
    /// `copyreg.dispatch_table` and the registry of extension codes.
    pub(crate) dispatch_table: Py<PyDict>,
    pub(crate) extension_registry: Py<PyDict>,
    pub(crate) inverted_registry: Py<PyDict>,
    pub(crate) extension_cache: Py<PyDict>,
    /// The tables of `_compat_pickle`.
    pub(crate) names_2to3: Py<PyDict>,
    pub(crate) modules_2to3: Py<PyDict>,
    pub(crate) names_3to2: Py<PyDict>,
    pub(crate) modules_3to2: Py<PyDict>,
    pub(crate) codecs_encode: Py<PyAny>,
    pub(crate) getattr: Py<PyAny>,
    pub(crate) partial: Py<PyAny>,
    pub(crate) audit: Py<PyAny>,
    /// `object.__getattribute__`: a class that has it looks attributes up where everyone expects them.
    pub(crate) plain_getattribute: Py<PyAny>,
    /// The minor version of Python 3.
    pub(crate) minor: u8,
    /// Whether this Python's picklers write a nested name below protocol 4 as calls of `getattr` from its first part on.
    pub(crate) writes_getattr_chains: bool,
}

static STATE: PyOnceLock<State> = PyOnceLock::new();

impl State {
    /// Returns the objects, looked up at the first use.
    pub(crate) fn get(py: Python<'_>) -> PyResult<&State> {
        STATE.get_or_try_init(py, || State::new(py))
    }

    fn new(py: Python<'_>) -> PyResult<State> {
        let pickle = py.import("_pickle")?;
        let copyreg = py.import("copyreg")?;
        let compat = py.import("_compat_pickle")?;
        let builtins = py.import("builtins")?;
        let class = |name: &str| -> PyResult<Py<PyType>> { Ok(pickle.getattr(name)?.cast_into::<PyType>()?.unbind()) };
        let table = |module: &Bound<'_, PyModule>, name: &str| -> PyResult<Py<PyDict>> {
            Ok(module.getattr(name)?.cast_into::<PyDict>()?.unbind())
        };
        Ok(State {
            pickling_error: class("PicklingError")?,
            unpickling_error: class("UnpicklingError")?,
            pickle_buffer: class("PickleBuffer")?,
            function: py.import("types")?.getattr("FunctionType")?.cast_into::<PyType>()?.unbind(),
            dispatch_table: table(&copyreg, "dispatch_table")?,
            extension_registry: table(&copyreg, "_extension_registry")?,
            inverted_registry: table(&copyreg, "_inverted_registry")?,
            extension_cache: table(&copyreg, "_extension_cache")?,
            names_2to3: table(&compat, "NAME_MAPPING")?,
            modules_2to3: table(&compat, "IMPORT_MAPPING")?,
            names_3to2: table(&compat, "REVERSE_NAME_MAPPING")?,
            modules_3to2: table(&compat, "REVERSE_IMPORT_MAPPING")?,
            codecs_encode: py.import("codecs")?.getattr("encode")?.unbind(),
            getattr: builtins.getattr("getattr")?.unbind(),
            partial: py.import("functools")?.getattr("partial")?.unbind(),
            audit: py.import("sys")?.getattr("audit")?.unbind(),
            plain_getattribute: builtins.getattr("object")?.getattr("__getattribute__")?.unbind(),
            minor: py.version_info().minor,
            writes_getattr_chains: py.import("pickle")?.getattr("_Pickler")?.hasattr("_save_toplevel_by_name")?,
        })
    }

    /// Returns an UnpicklingError.
    #[cold]
    pub(crate) fn unpickling(&self, py: Python<'_>, message: impl Into<String>) -> PyErr {
        PyErr::from_type(self.unpickling_error.bind(py).clone(), (message.into(),))
    }

    /// Returns a PicklingError.
    #[cold]
    pub(crate) fn pickling(&self, py: Python<'_>, message: impl Into<String>) -> PyErr {
        PyErr::from_type(self.pickling_error.bind(py).clone(), (message.into(),))
    }
}

/// Returns the name of an object's type, for messages.
#[cold]
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| String::from("object"), |name| name.to_string())
}

/// Returns the qualified name of an object's type, for messages.
#[cold]
pub(crate) fn full_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().fully_qualified_name().map_or_else(|_| type_name(object), |name| name.to_string())
}
