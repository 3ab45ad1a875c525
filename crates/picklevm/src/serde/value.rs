//! `Serialize` for values and graphs, and `Deserialize` for graphs.

use std::fmt;

use ::serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use ::serde::ser::{Error as _, Serialize, Serializer};

use super::buffered::Content;
use super::config::DEPTH;
use super::read::{Context, FromGraph, Reader};
use crate::graph::{Arena, Cell, Graph, Tag, Value};
use crate::limits::Limits;

/// Serializes the value in its default form: an instance as a map of its attributes, a date as a string.
///
/// Fails for more than 128 nested values, and for a value that contains itself.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut context = Context::new(self.arena(), FromGraph, DEPTH, Limits::default().shared);
        let content = Content::deserialize(Reader::new(*self, &mut context)).map_err(S::Error::custom)?;
        content.serialize(serializer)
    }
}

/// Serializes the root.
impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root().serialize(serializer)
    }
}

/// Deserializes a graph from any self-describing format, such as JSON or TOML. Dates and times of TOML become text.
///
/// Such a graph only holds what serde's data model holds, even if it comes from a pickle: a `Graph` field of a type that is
/// read by [`from_slice`](crate::serde::from_slice) has lists for tuples and sets, text for decimals and dates, and neither
/// instances nor sharing. [`loads`](crate::loads) and `Graph` fields of a [`PickleClass`](crate::PickleClass) keep them all.
///
/// ```
/// let graph: picklevm::Graph = serde_json::from_str(r#"{"name": "Alice", "tags": ["a", 1.5, null]}"#)?;
/// assert_eq!(format!("{:?}", graph.root()), "{'name': 'Alice', 'tags': ['a', 1.5, None]}");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Graph, D::Error> {
        let mut graph = Graph::new();
        let arena = graph.unique();
        let root = ArenaVisitor { arena, stack: &mut Vec::new() }.deserialize(deserializer)?;
        arena.settle_all();
        arena.roots.push(root);
        Ok(graph)
    }
}

/// The only key of the map as which the `toml` crate deserializes a date or time.
const TOML_DATE: &str = "$__toml_private_datetime";

/// Visitor that makes values in an arena.
struct ArenaVisitor<'a> {
    arena: &'a mut Arena,
    /// Items and rows of unfinished containers.
    stack: &'a mut Vec<Cell>,
}

impl ArenaVisitor<'_> {
    fn reborrow(&mut self) -> ArenaVisitor<'_> {
        ArenaVisitor { arena: self.arena, stack: self.stack }
    }
}

impl<'de> DeserializeSeed<'de> for ArenaVisitor<'_> {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ArenaVisitor<'_> {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell, E> {
        Ok(self.arena.new_int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell, E> {
        Ok(self.arena.new_int_le(&i128::from(value).to_le_bytes()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Cell, E> {
        Ok(self.arena.new_int_le(&value.to_le_bytes()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Cell, E> {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        Ok(self.arena.new_int_le(&bytes))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell, E> {
        Ok(self.arena.new_float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell, E> {
        Ok(self.arena.new_text(Tag::Str, value.as_bytes(), false))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Cell, E> {
        Ok(self.arena.new_text(Tag::Bytes, value, false))
    }

    fn visit_none<E>(self) -> Result<Cell, E> {
        Ok(Cell::NONE)
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::NONE)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Cell, A::Error> {
        let from = self.stack.len();
        while let Some(item) = items.next_element_seed(self.reborrow())? {
            self.stack.push(item);
        }
        let list = self.arena.new_list(&self.stack[from..]);
        self.stack.truncate(from);
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Cell, A::Error> {
        let from = self.stack.len();
        while let Some(key) = entries.next_key_seed(self.reborrow())? {
            self.stack.push(key);
            let value = entries.next_value_seed(self.reborrow())?;
            self.stack.push(value);
        }
        if let [key, text] = self.stack[from..]
            && text.is(Tag::Str)
            && key.is(Tag::Str)
            && self.arena.text(key) == TOML_DATE
        {
            self.stack.truncate(from);
            return Ok(text);
        }
        let dict = self.arena.new_dict();
        let added = self.arena.add_rows(dict, &self.stack[from..]);
        self.stack.truncate(from);
        match added {
            Ok(()) => Ok(dict),
            Err(unhashable) => Err(A::Error::custom(unhashable.error(self.arena))),
        }
    }
}
