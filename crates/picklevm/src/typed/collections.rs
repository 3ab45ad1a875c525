//! `collections`: `OrderedDict`, `defaultdict`, `Counter`, `deque`; and `frozendict`.

use super::Reduce;
use super::builtins::members;
use super::class::Class;
use super::instance::InstanceView;
use super::reduce_helpers::typed;
use super::signature::Signature;
use crate::error::Result;
use crate::graph::{Arena, Cell, Construction, Dict, Entries, Id, IntoValue, Items, Key, Kind, OpKind, Value};
use crate::protocol::Protocol;

/// A `collections.OrderedDict`.
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
///     let ordered: OrderedDict = graph.root().view()?;
///     assert_eq!(ordered.entries().map(|(_, value)| value.as_i64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
///     assert_eq!(ordered.get("a").and_then(|a| a.as_i64()), Some(2));
/// }
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OrderedDict<'g> {
    class: Value<'g>,
    rows: Rows<'g>,
}

/// Where the pairs of a mapping are.
#[derive(Clone, Copy, Debug)]
enum Rows<'g> {
    /// They were set one after the other.
    Set(Entries<'g>),
    /// A list of pairs, the argument of the class.
    Listed(Items<'g>),
}

impl<'g> OrderedDict<'g> {
    /// Keys and values, in order. What Python wrote has no key twice.
    pub fn entries(&self) -> impl Iterator<Item = (Value<'g>, Value<'g>)> + 'g {
        let none = Entries::new(self.class.arena(), &[]);
        let (set, listed) = match self.rows {
            Rows::Set(pairs) => (pairs, None),
            Rows::Listed(items) => (none, Some(items)),
        };
        set.chain(listed.into_iter().flatten().filter_map(pair))
    }

    /// The value of a key. Takes time in the number of entries.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        last(self.class.arena(), self.entries(), key.into())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        match self.rows {
            Rows::Set(pairs) => pairs.len(),
            Rows::Listed(items) => items.len(),
        }
    }

    /// Whether there is no entry.
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

/// A pair that is a list or tuple of two.
fn pair<'g>(value: Value<'g>) -> Option<(Value<'g>, Value<'g>)> {
    let items = value.as_list().or_else(|| value.as_tuple())?;
    items.as_array().map(|[key, value]| (key, value))
}

/// The value of the last pair with a key.
fn last<'g>(
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
        arena.ordered(&cells)
    }
}

/// A `collections.defaultdict`.
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
    /// What is called for the value of a key that is not there, `default_factory`; nothing if that is `None`.
    pub fn factory(&self) -> Option<Value<'g>> {
        self.factory
    }

    /// Keys and values, in order. What Python wrote has no key twice.
    pub fn entries(&self) -> Entries<'g> {
        self.entries
    }

    /// The value of a key. Takes time in the number of entries.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        last(self.class.arena(), self.entries, key.into())
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<DefaultDict<'g>> {
        let is_whole = instance.is(Class::DefaultDict) && instance.state.is_none() && instance.items.is_none();
        let entries = match instance.args.len() {
            _ if !is_whole => return None,
            0 | 1 => instance.entries(),
            // A dict, unless more was set.
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

/// Whether a value is none of those that Python can't call.
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
        arena.defaulting(args, rows)
    }
}

/// A `collections.Counter`.
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
    /// The count of each element: an integer as a rule.
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

/// A `frozendict`, which CPython has from 3.15 on.
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
    /// Nothing of one that was made without arguments.
    mapping: Option<Dict<'g>>,
}

impl<'g> FrozenDict<'g> {
    /// Keys and values, in order.
    pub fn entries(&self) -> Entries<'g> {
        self.mapping.map_or(Entries::new(self.class.arena(), &[]), Dict::entries)
    }

    /// The value of a key.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        self.mapping?.get(key)
    }

    /// A dict, or nothing.
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

/// As CPython 3.15 pickles it, which refuses to below protocol 2.
impl Reduce for FrozenDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let dict = match self.mapping {
            Some(mapping) => mapping.value().into_value(arena).0,
            None => arena.new_dict(),
        };
        arena.frozen(dict)
    }
}

