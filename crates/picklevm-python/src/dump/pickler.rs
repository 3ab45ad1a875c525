//! The class `Pickler`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::memo::Memo;
use super::memo_proxy::PicklerMemoProxy;
use super::save::{Options, Saver};
use super::sink::{Lent, Target};
use crate::protocol::protocol_number;
use crate::state::{State, type_name};

/// Writes pickles to a binary file.
///
/// The file must have the method write(). The arguments are those of pickle.Pickler. Subclasses override persistent_id()
/// and reducer_override(), and may have a dispatch_table.
#[pyclass(frozen, subclass, module = "picklevm.pickle")]
pub(crate) struct Pickler(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    write: Option<Py<PyAny>>,
    protocol: u8,
    fix_imports: bool,
    bin: i64,
    fast: i64,
    buffer_callback: Option<Py<PyAny>>,
    persistent_id: Option<Py<PyAny>>,
    dispatch_table: Option<Py<PyAny>>,
    /// Absent while a dump runs.
    memo: Option<Memo>,
}

impl Pickler {
    /// Locks the state, for moments in which no Python code runs.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a function on the memo.
    pub(crate) fn with_memo<T>(&self, function: impl FnOnce(&Memo) -> T) -> PyResult<T> {
        self.inner().memo.as_ref().map(function).ok_or_else(in_use)
    }

    /// Replaces the memo.
    pub(crate) fn replace_memo(&self, memo: Memo) -> PyResult<()> {
        // The old objects are dropped after the lock is released: that may run code.
        let _old = match &mut self.inner().memo {
            Some(old) => std::mem::replace(old, memo),
            None => return Err(in_use()),
        };
        Ok(())
    }

    /// Returns the function that asks for persistent ids.
    fn find_persistent_id<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let name = intern!(py, "persistent_id");
        if slf.get_type().getattr(name)?.is(py.get_type::<Pickler>().getattr(name)?) {
            return Ok(slf.get().inner().persistent_id.as_ref().map(|function| function.bind(py).clone()));
        }
        slf.getattr_opt(name)
    }
}

#[cold]
fn in_use() -> PyErr {
    PyRuntimeError::new_err("the Pickler is in use")
}

