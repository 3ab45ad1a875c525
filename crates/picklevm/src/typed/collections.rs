//! `OrderedDict`, `defaultdict`, `Counter` and `deque` of `collections`, and `frozendict`.

use super::Reduce;
use super::builtins::members;
use super::reduce_helpers::typed;
use super::signature::Signature;
use crate::error::Result;
use crate::graph::InstanceView;
use crate::graph::{Arena, Cell, Construction, Dict, Entries, Id, IntoValue, Items, Key, Kind, OpKind, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `collections.OrderedDict`.
///
/// ```
/// use picklevm::typed::OrderedDict;
///
/// // As Python 3 pickles it, and as Python 2 does.
/// for pickle in [
///     &b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0bK\x01X\x01\0\0\0aK\x02u."[..],
///     b"\x80\x02ccollections\nOrderedDict\n](](U\x01bK\x01e](U\x01aK\x02ee\x85R.",
/// ] {
///     let graph = picklevm::loads(pickle)?;
///     let new_ordered_dict: OrderedDict = graph.root().view()?;
///     assert_eq!(new_ordered_dict.entries().map(|(_, value)| value.as_i64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
///     assert_eq!(new_ordered_dict.get("a").and_then(|a| a.as_i64()), Some(2));
/// }
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OrderedDict<'g> {
    class: Value<'g>,
    rows: Rows<'g>,
}

/// Storage of the entries of a mapping.
#[derive(Clone, Copy, Debug)]
enum Rows<'g> {
    /// Set by SETITEM or SETITEMS, or entries of a dict.
    Set(Entries<'g>),
    /// A list of pairs: the argument of the class in Python 2.
    Listed(Items<'g>),
}

impl<'g> OrderedDict<'g> {
    /// Returns the entries in order. Pickles written by Python have no duplicate keys.
    pub fn entries(&self) -> impl Iterator<Item = (Value<'g>, Value<'g>)> + 'g {
        let none = Entries::new(self.class.arena(), &[]);
        let (set, listed) = match self.rows {
            Rows::Set(pairs) => (pairs, None),
            Rows::Listed(items) => (none, Some(items)),
        };
        set.chain(listed.into_iter().flatten().filter_map(pair))
    }

    /// Returns the value of a key. Takes linear time.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        last_value(self.class.arena(), self.entries(), key.into())
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        match self.rows {
            Rows::Set(pairs) => pairs.len(),
            Rows::Listed(items) => items.len(),
        }
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<OrderedDict<'g>> {
        if !instance.is(Class::OrderedDict) || instance.state.is_some() || instance.items.is_some() {
            return None;
        }
        let rows = match instance.args.as_array() {
            Some([items]) if instance.pairs.is_none() => match items.kind() {
                Kind::List(items) | Kind::Tuple(items) => {
                    items.clone().all(|item| pair(item).is_some()).then_some(Rows::Listed(items))?
                }
                Kind::Dict(dict) => Rows::Set(dict.entries()),
                _ => return None,
            },
            _ if instance.args.is_empty() => Rows::Set(instance.entries()),
            _ => return None,
        };
        Some(OrderedDict { class: instance.class, rows })
    }
}

/// Returns a pair from a list or tuple of two items.
fn pair<'g>(value: Value<'g>) -> Option<(Value<'g>, Value<'g>)> {
    let items = value.as_list().or_else(|| value.as_tuple())?;
    items.as_array().map(|[key, value]| (key, value))
}

/// Returns the value of the last entry with a key.
fn last_value<'g>(
    arena: &'g Arena,
    entries: impl Iterator<Item = (Value<'g>, Value<'g>)>,
    key: Key<'_>,
) -> Option<Value<'g>> {
    let key = key.of(arena);
    entries.filter(|(other, _)| key.equals(*other)).last().map(|(_, value)| value)
}

impl Reduce for OrderedDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let cells = self.entries().flat_map(|(key, value)| [key.cell(), value.cell()]);
        let cells = arena.copy_each(self.class.arena(), cells);
        arena.new_ordered_dict(&cells)
    }
}

/// View of a `collections.defaultdict`.
///
/// ```
/// use picklevm::{Graph, typed::DefaultDict};
///
/// let mut graph = Graph::new();
/// let list = graph.global("builtins", "list");
/// let groups = graph.default_dict(list, [("a", vec![1, 2])]);
/// let groups: DefaultDict = graph.value(groups).view()?;
/// assert!(groups.factory().unwrap().as_global().unwrap().is("builtins", "list"));
/// assert_eq!(groups.get("a").unwrap().len(), 2);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DefaultDict<'g> {
    factory: Option<Value<'g>>,
    entries: Entries<'g>,
    class: Value<'g>,
}

