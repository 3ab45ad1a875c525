//! Allowlist of globals.

use std::collections::HashSet;
use std::sync::Arc;

use super::instances::for_instances;
use super::{Call, CallResult, Callable, Class, Resolver};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id};
use crate::python::split_or_builtin;

/// A resolver restricted to an allowlist of globals; created by [`Resolver::allow_only`].
#[derive(Clone, Debug)]
pub struct AllowList<R> {
    entries: Arc<Entries>,
    inner: R,
}

#[derive(Debug, Default)]
struct Entries {
    names: HashSet<(String, String)>,
    modules: HashSet<String>,
}

impl<R> AllowList<R> {
    pub(super) fn new<'n>(names: impl IntoIterator<Item = &'n str>, inner: R) -> Self {
        let mut entries = Entries::default();
        for entry in names {
            match split_or_builtin(entry) {
                (module, "*") => drop(entries.modules.insert(module.to_owned())),
                (module, name) => drop(entries.names.insert((module.to_owned(), name.to_owned()))),
            }
        }
        AllowList { entries: Arc::new(entries), inner }
    }
}

impl Entries {
    fn allows(&self, module: &str, name: &str) -> bool {
        // A dotted name can lead out of the module: `collections:abc.sys.modules`.
        let whole_module = self.modules.contains(module) && !name.contains('.');
        whole_module || self.names.contains(&(module.to_owned(), name.to_owned()))
    }
}

fn not_allowed(name: String) -> Error {
    Error::new(ErrorKind::Resolver, "a global on the allowlist", name)
}

/// A function that is not on the list, allowed only to make plain data.
struct PlainDataOnly {
    callable: Arc<dyn Callable>,
    name: String,
}

impl Callable for PlainDataOnly {
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        match self.callable.call(call)? {
            CallResult::Symbolic => Err(not_allowed(self.name.clone())),
            made => Ok(made),
        }
    }
}

impl<R: Resolver> Resolver for AllowList<R> {
    fn find_class(&self, module: &str, name: &str) -> Result<Class> {
        if self.entries.allows(module, name) {
            return self.inner.find_class(module, name);
        }
        if self.inner.makes_plain_data(module, name)
            && let Some(callable) = self.inner.find_class(module, name)?.callable()
        {
            let name = format!("{module}.{name}");
            return Ok(Class::Callable(Arc::new(PlainDataOnly { callable, name })));
        }
        let entries = self.entries.clone();
        let allowed = Arc::new(move |module: &str, name: &str| entries.allows(module, name));
        for_instances(module, name, Some(allowed)).ok_or_else(|| not_allowed(format!("{module}.{name}")))
    }

    fn makes_instances(&self) -> bool {
        self.inner.makes_instances()
    }

    fn makes_plain_data(&self, module: &str, name: &str) -> bool {
        self.inner.makes_plain_data(module, name)
    }

    fn persistent_load(&self, arena: &mut Arena, pid: Id) -> Result<CallResult> {
        self.inner.persistent_load(arena, pid)
    }

    fn extension(&self, code: i32) -> Option<(&str, &str)> {
        self.inner.extension(code)
    }
}
