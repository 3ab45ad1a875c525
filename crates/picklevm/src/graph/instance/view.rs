//! Instances of any class, independent of protocol.

use std::fmt;

use super::constructor_call::ConstructorCall;
use crate::graph::{Cell, Change, Construction, Dict, Entries, Items, Kind, Object, Value};
use crate::python::{Builtin, Class};

/// View of an instance of any class: its class, arguments, state and items, independent of protocol.
///
/// Resolves `copyreg._reconstructor`, `__newobj__` and `__newobj_ex__`, which protocols 0 and 1 use where later ones
/// have an opcode (PEP 307), and the `functools.partial` of protocols 2 and 3 (PEP 3154). Every object has this view: a
/// dataclass with its attributes, an instance of a class with `__slots__`, a subclass of a list, the result of a call.
/// [`Object`] is the call as the pickle encodes it.
///
/// ```
/// use picklevm::typed::InstanceView;
///
/// // An instance with an attribute `x`, at protocol 2 and at protocol 0.
/// for pickle in [
///     &b"\x80\x02cgeometry\nPoint\n)\x81}X\x01\0\0\0xK\x05sb."[..],
///     b"ccopy_reg\n_reconstructor\n(cgeometry\nPoint\nc__builtin__\nobject\nNtR(dVx\nI5\nsb.",
/// ] {
///     let graph = picklevm::loads(pickle)?;
///     let point = graph.root().view::<InstanceView>()?;
///     assert!(point.is_instance("geometry", "Point"));
///     assert_eq!(point.attr("x").and_then(|x| x.as_i64()), Some(5));
/// }
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct InstanceView<'g> {
    pub(crate) class: Value<'g>,
    pub(crate) known: Class,
    /// The opcode that creates it, at protocols that have one.
    pub(crate) construction: Construction,
    pub(crate) args: Items<'g>,
    /// Keyword arguments: a non-empty dict.
    pub(crate) kwargs: Option<Value<'g>>,
    pub(crate) state: Option<Value<'g>>,
    /// Items appended or added.
    pub(crate) items: Option<Items<'g>>,
    /// Items set by key.
    pub(crate) pairs: Option<Rows<'g>>,
    /// Value of the built-in base class, the third argument of `copyreg._reconstructor`.
    pub(crate) base: Option<Value<'g>>,
    /// Whether there are changes that the other fields do not represent.
    pub(crate) is_incomplete: bool,
}

/// The class, arguments and keyword arguments of a `functools.partial` that is called with more arguments.
pub(crate) struct BoundCall<'g> {
    pub(crate) known: Class,
    pub(crate) class: Value<'g>,
    /// The arguments before those of the call.
    pub(crate) bound: Items<'g>,
    pub(crate) kwargs: Option<Value<'g>>,
}

/// Returns callable, arguments and keyword arguments of a `functools.partial`: those of its state, or of its call.
pub(crate) fn partial_parts(partial: Object<'_>) -> Option<(Value<'_>, Items<'_>, Option<Value<'_>>)> {
    if Class::of(partial.class()) != Class::Partial {
        return None;
    }
    if let Some(state) = partial.state() {
        let [function, args, kwargs, _] = state.as_tuple()?.as_array()?;
        return Some((function, args.as_tuple()?, Some(kwargs)));
    }
    let is_call = partial.construction() != Construction::NewObjEx && partial.changes().next().is_none();
    let function = partial.args().get(0).filter(|_| is_call)?;
    Some((function, partial.args().from(1), None))
}

/// Rows of one or two dicts.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'g> {
    pub(crate) first: &'g [[Cell; 2]],
    pub(crate) second: &'g [[Cell; 2]],
}

impl<'g> Rows<'g> {
    pub(crate) const NONE: Rows<'static> = Rows { first: &[], second: &[] };