#[pymethods]
impl Pickler {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Pickler(Mutex::default())
    }

    #[pyo3(signature = (file, protocol = None, fix_imports = true, buffer_callback = None))]
    fn __init__(
        &self,
        file: &Bound<'_, PyAny>,
        protocol: Option<&Bound<'_, PyAny>>,
        fix_imports: bool,
        buffer_callback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = file.py();
        let protocol = protocol_number(py, protocol)?;
        let Some(write) = file.getattr_opt(intern!(py, "write"))? else {
            return Err(PyTypeError::new_err("file must have a 'write' attribute"));
        };
        check_callback(protocol, buffer_callback)?;
        let mut old = self.inner();
        // What a subclass sets before it calls this stays; a second call starts anew.
        let kept = match old.write {
            None => (old.persistent_id.take(), old.dispatch_table.take()),
            Some(_) => (None, None),
        };
        let inner = Inner {
            write: Some(write.unbind()),
            protocol,
            fix_imports,
            bin: i64::from(protocol > 0),
            fast: 0,
            buffer_callback: buffer_callback.map(|callback| callback.clone().unbind()),
            persistent_id: kept.0,
            dispatch_table: kept.1,
            memo: Some(Memo::default()),
        };
        let replaced = std::mem::replace(&mut *old, inner);
        drop(old);
        drop(replaced);
        Ok(())
    }

    /// Write the pickle of an object to the file.
    #[pyo3(signature = (obj, /))]
    fn dump(slf: &Bound<'_, Self>, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if this.inner().write.is_none() {
            let name = type_name(slf.as_any());
            let message = format!("Pickler.__init__() was not called by {name}.__init__()");
            return Err(State::get(py)?.pickling(py, message));
        }
        let reducer_override = slf.getattr_opt(intern!(py, "reducer_override"))?;
        let dispatch_table = slf.getattr_opt(intern!(py, "dispatch_table"))?;
        let persistent_id = Pickler::find_persistent_id(slf)?;
        let (options, target, mut memo) = {
            let mut inner = this.inner();
            let (Some(memo), Some(write)) = (inner.memo.take(), &inner.write) else { return Err(in_use()) };
            let options = Options {
                protocol: inner.protocol,
                fix_imports: inner.fix_imports,
                fast: inner.fast != 0,
                buffer_callback: inner.buffer_callback.as_ref().map(|callback| callback.bind(py).clone()),
                persistent_id,
                reducer_override,
                dispatch_table,
            };
            (options, Target::File(write.bind(py).clone()), memo)
        };
        let lent = Lent::default();
        let done = Saver::new(py, options, &mut memo, target, &lent, Vec::new()).and_then(|saver| saver.dump(obj));
        let mut old = Some(memo);
        let mut inner = this.inner();
        if inner.memo.is_none() {
            inner.memo = old.take();
        }
        drop(inner);
        done.map(drop)
    }

    /// Forget the objects that were written.
    fn clear_memo(&self) -> PyResult<()> {
        self.replace_memo(Memo::default())
    }

    #[getter]
    fn memo(slf: &Bound<'_, Self>) -> PicklerMemoProxy {
        PicklerMemoProxy(slf.clone().unbind())
    }

    #[setter]
    fn set_memo(&self, memo: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = memo.py();
        let mut new = Memo::default();
        if let Ok(proxy) = memo.cast::<PicklerMemoProxy>() {
            for (_, index, object) in proxy.get().0.get().with_memo(|memo| memo.entries(py))? {
                new.insert(&object, index);
            }
            return self.replace_memo(new);
        }
        let Ok(dict) = memo.cast::<PyDict>() else {
            let found = type_name(memo);
            let message = format!("'memo' attribute must be a PicklerMemoProxy object or dict, not {found}");
            return Err(PyTypeError::new_err(message));
        };
        for (_, value) in dict.iter() {
            let Some(pair) = value.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2) else {
                return Err(PyTypeError::new_err("'memo' values must be 2-item tuples"));
            };
            let index = pair.get_item(0)?.extract::<isize>()?;
            let Ok(index) = usize::try_from(index) else {
                return Err(PyValueError::new_err("memo indices must not be negative"));
            };
            new.insert(&pair.get_item(1)?, index);
        }
        self.replace_memo(new)
    }

    #[getter]
    fn bin(&self) -> i64 {
        self.inner().bin
    }

    #[setter]
    fn set_bin(&self, bin: i64) {
        self.inner().bin = bin;
    }

    #[getter]
    fn fast(&self) -> i64 {
        self.inner().fast
    }

    #[setter]
    fn set_fast(&self, fast: i64) {
        self.inner().fast = fast;
    }

    #[getter]
    fn dispatch_table(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let inner = self.inner();
        let table = inner.dispatch_table.as_ref().map(|table| table.clone_ref(py));
        table.ok_or_else(|| PyAttributeError::new_err("dispatch_table"))
    }

    #[setter]
    fn set_dispatch_table(&self, table: &Bound<'_, PyAny>) {
        let _old = self.inner().dispatch_table.replace(table.clone().unbind());
    }

    #[deleter(dispatch_table)]
    fn delete_dispatch_table(&self) -> PyResult<()> {
        let old = self.inner().dispatch_table.take();
        old.map(drop).ok_or_else(|| PyAttributeError::new_err("dispatch_table"))
    }

    /// Returns the persistent id of an object, or None. Subclasses override it; it can also be set on an instance.
    #[getter]
    fn persistent_id<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let Some(function) = &slf.get().inner().persistent_id {
            return Ok(function.bind(py).clone());
        }
        if State::get(py)?.minor >= 13 {
            return slf.getattr(intern!(py, "_no_persistent_id"));
        }
        Err(PyAttributeError::new_err("persistent_id"))
    }

    #[setter]
    fn set_persistent_id(&self, function: &Bound<'_, PyAny>) -> PyResult<()> {
        if State::get(function.py())?.minor < 13 && !function.is_callable() {
            return Err(PyTypeError::new_err("persistent_id must be a callable taking one argument"));
        }
        let _old = self.inner().persistent_id.replace(function.clone().unbind());
        Ok(())
    }

    #[deleter(persistent_id)]
    fn delete_persistent_id(&self, py: Python<'_>) -> PyResult<()> {
        if State::get(py)?.minor < 13 {
            return Err(PyTypeError::new_err("attribute deletion is not supported"));
        }
        let old = self.inner().persistent_id.take();
        old.map(drop).ok_or_else(|| PyAttributeError::new_err("persistent_id"))
    }

    #[pyo3(signature = (_obj, /))]
    fn _no_persistent_id(&self, _obj: &Bound<'_, PyAny>) {}

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(inner) = self.0.try_lock() else { return Ok(()) };
        visit.call(&inner.write)?;
        visit.call(&inner.buffer_callback)?;
        visit.call(&inner.persistent_id)?;
        visit.call(&inner.dispatch_table)?;
        inner.memo.as_ref().map_or(Ok(()), |memo| memo.traverse(&visit))
    }

    fn __clear__(&self) {
        let _old = std::mem::take(&mut *self.inner());
    }
}

/// Fails if out-of-band buffers are wanted of a protocol that has none.
pub(crate) fn check_callback(protocol: u8, callback: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    match callback {
        Some(_) if protocol < 5 => Err(PyValueError::new_err("buffer_callback needs protocol >= 5")),
        _ => Ok(()),
    }
}
