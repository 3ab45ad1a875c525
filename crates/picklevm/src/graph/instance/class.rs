//! Classes and functions of the standard library, recognized by name.

use std::borrow::Cow;

use crate::graph::{Construction, Global, Value};
use crate::python::{Builtin, Class, Names, python3_name};

impl Class {
    /// Recognizes the class or function of an object.
    pub(crate) fn of(class: Value<'_>) -> Class {
        if let Some(global) = class.as_global() {
            return Class::of_global(global);
        }
        // Methods are attributes of a global.
        match attribute(class) {
            Some((owner, method)) => {
                owner.as_global().map_or(Class::Other, |owner| Class::of_global(owner).method(method))
            }
            None => Class::Other,
        }
    }

    fn of_global(global: Global<'_>) -> Class {
        match (global.module().as_str(), global.name().as_str()) {
            (Some(module), Some(name)) => Class::of_names(module, name),
            _ => Class::Other,
        }
    }
}

impl Builtin {
    /// Recognizes the class or function of an object.
    pub(crate) fn of(class: Value<'_>) -> Option<Builtin> {
        let class = class.as_global()?;
        Builtin::of_names(class.module().as_str()?, class.name().as_str()?)
    }
}

/// Maximum number of nested classes in a qualified name.
const MAX_NESTING: usize = 100;

/// Returns the Python 3 module and qualified name of a class. Below protocol 4, a nested class is written as a chain of
/// attributes: `getattr(Outer, 'Inner')`.
pub(crate) fn qualified_name<'g>(mut class: Value<'g>) -> Option<(&'g str, Cow<'g, str>)> {
    let mut inner = Vec::new();
    while let Some((parent, name)) = attribute(class) {
        if inner.len() == MAX_NESTING {
            return None;
        }
        inner.push(name);
        class = parent;
    }
    let global = class.as_global()?;
    let (module, name) = (global.module().as_str()?, global.name().as_str()?);
    let is_python2 = Names::of_protocol(class.arena().protocol.unwrap_or(3)) == Names::Python2;
    let (module, name) = if is_python2 { python3_name(module, name) } else { (module, name) };
    if inner.is_empty() {
        return Some((module, name.into()));
    }
    inner.push(name);
    inner.reverse();
    Some((module, inner.join(".").into()))
}

/// Returns the owner and name if the value is a call of `getattr`.
pub(crate) fn attribute<'g>(value: Value<'g>) -> Option<(Value<'g>, &'g str)> {
    let object = value.as_object()?;
    let function = object.class().as_global()?;
    let is_getattr = function.is_builtin("getattr");
    let [parent, name] = object.args().as_array()?;
    (is_getattr && object.construction() == Construction::Reduce).then_some((parent, name.as_str()?))
}
