//! Calls that create instances at protocols without an opcode for it.

use super::class::{attribute, qualified_name};
use super::view::{Rows, partial_parts};
use crate::graph::{Construction, Items, Kind, Value};
use crate::python::{Class, is_builtins};

/// A call that creates an instance, as the operands of the NEWOBJ or NEWOBJ_EX that a later protocol would use.
///
/// The callables are the functions of `copyreg` (PEP 307), `functools.partial(cls.__new__, cls, *args, **kwargs)()`,
/// with which protocols 2 and 3 pass keyword arguments (PEP 3154), and `object.__new__`.
#[derive(Clone, Copy)]
pub(crate) struct ConstructorCall<'g> {
    /// NEWOBJ or NEWOBJ_EX.
    pub(crate) construction: Construction,
    pub(crate) class: Value<'g>,
    pub(crate) args: Items<'g>,
    /// Keyword arguments: a non-empty dict.
    pub(crate) kwargs: Option<Value<'g>>,
    /// Value of the built-in base class, the third argument of `copyreg._reconstructor`.
    pub(crate) base: Option<Value<'g>>,
    /// Items of `base`.
    pub(crate) items: Option<Items<'g>>,
    /// Entries of `base`.
    pub(crate) pairs: Option<Rows<'g>>,
}

impl<'g> ConstructorCall<'g> {
    /// Recognizes a REDUCE that creates an instance. `known` is the class of the callable.
    pub(crate) fn of(callable: Value<'g>, known: Class, args: Items<'g>) -> Option<ConstructorCall<'g>> {
        match (known, args.get(0)) {
            (Class::Reconstructor, Some(class)) if args.len() == 3 => Some(ConstructorCall::of_base(class, args)),
            (Class::NewObj, Some(class)) => Some(ConstructorCall::new(class, args.from(1), None)),
            (Class::NewObjEx, Some(class)) if args.len() == 3 => {
                Some(ConstructorCall::new(class, args.get(1).map_or(args, Value::items), args.get(2)))
            }
            (_, None) => ConstructorCall::of_partial(callable),
            (Class::Other, Some(class)) => ConstructorCall::of_method(callable, class, args),
            _ => None,
        }
    }

    fn new(class: Value<'g>, args: Items<'g>, kwargs: Option<Value<'g>>) -> Self {
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        let construction = if kwargs.is_some() { Construction::NewObjEx } else { Construction::NewObj };
        ConstructorCall { construction, class, args, kwargs, base: None, items: None, pairs: None }
    }

    /// `copyreg._reconstructor(class, base, value)`.
    fn of_base(class: Value<'g>, args: Items<'g>) -> Self {
        let mut call = ConstructorCall::new(class, args.from(usize::MAX), None);
        call.base = args.get(2).filter(|base| !base.is_none());
        match call.base.map(Value::kind) {
            None => {}
            Some(Kind::Tuple(items)) => call.args = items,
            Some(Kind::List(items) | Kind::Set(items) | Kind::FrozenSet(items)) => call.items = Some(items),
            Some(Kind::Dict(_)) => call.pairs = call.base.and_then(Rows::of_dict).map(Rows::single),
            // An atom is the only argument that a newer protocol would write.
            Some(_) => call.args = args.from(2),
        }
        call
    }

    /// `object.__new__(cls)`, or the same of the class itself or of another built-in type.
    fn of_method(method: Value<'g>, class: Value<'g>, args: Items<'g>) -> Option<Self> {
        let (owner, "__new__") = attribute(method)? else { return None };
        let is_builtin = owner.as_global().is_some_and(|owner| is_builtins(owner.module().as_bytes()));
        let name = qualified_name(class)?;
        (is_builtin || qualified_name(owner) == Some(name)).then(|| ConstructorCall::new(class, args.from(1), None))
    }

    fn of_partial(callable: Value<'g>) -> Option<Self> {
        let (method, args, kwargs) = partial_parts(callable.as_object()?)?;
        let (owner, "__new__") = attribute(method)? else { return None };
        let class = args.get(0)?;
        let is_same = qualified_name(owner).is_some_and(|name| qualified_name(class) == Some(name));
        is_same.then(|| ConstructorCall::new(class, args.from(1), kwargs))
    }
}
