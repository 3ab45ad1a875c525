//! `Content`: a buffered value. Some serializers serialize a value twice, such as TOML's to look ahead.

use std::borrow::Cow;
use std::fmt;

use ::serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use ::serde::ser::{Serialize, Serializer};

/// A value read by `deserialize_any`.
pub(super) enum Content<'de> {
    Nothing,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'de, str>),
    Bytes(Cow<'de, [u8]>),
    Items(Vec<Content<'de>>),
    Rows(Vec<(Content<'de>, Content<'de>)>),
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::Nothing => serializer.serialize_none(),
            Content::Bool(value) => serializer.serialize_bool(*value),
            Content::Int(value) => serializer.serialize_i64(*value),
            Content::Unsigned(value) => serializer.serialize_u64(*value),
            Content::Float(value) => serializer.serialize_f64(*value),
            Content::Text(text) => serializer.serialize_str(text),
            Content::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Content::Items(items) => serializer.collect_seq(items),
            Content::Rows(rows) => serializer.collect_map(rows.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Content<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

/// Visitor methods that store the value.
macro_rules! store {
    ($($visit:ident: $type:ty => $variant:ident;)*) => {$(
        fn $visit<E: Error>(self, value: $type) -> Result<Content<'de>, E> {
            Ok(Content::$variant(value.into()))
        }
    )*};
}

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that other formats can hold")
    }

    store! {
        visit_bool: bool => Bool;
        visit_i64: i64 => Int;
        visit_u64: u64 => Unsigned;
        visit_f64: f64 => Float;
        visit_borrowed_str: &'de str => Text;
        visit_string: String => Text;
        visit_borrowed_bytes: &'de [u8] => Bytes;
        visit_byte_buf: Vec<u8> => Bytes;
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content<'de>, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Content<'de>, E> {
        self.visit_byte_buf(bytes.to_owned())
    }

    fn visit_unit<E: Error>(self) -> Result<Content<'de>, E> {
        Ok(Content::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Content::Items(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content<'de>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = map.next_entry()? {
            rows.push(row);
        }
        Ok(Content::Rows(rows))
    }
}
