//! Classes and functions, which are saved by name.

use picklevm_ops::{Op, Opcode, Text};
use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use super::save::Saver;
use super::step::Step;
use crate::load::find::{dotted_path, one_name, pair_of_names, walk};

impl<'py> Saver<'py, '_> {
    /// Saves a class; those of `None`, `...` and `NotImplemented` have no names.
    pub(crate) fn save_type(&mut self, object: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = self.py;
        for singleton in [py.None(), py.Ellipsis(), py.NotImplemented()] {
            let singleton = singleton.into_bound(py);
            if object.is(singleton.get_type()) {
                return self.save_call_of(self.types_type(), PyTuple::new(py, [singleton])?, object);
            }
        }
        self.save_global(object, None)
    }

    /// Saves an object by the name of the attribute of a module.
    pub(crate) fn save_global(&mut self, object: &Bound<'py, PyAny>, name: Option<&Bound<'py, PyAny>>) -> PyResult<()> {
        let py = self.py;
        let name = match name {
            Some(name) => name.clone(),
            None => match object.getattr_opt(intern!(py, "__qualname__"))? {
                Some(name) => name,
                None => object.getattr(intern!(py, "__name__"))?,
            },
        };
        let name = if self.state.minor >= 15 { mangled(name)? } else { name };
        let path = self.path_of(object, &name)?;
        let module_name = self.which_module(object, &path)?;
        let module = match py.import(module_name.cast::<PyString>()?) {
            Ok(module) => module.into_any(),
            Err(error) if self.state.minor >= 14 => {
                return Err(self.refuse(object, &format!("{}", error.value(py)), Some(error)));
            }
            Err(error) => {
                let what = format!("import of module {} failed", module_name.repr()?);
                return Err(self.refuse(object, &what, Some(error)));
            }
        };
        let (parent, found) = match walk(&module, &path)? {
            Ok(found) => found,
            Err(error) => {
                let what = match self.state.minor {
                    14.. => format!("it's not found as {module_name}.{name}"),
                    _ => format!("attribute lookup {name} on {module_name} failed"),
                };
                return Err(self.refuse(object, &what, Some(error)));
            }
        };
        if !found.is(object) {
            return Err(self.refuse(object, &format!("it's not the same object as {module_name}.{name}"), None));
        }
        if self.options.protocol >= 2
            && let Some(code) = self.state.extension_registry.bind(py).get_item((&module_name, &name))?
        {
            return self.save_extension(object, &code);
        }
        let is_nested = !parent.is(&module);
        let last = path.last().map_or_else(|| name.clone(), |last| last.clone().into_any());
        let name = if is_nested { name } else { last.clone() };
        self.steps.push(Step::Memoize(object.clone()));
        match (self.options.protocol, is_nested) {
            (4.., _) => {
                self.steps.push(Step::Op(Opcode::StackGlobal));
                self.steps.push(Step::Save(name));
                self.steps.push(Step::Save(module_name));
                Ok(())
            }
            (_, true) if self.state.writes_getattr_chains => self.push_getattr_chain(module_name, &path),
            (_, true) => {
                // It ends like any call: the parent's name may lead to the object itself.
                self.begin_call(Some(object))?;
                self.steps.push(Step::EndCall(None));
                let getattr = self.state.getattr.bind(py).clone();
                self.push_call(None, getattr, PyTuple::new(py, [parent, last])?, Opcode::Reduce)
            }
            (_, false) => self.write_global(module_name, name),
        }
    }

    /// Returns the exception for an object that cannot be saved by name.
    #[cold]
    fn refuse(&self, object: &Bound<'py, PyAny>, what: &str, context: Option<PyErr>) -> PyErr {
        let error = match object.repr() {
            Ok(repr) => self.state.pickling(self.py, format!("Can't pickle {repr}: {what}")),
            Err(error) => return error,
        };
        error.set_context(self.py, context);
        error
    }

    /// Splits the name of an object. Local objects cannot be found by name.
    fn path_of(&self, object: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyString>>> {
        match dotted_path(name)? {
            path if !path.iter().any(|part| part == "<locals>") => Ok(path),
            _ if self.state.minor >= 14 => {
                Err(self.state.pickling(self.py, format!("Can't pickle local object {}", object.repr()?)))
            }
            _ => Err(PyAttributeError::new_err(format!("Can't pickle local object {}", name.repr()?))),
        }
    }

    /// Pushes the steps of `getattr(getattr(module.first, second), ...)`.
    fn push_getattr_chain(&mut self, module: Bound<'py, PyAny>, path: &[Bound<'py, PyString>]) -> PyResult<()> {
        let Some((first, rest)) = path.split_first() else { return Ok(()) };
        let is_old = self.options.protocol < 2;
        for attribute in rest.iter().rev() {
            self.steps.push(Step::Op(Opcode::Reduce));
            self.steps.push(Step::Op(if is_old { Opcode::Tuple } else { Opcode::Tuple2 }));
            self.steps.push(Step::Save(attribute.clone().into_any()));
        }
        self.steps.push(Step::Global(module, first.clone().into_any()));
        for _ in rest {
            if is_old {
                self.steps.push(Step::Op(Opcode::Mark));
            }
            self.steps.push(Step::Save(self.state.getattr.bind(self.py).clone()));
        }
        Ok(())
    }

    /// Writes GLOBAL.
    pub(crate) fn write_global(&mut self, mut module: Bound<'py, PyAny>, mut name: Bound<'py, PyAny>) -> PyResult<()> {
        let py = self.py;
        let protocol = self.options.protocol;
        if protocol < 3 && self.options.fix_imports {
            if let Some(names) = self.state.names_3to2.bind(py).get_item((&module, &name))? {
                (module, name) = pair_of_names(&names, "_compat_pickle.REVERSE_NAME_MAPPING")?;
            } else if let Some(renamed) = self.state.modules_3to2.bind(py).get_item(&module)? {
                module = one_name(renamed, "_compat_pickle.REVERSE_IMPORT_MAPPING")?;
            }
        }
        let (module, name) = (module.cast::<PyString>()?, name.cast::<PyString>()?);
        let encode = |text: &Bound<'py, PyString>, what: &str| match text.to_str() {
            Ok(text) if protocol == 3 || text.is_ascii() => Ok(text.to_owned()),
            _ => {
                let quoted = if self.state.minor >= 14 { text.repr()?.to_string() } else { format!("'{text}'") };
                let message = format!("can't pickle {what} identifier {quoted} using pickle protocol {protocol}");
                let error = self.state.pickling(py, message);
                let encoding = if protocol == 3 { "utf-8" } else { "ascii" };
                error.set_context(py, text.call_method1(intern!(py, "encode"), (encoding,)).err());
                Err(error)
            }
        };
        let (module, name) = (encode(module, "module")?, encode(name, "global")?);
        self.op(Op::Global(Text::from(module.as_str()), Text::from(name.as_str())))
    }

    fn save_extension(&mut self, object: &Bound<'py, PyAny>, code: &Bound<'py, PyAny>) -> PyResult<()> {
        let is_new = self.state.minor >= 13;
        if !is_new && !code.is_instance_of::<PyInt>() {
            return Err(self.refuse(object, &format!("extension code {} isn't an integer", code.repr()?), None));
        }
        match code.extract::<i64>()? {
            code @ 1..=0xff => self.op(Op::Ext1(code as u8)),
            code @ 0x100..=0xffff => self.op(Op::Ext2(code as u16)),
            code @ 0x1_0000..=0x7fff_ffff => self.op(Op::Ext4(code as i32)),
            code if is_new => Err(PyRuntimeError::new_err(format!("extension code {code} is out of range"))),
            code => Err(self.refuse(object, &format!("extension code {code} is out of range"), None)),
        }
    }

    /// Returns the name of the module that has an object.
    fn which_module(&self, object: &Bound<'py, PyAny>, path: &[Bound<'py, PyString>]) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        if let Some(name) = object.getattr_opt(intern!(py, "__module__"))?
            && !name.is_none()
        {
            return Ok(name);
        }
        // Getting attributes may import modules, so the table is copied.
        let modules = py.import("sys")?.getattr("modules")?;
        let modules: Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> = match modules.cast::<PyDict>() {
            Ok(modules) => modules.iter().collect(),
            Err(_) => {
                let names = modules.try_iter()?.collect::<PyResult<Vec<_>>>()?;
                names.into_iter().map(|name| Ok((name.clone(), modules.get_item(name)?))).collect::<PyResult<_>>()?
            }
        };
        for (name, module) in modules {
            let is_main = name.cast::<PyString>().is_ok_and(|name| name == "__main__");
            if module.is_none() || is_main {
                continue;
            }
            match walk(&module, path) {
                Ok(Ok((_, found))) if found.is(object) => return Ok(name),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(intern!(py, "__main__").clone().into_any())
    }
}

/// Returns a qualified name with the names of private attributes as classes have them: `C.__f` is `C._C__f`.
fn mangled<'py>(name: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let text = name.cast::<PyString>()?;
    let Ok(text) = text.to_str() else { return Ok(name) };
    if !text.contains(".__") {
        return Ok(name);
    }
    let mut path: Vec<String> = Vec::new();
    let mut class = "";
    for (at, part) in text.split('.').enumerate() {
        let stripped = class.trim_start_matches('_');
        let is_private = at > 0 && part.starts_with("__") && !part.ends_with("__") && !stripped.is_empty();
        path.push(if is_private { format!("_{stripped}{part}") } else { part.to_owned() });
        class = part;
    }
    Ok(PyString::new(name.py(), &path.join(".")).into_any())
}
