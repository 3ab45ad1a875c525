//! Facts about the classes of a load: how instances are made, and that they have no `__setstate__`.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::state::State;

/// A class that occurred.
struct Known<'py> {
    /// Keeps the address of the class taken.
    _class: Bound<'py, PyType>,
    /// The method `__new__`.
    new: Option<Bound<'py, PyAny>>,
    /// Whether no attribute lookup on an instance can find `__setstate__`, except in its own `__dict__`.
    has_no_set_state: Option<bool>,
}

/// The classes that occurred, by address.
#[derive(Default)]
pub(crate) struct Classes<'py>(HashMap<usize, Known<'py>, RandomState>);

impl<'py> Classes<'py> {
    fn known(&mut self, class: &Bound<'py, PyType>) -> &mut Known<'py> {
        let new = || Known { _class: class.clone(), new: None, has_no_set_state: None };
        self.0.entry(class.as_ptr().addr()).or_insert_with(new)
    }

    /// Makes an instance by `class.__new__(class, *args, **kwargs)`.
    pub(crate) fn instance(
        &mut self,
        class: &Bound<'py, PyType>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let known = self.known(class);
        let new = match &known.new {
            Some(new) => new.clone(),
            None => {
                let new = class.getattr(intern!(py, "__new__"))?;
                known.new = Some(new.clone());
                new
            }
        };
        if args.is_empty() && kwargs.is_none() {
            return new.call1((class,));
        }
        let all = std::iter::once(class.as_any().clone()).chain(args.iter()).collect::<Vec<_>>();
        new.call(PyTuple::new(py, all)?, kwargs)
    }

    /// Returns the method `__setstate__` of an object, if it has one.
    pub(crate) fn set_state(
        &mut self,
        py: Python<'py>,
        state: &State,
        object: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = intern!(py, "__setstate__");
        let class = object.get_type();
        let has_none = match self.known(&class).has_no_set_state {
            Some(has_none) => has_none,
            None => {
                let has_none = has_no_set_state(state, &class)?;
                self.known(&class).has_no_set_state = Some(has_none);
                has_none
            }
        };
        if has_none {
            // The instance may have the attribute itself; one without a `__dict__` cannot.
            let Ok(dict) = object.getattr(intern!(py, "__dict__")) else { return Ok(None) };
            if let Ok(dict) = dict.cast::<PyDict>()
                && (dict.is_empty() || !dict.contains(name)?)
            {
                return Ok(None);
            }
        }
        object.getattr_opt(name)
    }
}

/// Returns whether instances of a class have no `__setstate__` by their class.
fn has_no_set_state(state: &State, class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let is_plain = class.getattr(intern!(py, "__getattribute__"))?.is(&state.plain_getattribute)
        && class.getattr_opt(intern!(py, "__getattr__"))?.is_none();
    Ok(is_plain && class.getattr_opt(intern!(py, "__setstate__"))?.is_none())
}
