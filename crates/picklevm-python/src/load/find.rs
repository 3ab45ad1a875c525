//! Globals: the default of `find_class`, and how a load calls the one that a subclass has.

use std::cell::Cell;

use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::unpickler::Unpickler;
use crate::state::{State, type_name};

/// Finds the globals of a load.
pub(crate) struct Finder<'py> {
    py: Python<'py>,
    fix_imports: bool,
    protocol: Cell<u8>,
    /// The unpickler, to be told the protocol.
    unpickler: Option<Bound<'py, Unpickler>>,
    /// Whether a subclass or an instance may have a `find_class` of its own.
    is_overridden: bool,
    /// The finder of names to use instead.
    find: Option<Find<'py>>,
}

/// A function that finds names.
pub(crate) type Find<'py> = Box<dyn Fn(&Name<'_, 'py>) -> PyResult<Bound<'py, PyAny>> + 'py>;

/// A name of a pickle, as it stands there.
pub(crate) struct Name<'a, 'py> {
    pub(crate) state: &'a State,
    pub(crate) module: &'a Bound<'py, PyString>,
    pub(crate) name: &'a Bound<'py, PyString>,
    pub(crate) protocol: u8,
    pub(crate) fix_imports: bool,
}

impl<'py> Finder<'py> {
    /// Creates a finder for a load without an unpickler.
    pub(crate) fn new(py: Python<'py>, fix_imports: bool) -> Self {
        Finder { py, fix_imports, protocol: Cell::new(0), unpickler: None, is_overridden: false, find: None }
    }

    /// Creates a finder that asks an unpickler.
    pub(crate) fn of(unpickler: &Bound<'py, Unpickler>, fix_imports: bool) -> Self {
        let py = unpickler.py();
        let is_overridden = !unpickler.get_type().is(py.get_type::<Unpickler>());
        let finder = Finder { unpickler: Some(unpickler.clone()), is_overridden, ..Finder::new(py, fix_imports) };
        finder.set_protocol(0);
        finder
    }

    /// Creates a finder that lets a function find all names.
    pub(crate) fn by(find: Find<'py>, py: Python<'py>, fix_imports: bool) -> Self {
        Finder { find: Some(find), ..Finder::new(py, fix_imports) }
    }

    /// Whether a function decides which names may be found.
    pub(crate) fn is_restricted(&self) -> bool {
        self.find.is_some()
    }

    pub(crate) fn set_protocol(&self, version: u8) {
        self.protocol.set(version);
        if let Some(unpickler) = &self.unpickler {
            unpickler.get().set_protocol(version);
        }
    }

    pub(crate) fn find(
        &self,
        state: &State,
        module: &Bound<'py, PyString>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(find) = &self.find {
            let (protocol, fix_imports) = (self.protocol.get(), self.fix_imports);
            return find(&Name { state, module, name, protocol, fix_imports });
        }
        match &self.unpickler {
            Some(unpickler) if self.is_overridden => {
                unpickler.call_method1(intern!(self.py, "find_class"), (module, name))
            }
            _ => find_class(state, module.as_any(), name.as_any(), self.protocol.get(), self.fix_imports),
        }
    }
}

/// Imports a module and gets an attribute of it: `Unpickler.find_class`.
pub(crate) fn find_class<'py>(
    state: &State,
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    protocol: u8,
    fix_imports: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    state.audit.bind(py).call1((intern!(py, "pickle.find_class"), module, name))?;
    let (module, name) = renamed(state, module, name, protocol, fix_imports)?;
    resolve(state, module, &name, protocol)
}

/// Returns a name as Python 3 has it, if it is one of Python 2.
pub(crate) fn renamed<'py>(
    state: &State,
    module: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    protocol: u8,
    fix_imports: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = module.py();
    let (mut module, mut name) = (module.clone(), name.clone());
    if protocol < 3 && fix_imports {
        if let Some(names) = state.names_2to3.bind(py).get_item((&module, &name))? {
            (module, name) = pair_of_names(&names, "_compat_pickle.NAME_MAPPING")?;
        } else if let Some(renamed) = state.modules_2to3.bind(py).get_item(&module)? {
            module = one_name(renamed, "_compat_pickle.IMPORT_MAPPING")?;
        }
    }
    Ok((module, name))
}