    /// Returns the rows of a dict.
    pub(crate) fn of_dict(value: Value<'g>) -> Option<&'g [[Cell; 2]]> {
        matches!(value.kind(), Kind::Dict(_)).then(|| value.arena().items(value.cell()).as_chunks().0)
    }

    pub(crate) fn single(first: &'g [[Cell; 2]]) -> Rows<'g> {
        Rows { first, second: &[] }
    }
}

impl<'g> InstanceView<'g> {
    /// Returns the view of an object.
    pub(crate) fn of(value: Value<'g>) -> Option<InstanceView<'g>> {
        let object = value.as_object()?;
        Some(InstanceView::new(object, Class::of(object.class())))
    }

    /// Returns the view of an object whose class is `known`.
    pub(crate) fn new(object: Object<'g>, known: Class) -> InstanceView<'g> {
        let mut instance = InstanceView {
            class: object.class(),
            known,
            construction: object.construction(),
            args: object.args(),
            kwargs: object.kwargs().filter(|kwargs| !kwargs.is_empty()),
            state: None,
            items: None,
            pairs: None,
            base: None,
            is_incomplete: false,
        };
        for change in object.changes() {
            instance.is_incomplete |= match change {
                Change::Append(items) | Change::Add(items) => instance.items.replace(items).is_some(),
                Change::SetItem(pairs) => instance.pairs.replace(Rows::single(pairs.rows())).is_some(),
                Change::Build(state) => instance.state.replace(state).is_some(),
                Change::Effect(_) => true,
            };
        }
        if instance.construction == Construction::Reduce {
            instance.resolve_constructor();
        }
        instance
    }

    /// Replaces a call that stands for an opcode of a later protocol with the instance that it creates.
    fn resolve_constructor(&mut self) {
        let Some(call) = ConstructorCall::of(self.class, self.known, self.args) else {
            return self.resolve_partial_call();
        };
        (self.construction, self.class, self.known) = (call.construction, call.class, Class::of(call.class));
        (self.args, self.kwargs, self.base) = (call.args, call.kwargs, call.base);
        self.items = call.items.or(self.items);
        self.pairs = call.pairs.or(self.pairs);
    }

    /// Resolves `functools.partial(cls, *args, **kwargs)()` to `cls(*args, **kwargs)` for a known class. The arguments
    /// may also be given in the call.
    fn resolve_partial_call(&mut self) {
        let Some((class, args, kwargs)) = self.class.as_object().and_then(partial_parts) else { return };
        let known = Class::of(class);
        let is_known = known != Class::Other || Builtin::of(class).is_some();
        let args = match (args.is_empty(), self.args.is_empty()) {
            (_, true) => args,
            (true, false) => self.args,
            (false, false) => return,
        };
        if is_known && class.as_global().is_some() {
            self.args = args;
            self.kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
            (self.class, self.known) = (class, known);
        }
    }

    /// Returns the call `functools.partial(cls, *bound)(*args)`, if it is one of both kinds of arguments. They lie apart
    /// in the graph, so that the view of the instance does not list them.
    pub(crate) fn bound_call(&self) -> Option<BoundCall<'g>> {
        if self.known != Class::Other || self.args.is_empty() || self.construction != Construction::Reduce {
            return None;
        }
        let (class, bound, kwargs) = partial_parts(self.class.as_object()?)?;
        let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty());
        class.as_global().map(|_| BoundCall { known: Class::of(class), class, bound, kwargs })
    }

    /// Returns the class whose instance it is, also of a [bound call](Self::bound_call) or a call of a class method.
    pub(crate) fn result_class(&self) -> Class {
        self.bound_call().map_or(self.known, |call| call.known).result()
    }

    /// Returns the arguments that `__init__` gets: none if `__new__` alone makes the instance.
    pub(crate) fn init_args(&self) -> Items<'g> {
        if self.is_initialized() { self.args } else { self.args.from(usize::MAX) }
    }

    /// Returns the keyword arguments that `__init__` gets, if there are any.
    pub(crate) fn init_kwargs(&self) -> Option<Value<'g>> {
        self.kwargs.filter(|_| self.is_initialized())
    }

    /// Returns whether `__init__` is called, which NEWOBJ does not.
    pub(crate) fn is_initialized(&self) -> bool {
        !matches!(self.construction, Construction::NewObj | Construction::NewObjEx)
    }