impl<'g> DefaultDict<'g> {
    /// Returns `default_factory`, the callable for missing keys, unless it is `None`.
    pub fn factory(&self) -> Option<Value<'g>> {
        self.factory
    }

    /// Returns the entries in order. Pickles written by Python have no duplicate keys.
    pub fn entries(&self) -> Entries<'g> {
        self.entries
    }

    /// Returns the value of a key. Takes linear time.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        last_value(self.class.arena(), self.entries, key.into())
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<DefaultDict<'g>> {
        let is_whole = instance.is(Class::DefaultDict) && instance.state.is_none() && instance.items.is_none();
        let entries = match instance.args.len() {
            _ if !is_whole => return None,
            0 | 1 => instance.entries(),
            // The second argument is a dict, unless items were set as well.
            2 if instance.pairs.is_none() => instance.args.get(1)?.as_dict()?.entries(),
            _ => return None,
        };
        let factory = instance.args.get(0).filter(|factory| !factory.is_none());
        if factory.is_some_and(|factory| !may_be_callable(factory)) {
            return None;
        }
        Some(DefaultDict { factory, entries, class: instance.class })
    }
}

/// Returns whether a value may be callable in Python.
fn may_be_callable(value: Value<'_>) -> bool {
    matches!(
        value.kind(),
        Kind::Global(_) | Kind::Ext(_) | Kind::Object(_) | Kind::Persistent(_) | Kind::NativeObject(_)
    )
}

impl Reduce for DefaultDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let rows = self.entries.rows().as_flattened();
        let factory = self.factory.map(Value::cell);
        let cells = arena.copy_each(self.class.arena(), factory.into_iter().chain(rows.iter().copied()));
        let (args, rows) = cells.split_at(usize::from(factory.is_some()));
        arena.new_default_dict(args, rows)
    }
}

/// View of a `collections.Counter`.
///
/// ```
/// use picklevm::{Graph, typed::Counter};
///
/// let mut graph = Graph::new();
/// let votes = graph.counter([("yes", 3), ("no", 1)])?;
/// let votes: Counter = graph.value(votes).view()?;
/// assert_eq!(votes.counts().get("yes").and_then(|count| count.as_i64()), Some(3));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Counter<'g>(Dict<'g>);

impl<'g> Counter<'g> {
    /// Returns the counts by element, usually integers.
    pub fn counts(&self) -> Dict<'g> {
        self.0
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Counter<'g>> {
        let [counts] = instance.only_args(Class::Counter)?.as_array()?;
        counts.as_dict().map(Counter)
    }
}

impl Reduce for Counter<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let counts = self.0.value().into_value(arena);
        arena.known_call(["collections", "Counter"], &[counts.0])
    }
}

/// View of a `frozendict` (CPython 3.15 and later).
///
/// ```
/// use picklevm::{Graph, typed::FrozenDict};
///
/// let mut graph = Graph::new();
/// let point = graph.frozen_dict([("x", 1), ("y", 2)])?;
/// let point: FrozenDict = graph.value(point).view()?;
/// assert_eq!(point.get("y").and_then(|y| y.as_i64()), Some(2));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FrozenDict<'g> {
    class: Value<'g>,
    /// `None` if it was called without arguments.
    mapping: Option<Dict<'g>>,
}

impl<'g> FrozenDict<'g> {
    /// Returns the entries in order.
    pub fn entries(&self) -> Entries<'g> {
        self.mapping.map_or(Entries::new(self.class.arena(), &[]), Dict::entries)
    }

    /// Returns the value of a key.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        self.mapping?.get(key)
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<FrozenDict<'g>> {
        const SIGNATURE: Signature<1> = Signature::new(["mapping"], 0).positional_only(1);
        let [mapping] = instance.bind(Class::FrozenDict, &SIGNATURE)?;
        let mapping = match mapping {
            Some(mapping) => Some(mapping.as_dict()?),
            None => None,
        };
        Some(FrozenDict { class: instance.class, mapping })
    }
}

/// Pickles as CPython 3.15 does, which supports protocol 2 and later.
impl Reduce for FrozenDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let dict = match self.mapping {
            Some(mapping) => mapping.value().into_value(arena).0,
            None => arena.new_dict(),
        };
        arena.new_frozen_dict(dict)
    }
}

/// View of a `collections.deque`.
///
/// ```
/// use picklevm::{Graph, typed::Deque};
///
/// let mut graph = Graph::new();
/// let recent = graph.deque(["a", "b"], Some(10));
/// let recent: Deque = graph.value(recent).view()?;
/// assert_eq!(recent.items().filter_map(|item| item.as_str()).collect::<String>(), "ab");
/// assert_eq!(recent.max_len(), Some(10));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deque<'g> {
    class: Value<'g>,
    items: Items<'g>,
    max_len: Option<usize>,
}

