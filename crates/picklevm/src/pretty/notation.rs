//! Notations: an atom is written directly, a compound value is split into steps.

use std::fmt;

use picklevm_ops::Text;
use smallvec::SmallVec;

use crate::graph::{Change, Dict, Entries, Id, Items, Kind, Object, Value};

/// A syntax for values.
pub(super) trait Notation {
    /// Placeholder for an omitted value.
    const OMITTED: &'static str;

    /// Returns the steps of a loaded graph: its root, and the calls made for their effect.
    fn roots<'g>(&self, root: Value<'g>, effects: Items<'g>) -> Steps<'g>;

    /// Returns a list of items.
    fn list<'g>(&self, items: Items<'g>) -> Step<'g>;

    /// Returns a dict of entries.
    fn dict<'g>(&self, entries: Entries<'g>) -> Step<'g>;

    /// Writes an [atom](is_atom).
    fn atom(&self, value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Splits a value that is not an atom into steps.
    fn compound<'g>(&self, value: Value<'g>) -> Steps<'g>;

    /// Writes a text as a member name.
    fn key(&self, key: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Formats the number of omitted parts.
    fn count(&self, parts: usize) -> String {
        parts.to_string()
    }

    /// Returns the text before and after the value with the label `number`.
    fn definition(&self, number: usize) -> (String, &'static str);

    /// Returns a reference to the value with the label `number`.
    fn reference(&self, number: usize) -> String;

    /// Called before writing if the values contain 8-bit strings of Python 2.
    fn set_has_byte_strings(&mut self) {}
}

/// The steps of a value, in order.
pub(super) type Steps<'g> = SmallVec<[Step<'g>; 4]>;

/// One thing to write.
#[derive(Clone, Copy)]
pub(super) enum Step<'g> {
    Text(&'static str),
    /// A text as a member name.
    Key(Value<'g>),
    Value(Value<'g>),
    /// A value that is the key of a dict.
    DictKey(Value<'g>),
    /// Text of a value, written by a function.
    Written(Value<'g>, Write),
    Group(Group<'g>),
    /// The arguments of a call: one by one, or as a spread tuple if other values share it.
    Arguments(Object<'g>, fn(Object<'g>, Spread) -> Group<'g>),
}

/// Writes some text for a value.
pub(super) type Write = fn(Value<'_>, &mut dyn fmt::Write) -> fmt::Result;

/// Whether the arguments of a call are written as a tuple.
pub(super) type Spread = bool;

/// Parts in brackets, each a row of steps.
#[derive(Clone, Copy)]
pub(super) struct Group<'g> {
    pub(super) brackets: &'static Brackets,
    pub(super) parts: Parts<'g>,
    pub(super) row: fn(Row<'g>) -> Steps<'g>,
}

/// Delimiters of a group.
pub(super) struct Brackets {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Between two parts.
    pub(super) separator: &'static str,
    /// After a single part on the line of the brackets, as in Python's `(1,)`.
    pub(super) after_one: &'static str,
    /// Around the number of omitted parts.
    pub(super) more: [&'static str; 2],
    /// Whether parts may be written on separate lines.
    pub(super) may_break: bool,
}

/// The parts of a value.
#[derive(Clone, Copy)]
pub(super) enum Parts<'g> {
    Items(Items<'g>),
    Dict(Dict<'g>),
    Entries(Entries<'g>),
    One(Value<'g>),
    Arguments(Object<'g>),
    SpreadArguments(Object<'g>),
    Changes(Object<'g>),
    Effects(Items<'g>),
}

/// One part.
pub(super) enum Row<'g> {
    Item(Value<'g>),
    Pair(Value<'g>, Value<'g>),
    Spread(Value<'g>),
    KeywordArguments(Value<'g>),
    Change(Change<'g>),
}

/// Iterator over the unwritten parts.
pub(super) enum Rows<'g> {
    Items(Items<'g>),
    Other(Box<dyn Iterator<Item = Row<'g>> + 'g>),
}

impl<'g> Parts<'g> {
    /// Returns an iterator over the parts.
    pub(super) fn rows(self) -> Rows<'g> {
        fn other<'g>(rows: impl Iterator<Item = Row<'g>> + 'g) -> Rows<'g> {
            Rows::Other(Box::new(rows))
        }
        let keywords = |object: Object<'g>| object.kwargs().map(Row::KeywordArguments);
        match self {
            Parts::Items(items) => Rows::Items(items),
            Parts::Dict(dict) => other(dict.entries().map(|(key, value)| Row::Pair(key, value))),
            Parts::Entries(pairs) => other(pairs.map(|(key, value)| Row::Pair(key, value))),
            Parts::One(value) => other(std::iter::once(Row::Item(value))),
            Parts::Arguments(object) => match keywords(object) {
                None => Rows::Items(object.args()),
                keywords => other(object.args().map(Row::Item).chain(keywords)),
            },
            Parts::SpreadArguments(object) => {
                other(std::iter::once(Row::Spread(object.args_tuple())).chain(keywords(object)))
            }
            Parts::Changes(object) => other(object.changes().map(Row::Change)),
            Parts::Effects(effects) => other(effects.map(|effect| Row::Change(Change::Effect(effect)))),
        }
    }
}

impl Rows<'_> {
    /// Returns the number of remaining rows. This consumes them.
    pub(super) fn count_rest(&mut self) -> usize {
        match self {
            Rows::Items(items) => items.len(),
            Rows::Other(rows) => match rows.size_hint() {
                (lower, Some(upper)) if lower == upper => lower,
                _ => rows.by_ref().count(),
            },
        }
    }
}

impl<'g> Iterator for Rows<'g> {
    type Item = Row<'g>;

    fn next(&mut self) -> Option<Row<'g>> {
        match self {
            Rows::Items(items) => items.next().map(Row::Item),
            Rows::Other(rows) => rows.next(),
        }
    }
}

/// Returns the id of a value that can have a label, because Python distinguishes it from an equal one.
pub(super) fn identity(value: Value<'_>) -> Option<Id> {
    match value.kind() {
        Kind::Tuple(items) if items.is_empty() => None,
        Kind::List(_)
        | Kind::Tuple(_)
        | Kind::Dict(_)
        | Kind::Set(_)
        | Kind::FrozenSet(_)
        | Kind::ByteArray(_)
        | Kind::Persistent(_)
        | Kind::Object(_) => Some(value.id()),
        _ => None,
    }
}

/// Returns whether a value is of a kind without parts.
pub(super) fn is_atom(value: Value<'_>) -> bool {
    identity(value).is_none() && !matches!(value.kind(), Kind::Tuple(_)) || matches!(value.kind(), Kind::ByteArray(_))
}

/// Returns the first bytes of a payload and the number of bytes that follow.
pub(super) fn cut(bytes: &[u8], max: usize) -> (&[u8], usize) {
    let (first, rest) = bytes.split_at(bytes.len().min(max));
    (first, rest.len())
}

/// Returns the first whole code points of a text and the number of bytes that follow.
pub(super) fn cut_text(text: Text<'_>, max: usize) -> (Text<'_>, usize) {
    let bytes = text.as_bytes();
    if bytes.len() <= max {
        return (text, 0);
    }
    let is_inside = |at: &usize| bytes.get(*at).is_some_and(|byte| (0x80..0xc0).contains(byte));
    let end = (0..=max).rev().find(|at| !is_inside(at)).unwrap_or(0);
    (Text::trusted(&bytes[..end], text.as_str().is_some()), bytes.len() - end)
}
