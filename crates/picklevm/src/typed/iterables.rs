//! What Python gets by iterating over a value, and the entries that it makes a mapping of.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::builtins::{Plain, plain_within};
use super::contents::{Contents, Listed};
use super::ranges::Range;
use crate::graph::{Arena, Cell, Graph, InstanceView, Items, Kind, Tag, Value};
use crate::python::Class;

/// Maximum number of calls inside one another that are evaluated: `set(frozenset(set([1])))` has three.
pub(super) const MAX_CALLS: u8 = 8;

/// Maximum number of items of a range, which is a claim.
const MAX_RANGE: usize = 1 << 16;

/// What Python gets by iterating over a value.
pub(crate) enum Elements<'g> {
    Items(Items<'g>),
    /// The keys of a mapping.
    Keys(Cow<'g, [[Cell; 2]]>),
    /// The characters of a text.
    Chars(Cow<'g, str>),
    /// The characters of an 8-bit string of Python 2.
    ByteChars(Cow<'g, [u8]>),
    /// The bytes of bytes, as integers.
    Bytes(Cow<'g, [u8]>),
    Range(Range),
}

impl<'g> Elements<'g> {
    /// Returns what Python gets by iterating over a value, if it is an iterable without a class of its own. Evaluates
    /// `calls` calls inside one another.
    pub(super) fn of(value: Value<'g>, calls: u8) -> Option<Elements<'g>> {
        Some(match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                Elements::Items(items)
            }
            Kind::Dict(dict) => Elements::Keys(dict.entries().rows().into()),
            Kind::Str(text) => Elements::Chars(text.as_str()?.into()),
            Kind::ByteStr(bytes) => Elements::ByteChars(bytes.into()),
            Kind::Bytes(bytes) | Kind::ByteArray(bytes) => Elements::Bytes(bytes.into()),
            Kind::Object(_) => Elements::of_object(&InstanceView::of(value)?, calls)?,
            _ => return None,
        })
    }

    fn of_object(instance: &InstanceView<'g>, calls: u8) -> Option<Elements<'g>> {
        let is_filled = instance.init_args().is_empty() && instance.init_kwargs().is_none();
        match instance.known {
            Class::Range => Range::of(instance).filter(|range| range.len() <= MAX_RANGE).map(Elements::Range),
            Class::Deque if is_filled && instance.state.is_none_or(Value::is_none) && instance.pairs.is_none() => {
                (!instance.is_incomplete).then(|| Elements::Items(instance.items()))
            }
            Class::OrderedDict | Class::DefaultDict | Class::Counter | Class::FrozenDict => {
                rows_of_object(instance, calls).map(Elements::Keys)
            }
            _ => match plain_within(instance, calls)? {
                Plain::Members(_, elements) => elements.unique(instance.class.arena()),
                Plain::Bytes(_, bytes) => Some(Elements::Bytes(bytes.into())),
                Plain::Complex(..) => None,
            },
        }
    }

    /// Returns the elements without those that are equal to an earlier one.
    fn unique(self, arena: &Arena) -> Option<Elements<'g>> {
        fn first<T: Copy + Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
            let mut known = HashSet::with_hasher(RandomState::default());
            items.filter(move |item| known.insert(*item))
        }
        Some(match self {
            Elements::Chars(text) => Elements::Chars(first(text.chars()).collect::<String>().into()),
            Elements::ByteChars(bytes) => Elements::ByteChars(first(bytes.iter().copied()).collect::<Vec<_>>().into()),
            Elements::Bytes(bytes) => Elements::Bytes(first(bytes.iter().copied()).collect::<Vec<_>>().into()),
            Elements::Range(range) => Elements::Range(range),
            others => {
                let Detached::Values(cells) = others.detach()? else { return None };
                let rows: Vec<Cell> = cells.into_iter().flat_map(|cell| [cell, Cell::NONE]).collect();
                Elements::Keys(merged(arena, &rows)?.into())
            }
        })
    }

    /// Returns the elements without their graph.
    pub(crate) fn detach(self) -> Option<Detached> {
        Some(match self {
            Elements::Items(items) => Detached::Values(items.cells().to_vec()),
            Elements::Keys(rows) => Detached::Values(rows.iter().map(|[key, _]| *key).collect()),
            Elements::Bytes(bytes) => {
                Detached::Values(bytes.iter().map(|byte| Cell::small_int(i32::from(*byte))).collect())
            }
            Elements::Range(range) => Detached::Values(range.small_items()?.map(Cell::int).collect::<Option<_>>()?),
            Elements::Chars(text) => Detached::Chars(text.into_owned()),
            Elements::ByteChars(bytes) => Detached::ByteChars(bytes.into_owned()),
        })
    }

    /// Returns the bytes of memory that the elements take as new values.
    pub(crate) fn new_bytes(&self) -> usize {
        match self {
            Elements::Items(_) => 0,
            Elements::Keys(rows) => size_of_val(&**rows),
            Elements::Chars(text) => 24 * text.len(),
            Elements::ByteChars(bytes) => 24 * bytes.len(),
            Elements::Bytes(bytes) => size_of::<Cell>() * bytes.len(),
            Elements::Range(range) => size_of::<Cell>() * range.len(),
        }
    }

    /// Returns the elements as contents of a view.
    pub(super) fn contents(self, arena: &'g Arena) -> Option<Contents<'g>> {
        if let Elements::Items(items) = self {
            return Some(Contents::Listed(Listed::new(arena, items.cells())));
        }
        Some(match self.detach()? {
            Detached::Values(cells) => Contents::Listed(Listed::new(arena, cells)),
            chars => {
                let mut graph = Graph::new();
                let cells = chars.add_to(&mut graph);
                Contents::owned(graph, &cells)
            }
        })
    }
}

/// [`Elements`] without their graph.
pub(crate) enum Detached {
    /// Values of the graph.
    Values(Vec<Cell>),
    Chars(String),
    ByteChars(Vec<u8>),
}

impl Detached {
    /// Returns the elements as cells of their graph or, if they are characters, of any graph.
    pub(crate) fn add_to(self, arena: &mut Arena) -> Vec<Cell> {
        match self {
            Detached::Values(cells) => cells,
            Detached::Chars(text) => {
                let mut buffer = [0; 4];
                text.chars().map(|c| arena.new_text(Tag::Str, c.encode_utf8(&mut buffer).as_bytes(), false)).collect()
            }
            Detached::ByteChars(bytes) => {
                bytes.iter().map(|byte| arena.new_text(Tag::ByteStr, &[*byte], false)).collect()
            }
        }
    }
}

/// Returns the entries of a mapping: a dict, or an object of a known class.
fn rows_of(value: Value<'_>, calls: u8) -> Option<Cow<'_, [[Cell; 2]]>> {
    match value.kind() {
        Kind::Dict(dict) => Some(dict.entries().rows().into()),
        Kind::Object(_) => rows_of_object(&InstanceView::of(value)?, calls),
        _ => None,
    }
}

fn rows_of_object<'g>(instance: &InstanceView<'g>, calls: u8) -> Option<Cow<'g, [[Cell; 2]]>> {
    let is_plain = !instance.is_incomplete && instance.items.is_none() && instance.state.is_none();
    let calls = calls.checked_sub(1).filter(|_| is_plain)?;
    let (mut args, kwargs) = match instance.known {
        Class::FrozenDict => (instance.args, instance.kwargs),
        _ => (instance.init_args(), instance.init_kwargs()),
    };
    let arena = instance.class.arena();
    match instance.known {
        Class::OrderedDict | Class::FrozenDict | Class::Counter => {}
        Class::DefaultDict => args = args.from(1),
        _ => return None,
    }
    if args.len() > 1 {
        return None;
    }
    let listed = match instance.known {
        Class::Counter => match counted_within(arena, args.get(0), kwargs, calls)? {
            Contents::Listed(listed) => listed,
            Contents::Owned(_) => return None,
        },
        _ => mapping_within(arena, args.get(0), kwargs, calls)?,
    };
    match instance.pairs {
        None => Some(listed.into_rows()),
        Some(_) if listed.cells().is_empty() => Some(merged(arena, instance.entries().rows().as_flattened())?.into()),
        Some(_) => None,
    }
}

/// Returns the entries that `dict(source, **keywords)` has. Equal keys are one: the first key with the last value.
pub(super) fn mapping<'g>(
    arena: &'g Arena,
    source: Option<Value<'g>>,
    keywords: Option<Value<'g>>,
) -> Option<Listed<'g>> {
    mapping_within(arena, source, keywords, MAX_CALLS)
}

