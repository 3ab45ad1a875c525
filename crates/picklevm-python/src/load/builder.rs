//! The builder that makes Python objects.

use std::collections::HashMap;
use std::mem;

use foldhash::fast::RandomState;
use picklevm::machine::Builder;
use picklevm::{Error, Result};
use picklevm_ops::{IntValue, Number, Text};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

use super::classes::Classes;
use super::options::Options;
use crate::state::State;
use crate::value::Ref;

/// About how many bytes a key or a value takes in a dict, and an item in a set.
const ENTRY: usize = 48;

/// Makes the objects of one load.
pub(crate) struct PyBuilder<'py> {
    pub(super) py: Python<'py>,
    pub(super) state: &'py State,
    none: Bound<'py, PyAny>,
    pub(super) options: Options<'py>,
    pub(super) classes: Classes<'py>,
    /// Names of attributes that occurred, by address, with the interned ones.
    pub(super) interned: HashMap<usize, (Bound<'py, PyAny>, Bound<'py, PyString>), RandomState>,
    /// How many values were made, and about how many bytes of memory they take.
    nodes: u64,
    bytes: u64,
    /// The exception that an [`Error::foreign`] stands for.
    pub(crate) raised: Option<PyErr>,
}

impl<'py> PyBuilder<'py> {
    pub(crate) fn new(py: Python<'py>, state: &'py State, options: Options<'py>) -> Self {
        PyBuilder {
            py,
            state,
            none: py.None().into_bound(py),
            options,
            classes: Classes::default(),
            interned: HashMap::default(),
            nodes: 0,
            bytes: 0,
            raised: None,
        }
    }

    pub(crate) fn has_budget(&self) -> bool {
        self.options.budget.is_some()
    }

    /// Whether more was made than the budget allows, or its time is over.
    pub(crate) fn is_over_budget(&self) -> bool {
        self.options.budget.as_ref().is_some_and(|budget| budget.is_exceeded(self.nodes, self.bytes))
    }

    /// Says which part of the budget was exceeded.
    pub(crate) fn exceeded(&self, error: &Error) -> String {
        let budget = self.options.budget.as_ref();
        budget.and_then(|budget| budget.exceeded(self.nodes, self.bytes)).unwrap_or_else(|| error.to_string())
    }

    /// Counts a value that takes about so many bytes.
    #[inline(always)]
    fn count(&mut self, bytes: usize) {
        self.nodes += 1;
        self.bytes += bytes as u64;
    }

    /// Fails if the time is over: a call may take long.
    #[inline(always)]
    fn before_call(&mut self) -> Result<()> {
        self.count(64);
        match &self.options.budget {
            Some(budget) if budget.is_late() => Err(self.keep_late()),
            _ => Ok(()),
        }
    }

    /// Fails if the time is over: keys whose hashes are the same take long.
    pub(super) fn check_time(&self) -> PyResult<()> {
        match &self.options.budget {
            Some(budget) if budget.is_late() => {
                Err(crate::errors::limit_error(self.py, &self.exceeded(&Error::foreign())))
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn keep_late(&mut self) -> Error {
        let message = self.exceeded(&Error::foreign());
        let raised = crate::errors::limit_error(self.py, &message);
        self.keep(raised)
    }

    /// Keeps an exception, and returns the error that stands for it.
    #[cold]
    #[inline(never)]
    fn keep(&mut self, error: PyErr) -> Error {
        self.raised = Some(error);
        Error::foreign()
    }

    #[inline(always)]
    fn made<T>(&mut self, made: PyResult<Bound<'py, T>>) -> Result<Ref> {
        made.map(Ref::from).map_err(|error| self.keep(error))
    }

    #[inline(always)]
    fn done(&mut self, done: PyResult<()>) -> Result<()> {
        done.map_err(|error| self.keep(error))
    }

    /// Returns the object of a value.
    #[inline(always)]
    pub(super) fn bind<'a>(&'a self, value: &'a Ref) -> &'a Bound<'py, PyAny> {
        value.0.as_ref().map_or(&self.none, |object| object.bind(self.py))
    }

    #[inline(always)]
    fn own(&self, value: Ref) -> Bound<'py, PyAny> {
        value.0.map_or_else(|| self.none.clone(), |object| object.into_bound(self.py))
    }

    /// Takes the objects of items.
    #[inline(always)]
    pub(super) fn take<'a>(
        &self,
        items: &'a mut [Ref],
    ) -> impl ExactSizeIterator<Item = Bound<'py, PyAny>> + use<'a, 'py> {
        let (py, none) = (self.py, self.none.clone());
        items
            .iter_mut()
            .map(move |item| mem::take(&mut item.0).map_or_else(|| none.clone(), |object| object.into_bound(py)))
    }
}