/// Imports a module and gets an attribute of it, by names of Python 3.
pub(crate) fn resolve<'py>(
    state: &State,
    module_name: Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    protocol: u8,
) -> PyResult<Bound<'py, PyAny>> {
    let py = name.py();
    // A module that is being imported by this thread is found too, as in `_pickle`.
    let module = py.import(module_name.cast::<PyString>()?)?.into_any();
    if state.minor >= 14 {
        return get_by_path(&module, &module_name, name, protocol);
    }
    if protocol < 4 {
        return module.getattr_opt(name.cast::<PyString>()?)?.ok_or_else(|| no_attribute(name, &module));
    }
    let path = dotted_path(name)?;
    if path.iter().any(|part| part == "<locals>") {
        let (name, module) = (name.repr()?, module.repr()?);
        return Err(PyAttributeError::new_err(format!("Can't get local attribute {name} on {module}")));
    }
    match walk(&module, &path)? {
        Ok((_, found)) => Ok(found),
        Err(_) => Err(no_attribute(name, &module)),
    }
}

/// Gets an attribute as Python 3.14 and later do: what fails is the attribute of the module, or the path.
fn get_by_path<'py>(
    module: &Bound<'py, PyAny>,
    module_name: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    protocol: u8,
) -> PyResult<Bound<'py, PyAny>> {
    let name = name.cast::<PyString>()?;
    let is_path = protocol >= 4 && name.to_str().is_ok_and(|name| name.contains('.'));
    if !is_path {
        return module.getattr(name);
    }
    match walk(module, &dotted_path(name.as_any())?)? {
        Ok((_, found)) => Ok(found),
        Err(context) => {
            let (name, module) = (name.repr()?, module_name.repr()?);
            let error = PyAttributeError::new_err(format!("Can't resolve path {name} on module {module}"));
            error.set_context(name.py(), Some(context));
            Err(error)
        }
    }
}

/// Returns the entry of a table of names, checked.
pub(crate) fn pair_of_names<'py>(
    names: &Bound<'py, PyAny>,
    table: &str,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let pair = names.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
    let Some(pair) = pair else {
        let found = type_name(names);
        return Err(PyRuntimeError::new_err(format!("{table} values should be 2-tuples, not {found}")));
    };
    let (first, second) = (pair.get_item(0)?, pair.get_item(1)?);
    if !first.is_instance_of::<PyString>() || !second.is_instance_of::<PyString>() {
        let (first, second) = (type_name(&first), type_name(&second));
        return Err(PyRuntimeError::new_err(format!("{table} values should be pairs of str, not ({first}, {second})")));
    }
    Ok((first, second))
}

/// Returns the entry of a table of module names, checked.
pub(crate) fn one_name<'py>(name: Bound<'py, PyAny>, table: &str) -> PyResult<Bound<'py, PyAny>> {
    match name.is_instance_of::<PyString>() {
        true => Ok(name),
        false => {
            let found = type_name(&name);
            Err(PyRuntimeError::new_err(format!("{table} values should be strings, not {found}")))
        }
    }
}

#[cold]
fn no_attribute(name: &Bound<'_, PyAny>, object: &Bound<'_, PyAny>) -> PyErr {
    match (name.repr(), object.repr()) {
        (Ok(name), Ok(object)) => PyAttributeError::new_err(format!("Can't get attribute {name} on {object}")),
        (Err(error), _) | (_, Err(error)) => error,
    }
}

/// Splits a qualified name.
pub(crate) fn dotted_path<'py>(name: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyString>>> {
    let py = name.py();
    let name = name.cast::<PyString>()?;
    match name.to_str() {
        Ok(text) if text.contains('.') => Ok(text.split('.').map(|part| PyString::new(py, part)).collect()),
        _ => Ok(vec![name.clone()]),
    }
}

/// The last object but one on a path of names, and the last one; or the error for a missing attribute.
type Walked<'py> = Result<(Bound<'py, PyAny>, Bound<'py, PyAny>), PyErr>;

/// Follows a path of names.
pub(crate) fn walk<'py>(object: &Bound<'py, PyAny>, path: &[Bound<'py, PyString>]) -> PyResult<Walked<'py>> {
    let (mut parent, mut found) = (object.clone(), object.clone());
    for name in path {
        let attribute = match found.getattr(name) {
            Ok(attribute) => attribute,
            Err(error) if error.is_instance_of::<PyAttributeError>(object.py()) => return Ok(Err(error)),
            Err(error) => return Err(error),
        };
        parent = std::mem::replace(&mut found, attribute);
    }
    Ok(Ok((parent, found)))
}
