//! Deserializers of an object's arguments and attributes, which are not values of the graph.

use ::serde::de::{Deserializer, Visitor};
use ::serde::forward_to_deserialize_any;

use super::access::{ItemsAccess, RowsAccess};
use super::context::{Context, Lend};
use super::superfluous;
use crate::graph::Items;
use crate::graph::Rows;
use crate::serde::error::Error;

/// Deserializer of items without a container, such as the arguments of a call.
pub(super) struct ItemsReader<'c, 'g, 'de, L> {
    pub(super) items: Items<'g>,
    pub(super) context: &'c mut Context<'g, 'de, L>,
}

impl<'g, 'de, L: Lend<'g, 'de>> Deserializer<'de> for ItemsReader<'_, 'g, 'de, L> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut access = ItemsAccess::new(self.items, self.context);
        let result = visitor.visit_seq(&mut access);
        match access.left() {
            left if left > 0 && result.is_ok() => Err(superfluous(self.items.len(), self.items.len() - left)),
            _ => result,
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.items.is_empty() { visitor.visit_unit() } else { self.deserialize_any(visitor) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// Deserializer of rows without a dict: the attributes of an instance.
pub(super) struct RowsReader<'c, 'g, 'de, L> {
    pub(super) rows: Rows<'g>,
    pub(super) context: &'c mut Context<'g, 'de, L>,
}

impl<'g, 'de, L: Lend<'g, 'de>> Deserializer<'de> for RowsReader<'_, 'g, 'de, L> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(&mut RowsAccess::new(self.rows, self.context))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