impl<'g> Deque<'g> {
    /// Returns the items from left to right.
    pub fn items(&self) -> Items<'g> {
        self.items
    }

    /// Returns `maxlen`, the maximum number of items.
    pub fn max_len(&self) -> Option<usize> {
        self.max_len
    }

    /// Accepts no arguments, an empty tuple and the length, or, as in Python 2, a list of the items and the length.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Deque<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["iterable", "maxlen"], 0);
        let [iterable, max_len] = SIGNATURE.bind(instance.args, instance.kwargs())?;
        let is_whole = instance.known == Class::Deque && !instance.is_incomplete && instance.pairs.is_none();
        // `__new__` ignores its arguments.
        if !is_whole || !instance.is_called() && iterable.is_some() {
            return None;
        }
        // Some Python versions write a state of `None` for a deque without attributes.
        if instance.state.is_some_and(|state| !state.is_none()) {
            return None;
        }
        let max_len = match max_len {
            None => None,
            Some(len) if len.is_none() => None,
            Some(len) => Some(usize::try_from(len.as_i64()?).ok()?),
        };
        let first = iterable.map_or(Some(instance.items()), members)?;
        let items = match instance.items {
            Some(items) if iterable.is_none() || first.is_empty() => items,
            None => first,
            Some(_) => return None,
        };
        // Python drops excess items from the left.
        let items = items.from(items.len().saturating_sub(max_len.unwrap_or(usize::MAX)));
        Some(Deque { class: instance.class, items, max_len })
    }
}

impl Reduce for Deque<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let items = arena.copy_each(self.class.arena(), self.items.cells().iter().copied());
        arena.new_deque(&items, self.max_len)
    }
}

impl Arena {
    /// Adds a `collections.OrderedDict`; see [`OrderedDict`]. For equal keys, Python keeps the last value.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let new_ordered_dict = graph.ordered_dict([("b", 1), ("a", 2)]);
    /// assert_eq!(format!("{:?}", graph.value(new_ordered_dict)), "collections.OrderedDict({'b': 1, 'a': 2})");
    /// ```
    pub fn ordered_dict<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Id {
        let rows = self.cells_of_pairs(pairs);
        self.new_ordered_dict(&rows)
    }

    /// Adds a `collections.defaultdict` with a factory (`()` for none); see [`DefaultDict`].
    pub fn default_dict<K: IntoValue, V: IntoValue>(
        &mut self,
        factory: impl IntoValue,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Id {
        let factory = self.cell(factory);
        let rows = self.cells_of_pairs(pairs);
        self.new_default_dict(if factory == Cell::NONE { &[] } else { std::slice::from_ref(&factory) }, &rows)
    }

    /// Adds a `collections.Counter` of elements and counts; see [`Counter`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if Python cannot hash an element.
    pub fn counter<K: IntoValue, V: IntoValue>(&mut self, counts: impl IntoIterator<Item = (K, V)>) -> Result<Id> {
        let Id(counts) = self.dict(counts)?;
        Ok(self.known_call(["collections", "Counter"], &[counts]))
    }

    /// Adds a `frozendict`; see [`FrozenDict`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if Python cannot hash a key.
    pub fn frozen_dict<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Id> {
        let Id(dict) = self.dict(pairs)?;
        Ok(self.new_frozen_dict(dict))
    }

    fn new_frozen_dict(&mut self, dict: Cell) -> Id {
        let class = self.known_global("builtins", "frozendict");
        let args = self.new_tuple(&[dict]);
        Id(self.new_object(Construction::NewObj, class, args))
    }

    /// Adds a `collections.deque` with an optional maximum length; see [`Deque`]. Python keeps the last `max_len`
    /// items.
    pub fn deque<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>, max_len: Option<usize>) -> Id {
        let cells = self.cells_of(items);
        self.new_deque(&cells, max_len)
    }

    fn new_ordered_dict(&mut self, rows: &[Cell]) -> Id {
        let object = self.known_call(["collections", "OrderedDict"], &[]);
        self.object_with(object, OpKind::SetItem, rows)
    }

    fn new_default_dict(&mut self, args: &[Cell], rows: &[Cell]) -> Id {
        let object = self.known_call(["collections", "defaultdict"], args);
        self.object_with(object, OpKind::SetItem, rows)
    }

    fn new_deque(&mut self, items: &[Cell], max_len: Option<usize>) -> Id {
        let args = max_len.map(|len| [Cell::EMPTY_TUPLE, self.cell(len)]);
        let object = self.known_call(["collections", "deque"], args.as_ref().map_or(&[], |args| &args[..]));
        self.object_with(object, OpKind::Append, items)
    }

    fn object_with(&mut self, object: Id, kind: OpKind, rows: &[Cell]) -> Id {
        if !rows.is_empty() {
            self.object_op(object.0, kind, rows);
        }
        object
    }
}

typed! {
    OrderedDict<'g>, "a collections.OrderedDict";
    DefaultDict<'g>, "a collections.defaultdict";
    Counter<'g>, "a collections.Counter";
    Deque<'g>, "a collections.deque";
    FrozenDict<'g>, "a frozendict";
}
