//! The policy of safe loading.

use std::sync::{Arc, Mutex, PoisonError};

use picklevm_scan::{Allowed, Decision, Policy, Preset, ResultType, Use};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};

use super::gate;
use crate::state::State;

/// The names that a program allows in pickles.
#[pyclass(frozen, name = "Policy", module = "picklevm._native")]
pub(crate) struct SafePolicy {
    pub(super) policy: Arc<Policy>,
    /// The modules that are allowed as a whole.
    modules: Vec<String>,
}

#[pymethods]
impl SafePolicy {
    /// Create a policy of presets, names and modules.
    #[new]
    fn new(py: Python<'_>, presets: Vec<String>, names: Vec<String>, modules: Vec<String>) -> PyResult<Self> {
        let preset = |name: &String| {
            Preset::from_name(name).ok_or_else(|| PyValueError::new_err(format!("no preset is called {name:?}")))
        };
        let presets: Vec<Preset> = presets.iter().map(preset).collect::<PyResult<_>>()?;
        let mut policy = Policy::over(py.detach(|| base(&presets)));
        for name in &names {
            // A nested class is of a module or of a class: whichever it is, the path leads to the same.
            for (at, _) in name.match_indices('.') {
                policy.vouch_for(&name[..at], &name[at + 1..]);
            }
        }
        modules.iter().for_each(|module| policy.vouch_for_module(module));
        Ok(SafePolicy { policy: Arc::new(policy), modules })
    }

    /// Import a module and return the attribute with this name, if that is allowed.
    #[pyo3(signature = (module_name, global_name, protocol, fix_imports, /))]
    fn find_class<'py>(
        &self,
        module_name: &Bound<'py, PyString>,
        global_name: &Bound<'py, PyString>,
        protocol: u8,
        fix_imports: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let state = State::get(module_name.py())?;
        gate::find_allowed(state, self, module_name, global_name, protocol, fix_imports)
    }

    /// Return the names that may be called or made, as pairs of module and name.
    fn callable_names(&self) -> Vec<(String, String)> {
        let is_callable = |name: &(&str, &str, &Allowed)| name.2.may(Use::Call) || name.2.may(Use::Construct);
        let names = self.policy.allowed_names().filter(is_callable);
        let mut names: Vec<_> = names.map(|(module, name, _)| (module.to_owned(), name.to_owned())).collect();
        names.sort();
        names
    }

    /// Return whether a name may be found by what does not look at arguments: whatever it is given.
    #[pyo3(signature = (module_name, global_name, /))]
    fn allows_alone(&self, module_name: &str, global_name: &str) -> bool {
        match self.policy.judge(module_name, global_name) {
            Decision::Allowed(allowed) if allowed.vouched => true,
            // Names that may be called on any data, and whose states nothing is made of.
            Decision::Allowed(allowed) => {
                let is_plain = matches!(allowed.follows, None | Some(ResultType::Value | ResultType::Data));
                let is_open = allowed.args.is_none() && allowed.check.is_none() && allowed.otherwise.is_none();
                is_plain && is_open && allowed.uses().next().is_some()
            }
            _ => false,
        }
    }
}

/// Returns the policy of presets, which is made once.
fn base(presets: &[Preset]) -> Arc<Policy> {
    static MADE: Mutex<Vec<(Vec<Preset>, Arc<Policy>)>> = Mutex::new(Vec::new());
    let mut wanted = presets.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, policy)) = made.iter().find(|(presets, _)| *presets == wanted) {
        return policy.clone();
    }
    let policy = Arc::new(Policy::of(&wanted));
    made.push((wanted, policy.clone()));
    policy
}

impl SafePolicy {
    /// Whether a name is allowed.
    pub(super) fn allows(&self, module: &str, name: &str) -> bool {
        matches!(self.policy.judge(module, name), Decision::Allowed(_))
    }

    /// Whether a name is allowed because its module is, and not itself.
    pub(super) fn allows_by_module(&self, module: &str, name: &str) -> bool {
        !self.modules.is_empty() && self.policy.is_allowed_by_module(module, name)
    }

    /// Whether a module is one of those that are allowed as a whole, or below one.
    pub(super) fn is_below(&self, module: &str) -> bool {
        self.modules.iter().any(|allowed| {
            module.strip_prefix(allowed.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}