/// A `collections.deque`.
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
    /// The items, from left to right.
    pub fn items(&self) -> Items<'g> {
        self.items
    }

    /// How many items it holds at most, `maxlen`.
    pub fn max_len(&self) -> Option<usize> {
        self.max_len
    }

    /// Without arguments or with an empty tuple and the length; in Python 2 with a list of the items and the length.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Deque<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["iterable", "maxlen"], 0);
        let [iterable, max_len] = SIGNATURE.bind(instance.args, instance.kwargs())?;
        let is_whole = instance.known == Class::Deque && !instance.is_partial && instance.pairs.is_none();
        // `__new__` takes no notice of arguments.
        if !is_whole || !instance.is_called() && iterable.is_some() {
            return None;
        }
        // A state of `None` is what some Pythons write for one that is not there.
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
        // Python drops the first of what is too much.
        let items = items.from(items.len().saturating_sub(max_len.unwrap_or(usize::MAX)));
        Some(Deque { class: instance.class, items, max_len })
    }
}

impl Reduce for Deque<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let items = arena.copy_each(self.class.arena(), self.items.cells().iter().copied());
        arena.queue(&items, self.max_len)
    }
}

impl Arena {
    /// A `collections.OrderedDict` of keys and values; see [`OrderedDict`]. Of equal keys Python keeps the last value.
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let ordered = graph.ordered_dict([("b", 1), ("a", 2)]);
    /// assert_eq!(format!("{:?}", graph.value(ordered)), "collections.OrderedDict({'b': 1, 'a': 2})");
    /// ```
    pub fn ordered_dict<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Id {
        let rows = self.cells_of_pairs(pairs);
        self.ordered(&rows)
    }

    /// A `collections.defaultdict` of a factory (`()` for none), and keys and values; see [`DefaultDict`].
    pub fn default_dict<K: IntoValue, V: IntoValue>(
        &mut self,
        factory: impl IntoValue,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Id {
        let factory = self.cell(factory);
        let rows = self.cells_of_pairs(pairs);
        self.defaulting(if factory == Cell::NONE { &[] } else { std::slice::from_ref(&factory) }, &rows)
    }

    /// A `collections.Counter` of elements and their counts; see [`Counter`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if an element is one that Python cannot hash.
    pub fn counter<K: IntoValue, V: IntoValue>(&mut self, counts: impl IntoIterator<Item = (K, V)>) -> Result<Id> {
        let Id(counts) = self.dict(counts)?;
        Ok(self.known_call(["collections", "Counter"], &[counts]))
    }

    /// A `frozendict` of keys and values; see [`FrozenDict`].
    ///
    /// # Errors
    ///
    /// [`Unhashable`](crate::ErrorKind::Unhashable) if a key is one that Python cannot hash.
    pub fn frozen_dict<K: IntoValue, V: IntoValue>(&mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Id> {
        let Id(dict) = self.dict(pairs)?;
        Ok(self.frozen(dict))
    }

    fn frozen(&mut self, dict: Cell) -> Id {
        let class = self.known_global("builtins", "frozendict");
        let args = self.new_tuple(&[dict]);
        Id(self.new_object(Construction::NewObj, class, args))
    }

    /// A `collections.deque` of items, and how many it holds at most; see [`Deque`]. Of more items Python keeps the last.
    pub fn deque<T: IntoValue>(&mut self, items: impl IntoIterator<Item = T>, max_len: Option<usize>) -> Id {
        let cells = self.cells_of(items);
        self.queue(&cells, max_len)
    }

    fn ordered(&mut self, rows: &[Cell]) -> Id {
        let object = self.known_call(["collections", "OrderedDict"], &[]);
        self.object_rows(object, OpKind::SetItem, rows)
    }

    fn defaulting(&mut self, args: &[Cell], rows: &[Cell]) -> Id {
        let object = self.known_call(["collections", "defaultdict"], args);
        self.object_rows(object, OpKind::SetItem, rows)
    }

    fn queue(&mut self, items: &[Cell], max_len: Option<usize>) -> Id {
        let args = max_len.map(|len| [Cell::EMPTY_TUPLE, self.cell(len)]);
        let object = self.known_call(["collections", "deque"], args.as_ref().map_or(&[], |args| &args[..]));
        self.object_rows(object, OpKind::Append, items)
    }

    fn object_rows(&mut self, object: Id, kind: OpKind, rows: &[Cell]) -> Id {
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
