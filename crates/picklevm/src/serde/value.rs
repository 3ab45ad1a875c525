//! Values and graphs as serde data: into any format, and graphs out of any format.

use std::cell::Cell as Slot;
use std::fmt;

use ::serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use ::serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::config::DEPTH;
use super::read::{Context, FromGraph, Reader};
use crate::graph::{Arena, Cell, Graph, Tag, Value};
use crate::limits::Limits;

/// As what [`serde`](crate::serde) reads it as where nothing in particular is asked for: an instance as a map of its
/// attributes, a date as its text. At most 128 values inside each other, none inside itself.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut context = Context::new(self.arena(), FromGraph, DEPTH, Limits::default().shared);
        Transcoder::new(Reader::new(*self, &mut context)).serialize(serializer)
    }
}

/// The root.
impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root().serialize(serializer)
    }
}

/// What one deserializer gives, for a serializer to take.
struct Transcoder<D>(Slot<Option<D>>);

impl<D> Transcoder<D> {
    fn new(source: D) -> Self {
        Transcoder(Slot::new(Some(source)))
    }
}

impl<'de, D: Deserializer<'de>> Serialize for Transcoder<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.take() {
            Some(source) => source.deserialize_any(Sink(serializer)).map_err(S::Error::custom),
            None => Err(S::Error::custom("a value can be written once")),
        }
    }
}

/// Hands what it visits to a serializer.
struct Sink<S>(S);

macro_rules! forward {
    ($($visit:ident $serialize:ident $type:ty;)*) => {$(
        fn $visit<E: ::serde::de::Error>(self, value: $type) -> Result<S::Ok, E> {
            self.0.$serialize(value).map_err(E::custom)
        }
    )*};
}

impl<'de, S: Serializer> Visitor<'de> for Sink<S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that other formats can hold")
    }

    forward! {
        visit_bool serialize_bool bool;
        visit_i64 serialize_i64 i64;
        visit_u64 serialize_u64 u64;
        visit_f64 serialize_f64 f64;
        visit_str serialize_str &str;
        visit_bytes serialize_bytes &[u8];
    }

    fn visit_unit<E: ::serde::de::Error>(self) -> Result<S::Ok, E> {
        self.0.serialize_none().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<S::Ok, A::Error> {
        struct Item<'a, S>(&'a mut S);

        impl<'de, S: SerializeSeq> DeserializeSeed<'de> for Item<'_, S> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
                self.0.serialize_element(&Transcoder::new(source)).map_err(D::Error::custom)
            }
        }

        let mut seq = self.0.serialize_seq(items.size_hint()).map_err(A::Error::custom)?;
        while items.next_element_seed(Item(&mut seq))?.is_some() {}
        seq.end().map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<S::Ok, A::Error> {
        struct Key<'a, S>(&'a mut S);
        struct Entry<'a, S>(&'a mut S);

        impl<'de, S: SerializeMap> DeserializeSeed<'de> for Key<'_, S> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
                self.0.serialize_key(&Transcoder::new(source)).map_err(D::Error::custom)
            }
        }

        impl<'de, S: SerializeMap> DeserializeSeed<'de> for Entry<'_, S> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
                self.0.serialize_value(&Transcoder::new(source)).map_err(D::Error::custom)
            }
        }

        let mut map = self.0.serialize_map(entries.size_hint()).map_err(A::Error::custom)?;
        while entries.next_key_seed(Key(&mut map))?.is_some() {
            entries.next_value_seed(Entry(&mut map))?;
        }
        map.end().map_err(A::Error::custom)
    }
}

/// From any self-describing format: JSON, TOML and so on become a graph, which can be written as a pickle.
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
        let root = Maker { arena, stack: &mut Vec::new() }.deserialize(deserializer)?;
        arena.settle_all();
        arena.roots.push(root);
        Ok(graph)
    }
}

/// Makes values in an arena out of what it visits.
struct Maker<'a> {
    arena: &'a mut Arena,
    /// Items and rows of the compounds that are not done.
    stack: &'a mut Vec<Cell>,
}

impl Maker<'_> {
    fn again(&mut self) -> Maker<'_> {
        Maker { arena: self.arena, stack: self.stack }
    }
}

impl<'de> DeserializeSeed<'de> for Maker<'_> {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Maker<'_> {
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
        while let Some(item) = items.next_element_seed(self.again())? {
            self.stack.push(item);
        }
        let list = self.arena.new_list(&self.stack[from..]);
        self.stack.truncate(from);
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Cell, A::Error> {
        let from = self.stack.len();
        while let Some(key) = entries.next_key_seed(self.again())? {
            self.stack.push(key);
            let value = entries.next_value_seed(self.again())?;
            self.stack.push(value);
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