fn mapping_within<'g>(
    arena: &'g Arena,
    source: Option<Value<'g>>,
    keywords: Option<Value<'g>>,
    calls: u8,
) -> Option<Listed<'g>> {
    let keywords = keywords.and_then(Value::as_dict).map_or(&[][..], |dict| dict.entries().rows());
    let rows = match source {
        None => return Some(Listed::new(arena, keywords.as_flattened())),
        Some(source) => match rows_of(source, calls) {
            Some(rows) if keywords.is_empty() => return Some(Listed::of_rows(arena, rows)),
            Some(rows) => rows.as_flattened().to_vec(),
            None => pairs(source, calls)?,
        },
    };
    Some(Listed::of_rows(arena, merged(arena, &[&rows, keywords.as_flattened()].concat())?.into()))
}

/// Returns keys and values in turn from an iterable of pairs.
fn pairs(value: Value<'_>, calls: u8) -> Option<Vec<Cell>> {
    let mut rows = Vec::new();
    let pairs = match Elements::of(value, calls)?.detach()? {
        Detached::Values(pairs) => pairs,
        Detached::Chars(text) => text.is_empty().then(Vec::new)?,
        Detached::ByteChars(text) => text.is_empty().then(Vec::new)?,
    };
    for pair in pairs {
        let pair = Value::new(value.arena(), pair);
        let items = pair.as_list().or_else(|| pair.as_tuple())?;
        rows.extend(<[Cell; 2]>::try_from(items.cells()).ok()?);
    }
    Some(rows)
}

