//! The calls that make an instance where a protocol has no opcode for it.

use super::class::{Class, attribute, qualified_name};
use super::instance::Rows;
use crate::graph::{Construction, Items, Kind, Object, Value};

/// What a call makes an instance of: what an opcode of a later protocol would have been given.
///
/// The functions of `copyreg` (PEP 307), and `functools.partial(cls.__new__, cls, *args, **kwargs)()`, by which protocols
/// 2 and 3 give keyword arguments (PEP 3154).
#[derive(Clone, Copy)]
pub(crate) struct ConstructorCall<'g> {
    /// NEWOBJ or NEWOBJ_EX.
    pub(crate) how: Construction,
    pub(crate) class: Value<'g>,
    pub(crate) args: Items<'g>,
    /// Keyword arguments: a dict that is not empty.
    pub(crate) kwargs: Option<Value<'g>>,
    /// What `copyreg._reconstructor` was given of the built-in class that the class extends.
    pub(crate) base: Option<Value<'g>>,
    /// Items of that.
    pub(crate) items: Option<Items<'g>>,
    /// Rows of that.
    pub(crate) pairs: Option<Rows<'g>>,
}

impl<'g> ConstructorCall<'g> {
    /// What a call by REDUCE makes an instance of, if it does. `known` is what is known of the callable.
    pub(crate) fn of(callable: Value<'g>, known: Class, args: Items<'g>) -> Option<ConstructorCall<'g>> {
        match (known, args.get(0)) {
            (Class::Reconstructor, Some(class)) if args.len() == 3 => Some(ConstructorCall::of_base(class, args)),
            (Class::NewObj, Some(class)) => Some(ConstructorCall::new(class, args.from(1), None)),
            (Class::NewObjEx, Some(class)) if args.len() == 3 => {
                Some(ConstructorCall::new(class, args.get(1).map_or(args, Value::items), args.get(2)))
            }
            (_, None) => ConstructorCall::of_partial(callable),
            _ => None,
        }
    }

    fn new(class: Value<'g>, args: Items<'g>, kwargs: Option<Value<'g>>) -> Self {
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        let how = if kwargs.is_some() { Construction::NewObjEx } else { Construction::NewObj };
        ConstructorCall { how, class, args, kwargs, base: None, items: None, pairs: None }
    }

    /// `copyreg._reconstructor(class, base, value)`.
    fn of_base(class: Value<'g>, args: Items<'g>) -> Self {
        let mut made = ConstructorCall::new(class, args.from(usize::MAX), None);
        made.base = args.get(2).filter(|base| !base.is_none());
        match made.base.map(Value::kind) {
            None => {}
            Some(Kind::Tuple(items)) => made.args = items,
            Some(Kind::List(items) | Kind::Set(items) | Kind::FrozenSet(items)) => made.items = Some(items),
            Some(Kind::Dict(_)) => made.pairs = made.base.and_then(Rows::of_dict).map(Rows::single),
            // An atom: the only argument of what a newer protocol would have written.
            Some(_) => made.args = args.from(2),
        }
        made
    }

    fn of_partial(callable: Value<'g>) -> Option<Self> {
        let partial = callable.as_object().filter(|partial| Class::of(partial.class()) == Class::Partial);
        let [method, args, kwargs, _] = partial.and_then(Object::state)?.as_tuple()?.as_array()?;
        let (owner, "__new__") = attribute(method)? else { return None };
        let class = args.items().get(0)?;
        let is_same = qualified_name(owner).is_some_and(|name| qualified_name(class) == Some(name));
        is_same.then(|| ConstructorCall::new(class, args.items().from(1), Some(kwargs)))
    }
}
