//! The gate: what finds the globals of a pickle that was checked.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyModule, PyString};

use super::checked::Checked;
use super::policy::SafePolicy;
use crate::errors::not_allowed_error;
use crate::load::find::{Name, renamed, resolve};
use crate::state::State;

/// Finds the names that the scan of a pickle saw, and no others.
pub(crate) struct Gate<'py> {
    policy: Bound<'py, SafePolicy>,
    checked: Bound<'py, Checked>,
    /// The `find_class` of a subclass.
    find_class: Option<Bound<'py, PyAny>>,
}

impl<'py> Gate<'py> {
    pub(crate) fn new(
        policy: Bound<'py, SafePolicy>,
        checked: Bound<'py, Checked>,
        find_class: Option<Bound<'py, PyAny>>,
    ) -> Gate<'py> {
        Gate { policy, checked, find_class }
    }

    /// Finds a name of the pickle.
    pub(crate) fn find(&self, name: &Name<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
        let Name { state, module, name, protocol, fix_imports } = *name;
        let (final_module, final_name) = renamed(state, module.as_any(), name.as_any(), protocol, fix_imports)?;
        let names = (final_module.cast::<PyString>()?.to_str(), final_name.cast::<PyString>()?.to_str());
        // Only what was scanned can be asked for; should reader and scanner ever differ, the load ends here.
        let is_seen = matches!(names, (Ok(module), Ok(name)) if self.checked.get().has_seen(module, name));
        if !is_seen {
            return Err(not_allowed(&final_module, &final_name));
        }
        match &self.find_class {
            Some(find_class) => find_class.call1((module, name)),
            None => find_allowed(state, self.policy.get(), module, name, protocol, fix_imports),
        }
    }
}

/// Finds a name that the policy allows: the default of `find_class`.
pub(crate) fn find_allowed<'py>(
    state: &State,
    policy: &SafePolicy,
    module: &Bound<'py, PyString>,
    name: &Bound<'py, PyString>,
    protocol: u8,
    fix_imports: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    state.audit.bind(py).call1((intern!(py, "picklevm.find_class"), module, name))?;
    let (module, name) = renamed(state, module.as_any(), name.as_any(), protocol, fix_imports)?;
    let (Ok(module_name), Ok(global)) = (module.cast::<PyString>()?.to_str(), name.cast::<PyString>()?.to_str()) else {
        return Err(not_allowed(&module, &name));
    };
    if !policy.allows(module_name, global) {
        return Err(not_allowed(&module, &name));
    }
    let found = resolve(state, module.clone(), &name, protocol)?;
    if policy.allows_by_module(module_name, global) && !is_of_module(policy, &found)? {
        return Err(not_allowed_error(py, (foreign(module_name, global, &found),)));
    }
    Ok(found)
}

#[cold]
fn not_allowed(module: &Bound<'_, PyAny>, name: &Bound<'_, PyAny>) -> PyErr {
    not_allowed_error(module.py(), (format!("{module}.{name} is not allowed"),))
}

/// Whether what was found is at home in a module that is allowed as a whole, and not one that this imported.
fn is_of_module(policy: &SafePolicy, found: &Bound<'_, PyAny>) -> PyResult<bool> {
    if found.is_instance_of::<PyModule>() {
        return Ok(false);
    }
    let home = found.getattr_opt(intern!(found.py(), "__module__"))?;
    Ok(match home.as_ref().map(|home| home.extract::<&str>()) {
        Some(Ok(home)) => policy.is_below(home),
        // A constant.
        _ => !found.is_callable(),
    })
}

#[cold]
fn foreign(module: &str, name: &str, found: &Bound<'_, PyAny>) -> String {
    let shown = found.repr().map_or_else(|_| String::from("an object"), |shown| shown.to_string());
    format!(
        "{module}.{name} is not of the module that is allowed, but {shown}: the module imported it. If pickles may use it, add \
         \"{module}.{name}\" to allow"
    )
}
