//! `SeqAccess` and `MapAccess` for items, rows and entries.

use ::serde::de::value::{BorrowedStrDeserializer, I64Deserializer, StringDeserializer};
use ::serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::context::{Context, Lend};
use super::{ItemsReader, Reader, RowsReader};
use crate::graph::Rows;
use crate::graph::{Cell, Items, Kind, Value};
use crate::path::Step;
use crate::serde::error::Error;

/// Access to the items of a list, tuple or set.
pub(super) struct ItemsAccess<'c, 'g, 'de, L> {
    items: Items<'g>,
    len: usize,
    context: &'c mut Context<'g, 'de, L>,
}

impl<'c, 'g, 'de, L> ItemsAccess<'c, 'g, 'de, L> {
    pub(super) fn new(items: Items<'g>, context: &'c mut Context<'g, 'de, L>) -> Self {
        ItemsAccess { items, len: items.len(), context }
    }

    /// Returns the number of unread items.
    pub(super) fn left(&self) -> usize {
        self.items.len()
    }
}

impl<'g, 'de, L: Lend<'g, 'de>> SeqAccess<'de> for ItemsAccess<'_, 'g, 'de, L> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.items.next() else { return Ok(None) };
        match self.context.element(value, seed) {
            Ok(item) => Ok(Some(item)),
            Err(error) => Err(error.under(Step::Index((self.len - self.items.len() - 1) as i64))),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// Access to the rows of a dict, or of attributes and slots.
pub(super) struct RowsAccess<'c, 'g, 'de, L> {
    rows: Rows<'g>,
    /// The row of the last key.
    row: [Cell; 2],
    context: &'c mut Context<'g, 'de, L>,
}

impl<'c, 'g, 'de, L> RowsAccess<'c, 'g, 'de, L> {
    pub(super) fn new(rows: Rows<'g>, context: &'c mut Context<'g, 'de, L>) -> Self {
        RowsAccess { rows, row: [Cell::NONE; 2], context }
    }

    /// Returns the number of unread items.
    pub(super) fn left(&self) -> usize {
        self.rows.len()
    }
}

impl<'g, 'de, L: Lend<'g, 'de>> MapAccess<'de> for RowsAccess<'_, 'g, 'de, L> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let (row, rest) = match self.rows.first.split_first() {
            Some(split) => split,
            None => match self.rows.second.split_first() {
                Some(split) => {
                    self.rows.second = &[];
                    split
                }
                None => {
                    self.context.end_rows();
                    return Ok(None);
                }
            },
        };
        (self.row, self.rows.first) = (*row, rest);
        match seed.deserialize(Reader::new(Value::new(self.context.arena, row[0]), self.context)) {
            Ok(key) => Ok(Some(key)),
            Err(error) => Err(error.under(Step::name_or_key(Value::new(self.context.arena, row[0])))),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.context.element(Value::new(self.context.arena, self.row[1]), seed) {
            Ok(value) => Ok(value),
            Err(error) => Err(error.under(Step::name_or_key(Value::new(self.context.arena, self.row[0])))),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rows.len())
    }
}

/// A key or value that need not be in the graph.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'g> {
    Key(Value<'g>),
    Value(Value<'g>),
    Name(&'static str),
    Int(i64),
    /// The name of a class.
    Class(Value<'g>),
    Items(Items<'g>),
    Rows(Rows<'g>),
}

/// Access to entries, or to a sequence of their keys, that were made for reading.
pub(super) struct ListAccess<'c, 'g, 'de, L> {
    entries: std::vec::IntoIter<(Entry<'g>, Entry<'g>)>,
    len: usize,
    entry: Option<(Entry<'g>, Entry<'g>)>,
    context: &'c mut Context<'g, 'de, L>,
}

impl<'c, 'g, 'de, L: Lend<'g, 'de>> ListAccess<'c, 'g, 'de, L> {
    pub(super) fn new(entries: Vec<(Entry<'g>, Entry<'g>)>, context: &'c mut Context<'g, 'de, L>) -> Self {
        ListAccess { len: entries.len(), entries: entries.into_iter(), entry: None, context }
    }

    /// Returns the number of unread entries.
    pub(super) fn left(&self) -> usize {
        self.entries.len()
    }

    fn read<S: DeserializeSeed<'de>>(&mut self, entry: Entry<'g>, seed: S) -> Result<S::Value, Error> {
        let context = &mut *self.context;
        match entry {
            Entry::Key(value) | Entry::Value(value) => context.element(value, seed),
            Entry::Name(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
            Entry::Int(value) => seed.deserialize(I64Deserializer::new(value)),
            Entry::Class(class) => match class.kind() {
                Kind::Global(global) => seed.deserialize(named(global.to_string())),
                _ => seed.deserialize(Reader::new(class, context)),
            },
            Entry::Items(items) => seed.deserialize(ItemsReader { items, context }),
            Entry::Rows(rows) => seed.deserialize(RowsReader { rows, context }),
        }
    }
}

impl<'g, 'de, L: Lend<'g, 'de>> SeqAccess<'de> for ListAccess<'_, 'g, 'de, L> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((item, _)) = self.entries.next() else { return Ok(None) };
        let at = self.len - self.entries.len() - 1;
        self.read(item, seed).map(Some).map_err(|error| error.under(Step::Index(at as i64)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

pub(super) fn named(name: String) -> StringDeserializer<Error> {
    name.into_deserializer()
}

impl<'g, 'de, L: Lend<'g, 'de>> MapAccess<'de> for ListAccess<'_, 'g, 'de, L> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.entry = self.entries.next();
        let Some((key, _)) = self.entry else {
            self.context.end_rows();
            return Ok(None);
        };
        self.read(key, seed).map(Some).map_err(|error| key.under(error))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let none = Value::new(self.context.arena, Cell::NONE);
        let (key, value) = self.entry.unwrap_or((Entry::Value(none), Entry::Value(none)));
        self.read(value, seed).map_err(|error| key.under(error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

impl Entry<'_> {
    /// Adds the step to the value of this entry to the path of an error.
    #[cold]
    fn under(&self, error: Error) -> Error {
        match self {
            Entry::Key(key) => error.under(Step::name_or_key(*key)),
            Entry::Name(name) => error.under(Step::Name((*name).to_owned())),
            _ => error.inside(),
        }
    }
}
