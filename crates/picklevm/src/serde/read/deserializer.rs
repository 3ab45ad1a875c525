//! The `Deserializer` of graph values.

use ::serde::de::{Deserializer, Visitor};

use super::context::{Lend, Lent};
use super::instance::ObjectForm;
use super::{Reader, sequence, shared, std_text, surrogates, variant};
use crate::graph::Rows;
use crate::graph::{Kind, Tag};
use crate::serde::error::Error;
use crate::serde::handover;
use crate::serde::recorded::{is_buffer, is_tag_and_buffer};
use crate::typed::{Array, ArrayItems};

/// Returns the bytes of an array with type code `b`, `B` or `c`.
fn octets(array: Array) -> Option<Vec<u8>> {
    let typecode = array.typecode();
    match array.into_items() {
        ArrayItems::Int(items) if typecode == 'b' => Some(items.iter().map(|item| *item as u8).collect()),
        ArrayItems::UInt(items) if typecode == 'B' => Some(items.iter().map(|item| *item as u8).collect()),
        ArrayItems::Text(text) if typecode == 'c' => Some(text.chars().map(|c| c as u8).collect()),
        _ => None,
    }
}

/// Integers. Most are stored in the cell.
macro_rules! integers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.value.as_i64() {
                Some(value) => visitor.visit_i64(value),
                None => self.number(visitor),
            }
        }
    )*};
}

impl<'c, 'g, 'de, L: Lend<'g, 'de>> Deserializer<'de> for Reader<'c, 'g, 'de, L> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable_at(self.value.cell())
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if is_buffer::<V::Value>() {
            let Reader { value, context } = self;
            return context.buffered(value.cell(), false, |context| Reader::new(value, context).any(visitor));
        }
        if is_tag_and_buffer::<V::Value>() {
            self.context.start_tagged()?;
        }
        self.any(visitor)
    }

    integers!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match (self.value.as_f64(), self.value.kind()) {
            (Some(value), _) => visitor.visit_f64(value),
            (None, Kind::Int(int)) => visitor.visit_f64(int.to_f64()),
            (None, Kind::Object(_)) => {
                let instance = self.instance();
                match std_text::float(&instance) {
                    Some(float) => visitor.visit_f64(float),
                    None => match instance.as_scalar() {
                        ObjectForm::Value(value) => self.stand_in(value, |reader| reader.deserialize_f64(visitor)),
                        form => self.object(form, visitor),
                    },
                }
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match (self.value.as_bool(), self.value.cell().tag()) {
            (Some(value), _) => visitor.visit_bool(value),
            (None, Tag::Object) => match self.instance().as_scalar() {
                ObjectForm::Value(value) => self.stand_in(value, |reader| reader.deserialize_bool(visitor)),
                form => self.object(form, visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.value.cell().tag() {
            Tag::Object => match self.instance().as_scalar() {
                ObjectForm::Value(value) => self.stand_in(value, |reader| reader.deserialize_str(visitor)),
                form => self.object(form, visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.cell().is(Tag::Str)
            && let Some(text) = self.context.text(self.value.cell())?
        {
            return visitor.visit_str(text);
        }
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.value.cell().is(Tag::Str) {
            return match self.value.as_i64() {
                // serde would take a `u64` for the index of a field.
                Some(integer) => visitor.visit_i64(integer),
                None => self.deserialize_any(visitor),
            };
        }
        match self.context.name(self.value.cell())? {
            Some(Lent::Long(name)) => visitor.visit_borrowed_str(name),
            Some(Lent::Short(name)) => visitor.visit_str(name),
            None => Err(surrogates(&visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.value.kind() {
            Kind::Object(_) => match Array::of(&self.instance()).and_then(octets) {
                Some(bytes) => {
                    self.context.spend(bytes.len())?;
                    visitor.visit_byte_buf(bytes)
                }
                None => self.deserialize_str(visitor),
            },
            Kind::Bytes(bytes) | Kind::ByteStr(bytes) | Kind::ByteArray(bytes) => self.bytes(bytes, visitor),
            Kind::Str(text) if !text.is_utf8() => self.bytes(text.as_bytes(), visitor),
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.cell().tag() {
            Tag::None | Tag::EmptyTuple => visitor.visit_unit(),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == handover::NAME {
            let graph = self.value.detach();
            self.context.spend(graph.held_bytes() + graph.payloads.len())?;
            return handover::lend(graph, visitor);
        }
        match self.value.cell().tag() {
            Tag::Object if matches!(self.instance().as_any(), ObjectForm::Rows(rows) if rows.len() == 0) => {
                visitor.visit_unit()
            }
            _ => self.deserialize_unit(visitor),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == crate::serde::shared::NAME {
            return shared::visit(self.value, self.context, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.value.cell().tag() {
            Tag::List => {
                let items = self.value.items();
                self.items(items, visitor)
            }
            Tag::Object => {
                let instance = self.instance();
                if let Some((seconds, nanos)) = std_text::parts(&instance) {
                    return sequence([seconds, nanos.into()].into_iter(), visitor);
                }
                match instance.as_sequence() {
                    ObjectForm::Array(ArrayItems::Text(text)) => {
                        self.context.spend(text.len())?;
                        sequence(text.chars(), visitor)
                    }
                    form => self.object(form, visitor),
                }
            }
            Tag::Persistent => self.pid(|reader| reader.deserialize_seq(visitor)),
            Tag::Bytes | Tag::ByteArray => {
                let bytes = self.context.arena.payload(self.value.cell());
                self.context.spend(bytes.len())?;
                sequence(bytes.iter().copied(), visitor)
            }
            _ => self.atom(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        match self.value.cell().tag() {
            Tag::Object => {
                let form = self.instance().as_map();
                self.object(form, visitor)
            }
            Tag::Persistent => self.pid(|reader| reader.deserialize_map(visitor)),
            _ => self.atom(visitor),
        }
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value.cell().tag() {
            Tag::Dict => {
                let rows = self.context.arena.items(self.value.cell());
                self.rows(Rows::single(rows.as_chunks().0), visitor)
            }
            Tag::Object if name == crate::serde::instance::NAME => self.class_args_state(visitor),
            Tag::Object => {
                let instance = self.instance();
                if let Some((seconds, nanos)) = std_text::parts(&instance) {
                    return sequence([seconds, nanos.into()].into_iter(), visitor);
                }
                self.object(instance.as_struct(fields), visitor)
            }
            Tag::Persistent => self.pid(|reader| reader.deserialize_struct(name, fields, visitor)),
            _ => self.atom(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        variant::visit(self, variants, visitor)
    }

    /// Does not inspect the value: it may be deep or contain cycles.
    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}