impl Builder for PyBuilder<'_> {
    type Value = Ref;

    const BULK_INTS: bool = false;

    #[inline(always)]
    fn none(&mut self) -> Ref {
        self.none.clone().into()
    }

    #[inline(always)]
    fn bool(&mut self, value: bool) -> Ref {
        PyBool::new(self.py, value).to_owned().into()
    }

    #[inline(always)]
    fn int(&mut self, value: i64) -> Result<Ref> {
        self.count(if (-5..=256).contains(&value) { 0 } else { 32 });
        Ok(PyInt::new(self.py, value).into())
    }

    fn int_le(&mut self, bytes: &[u8]) -> Result<Ref> {
        if bytes.len() <= 8 {
            let sign = if bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
            let mut word = [sign; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            return self.int(i64::from_le_bytes(word));
        }
        self.count(32 + bytes.len());
        let made = big_int(self.py, bytes);
        self.made(made)
    }

    fn number(&mut self, number: Number<'_>) -> Result<Ref> {
        // Since 3.14 the integers are decimal.
        if self.state.minor >= 14
            && let Some(text) = str::from_utf8(number.text()).ok().filter(|text| text.contains(is_prefix))
        {
            let message = match text.strip_suffix('L') {
                Some(digits) => format!("invalid literal for int() with base 10: '{digits}'"),
                None => "could not convert string to int".into(),
            };
            return Err(self.keep(PyValueError::new_err(message)));
        }
        match number.value() {
            IntValue::Bool(value) => Ok(self.bool(value)),
            IntValue::Small(value) => self.int(value),
            IntValue::Big { negative, radix, digits } => {
                self.count(32 + digits.len() / 2);
                let sign = if negative { "-" } else { "" };
                let text = format!("{sign}{}", String::from_utf8_lossy(&digits));
                let made = self.py.get_type::<PyInt>().call1((text, radix));
                self.made(made)
            }
        }
    }

    #[inline(always)]
    fn float(&mut self, value: f64) -> Result<Ref> {
        self.count(24);
        Ok(PyFloat::new(self.py, value).into())
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'_>) -> Result<Ref> {
        // A character takes up to four bytes, and one of UTF-8 up to four of these.
        self.count(56 + text.as_bytes().len() * if text.as_bytes().is_ascii() { 1 } else { 2 });
        let made = match text.as_str() {
            Some(text) => return Ok(PyString::new(self.py, text).into()),
            None => {
                let data = PyBytes::new(self.py, text.as_bytes());
                PyString::from_encoded_object(&data, Some(c"utf-8"), Some(c"surrogatepass"))
            }
        };
        self.made(made)
    }

    #[inline(always)]
    fn bytes(&mut self, bytes: &[u8]) -> Result<Ref> {
        self.count(40 + bytes.len());
        Ok(PyBytes::new(self.py, bytes).into())
    }

    fn byte_str(&mut self, bytes: &[u8]) -> Result<Ref> {
        self.count(56 + bytes.len());
        let made = self.options.decoding.decode(self.py, bytes);
        self.made(made)
    }

    fn byte_array(&mut self, bytes: &[u8]) -> Result<Ref> {
        self.count(64 + bytes.len());
        Ok(PyByteArray::new(self.py, bytes).into())
    }

    #[inline(always)]
    fn tuple(&mut self, items: &mut [Ref]) -> Result<Ref> {
        self.count(56 + 8 * items.len());
        let made = PyTuple::new(self.py, self.take(items));
        self.made(made)
    }

    #[inline(always)]
    fn list(&mut self, items: &mut [Ref]) -> Result<Ref> {
        self.count(72 + 8 * items.len());
        let made = PyList::new(self.py, self.take(items));
        self.made(made)
    }

    #[inline(always)]
    fn dict(&mut self, pairs: &[Ref]) -> Result<Ref> {
        self.count(64 + ENTRY * pairs.len());
        let dict = PyDict::new(self.py);
        let done = self.store(&dict, pairs);
        self.done(done)?;
        Ok(dict.into())
    }

    fn set(&mut self) -> Result<Ref> {
        self.count(216);
        let made = PySet::empty(self.py);
        self.made(made)
    }

    fn frozenset(&mut self, items: &[Ref]) -> Result<Ref> {
        self.count(216 + ENTRY * items.len());
        let made = PyFrozenSet::new(self.py, items.iter().map(|item| self.bind(item)));
        self.made(made)
    }

    #[inline(always)]
    fn append(&mut self, target: Ref, items: &mut [Ref]) -> Result<()> {
        self.bytes += 9 * items.len() as u64;
        let target = self.own(target);
        let done = self.append_to(&target, items);
        self.done(done)
    }

    #[inline(always)]
    fn set_items(&mut self, target: Ref, pairs: &[Ref]) -> Result<()> {
        self.bytes += (ENTRY * pairs.len()) as u64;
        let target = self.own(target);
        let done = self.store(&target, pairs);
        self.done(done)
    }

    fn add_items(&mut self, target: Ref, items: &[Ref]) -> Result<()> {
        self.bytes += (ENTRY * items.len()) as u64;
        let target = self.own(target);
        let done = self.add_to(&target, items);
        self.done(done)
    }

    fn global(&mut self, module: Text<'_>, name: Text<'_>) -> Result<Ref> {
        if module.as_bytes().is_empty() || name.as_bytes().is_empty() {
            return Err(self.keep(self.state.unpickling(self.py, "pickle data was truncated")));
        }
        let [module, name] = [module, name].map(|text| PyString::new(self.py, text.as_str().unwrap_or_default()));
        let found = self.options.finder.find(self.state, &module, &name);
        self.made(found)
    }

    fn stack_global(&mut self, module: Ref, name: Ref) -> Result<Ref> {
        let [module, name] = [module, name].map(|part| self.own(part).cast_into_exact::<PyString>());
        let (Ok(module), Ok(name)) = (module, name) else {
            return Err(self.keep(self.state.unpickling(self.py, "STACK_GLOBAL requires str")));
        };
        let found = self.options.finder.find(self.state, &module, &name);
        self.made(found)
    }

    fn ext(&mut self, code: i32) -> Result<Ref> {
        let found = self.extension(code);
        self.made(found)
    }

    fn reduce(&mut self, callable: Ref, args: Ref, _: impl FnOnce() -> Option<Ref>) -> Result<Ref> {
        self.before_call()?;
        let (callable, args) = (self.own(callable), self.own(args));
        let made = match args.cast::<PyTuple>() {
            Ok(args) => callable.call1(args),
            Err(_) => Err(PyTypeError::new_err("argument list must be a tuple")),
        };
        self.made(made)
    }

    fn new_obj(&mut self, class: Ref, args: Ref) -> Result<Ref> {
        self.before_call()?;
        let (class, args) = (self.own(class), self.own(args));
        let made = self.new_instance(&class, &args, None);
        self.made(made)
    }

    fn new_obj_ex(&mut self, class: Ref, args: Ref, kwargs: Ref) -> Result<Ref> {
        self.before_call()?;
        let (class, args, kwargs) = (self.own(class), self.own(args), self.own(kwargs));
        let made = self.new_instance(&class, &args, Some(&kwargs));
        self.made(made)
    }

    fn inst(&mut self, class: Ref, args: &[Ref]) -> Result<Ref> {
        self.obj(class, args)
    }

    fn obj(&mut self, class: Ref, args: &[Ref]) -> Result<Ref> {
        self.before_call()?;
        let class = self.own(class);
        let made = self.instantiate(&class, args);
        self.made(made)
    }

    fn build(&mut self, target: Ref, state: Ref) -> Result<()> {
        self.before_call()?;
        let (target, state) = (self.own(target), self.own(state));
        let done = self.set_state(&target, state);
        self.done(done)
    }

    fn persistent(&mut self, pid: Ref) -> Result<Ref> {
        let pid = self.own(pid);
        let loaded = self.load_persistent(&pid);
        self.made(loaded)
    }

    fn next_buffer(&mut self) -> Result<Ref> {
        let buffer = self.take_buffer();
        self.made(buffer)
    }

    fn readonly_buffer(&mut self, buffer: Ref) -> Result<Ref> {
        let buffer = self.own(buffer);
        let made = self.make_readonly(&buffer);
        self.made(made)
    }

    #[inline(always)]
    fn is_call(&self, _: &Ref) -> bool {
        false
    }

    fn dropped(&mut self, _: Ref, _: Option<Ref>) {}

    fn protocol(&mut self, version: u8) {
        self.options.finder.set_protocol(version);
    }

    /// What was made; more than any limit allows when the time is over.
    fn node_count(&self) -> u64 {
        match &self.options.budget {
            None => 0,
            Some(budget) if budget.is_late() => u64::MAX,
            Some(_) => self.nodes,
        }
    }

    fn held_bytes(&self) -> u64 {
        self.bytes
    }

    fn extrapolate(&mut self, _: u64, _: u64) {}

    fn finish(&mut self, _: &Ref, _: &[Ref]) -> Result<()> {
        Ok(())
    }
}

/// Whether a letter tells the base of an integer.
fn is_prefix(letter: char) -> bool {
    matches!(letter, 'x' | 'X' | 'o' | 'O' | 'b' | 'B')
}

/// Makes an integer of more than eight bytes.
pub(crate) fn big_int<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let kwargs = PyDict::new(py);
    kwargs.set_item(intern!(py, "signed"), true)?;
    let from_bytes = py.get_type::<PyInt>().getattr(intern!(py, "from_bytes"))?;
    from_bytes.call((PyBytes::new(py, bytes), intern!(py, "little")), Some(&kwargs))
}
