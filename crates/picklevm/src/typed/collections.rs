//! `OrderedDict`, `defaultdict`, `Counter` and `deque` of `collections`, and `frozendict`.

use super::Reduce;
use super::contents::{Contents, Listed};
use super::iterables::{Elements, MAX_CALLS, counted, mapping};
use super::reduce_helpers::typed;
use super::signature::{Signature, index, may_be_callable};
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
#[derive(Clone, Debug)]
pub struct OrderedDict<'g>(Listed<'g>);

impl<'g> OrderedDict<'g> {
    /// Returns the entries in order. Entries that were set after the call may have equal keys; pickles written by
    /// Python have none.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (Value<'g>, Value<'g>)> + ExactSizeIterator + '_ {
        self.0.entries()
    }

    /// Returns the value of a key. Takes linear time.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        self.0.get(key.into())
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(feature = "serde")]
    pub(crate) fn into_listed(self) -> Listed<'g> {
        self.0
    }

    /// Accepts no arguments, a mapping or pairs (which Python 2 writes), and keyword arguments.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<OrderedDict<'g>> {
        let [source] = instance.bind_mapping::<1>(Class::OrderedDict)?;
        instance.filled(source).map(OrderedDict)
    }
}

impl<'g> InstanceView<'g> {
    /// Returns the positional arguments of a mapping that is initialized by `__init__`; keyword arguments are entries.
    fn bind_mapping<const N: usize>(&self, class: Class) -> Option<[Option<Value<'g>>; N]> {
        let is_whole = !self.is_incomplete && self.state.is_none() && self.items.is_none();
        let (known, [first, more], kwargs) = match self.bound_call() {
            Some(call) => (call.known, [call.bound, self.args], call.kwargs),
            None => (self.known, [self.init_args(), self.args.from(usize::MAX)], self.init_kwargs()),
        };
        let is_too_long = first.len() + more.len() > N;
        if known != class || !is_whole || is_too_long || kwargs.is_some_and(|kwargs| !has_text_keys(kwargs)) {
            return None;
        }
        let mut bound = [None; N];
        bound.iter_mut().zip(first.chain(more)).for_each(|(place, arg)| *place = Some(arg));
        Some(bound)
    }

    /// Returns the entries of a mapping made of `source` and the keyword arguments. Only an empty one may have entries
    /// that were set later.
    fn filled(&self, source: Option<Value<'g>>) -> Option<Listed<'g>> {
        let arena = self.class.arena();
        let kwargs = self.bound_call().map_or_else(|| self.init_kwargs(), |call| call.kwargs);
        let first = mapping(arena, source, kwargs)?;
        match self.pairs {
            None => Some(first),
            Some(_) if first.cells().is_empty() => Some(Listed::of_entries(arena, self.entries())),
            Some(_) => None,
        }
    }
}

/// Returns whether all keys are texts, as those of keyword arguments are.
fn has_text_keys(kwargs: Value<'_>) -> bool {
    kwargs
        .as_dict()
        .is_some_and(|kwargs| kwargs.keys().all(|key| matches!(key.kind(), Kind::Str(_) | Kind::ByteStr(_))))
}

impl Reduce for OrderedDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let cells = self.0.copy_into(arena);
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
#[derive(Clone, Debug)]
pub struct DefaultDict<'g> {
    factory: Option<Value<'g>>,
    entries: Listed<'g>,
}

impl<'g> DefaultDict<'g> {
    /// Returns `default_factory`, the callable for missing keys, unless it is `None`.
    pub fn factory(&self) -> Option<Value<'g>> {
        self.factory
    }

    /// Returns the entries in order. Entries that were set after the call may have equal keys; pickles written by
    /// Python have none.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (Value<'g>, Value<'g>)> + ExactSizeIterator + '_ {
        self.entries.entries()
    }

    /// Returns the value of a key. Takes linear time.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        self.entries.get(key.into())
    }

    #[cfg(feature = "serde")]
    pub(crate) fn into_listed(self) -> Listed<'g> {
        self.entries
    }

    /// Accepts a factory, a mapping or pairs, and keyword arguments, all optional.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<DefaultDict<'g>> {
        let [factory, source] = instance.bind_mapping::<2>(Class::DefaultDict)?;
        let factory = factory.filter(|factory| !factory.is_none());
        if factory.is_some_and(|factory| !may_be_callable(factory)) {
            return None;
        }
        Some(DefaultDict { factory, entries: instance.filled(source)? })
    }
}

impl Reduce for DefaultDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        // One copy of both preserves sharing between them.
        let factory = self.factory.map(Value::cell);
        let cells = factory.into_iter().chain(self.entries.cells().iter().copied());
        let cells = arena.copy_each(self.entries.arena(), cells);
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
/// assert_eq!(votes.get("yes").and_then(|count| count.as_i64()), Some(3));
///
/// // `collections.Counter('abba')`
/// let graph = picklevm::loads(b"ccollections\nCounter\n(Vabba\ntR.")?;
/// let letters: Counter = graph.root().view()?;
/// assert_eq!(letters.get("b").and_then(|count| count.as_i64()), Some(2));
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Counter<'g>(Contents<'g>);

