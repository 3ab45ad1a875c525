//! Objects taken apart, the same at every protocol, and instances of the caller's own classes.

use std::fmt;

use super::class::Class;
use super::constructor_call::ConstructorCall;
use super::{Reduce, View};
use crate::graph::{Arena, Cell, Change, Construction, Dict, Entries, Id, Items, Kind, Object, OpKind, Value};
use crate::protocol::Protocol;

/// An instance, the same however it was pickled: of which class, made of which arguments, and what it holds.
///
/// Sees through `copyreg._reconstructor`, `__newobj__` and `__newobj_ex__`, by which protocols 0 and 1 make what later
/// ones make by an opcode (PEP 307), and through the `functools.partial` of protocols 2 and 3 (PEP 3154). Any object is
/// one: a dataclass with its attributes, an instance of a class with
/// `__slots__`, a subclass of a list, the result of a call. [`Object`] has what the pickle said, this what it meant.
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
    /// The opcode that makes it where there is one for that.
    pub(crate) how: Construction,
    pub(crate) args: Items<'g>,
    /// Keyword arguments: a dict that is not empty.
    pub(crate) kwargs: Option<Value<'g>>,
    pub(crate) state: Option<Value<'g>>,
    /// What was appended or added.
    pub(crate) items: Option<Items<'g>>,
    /// What was set by key.
    pub(crate) pairs: Option<Rows<'g>>,
    /// What `copyreg._reconstructor` was given of the built-in class that the class extends.
    pub(crate) base: Option<Value<'g>>,
    /// Whether more happened to it than the fields tell.
    pub(crate) is_partial: bool,
}

/// The rows of one or two dicts, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'g> {
    pub(crate) first: &'g [[Cell; 2]],
    pub(crate) second: &'g [[Cell; 2]],
}

impl<'g> Rows<'g> {
    pub(crate) const NONE: Rows<'static> = Rows { first: &[], second: &[] };

    /// The rows of a dict.
    pub(crate) fn of_dict(value: Value<'g>) -> Option<&'g [[Cell; 2]]> {
        matches!(value.kind(), Kind::Dict(_)).then(|| value.arena().items(value.cell()).as_chunks().0)
    }

    pub(crate) fn single(first: &'g [[Cell; 2]]) -> Rows<'g> {
        Rows { first, second: &[] }
    }
}

impl<'g> InstanceView<'g> {
    /// Takes an object apart.
    pub(crate) fn of(value: Value<'g>) -> Option<InstanceView<'g>> {
        let object = value.as_object()?;
        Some(InstanceView::new(object, Class::of(object.class())))
    }

    /// Takes an object apart. `known` is what is known of its class.
    pub(crate) fn new(object: Object<'g>, known: Class) -> InstanceView<'g> {
        let mut instance = InstanceView {
            class: object.class(),
            known,
            how: object.construction(),
            args: object.args(),
            kwargs: object.kwargs().filter(|kwargs| !kwargs.is_empty()),
            state: None,
            items: None,
            pairs: None,
            base: None,
            is_partial: false,
        };
        for change in object.changes() {
            instance.is_partial |= match change {
                Change::Append(items) | Change::Add(items) => instance.items.replace(items).is_some(),
                Change::SetItem(pairs) => instance.pairs.replace(Rows::single(pairs.rows())).is_some(),
                Change::Build(state) => instance.state.replace(state).is_some(),
                Change::Effect(_) => true,
            };
        }
        if instance.how == Construction::Reduce {
            instance.see_through();
        }
        instance
    }

    /// Makes it what a call was meant to make that stands for an opcode of a later protocol.
    fn see_through(&mut self) {
        let Some(made) = ConstructorCall::of(self.class, self.known, self.args) else { return self.see_through_call() };
        (self.how, self.class, self.known) = (made.how, made.class, Class::of(made.class));
        (self.args, self.kwargs, self.base) = (made.args, made.kwargs, made.base);
        self.items = made.items.or(self.items);
        self.pairs = made.pairs.or(self.pairs);
    }

    /// `functools.partial(cls, *args, **kwargs)()`, of a class that is known: as if it were called.
    fn see_through_call(&mut self) {
        let partial = self.class.as_object().filter(|partial| Class::of(partial.class()) == Class::Partial);
        let state = partial.and_then(Object::state).and_then(Value::as_tuple).and_then(Items::as_array);
        let Some([class, args, kwargs, _]) = state else { return };
        let known = Class::of(class);
        if self.args.is_empty() && known != Class::Other && class.as_global().is_some() {
            self.args = args.items();
            self.kwargs = Some(kwargs).filter(|kwargs| !kwargs.is_empty());
            (self.class, self.known) = (class, known);
        }
    }

    /// The arguments of an instance of a class that is nothing but these.
    pub(crate) fn only_args(&self, class: Class) -> Option<Items<'g>> {
        (self.is(class) && self.state.is_none() && self.items.is_none() && self.pairs.is_none()).then_some(self.args)
    }

    /// Whether it is of a class, and the fields tell all of it.
    pub(crate) fn is(&self, class: Class) -> bool {
        self.known == class && !self.is_partial && self.kwargs.is_none()
    }

    /// The attributes: of a state that is a dict, or a pair of a dict (or `None`) and a dict of slots; and the keyword
    /// arguments. `None` for a state of another kind.
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

    /// The class or function: a global as a rule.
    pub fn class(&self) -> Value<'g> {
        self.class
    }

    /// Whether the class is the global of these names.
    pub fn is_instance(&self, module: &str, name: &str) -> bool {
        self.class.as_global().is_some_and(|global| global.is(module, name))
    }

    /// Whether the class or function was called; else the instance was made by `cls.__new__`, without `__init__`.
    pub fn is_called(&self) -> bool {
        self.how == Construction::Reduce
    }

    /// The arguments.
    pub fn args(&self) -> Items<'g> {
        self.args
    }

    /// The keyword arguments, if there are any.
    pub fn kwargs(&self) -> Option<Dict<'g>> {
        self.kwargs?.as_dict()
    }

