//! Plain forms: values in serde's data model, with hashes.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use ::serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::token;
use crate::graph::{Arena, Cell, Tag, Value};
use crate::serde::error::Error;
use crate::serde::handover;
use crate::serde::read::{Context, FromGraph, Reader};

/// Hashes with a secret key, so that no input has two plain forms of the same hash.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A value in serde's data model.
pub(in crate::serde) struct Plain<'de> {
    pub(super) hash: u64,
    /// The value of the graph, if it is read from one.
    pub(super) cell: Option<Cell>,
    pub(super) form: PlainForm<'de>,
}

#[derive(Hash)]
pub(super) enum PlainForm<'de> {
    Nothing,
    Bool(bool),
    Int(i128),
    /// The bits of a float.
    Float(u64),
    Text(Cow<'de, str>),
    Bytes(Cow<'de, [u8]>),
    Items(Vec<Plain<'de>>),
    Rows(Vec<[Plain<'de>; 2]>),
}

/// By the hash alone, so that each value is hashed once.
impl Hash for Plain<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<'de> Plain<'de> {
    /// Reads the plain form of a value of the graph.
    pub(super) fn of(cell: Cell, context: &mut Context<'de, 'de, FromGraph>) -> Result<Plain<'de>, Error> {
        if cell == Cell::HOLE {
            return Err(Error::custom("no value"));
        }
        Seed.deserialize(Reader::new(Value::new(context.arena, cell), context))
    }

    /// Reads the plain form of what serde has buffered.
    pub(super) fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Plain<'de>, D::Error> {
        Seed.deserialize(deserializer)
    }

    fn new(form: PlainForm<'de>) -> Plain<'de> {
        Plain { hash: HASHES.hash_one(&form), cell: None, form }
    }

    /// Returns the values that it holds.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Plain<'de>> {
        let (items, rows) = match &self.form {
            PlainForm::Items(items) => (&items[..], &[][..]),
            PlainForm::Rows(rows) => (&[][..], rows.as_flattened()),
            _ => (&[][..], &[][..]),
        };
        items.iter().chain(rows)
    }
}

impl PlainForm<'_> {
    /// Makes an atom in a graph.
    pub(super) fn add_to(&self, arena: &mut Arena) -> Result<Cell, String> {
        Ok(match self {
            PlainForm::Bool(value) => Cell::bool(*value),
            PlainForm::Int(value) => arena.new_int_le(&value.to_le_bytes()),
            PlainForm::Float(bits) => arena.new_float(f64::from_bits(*bits)),
            PlainForm::Text(text) => arena.new_text(Tag::Str, text.as_bytes(), false),
            PlainForm::Bytes(bytes) if token::is_token(bytes) => return Err("an instance that is not buffered".into()),
            PlainForm::Bytes(bytes) => arena.new_text(Tag::Bytes, bytes, false),
            PlainForm::Nothing | PlainForm::Items(_) | PlainForm::Rows(_) => Cell::NONE,
        })
    }
}

/// Reads a plain form and which value of the graph it is of.
struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Plain<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain<'de>, D::Error> {
        let cell = handover::node(&deserializer);
        let plain = deserializer.deserialize_any(PlainVisitor)?;
        Ok(Plain { cell, ..plain })
    }
}

struct PlainVisitor;

/// Visitor methods for atoms.
macro_rules! atoms {
    ($($visit:ident($value:ident: $type:ty) => $form:expr;)*) => {$(
        fn $visit<E>(self, $value: $type) -> Result<Plain<'de>, E> {
            Ok(Plain::new($form))
        }
    )*};
}

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    atoms! {
        visit_bool(value: bool) => PlainForm::Bool(value);
        visit_i64(value: i64) => PlainForm::Int(value.into());
        visit_u64(value: u64) => PlainForm::Int(value.into());
        visit_f64(value: f64) => PlainForm::Float(value.to_bits());
        visit_borrowed_str(text: &'de str) => PlainForm::Text(text.into());
        visit_str(text: &str) => PlainForm::Text(text.to_owned().into());
        visit_string(text: String) => PlainForm::Text(text.into());
        visit_borrowed_bytes(bytes: &'de [u8]) => PlainForm::Bytes(bytes.into());
        visit_bytes(bytes: &[u8]) => PlainForm::Bytes(bytes.to_owned().into());
        visit_byte_buf(bytes: Vec<u8>) => PlainForm::Bytes(bytes.into());
    }

    fn visit_unit<E>(self) -> Result<Plain<'de>, E> {
        Ok(Plain::new(PlainForm::Nothing))
    }

    fn visit_none<E>(self) -> Result<Plain<'de>, E> {
        Ok(Plain::new(PlainForm::Nothing))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Plain<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Seed)? {
            items.push(item);
        }
        Ok(Plain::new(PlainForm::Items(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain<'de>, A::Error> {
        let mut rows = Vec::new();
        while let Some((key, value)) = map.next_entry_seed(Seed, Seed)? {
            rows.push([key, value]);
        }
        Ok(Plain::new(PlainForm::Rows(rows)))
    }
}
