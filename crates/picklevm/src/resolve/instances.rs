//! The globals by which pickles make instances without an opcode: accepted where other globals are refused.

use std::sync::Arc;

use super::{Call, CallResult, Callable, Class};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Construction, Value, qualified_name};
use crate::python;

/// The base classes that `copyreg._reconstructor` is called with.
const BASES: [&str; 7] = ["object", "int", "float", "str", "list", "dict", "tuple"];

/// A function that returns whether the instances of a class stay symbolic objects of the graph.
pub(super) type IsAllowed = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Accepts a global that is refused, if pickles need it to make instances. Calls of it make instances of registered
/// classes, or of classes that are allowed; other calls are errors.
pub(super) fn for_instances(module: &str, name: &str, allowed: Option<Arc<IsAllowed>>) -> Option<Class> {
    let only = |allowed| Arc::new(OnlyInstances { name: format!("{module}.{name}"), allowed });
    match python::Class::of_names(module, name) {
        python::Class::Reconstructor | python::Class::NewObj | python::Class::NewObjEx => {
            Some(Class::Constructor(only(allowed)))
        }
        _ if python::is_builtins(module.as_bytes()) && BASES.contains(&name) => Some(Class::Callable(only(None))),
        _ => None,
    }
}

/// What is called instead of the function of `copyreg` or the base class, unless it makes an instance of a registered
/// class.
struct OnlyInstances {
    name: String,
    allowed: Option<Arc<IsAllowed>>,
}

impl Callable for OnlyInstances {
    fn call(&self, call: &mut Call<'_>) -> Result<CallResult> {
        let class = call.args().get(0).filter(|_| call.construction() == Construction::Reduce);
        if let (Some(allowed), Some(class)) = (&self.allowed, class)
            && is_allowed(&**allowed, class)
        {
            return Ok(CallResult::Symbolic);
        }
        let found = format!("another call of {}", self.name);
        Err(Error::new(ErrorKind::Resolver, "a call that makes an instance of an accepted class", found))
    }
}

/// Checks the name of a class as it is, and as Python 3 has it: resolvers may be asked for either.
fn is_allowed(allowed: &IsAllowed, class: Value<'_>) -> bool {
    let as_it_is = || {
        let global = class.as_global()?;
        Some(allowed(global.module().as_str()?, global.name().as_str()?))
    };
    as_it_is() == Some(true) || qualified_name(class).is_some_and(|(module, name)| allowed(module, &name))
}