    /// The state, as `__getstate__` returned it, if there is one.
    pub fn state(&self) -> Option<Value<'g>> {
        self.state
    }

    /// Names and values of the attributes, where Python keeps them: in a state that is a dict, or a pair of a dict (or
    /// `None`) and a dict of slots. Nothing for a state of another kind.
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

    /// The value of an attribute.
    pub fn attr(&self, name: &str) -> Option<Value<'g>> {
        self.attributes().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// What was appended or added to it, as to a list or a set.
    pub fn items(&self) -> Items<'g> {
        self.items.unwrap_or(self.args.from(usize::MAX))
    }

    /// What was set on it by key, as on a dict; equal keys have not been merged.
    pub fn entries(&self) -> Entries<'g> {
        let rows = self.pairs.map_or(&[][..], |rows| rows.first);
        Entries::new(self.class.arena(), rows.as_flattened())
    }
}

/// The class, the arguments and the state.
impl fmt::Debug for InstanceView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("class", &self.class)
            .field("args", &self.args.collect::<Vec<_>>())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Any object: but for one to which more happened than these fields can tell (several states, calls for their effect).
impl<'g> View<'g> for InstanceView<'g> {
    const EXPECTED: &'static str = "an instance";

    fn view(value: Value<'g>) -> Option<Self> {
        InstanceView::of(value).filter(|instance| !instance.is_partial)
    }
}

/// As `object.__reduce_ex__` has it: below protocol 2, an instance without arguments is made by
/// `copyreg._reconstructor(class, object, None)`.
impl Reduce for InstanceView<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let [args, items, pairs] = [self.args.cells(), self.items().cells(), self.entries().rows().as_flattened()];
        // One copy of all that it holds, so that what is shared stays shared.
        let parts = [self.class.cell()].into_iter().chain(args.iter().chain(items).chain(pairs).copied());
        let rest = self.kwargs.into_iter().chain(self.state).map(Value::cell);
        let copies = arena.copy_each(self.class.arena(), parts.chain(rest));
        let (class, copies) = (copies[0], &copies[1..]);
        let (args, copies) = copies.split_at(args.len());
        let (items, copies) = copies.split_at(items.len());
        let (pairs, copies) = copies.split_at(pairs.len());
        let (kwargs, state) = copies.split_at(usize::from(self.kwargs.is_some()));
        let is_empty = args.is_empty() && kwargs.is_empty() && items.is_empty() && pairs.is_empty();
        let object = if self.how == Construction::NewObj && is_empty && protocol < Protocol::V2 {
            arena.reconstructed(class, "object", Cell::NONE)
        } else {
            let args = arena.new_tuple(args);
            match kwargs {
                [kwargs, ..] => {
                    let both = arena.new_tuple(&[args, *kwargs]);
                    arena.new_object(Construction::NewObjEx, class, both)
                }
                [] => arena.new_object(self.how, class, args),
            }
        };
        let ops = [(OpKind::Append, items), (OpKind::SetItem, pairs), (OpKind::Build, state)];
        for (kind, cells) in ops.into_iter().filter(|(_, cells)| !cells.is_empty()) {
            arena.object_op(object, kind, cells);
        }
        Id(object)
    }
}
