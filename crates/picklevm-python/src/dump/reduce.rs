//! Objects that are saved by a call: what `__reduce_ex__` and its relatives return.

use picklevm_ops::{Op, Opcode};
use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFrozenSet, PyIterator, PyList, PyMemoryView, PySet, PyString, PyTuple, PyType,
};

use super::save::Saver;
use super::step::{Iterated, Made, Step};
use crate::state::{full_name, type_name};

impl<'py> Saver<'py, '_> {
    /// Saves an object that is no leaf, has no persistent id and is not in the memo.
    pub(crate) fn save_by_type(&mut self, object: Bound<'py, PyAny>) -> PyResult<()> {
        let object = match object.cast_into_exact::<PyDict>() {
            Ok(dict) => return self.save_dict(dict),
            Err(other) => other.into_inner(),
        };
        let object = match object.cast_into_exact::<PyList>() {
            Ok(list) => return self.save_list(list),
            Err(other) => other.into_inner(),
        };
        let object = match object.cast_into_exact::<PyTuple>() {
            Ok(tuple) => return self.save_tuple(tuple),
            Err(other) => other.into_inner(),
        };
        let object = &object;
        if object.is_exact_instance_of::<PySet>() {
            return self.save_set(object);
        }
        if object.is_exact_instance_of::<PyFrozenSet>() {
            return self.save_frozenset(object);
        }
        if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            return self.save_old_bytes(object, bytes);
        }
        if let Ok(bytes) = object.cast_exact::<PyByteArray>() {
            return self.save_bytearray(object, bytes);
        }
        let class = object.get_type_ptr().addr();
        if class == self.types.pickle_buffer {
            return self.save_buffer(object);
        }
        if let Some(reduce) = &self.options.reducer_override {
            let reduced = reduce.call1((object,))?;
            if !reduced.is(self.py.NotImplemented()) {
                return self.save_reduced(object, &reduced);
            }
        }
        if class == self.types.r#type {
            return self.save_type(object);
        }
        if class == self.types.function {
            return self.save_global(object, None);
        }
        match self.reduce(object)? {
            Some(reduced) => self.save_reduced(object, &reduced),
            None => self.save_global(object, None),
        }
    }

    /// Calls the function that reduces an object; returns nothing for a class.
    fn reduce(&self, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        let class = object.get_type();
        let function = match &self.options.dispatch_table {
            None => self.state.dispatch_table.bind(py).get_item(&class)?,
            Some(table) => match table.get_item(&class) {
                Ok(function) => Some(function),
                Err(error) if error.is_instance_of::<PyKeyError>(py) => None,
                Err(error) => return Err(error),
            },
        };
        if let Some(function) = function {
            return function.call1((object,)).map(Some);
        }
        if object.is_instance_of::<PyType>() {
            return Ok(None);
        }
        if let Some(reduce) = object.getattr_opt(intern!(py, "__reduce_ex__"))? {
            return reduce.call1((self.options.protocol,)).map(Some);
        }
        if let Some(reduce) = object.getattr_opt(intern!(py, "__reduce__"))? {
            return reduce.call0().map(Some);
        }
        let name = type_name(object);
        Err(self.state.pickling(py, format!("can't pickle '{name}' object: {}", object.repr()?)))
    }

    /// Saves what a reducing function returned.
    fn save_reduced(&mut self, object: &Bound<'py, PyAny>, reduced: &Bound<'py, PyAny>) -> PyResult<()> {
        if reduced.is_instance_of::<PyString>() {
            return self.save_global(object, Some(reduced));
        }
        let pushed = match reduced.cast::<PyTuple>() {
            Ok(reduced) => self.save_reduce(object, reduced),
            Err(_) if self.state.minor < 14 => {
                Err(self.state.pickling(self.py, "__reduce__ must return a string or tuple"))
            }
            Err(_) => {
                let name = type_name(reduced);
                Err(self.state.pickling(self.py, format!("__reduce__ must return a string or tuple, not {name}")))
            }
        };
        pushed.map_err(|error| self.note(error, format!("{} object", full_name(object))))
    }

    /// Saves a tuple of a callable, arguments, state, items, pairs and a function that sets the state.
    fn save_reduce(&mut self, object: &Bound<'py, PyAny>, reduced: &Bound<'py, PyTuple>) -> PyResult<()> {
        let (py, state) = (self.py, self.state);
        let wrong = |message: String| Err(state.pickling(py, message));
        if !(2..=6).contains(&reduced.len()) {
            return wrong("tuple returned by __reduce__ must contain 2 through 6 elements".into());
        }
        let part = |at: usize| -> PyResult<Option<Bound<'py, PyAny>>> {
            match at < reduced.len() {
                true => Ok(Some(reduced.get_item(at)?).filter(|part| !part.is_none())),
                false => Ok(None),
            }
        };
        let callable = reduced.get_item(0)?;
        let args = reduced.get_item(1)?;
        // Since 3.14 they tell what they found.
        let is_new = state.minor >= 14;
        let found =
            |found: &Bound<'py, PyAny>| if is_new { format!(", not {}", full_name(found)) } else { String::new() };
        if !callable.is_callable() {
            let found = found(&callable);
            return wrong(format!("first item of the tuple returned by __reduce__ must be callable{found}"));
        }
        let args = match args.cast_into::<PyTuple>() {
            Ok(args) => args,
            Err(error) => {
                let found = found(&error.into_inner());
                return wrong(format!("second item of the tuple returned by __reduce__ must be a tuple{found}"));
            }
        };
        let [set_state, list_items, dict_items, state_setter] = [part(2)?, part(3)?, part(4)?, part(5)?];
        for (items, which) in [(&list_items, "fourth"), (&dict_items, "fifth")] {
            if let Some(items) = items.as_ref().filter(|items| items.cast::<PyIterator>().is_err()) {
                let (name, part) = (full_name(items), if is_new { "item" } else { "element" });
                return wrong(format!(
                    "{which} {part} of the tuple returned by __reduce__ must be an iterator, not {name}"
                ));
            }
        }
        if let Some(setter) = state_setter.as_ref().filter(|setter| !setter.is_callable()) {
            let name = full_name(setter);
            return wrong(match is_new {
                true => format!("sixth item of the tuple returned by __reduce__ must be callable, not {name}"),
                false => format!("sixth element of the tuple returned by __reduce__ must be a function, not {name}"),
            });
        }
        let object = Some(object.clone());
        let made = Made { object, list_items, dict_items, state: set_state, state_setter, is_reduced: true };
        if self.options.protocol >= 2
            && let Some(name) = callable.getattr_opt(intern!(py, "__name__"))?
            && let Ok(name) = name.cast::<PyString>()
        {
            if name == "__newobj_ex__" {
                return self.push_new_obj_ex(made, &args);
            }
            if name == "__newobj__" {
                return self.push_new_obj(made, &args);
            }
        }
        self.push_call(Some(made), callable, args, Opcode::Reduce)
    }

    /// Pushes the steps of a call; `made` is what follows it, unless that is on the stack.
    pub(crate) fn push_call(
        &mut self,
        made: Option<Made<'py>>,
        callable: Bound<'py, PyAny>,
        args: Bound<'py, PyTuple>,
        opcode: Opcode,
    ) -> PyResult<()> {
        if let Some(made) = made {
            self.begin_call(made.object.as_ref())?;
            self.steps.push(Step::Made(Box::new(made)));
        }
        self.steps.push(Step::Op(opcode));
        self.steps.push(Step::Save(args.into_any()));
        self.steps.push(Step::Save(callable));
        Ok(())
    }

    fn push_new_obj(&mut self, made: Made<'py>, args: &Bound<'py, PyTuple>) -> PyResult<()> {
        let (py, state) = (self.py, self.state);
        let is_new = state.minor >= 14;
        let wrong = |message: String| Err(state.pickling(py, message));
        if args.is_empty() {
            let new = "__newobj__ expected at least 1 argument, got 0";
            return wrong(if is_new { new.into() } else { "__newobj__ arglist is empty".into() });
        }
        let class = args.get_item(0)?;
        if !class.is_instance_of::<PyType>() {
            return wrong(match is_new {
                true => format!("first argument to __newobj__() must be a class, not {}", full_name(&class)),
                false => "args[0] from __newobj__ args is not a type".into(),
            });
        }
        if let Some(object) = &made.object {
            let own = object.getattr_opt(intern!(py, "__class__"))?.unwrap_or_else(|| object.get_type().into_any());
            if !own.is(&class) {
                return wrong(match is_new {
                    true => format!("first argument to __newobj__() must be {}, not {}", own.repr()?, class.repr()?),
                    false => "args[0] from __newobj__ args has the wrong class".into(),
                });
            }
        }
        let rest = args.get_slice(1, args.len());
        self.push_call(Some(made), class, rest, Opcode::NewObj)
    }

    fn push_new_obj_ex(&mut self, made: Made<'py>, parts: &Bound<'py, PyTuple>) -> PyResult<()> {
        let (py, state) = (self.py, self.state);
        if parts.len() != 3 {
            let len = parts.len();
            return Err(state.pickling(
                py,
                match state.minor {
                    14.. => format!("__newobj_ex__ expected 3 arguments, got {len}"),
                    _ => format!("length of the NEWOBJ_EX argument tuple must be exactly 3, not {len}"),
                },
            ));
        }
        let wrong = |which: &str, what: &str, found: &Bound<'py, PyAny>| {
            Err(state.pickling(
                py,
                match (state.minor, full_name(found)) {
                    (14.., name) => format!("{which} argument to __newobj_ex__() must be a {what}, not {name}"),
                    (_, name) => format!("{which} item from NEWOBJ_EX argument tuple must be a {what}, not {name}"),
                },
            ))
        };
        let [class, args, kwargs] = [parts.get_item(0)?, parts.get_item(1)?, parts.get_item(2)?];
        if !class.is_instance_of::<PyType>() {
            return wrong("first", "class", &class);
        }
        let Ok(args) = args.cast::<PyTuple>() else { return wrong("second", "tuple", &args) };
        let Ok(kwargs) = kwargs.cast::<PyDict>() else { return wrong("third", "dict", &kwargs) };
        if self.options.protocol >= 4 {
            self.begin_call(made.object.as_ref())?;
            self.steps.push(Step::Made(Box::new(made)));
            self.steps.push(Step::Op(Opcode::NewObjEx));
            self.steps.push(Step::Save(kwargs.clone().into_any()));
            self.steps.push(Step::Save(args.clone().into_any()));
            self.steps.push(Step::Save(class));
            return Ok(());
        }
        let new = class.getattr(intern!(py, "__new__"))?;
        let all = [new, class].into_iter().chain(args.iter()).collect::<Vec<_>>();
        let partial = self.state.partial.bind(py).call(PyTuple::new(py, all)?, Some(kwargs))?;
        self.push_call(Some(made), partial, PyTuple::empty(py), Opcode::Reduce)
    }

    /// Ends a call: the object is memoized, and what is set in it follows.
    pub(crate) fn end_call(&mut self, made: Made<'py>) -> PyResult<()> {
        if let Some(object) = &made.object {
            // If its arguments led to it, it was saved there.
            if let Some(index) = self.memo.get(object) {
                self.calls -= 1;
                self.op(Op::Pop)?;
                return self.fetch(index);
            }
            self.memoize(object)?;
        }
        self.steps.push(Step::EndCall(made.object.clone().filter(|_| made.is_reduced)));
        let owner = made.object.clone().unwrap_or_else(|| self.py.None().into_bound(self.py));
        match (made.state, made.state_setter, made.object) {
            (Some(state), Some(setter), Some(object)) => {
                self.steps.extend([Step::Op(Opcode::Pop), Step::Op(Opcode::Reduce), Step::Op(Opcode::Tuple2)]);
                self.steps.extend([Step::Save(state), Step::Save(object), Step::Save(setter)]);
            }
            (Some(state), ..) => self.steps.extend([Step::Op(Opcode::Build), Step::Save(state)]),
            (None, ..) => {}
        }
        if let Some(pairs) = made.dict_items {
            self.steps.push(Step::Pairs(Iterated::new(owner.clone(), pairs.cast_into()?)));
        }
        if let Some(items) = made.list_items {
            self.steps.push(Step::Items(Iterated::new(owner, items.cast_into()?)));
        }
        Ok(())
    }

    /// Saves an object as a call of something.
    pub(crate) fn save_call_of(
        &mut self,
        callable: Bound<'py, PyAny>,
        args: Bound<'py, PyTuple>,
        object: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let made = Made {
            object: Some(object.clone()),
            list_items: None,
            dict_items: None,
            state: None,
            state_setter: None,
            is_reduced: false,
        };
        self.push_call(Some(made), callable, args, Opcode::Reduce)
    }

    /// Saves an object as a call of its type with one argument.
    pub(crate) fn save_call_of_type(&mut self, object: &Bound<'py, PyAny>, arg: Bound<'py, PyAny>) -> PyResult<()> {
        self.save_call_of(object.get_type().into_any(), PyTuple::new(self.py, [arg])?, object)
    }

    /// Returns the class `type`.
    pub(crate) fn types_type(&self) -> Bound<'py, PyAny> {
        self.py.get_type::<PyType>().into_any()
    }

    /// Saves bytes below protocol 3, which has no opcode for them: as text that is encoded in Latin-1.
    fn save_old_bytes(&mut self, object: &Bound<'py, PyAny>, bytes: &Bound<'py, PyBytes>) -> PyResult<()> {
        let py = self.py;
        if bytes.as_bytes().is_empty() {
            return self.save_call_of(object.get_type().into_any(), PyTuple::empty(py), object);
        }
        let text: String = bytes.as_bytes().iter().map(|byte| char::from(*byte)).collect();
        let encode = self.state.codecs_encode.bind(py).clone();
        let args = PyTuple::new(py, [&PyString::new(py, &text), intern!(py, "latin1")])?;
        self.save_call_of(encode, args, object)
    }

    fn save_bytearray(&mut self, object: &Bound<'py, PyAny>, bytes: &Bound<'py, PyByteArray>) -> PyResult<()> {
        if self.options.protocol >= 5 {
            let bytes = bytes.to_vec();
            self.op(Op::ByteArray8(&bytes))?;
            return self.memoize(object);
        }
        match bytes.is_empty() {
            true => self.save_call_of(object.get_type().into_any(), PyTuple::empty(self.py), object),
            // Another object than those that Python keeps of short bytes, as in CPython: they may be in the memo.
            false => self.save_call_of_type(object, self.py.get_type::<PyBytes>().call1((object,))?),
        }
    }

    /// Saves a `PickleBuffer`: in band, or by its place among the buffers.
    fn save_buffer(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = self.py;
        if self.options.protocol < 5 {
            return Err(self.state.pickling(
                py,
                match self.state.minor {
                    13.. => "PickleBuffer can only be pickled with protocol >= 5",
                    _ => "PickleBuffer can only pickled with protocol >= 5",
                },
            ));
        }
        let view = PyMemoryView::from(object)?;
        let is_contiguous = view.getattr(intern!(py, "contiguous"))?.is_truthy()?
            && view.getattr(intern!(py, "suboffsets"))?.len()? == 0;
        if !is_contiguous {
            let message = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(self.state.pickling(py, message));
        }
        let is_readonly = view.getattr(intern!(py, "readonly"))?.is_truthy()?;
        let is_in_band = match &self.options.buffer_callback {
            Some(callback) => callback.call1((object,))?.is_truthy()?,
            None => true,
        };
        if !is_in_band {
            self.op(Op::NextBuffer)?;
            return if is_readonly { self.op(Op::ReadonlyBuffer) } else { Ok(()) };
        }
        // In the order in memory, whatever the dimensions are. The callback may have released the buffer, but not the view.
        let bytes = view.call_method1(intern!(py, "tobytes"), ("A",))?.cast_into::<PyBytes>()?;
        if is_readonly {
            self.write_bytes(bytes.as_bytes())?;
            return self.memoize(object);
        }
        self.op(Op::ByteArray8(bytes.as_bytes()))?;
        self.memoize(object)
    }
}
