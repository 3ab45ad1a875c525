//! Instances of classes, and their states.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::builder::PyBuilder;
use crate::state::type_name;
use crate::value::Ref;

impl<'py> PyBuilder<'py> {
    /// Makes an instance as INST and OBJ do.
    pub(super) fn instantiate(&self, class: &Bound<'py, PyAny>, args: &[Ref]) -> PyResult<Bound<'py, PyAny>> {
        if args.is_empty()
            && class.is_instance_of::<PyType>()
            && class.getattr_opt(intern!(self.py, "__getinitargs__"))?.is_none()
        {
            return class.call_method1(intern!(self.py, "__new__"), (class,));
        }
        let args = PyTuple::new(self.py, args.iter().map(|arg| self.bind(arg)))?;
        class.call1(args)
    }

    pub(super) fn new_instance(
        &mut self,
        class: &Bound<'py, PyAny>,
        args: &Bound<'py, PyAny>,
        kwargs: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let opcode = if kwargs.is_some() { "NEWOBJ_EX" } else { "NEWOBJ" };
        let (py, state) = (self.py, self.state);
        let wrong = |what: &str, object: &Bound<'py, PyAny>| {
            state.unpickling(py, format!("{opcode} {what}, not {}", type_name(object)))
        };
        let Ok(class) = class.cast::<PyType>() else {
            return Err(wrong("class argument must be a type", class));
        };
        let Ok(args) = args.cast::<PyTuple>() else { return Err(wrong("args argument must be a tuple", args)) };
        let kwargs = match kwargs.map(|kwargs| kwargs.cast::<PyDict>().map_err(|_| kwargs)) {
            None => None,
            Some(Ok(kwargs)) => Some(kwargs),
            Some(Err(other)) => return Err(wrong("kwargs argument must be a dict", other)),
        };
        self.classes.instance(class, args, kwargs)
    }

    /// Returns the interned string for the name of an attribute.
    fn intern(&mut self, name: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let Ok(text) = name.cast_exact::<PyString>() else { return Ok(name.clone()) };
        let address = name.as_ptr().addr();
        if let Some((_, interned)) = self.interned.get(&address) {
            return Ok(interned.clone().into_any());
        }
        let Ok(text) = text.to_str() else { return Ok(name.clone()) };
        let interned = PyString::intern(self.py, text);
        self.interned.insert(address, (name.clone(), interned.clone()));
        Ok(interned.into_any())
    }

    /// Sets a state as BUILD does.
    pub(super) fn set_state(&mut self, target: &Bound<'py, PyAny>, state: Bound<'py, PyAny>) -> PyResult<()> {
        if let Some(set_state) = self.classes.set_state(self.py, self.state, target)? {
            return set_state.call1((state,)).map(drop);
        }
        let (state, slots) = match state.cast::<PyTuple>() {
            Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, Some(pair.get_item(1)?)),
            _ => (state, None),
        };
        if !state.is_none() {
            let Ok(state) = state.cast::<PyDict>() else {
                return Err(self.state.unpickling(self.py, "state is not a dictionary"));
            };
            let dict = target.getattr(intern!(self.py, "__dict__"))?;
            let plain = dict.cast_exact::<PyDict>().ok();
            // Setting an item may run code that changes the state.
            for (key, value) in snapshot(state) {
                let key = self.intern(&key)?;
                match plain {
                    Some(dict) => dict.set_item(key, value)?,
                    None => dict.set_item(key, value)?,
                }
            }
        }
        if let Some(slots) = slots {
            let Ok(slots) = slots.cast::<PyDict>() else {
                return Err(self.state.unpickling(self.py, "slot state is not a dictionary"));
            };
            for (name, value) in snapshot(slots) {
                set_attribute(target, &name, value)?;
            }
        }
        Ok(())
    }
}

/// Sets an attribute whose name may be anything that a pickle holds.
fn set_attribute<'py>(target: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
    match name.cast::<PyString>() {
        Ok(name) => target.setattr(name, value),
        Err(_) => Err(PyTypeError::new_err(format!("attribute name must be string, not '{}'", type_name(name)))),
    }
}

/// Returns the rows of a dict as they are now.
fn snapshot<'py>(dict: &Bound<'py, PyDict>) -> Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    dict.iter().collect()
}
