//! The class `Unpickler`.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use picklevm::machine::Machine;
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::find::{Finder, find_class};
use super::memo_proxy::UnpicklerMemoProxy;
use super::options::{Decoding, Options};
use super::outside::no_persistent_load;
use super::run::load_file;
use crate::feed::File;
use crate::state::{State, type_name};
use crate::value::Ref;

/// Reads pickles from a binary file.
///
/// The file must have the methods read() and readline(); peek() is used where there is one. The arguments are those of
/// pickle.Unpickler: fix_imports and encoding and errors for pickles of Python 2, and buffers for those with out-of-band
/// data. Subclasses override find_class() and persistent_load().
#[pyclass(frozen, subclass, module = "picklevm.pickle")]
pub(crate) struct Unpickler {
    /// What `__init__` sets. Locked for moments in which no Python code runs.
    inner: Mutex<Inner>,
    protocol: AtomicU8,
    fix_imports: AtomicBool,
}

#[derive(Default)]
struct Inner {
    /// Absent before `__init__`, and while a load runs.
    loading: Option<Loading>,
    is_initialized: bool,
    decoding: Option<Decoding>,
    buffers: Option<Py<PyAny>>,
    persistent_load: Option<Py<PyAny>>,
}

/// State that a load changes.
struct Loading {
    file: File,
    machine: Machine<Ref>,
}

impl Unpickler {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_protocol(&self, version: u8) {
        self.protocol.store(version, Ordering::Relaxed);
    }

    /// Returns the values of the memo.
    pub(crate) fn memo_entries(&self) -> PyResult<Vec<(u64, Ref)>> {
        match &self.inner().loading {
            Some(loading) => Ok(loading.machine.memo().map(|(index, value)| (index, value.clone())).collect()),
            None => Err(in_use()),
        }
    }

    /// Replaces the memo.
    pub(crate) fn set_memo_entries(&self, entries: Vec<(u64, Ref)>) -> PyResult<()> {
        let mut machine = Machine::new();
        for (index, value) in entries {
            machine.memoize(index, value);
        }
        // The old values are dropped after the lock is released: they may run code.
        let _old = match &mut self.inner().loading {
            Some(loading) => std::mem::replace(&mut loading.machine, machine),
            None => return Err(in_use()),
        };
        Ok(())
    }

    /// Returns the function that persistent ids are passed to.
    fn find_persistent_load<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let name = intern!(py, "persistent_load");
        if slf.get_type().getattr(name)?.is(py.get_type::<Unpickler>().getattr(name)?) {
            return Ok(slf.get().inner().persistent_load.as_ref().map(|load| load.bind(py).clone()));
        }
        slf.getattr_opt(name)
    }
}

#[cold]
fn in_use() -> PyErr {
    PyRuntimeError::new_err("the Unpickler is in use")
}