impl<'g> Counter<'g> {
    /// Returns elements and counts, which are usually integers.
    pub fn entries(&self) -> Entries<'_> {
        self.0.entries()
    }

    /// Returns elements and counts as values of the graph; `None` for `Counter('abba')`, whose elements are not in it.
    pub fn graph_entries(&self) -> Option<Vec<(Value<'g>, Value<'g>)>> {
        self.0.listed().map(|listed| listed.entries().collect())
    }

    /// Returns the count of an element. Takes linear time.
    pub fn get<'k>(&self, element: impl Into<Key<'k>>) -> Option<Value<'_>> {
        let element = element.into().of(self.0.arena());
        self.entries().rev().find(|(other, _)| element.equals(*other)).map(|(_, count)| count)
    }

    #[cfg(feature = "serde")]
    pub(crate) fn into_contents(self) -> Contents<'g> {
        self.0
    }

    /// Accepts no arguments, a mapping of counts or an iterable of elements, and counts by keyword.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Counter<'g>> {
        let [source] = instance.bind_mapping::<1>(Class::Counter)?;
        let arena = instance.class.arena();
        let counts = counted(arena, source, instance.init_kwargs())?;
        match instance.pairs {
            None => Some(Counter(counts)),
            Some(_) if counts.cells().is_empty() => {
                Some(Counter(Contents::Listed(Listed::of_entries(arena, instance.entries()))))
            }
            Some(_) => None,
        }
    }
}

impl Reduce for Counter<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let rows = self.0.copy_into(arena);
        let counts = arena.new_dict();
        // They are keys of a dict already, or were hashed.
        let _ = arena.insert_rows(counts, &rows);
        arena.known_call(["collections", "Counter"], &[counts])
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
#[derive(Clone, Debug)]
pub struct FrozenDict<'g> {
    entries: Listed<'g>,
    /// The dict, if it is made of one.
    dict: Option<Dict<'g>>,
}

impl<'g> FrozenDict<'g> {
    /// Returns the entries in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (Value<'g>, Value<'g>)> + ExactSizeIterator + '_ {
        self.entries.entries()
    }

    /// Returns the value of a key.
    pub fn get<'k>(&self, key: impl Into<Key<'k>>) -> Option<Value<'g>> {
        match self.dict {
            Some(dict) => dict.get(key),
            None => self.entries.get(key.into()),
        }
    }

    #[cfg(feature = "serde")]
    pub(crate) fn into_listed(self) -> Listed<'g> {
        self.entries
    }

    /// Accepts no arguments, a mapping or pairs, and keyword arguments.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<FrozenDict<'g>> {
        let is_plain = !instance.is_incomplete && instance.state.is_none() && instance.items.is_none();
        if instance.known != Class::FrozenDict || !is_plain || instance.pairs.is_some() || instance.args.len() > 1 {
            return None;
        }
        let kwargs = instance.kwargs.filter(|kwargs| !kwargs.is_empty());
        if kwargs.is_some_and(|kwargs| !has_text_keys(kwargs)) {
            return None;
        }
        let source = instance.args.get(0);
        let entries = mapping(instance.class.arena(), source, kwargs)?;
        Some(FrozenDict { entries, dict: source.and_then(Value::as_dict).filter(|_| kwargs.is_none()) })
    }
}

/// Pickles as CPython 3.15 does, which supports protocol 2 and later.
impl Reduce for FrozenDict<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let rows = self.entries.copy_into(arena);
        let dict = arena.new_dict();
        // They are keys of a dict already, or were hashed.
        let _ = arena.insert_rows(dict, &rows);
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
#[derive(Clone, Debug)]
pub struct Deque<'g> {
    items: Contents<'g>,
    max_len: Option<usize>,
}

impl<'g> Deque<'g> {
    /// Returns the items from left to right.
    pub fn items(&self) -> Items<'_> {
        self.items.items()
    }

    /// Returns the items as values of the graph; `None` for `deque('abc')`, whose items are not in it.
    pub fn graph_items(&self) -> Option<Vec<Value<'g>>> {
        self.items.listed().map(|listed| listed.values().collect())
    }

    /// Returns the items, if the graph lists them so.
    pub(crate) fn borrowed_items(&self) -> Option<Items<'g>> {
        self.items.borrowed_items()
    }

    /// Returns `maxlen`, the maximum number of items.
    pub fn max_len(&self) -> Option<usize> {
        self.max_len
    }

    #[cfg(feature = "serde")]
    pub(crate) fn into_contents(self) -> Contents<'g> {
        self.items
    }

    /// Accepts an iterable of the items and the maximum length, both optional.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Deque<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["iterable", "maxlen"], 0);
        let (args, kwargs) = match instance.bound_call().filter(|call| call.known == Class::Deque) {
            Some(call) => ([call.bound, instance.args], call.kwargs),
            None => ([instance.init_args(), instance.items().from(usize::MAX)], instance.init_kwargs()),
        };
        let [iterable, max_len] = SIGNATURE.bind_both(args, kwargs.and_then(Value::as_dict))?;
        let is_whole = instance.result_class() == Class::Deque && !instance.is_incomplete && instance.pairs.is_none();
        // Some Python versions write a state of `None` for a deque without attributes.
        if !is_whole || instance.state.is_some_and(|state| !state.is_none()) {
            return None;
        }
        let max_len = match max_len {
            None => None,
            Some(len) if len.is_none() => None,
            Some(len) => Some(usize::try_from(index(len)?).ok()?),
        };
        let first = iterable.map(|iterable| Elements::of(iterable, MAX_CALLS)?.contents(instance.class.arena()));
        let items = match (first, instance.items) {
            (Some(first), None) => first?,
            (Some(first), Some(_)) if !first.as_ref()?.cells().is_empty() => return None,
            (_, items) => {
                Contents::Listed(Listed::new(instance.class.arena(), items.unwrap_or(instance.items()).cells()))
            }
        };
        // Python drops excess items from the left.
        let excess = items.cells().len().saturating_sub(max_len.unwrap_or(usize::MAX));
        Some(Deque { items: if excess > 0 { items.skip(excess) } else { items }, max_len })
    }
}

impl Reduce for Deque<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let items = self.items.copy_into(arena);
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

    pub(crate) fn new_frozen_dict(&mut self, dict: Cell) -> Id {
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