/// Merges rows with equal keys: the first key with the last value. Returns `None` if a key cannot be hashed.
pub(super) fn merged(arena: &Arena, rows: &[Cell]) -> Option<Vec<[Cell; 2]>> {
    let rows = rows.as_chunks::<2>().0;
    let mut merged: Vec<[Cell; 2]> = Vec::new();
    for (row, place) in rows.iter().zip(places(arena, rows.iter().map(|[key, _]| *key))?) {
        match merged.get_mut(place) {
            Some(first) => first[1] = row[1],
            None => merged.push(*row),
        }
    }
    Some(merged)
}

/// Returns for each key how many different keys come before the first that is equal to it. Returns `None` if one cannot
/// be hashed.
fn places(arena: &Arena, keys: impl Iterator<Item = Cell>) -> Option<Vec<usize>> {
    // Keys with equal hashes of 64 bits are taken for equal: the seed of the hash is random.
    let mut known = HashMap::with_hasher(RandomState::default());
    let mut place = |hash| {
        let next = known.len();
        *known.entry(hash).or_insert(next)
    };
    Some(arena.hashes_of(keys)?.into_iter().map(&mut place).collect())
}

/// Returns the counts by element that `collections.Counter(source, **keywords)` has.
pub(super) fn counted<'g>(
    arena: &'g Arena,
    source: Option<Value<'g>>,
    keywords: Option<Value<'g>>,
) -> Option<Contents<'g>> {
    counted_within(arena, source, keywords, MAX_CALLS)
}

fn counted_within<'g>(
    arena: &'g Arena,
    source: Option<Value<'g>>,
    keywords: Option<Value<'g>>,
    calls: u8,
) -> Option<Contents<'g>> {
    let Some(source) = source.filter(|source| !source.is_none()) else {
        return mapping_within(arena, None, keywords, calls).map(Contents::Listed);
    };
    // Keywords are added to what is there.
    let keywords = keywords.and_then(Value::as_dict).map_or(&[][..], |dict| dict.entries().rows());
    let are_added = || {
        let is_number = |[_, count]: &[Cell; 2]| {
            let count = Value::new(arena, *count).kind();
            matches!(count, Kind::Int(_) | Kind::Bool(_) | Kind::Float(_) | Kind::Complex(..) | Kind::Object(_))
        };
        keywords.iter().all(is_number)
    };
    if let Some(rows) = rows_of(source, calls) {
        if !rows.is_empty() && !are_added() {
            return None;
        }
        let rows = if keywords.is_empty() { rows } else { summed(arena, &[&rows, keywords].concat())?.into() };
        return Some(Contents::Listed(Listed::of_rows(arena, rows)));
    }
    let one = |cell: Cell| [cell, Cell::small_int(1)];
    match Elements::of(source, calls)?.detach()? {
        Detached::Values(cells) => {
            let ones: Vec<_> = cells.into_iter().map(one).collect();
            if !ones.is_empty() && !are_added() {
                return None;
            }
            Some(Contents::Listed(Listed::of_rows(arena, summed(arena, &[&ones, keywords].concat())?.into())))
        }
        chars => {
            let mut graph = Graph::new();
            let ones: Vec<_> = chars.add_to(&mut graph).into_iter().map(one).collect();
            if !ones.is_empty() && !are_added() {
                return None;
            }
            let keywords = graph.copy_each(arena, keywords.as_flattened().iter().copied());
            let rows = summed(&graph, &[&ones, keywords.as_chunks().0].concat())?;
            Some(Contents::owned(graph, rows.as_flattened()))
        }
    }
}

/// Adds the integers of rows with equal keys.
fn summed(arena: &Arena, rows: &[[Cell; 2]]) -> Option<Vec<[Cell; 2]>> {
    let mut summed: Vec<[Cell; 2]> = Vec::new();
    for ([key, count], place) in rows.iter().zip(places(arena, rows.iter().map(|[key, _]| *key))?) {
        match summed.get_mut(place) {
            Some([_, sum]) => {
                let [left, right] = [*sum, *count].map(|number| Value::new(arena, number).as_i64());
                *sum = Cell::int(left?.checked_add(right?)?)?;
            }
            None => summed.push([*key, *count]),
        }
    }
    Some(summed)
}
