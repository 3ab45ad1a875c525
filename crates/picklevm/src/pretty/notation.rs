//! What a notation says about a value: an atom at once, a compound value as steps.

use std::fmt;

use picklevm_ops::Text;
use smallvec::SmallVec;

use crate::graph::{Change, Dict, Entries, Id, Items, Kind, Object, Value};

/// A way to write values.
pub(super) trait Notation {
    /// What stands for a value that is left out.
    const OMITTED: &'static str;

    /// What a load made: its root, and the calls that were made for their effect alone.
    fn roots<'g>(&self, root: Value<'g>, effects: Items<'g>) -> Steps<'g>;

    /// The items of a list.
    fn list<'g>(&self, items: Items<'g>) -> Step<'g>;

    /// The entries of a dict.
    fn dict<'g>(&self, entries: Entries<'g>) -> Step<'g>;

    /// Writes an [atom](is_atom).
    fn atom(&self, value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Takes apart what is no atom.
    fn compound<'g>(&self, value: Value<'g>) -> Steps<'g>;

    /// Writes a text as the name of a member.
    fn key(&self, text: Text<'_>, out: &mut dyn fmt::Write) -> fmt::Result;

    /// A number of parts that are left out.
    fn count(&self, parts: usize) -> String {
        parts.to_string()
    }

    /// What stands before and after the value that the label `number` is for.
    fn definition(&self, number: usize) -> (String, &'static str);

    /// What refers to the value of the label `number`.
    fn reference(&self, number: usize) -> String;

    /// Hears that there are 8-bit strings of Python 2 among the values.
    fn tell_byte_strings(&mut self) {}
}

/// What is written of a value, one after the other.
pub(super) type Steps<'g> = SmallVec<[Step<'g>; 4]>;

/// One thing to write.
#[derive(Clone, Copy)]
pub(super) enum Step<'g> {
    Text(&'static str),
    /// A text as the name of a member.
    Key(Text<'g>),
    Value(Value<'g>),
    /// What a function writes of a value.
    Written(Value<'g>, Write),
    Group(Group<'g>),
    /// The arguments of a call, one by one, or as a tuple that is spread where others share it.
    Arguments(Object<'g>, fn(Object<'g>, Spread) -> Group<'g>),
}

/// Writes something of a value.
pub(super) type Write = fn(Value<'_>, &mut dyn fmt::Write) -> fmt::Result;

/// Whether the arguments of a call are written as their tuple.
pub(super) type Spread = bool;

/// Parts between brackets, each a row of steps.
#[derive(Clone, Copy)]
pub(super) struct Group<'g> {
    pub(super) around: &'static Brackets,
    pub(super) parts: Parts<'g>,
    pub(super) row: fn(Row<'g>) -> Steps<'g>,
}

/// What stands around parts.
pub(super) struct Brackets {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Between two parts.
    pub(super) separator: &'static str,
    /// After a single part on the line of the brackets, as in Python's `(1,)`.
    pub(super) after_one: &'static str,
    /// Around the number of parts that are left out.
    pub(super) more: [&'static str; 2],
    /// Whether parts may stand on lines of their own.
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

/// Parts that are still to be written.
pub(super) enum Rows<'g> {
    Items(Items<'g>),
    Other(Box<dyn Iterator<Item = Row<'g>> + 'g>),
}

impl<'g> Parts<'g> {
    /// One after the other.
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
    /// How many are left. There is nothing to be had from them after that.
    pub(super) fn count_rest(&mut self) -> usize {
        match self {
            Rows::Items(items) => items.len(),
            Rows::Other(rows) => match rows.size_hint() {
                (least, Some(most)) if least == most => least,
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

/// The id of a value that a label can stand for: Python programs can tell it from an equal one.
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

/// Whether a value has no parts by its kind.
pub(super) fn is_atom(value: Value<'_>) -> bool {
    identity(value).is_none() && !matches!(value.kind(), Kind::Tuple(_)) || matches!(value.kind(), Kind::ByteArray(_))
}

/// The first bytes of a payload, and how many follow.
pub(super) fn cut(bytes: &[u8], most: usize) -> (&[u8], usize) {
    let (first, rest) = bytes.split_at(bytes.len().min(most));
    (first, rest.len())
}

/// The first bytes of a text that are whole code points, and how many bytes follow.
pub(super) fn cut_text(text: Text<'_>, most: usize) -> (Text<'_>, usize) {
    let bytes = text.as_bytes();
    if bytes.len() <= most {
        return (text, 0);
    }
    let is_inside = |at: &usize| bytes.get(*at).is_some_and(|byte| (0x80..0xc0).contains(byte));
    let end = (0..=most).rev().find(|at| !is_inside(at)).unwrap_or(0);
    (Text::trusted(&bytes[..end], text.as_str().is_some()), bytes.len() - end)
}
