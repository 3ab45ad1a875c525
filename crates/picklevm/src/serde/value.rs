//! `Serialize` for values and graphs, and `Deserialize` for graphs.

use std::fmt;

use ::serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use ::serde::ser::{Error as _, Serialize, Serializer};

use super::buffered::Content;
use super::config::DEPTH;
use super::handover;
use super::read::{Context, FromGraph, Reader};
use super::recorded;
use crate::graph::{Arena, Cell, Graph, Id, Tag, Value};
use crate::limits::Limits;

/// Keeps Python's types when picklevm writes it. Other formats get its default form: an instance as a map of its attributes, a
/// date as a string, bytes as bytes. Keys that are no text are an error in formats that have no others. For JSON as
/// `picklevm show --json=plain` prints it, with bytes as text and every key as text, there is `picklevm_data::json::PlainJson`.
///
/// Other formats fail for more than 128 nested values, and for a value that contains itself.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if handover::writes(&serializer) {
            return give(self.detach(), serializer);
        }
        // A map flattened into another, or beside a tag: its values come to picklevm's serializer.
        if handover::is_error::<S::Error>() && self.as_dict().is_some() {
            return serializer.collect_map(self.entries());
        }
        let mut context = Context::new(self.arena(), FromGraph, DEPTH, Limits::default().shared);
        let content = Content::deserialize(Reader::new(*self, &mut context)).map_err(S::Error::custom)?;
        content.serialize(serializer)
    }
}

/// Serializes the root.
impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if handover::writes(&serializer) { give(self.clone(), serializer) } else { self.root().serialize(serializer) }
    }
}

/// Hands the root of a graph over to picklevm's serializer.
fn give<S: Serializer>(graph: Graph, serializer: S) -> Result<S::Ok, S::Error> {
    handover::give(serializer, Box::new(move |arena, _| Ok(Id(copy(&graph, arena)))))
}

/// Copies the root of a graph.
fn copy(graph: &Graph, arena: &mut Arena) -> Cell {
    arena.copy_each(graph, [graph.root().cell()]).first().copied().unwrap_or(Cell::NONE)
}

/// Deserializes a graph: any value, as a copy. A field of this type that picklevm reads keeps Python's types, classes and the
/// sharing inside it.
///
/// So does a graph in what serde buffers before it knows the type: in `#[serde(flatten)]` members, such as a map of graphs,
/// and in internally tagged, adjacently tagged and untagged enums. serde's buffer has no Python types; picklevm recognizes
/// each value by its plain form, which is the value in serde's data model. Values of one plain form in one buffer, such as
/// `[1]` and `(1,)`, or `'2030-01-02'` and the date, are told apart by their order: each graph takes the next one. This is
/// wrong if a field of another type, or a variant that did not fit in the end, has taken an earlier one of them. A buffer is
/// what one struct with flattened members, or one enum, holds.
///
/// From any other self-describing format, such as JSON or TOML, a graph has what serde's data model has. Dates and times of
/// TOML become text.
///
/// ```
/// use picklevm::Graph;
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Order {
///     id: u32,
///     details: Graph,
/// }
///
/// // {'id': 7, 'details': ('a', {1})}
/// let pickle = b"\x80\x04}(\x8c\x02idK\x07\x8c\x07details\x8c\x01a\x8f(K\x01\x90\x86u.";
/// let mut order: Order = picklevm::serde::from_slice(pickle)?;
/// assert_eq!(format!("{:?}", order.details.root()), "('a', {1})");
/// order.id = 8;
/// let written = picklevm::loads(picklevm::serde::to_vec(&order)?)?;
/// assert_eq!(format!("{:?}", written.root()), "{'id': 8, 'details': ('a', {1})}");
///
/// // The same pickle. Whatever else an order has stays as it is.
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Numbered {
///     id: u32,
///     #[serde(flatten)]
///     rest: std::collections::BTreeMap<String, Graph>,
/// }
///
/// let mut order: Numbered = picklevm::serde::from_slice(pickle)?;
/// order.id = 8;
/// let written = picklevm::loads(picklevm::serde::to_vec(&order)?)?;
/// assert_eq!(format!("{:?}", written.root()), "{'id': 8, 'details': ('a', {1})}");
///
/// let graph: Graph = serde_json::from_str(r#"{"name": "Alice", "tags": ["a", 1.5, null]}"#)?;
/// assert_eq!(format!("{:?}", graph.root()), "{'name': 'Alice', 'tags': ['a', 1.5, None]}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Graph, D::Error> {
        if handover::reads(&deserializer) {
            return handover::receive(deserializer);
        }
        if recorded::is_replayed::<D::Error>() {
            return recorded::read(deserializer);
        }
        let mut graph = Graph::new();
        let arena = graph.unique();
        let root = deserializer.deserialize_any(ArenaVisitor { arena, stack: &mut Vec::new() })?;
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
        if handover::reads(&deserializer) {
            let graph = handover::receive(deserializer)?;
            return Ok(copy(&graph, self.arena));
        }
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