#[pymethods]
impl Unpickler {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Unpickler { inner: Mutex::default(), protocol: AtomicU8::new(0), fix_imports: AtomicBool::new(true) }
    }

    #[pyo3(signature = (file, *, fix_imports = true, encoding = "ASCII", errors = "strict", buffers = None))]
    fn __init__(
        &self,
        file: &Bound<'_, PyAny>,
        fix_imports: bool,
        encoding: &str,
        errors: &str,
        buffers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let loading = Loading { file: File::new(file)?, machine: Machine::new() };
        let buffers = buffers.map(|buffers| buffers.try_iter()).transpose()?;
        let decoding = Decoding::new(encoding, errors)?;
        self.fix_imports.store(fix_imports, Ordering::Relaxed);
        let mut old = self.inner();
        // What a subclass sets before it calls this stays; a second call starts anew.
        let persistent_load = if old.is_initialized { None } else { old.persistent_load.take() };
        let inner = Inner {
            loading: Some(loading),
            is_initialized: true,
            decoding: Some(decoding),
            buffers: buffers.map(|buffers| buffers.into_any().unbind()),
            persistent_load,
        };
        let replaced = std::mem::replace(&mut *old, inner);
        drop(old);
        drop(replaced);
        Ok(())
    }

    /// Read the next pickle of the file, and return its object.
    fn load<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let persistent_load = Unpickler::find_persistent_load(slf)?;
        let (mut loading, options) = {
            let mut inner = this.inner();
            if !inner.is_initialized {
                drop(inner);
                let name = type_name(slf.as_any());
                let message = format!("Unpickler.__init__() was not called by {name}.__init__()");
                return Err(State::get(py)?.unpickling(py, message));
            }
            let (Some(loading), Some(decoding)) = (inner.loading.take(), inner.decoding.clone()) else {
                return Err(in_use());
            };
            let buffers = inner.buffers.as_ref().map(|buffers| buffers.bind(py).clone());
            let finder = Finder::of(slf, this.fix_imports.load(Ordering::Relaxed));
            (loading, Options { decoding, buffers, persistent_load, finder, budget: None })
        };
        let (file, loaded) = load_file(py, &mut loading.machine, loading.file, options);
        loading.file = file;
        // If `__init__` was called meanwhile, its state stays, and this one is dropped after the lock is released.
        let mut inner = this.inner();
        let mut old = Some(loading);
        if inner.loading.is_none() {
            inner.loading = old.take();
        }
        drop(inner);
        loaded
    }

    /// Import the module and return the attribute with this name.
    ///
    /// Called for each global of a pickle. Subclasses override it to restrict what pickles may name.
    #[pyo3(signature = (module_name, global_name, /))]
    fn find_class<'py>(
        slf: &Bound<'py, Self>,
        module_name: &Bound<'py, PyAny>,
        global_name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let (protocol, fix_imports) = (this.protocol.load(Ordering::Relaxed), this.fix_imports.load(Ordering::Relaxed));
        find_class(State::get(slf.py())?, module_name, global_name, protocol, fix_imports)
    }

    #[getter]
    fn memo(slf: &Bound<'_, Self>) -> UnpicklerMemoProxy {
        UnpicklerMemoProxy(slf.clone().unbind())
    }

    #[setter]
    fn set_memo(&self, memo: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(proxy) = memo.cast::<UnpicklerMemoProxy>() {
            let entries = proxy.get().0.get().memo_entries()?;
            return self.set_memo_entries(entries);
        }
        let Ok(dict) = memo.cast::<PyDict>() else {
            let found = type_name(memo);
            let message = format!("'memo' attribute must be an UnpicklerMemoProxy object or dict, not {found}");
            return Err(PyTypeError::new_err(message));
        };
        let mut entries = Vec::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            if !key.is_instance_of::<PyInt>() {
                return Err(PyTypeError::new_err("memo key must be integers"));
            }
            let index = key.extract::<isize>()?;
            let Ok(index) = u64::try_from(index) else {
                return Err(PyValueError::new_err("memo key must be positive integers."));
            };
            entries.push((index, Ref::from(value)));
        }
        self.set_memo_entries(entries)
    }

    /// Returns the object for a persistent id. Subclasses override it; it can also be set on an instance.
    #[getter]
    fn persistent_load<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let Some(load) = &slf.get().inner().persistent_load {
            return Ok(load.bind(py).clone());
        }
        if State::get(py)?.minor >= 13 {
            return slf.getattr(intern!(py, "_no_persistent_load"));
        }
        Err(PyAttributeError::new_err("persistent_load"))
    }

    #[setter]
    fn set_persistent_load(&self, load: &Bound<'_, PyAny>) -> PyResult<()> {
        if State::get(load.py())?.minor < 13 && !load.is_callable() {
            return Err(PyTypeError::new_err("persistent_load must be a callable taking one argument"));
        }
        let _old = self.inner().persistent_load.replace(load.clone().unbind());
        Ok(())
    }

    #[deleter(persistent_load)]
    fn delete_persistent_load(&self, py: Python<'_>) -> PyResult<()> {
        if State::get(py)?.minor < 13 {
            return Err(PyTypeError::new_err("attribute deletion is not supported"));
        }
        let old = self.inner().persistent_load.take();
        old.map(drop).ok_or_else(|| PyAttributeError::new_err("persistent_load"))
    }

    #[pyo3(signature = (_pid, /))]
    fn _no_persistent_load(&self, py: Python<'_>, _pid: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(no_persistent_load(py, State::get(py)?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(inner) = self.inner.try_lock() else { return Ok(()) };
        if let Some(loading) = &inner.loading {
            loading.file.traverse(&visit)?;
            for (_, value) in loading.machine.memo() {
                visit.call(&value.0)?;
            }
        }
        visit.call(&inner.buffers)?;
        visit.call(&inner.persistent_load)
    }

    fn __clear__(&self) {
        let _old = std::mem::take(&mut *self.inner());
    }
}