    /// Returns the arguments of an instance of `class` that has neither state nor items.
    pub(crate) fn only_args(&self, class: Class) -> Option<Items<'g>> {
        (self.is(class) && self.state.is_none() && self.items.is_none() && self.pairs.is_none()).then_some(self.args)
    }

    /// Returns whether it is an instance of `class` without keyword arguments and unrepresented changes.
    pub(crate) fn is(&self, class: Class) -> bool {
        self.known == class && !self.is_incomplete && self.kwargs.is_none()
    }

    /// Returns the keyword arguments and the attributes of a state that is a dict, or a pair of a dict (or `None`) and
    /// a dict of slots; `None` for other states.
    pub(crate) fn attribute_rows(&self) -> Option<Rows<'g>> {
        let kwargs = self.kwargs.and_then(Rows::of_dict).unwrap_or_default();
        let Some(state) = self.state else { return Some(Rows { first: &[], second: kwargs }) };
        if let Some(first) = Rows::of_dict(state) {
            return Some(Rows { first, second: kwargs });
        }
        let [attributes, slots] = state.as_tuple()?.as_array()?;
        let second = Rows::of_dict(slots)?;
        match Rows::of_dict(attributes) {
            Some(first) => Some(Rows { first, second }),
            None => attributes.is_none().then_some(Rows { first: &[], second }),
        }
    }

    /// Returns the class or function, usually a global.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// Returns whether the class is the global `module.name`.
    pub fn is_instance(&self, module: &str, name: &str) -> bool {
        self.class.as_global().is_some_and(|global| global.is(module, name))
    }

    /// Returns whether the class or function was called. Otherwise `cls.__new__` created the instance, without
    /// `__init__`.
    pub fn is_called(&self) -> bool {
        self.construction == Construction::Reduce
    }

    /// Returns the arguments.
    pub fn args(&self) -> Items<'g> {
        self.args
    }

    /// Returns the keyword arguments, if there are any.
    pub fn kwargs(&self) -> Option<Dict<'g>> {
        self.kwargs?.as_dict()
    }

    /// Returns the state, the result of `__getstate__`, if there is one.
    pub fn state(&self) -> Option<Value<'g>> {
        self.state
    }

    /// Returns names and values of the attributes: those of a state that is a dict, or a pair of a dict (or `None`) and
    /// a dict of slots. Empty for other states.
    ///
    /// ```
    /// use picklevm::{Graph, typed::InstanceView, value};
    ///
    /// let mut graph = Graph::new();
    /// let state = value!(in graph, (null, {"x": 1, "y": 2}));   // a class with `__slots__`
    /// let point = graph.instance("geometry", "Point").state(state).build()?;
    /// let point = graph.value(point).view::<InstanceView>()?;
    /// assert_eq!(point.attributes().filter_map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn attributes(&self) -> impl Iterator<Item = (Value<'g>, Value<'g>)> + 'g {
        let arena = self.class.arena();
        let rows = match self.state {
            Some(_) => InstanceView { kwargs: None, ..*self }.attribute_rows().unwrap_or(Rows::NONE),
            None => Rows::NONE,
        };
        rows.first.iter().chain(rows.second).map(|[key, value]| (Value::new(arena, *key), Value::new(arena, *value)))
    }

    /// Returns the value of an attribute.
    pub fn attr(&self, name: &str) -> Option<Value<'g>> {
        self.attributes().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Returns the items that were appended or added to it, as to a list or set.
    pub fn items(&self) -> Items<'g> {
        self.items.unwrap_or(self.args.from(usize::MAX))
    }

    /// Returns the items that were set by key, as on a dict. Duplicate keys are not merged.
    pub fn entries(&self) -> Entries<'g> {
        let rows = self.pairs.map_or(&[][..], |rows| rows.first);
        Entries::new(self.class.arena(), rows.as_flattened())
    }
}

/// Writes class, arguments and state.
impl fmt::Debug for InstanceView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("class", &self.class)
            .field("args", &self.args.collect::<Vec<_>>())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
