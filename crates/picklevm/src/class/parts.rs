//! What an instance was made of, the same for every protocol.

use std::borrow::Cow;

use crate::graph::{Dict, How, Items, Kind, Object, Value};
use crate::resolve::compat::{Names, python3_name};

/// Classes inside each other that a name is followed through.
const NESTED: usize = 100;

/// An instance taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'g> {
    pub(crate) class: Value<'g>,
    /// The positional arguments of `__new__`, or of `__init__` for an old-style class.
    pub(crate) args: Items<'g>,
    pub(crate) kwargs: Option<Dict<'g>>,
    /// What the built-in class held that the class extends, where `copyreg._reconstructor` was given it.
    pub(crate) base: Option<Value<'g>>,
    pub(crate) state: Option<Value<'g>>,
}

impl<'g> Parts<'g> {
    /// Takes an object apart, and sees through the functions of `copyreg` that make instances for protocols without an
    /// opcode for it (PEP 307).
    pub(crate) fn of(object: Object<'g>) -> Parts<'g> {
        let parts = Parts {
            class: object.class(),
            args: object.args(),
            kwargs: object.kwargs().and_then(Value::as_dict),
            base: None,
            state: object.state(),
        };
        if object.how() == How::Reduce { parts.seen_through().unwrap_or(parts) } else { parts }
    }

    fn seen_through(self) -> Option<Parts<'g>> {
        let Some(function) = self.class.as_global() else { return self.seen_through_partial() };
        if !matches!(function.module().as_bytes(), b"copyreg" | b"copy_reg") {
            return None;
        }
        let class = self.args.get(0)?;
        match function.name().as_bytes() {
            b"_reconstructor" => {
                let [_, _, base] = self.args.as_array()?;
                Some(Parts { class, args: self.args.from(3), base: Some(base).filter(|base| !base.is_none()), ..self })
            }
            b"__newobj__" => Some(Parts { class, args: self.args.from(1), ..self }),
            b"__newobj_ex__" => {
                let [_, args, kwargs] = self.args.as_array()?;
                Some(Parts { class, args: args.as_tuple()?, kwargs: kwargs.as_dict(), ..self })
            }
            _ => None,
        }
    }

    /// Protocols 2 and 3 have no NEWOBJ_EX: `functools.partial(cls.__new__, cls, *args, **kwargs)()` (PEP 3154).
    fn seen_through_partial(self) -> Option<Parts<'g>> {
        let partial = self.class.as_object().filter(|partial| partial.is_instance("functools", "partial"))?;
        let [method, args, kwargs, _] = partial.state()?.as_tuple()?.as_array()?;
        let (owner, name) = attribute(method)?;
        let args = args.as_tuple()?;
        let class = args.get(0)?;
        let is_new = name == "__new__" && self.args.is_empty() && class_name(owner) == class_name(class);
        is_new.then(|| Parts { class, args: args.from(1), kwargs: kwargs.as_dict(), ..self })
    }

    /// The two dicts that attributes can be in: that of the instance, and that of its slots.
    pub(crate) fn attributes(&self) -> [Option<Dict<'g>>; 2] {
        let Some(state) = self.state else { return [None, None] };
        match state.as_tuple().and_then(Items::as_array) {
            Some([own, slots]) => [own.as_dict(), slots.as_dict()],
            None => [state.as_dict(), None],
        }
    }

    /// The items of a state that is a tuple or list.
    pub(crate) fn positions(&self) -> Option<Items<'g>> {
        match self.state?.kind() {
            Kind::Tuple(items) | Kind::List(items) => Some(items),
            _ => None,
        }
    }
}

/// Module and qualified name of a class, as Python 3 calls it. Below protocol 4, what is nested in a class is
/// written as a path of attributes: `getattr(Outer, 'Inner')`.
pub(crate) fn class_name<'g>(mut class: Value<'g>) -> Option<(&'g str, Cow<'g, str>)> {
    let mut inner = Vec::new();
    while let Some((parent, name)) = attribute(class) {
        if inner.len() == NESTED {
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

/// What `getattr` was called with, if a value is such a call.
fn attribute<'g>(value: Value<'g>) -> Option<(Value<'g>, &'g str)> {
    let object = value.as_object()?;
    let function = object.class().as_global()?;
    let is_getattr = function.is("builtins", "getattr") || function.is("__builtin__", "getattr");
    let [parent, name] = object.args().as_array()?;
    (is_getattr && object.how() == How::Reduce).then_some((parent, name.as_str()?))
}
