//! The `Deserializer` of one value, read from ops.
//!
//! The requested type and the first op determine the form of a value; the form determines which op ends it.

use ::serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use ::serde::de::{Deserializer, IgnoredAny, Visitor};
use picklevm_ops::Opcode;

use super::NotPlain;
use super::access::{Fields, Items, Rows, TupleAccess};
use super::cursor::{Cursor, Token};
use super::lookahead::{Ahead, items_ahead};
use super::run::Numbers;
use crate::serde::{handover, shared};

/// Deserializer of the next value.
pub(super) struct Plain<'t, 'de> {
    cursor: &'t mut Cursor<'de>,
}

impl<'t, 'de> Plain<'t, 'de> {
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'de>) -> Self {
        Plain { cursor }
    }

    /// Reads the rest of a list.
    #[inline(always)]
    fn list<V: Visitor<'de>>(self, is_marked: bool, visitor: V) -> Result<V::Value, NotPlain> {
        self.cursor.inside(|cursor| {
            let is_marked = is_marked || cursor.take(Opcode::Mark);
            let ahead = if is_marked { items_ahead(cursor.rest()) } else { Ahead::NONE };
            if let Some(numbers) = Numbers::new(cursor, &ahead) {
                let value = visitor.visit_seq(numbers)?;
                return Numbers::end(cursor).map(|()| value);
            }
            let mut items = Items::new(cursor, is_marked, ahead.count);
            let value = visitor.visit_seq(&mut items)?;
            items.end().map(|()| value)
        })
    }

    /// Reads the rest of a dict into a struct with these fields.
    #[inline(always)]
    fn fields<V: Visitor<'de>>(
        self,
        is_marked: bool,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotPlain> {
        self.cursor.inside(|cursor| {
            let mut fields = Fields::new(cursor, is_marked, names);
            let value = visitor.visit_map(&mut fields)?;
            fields.end().map(|()| value)
        })
    }

    /// Reads the rest of a dict into a map.
    fn map<V: Visitor<'de>>(self, is_marked: bool, visitor: V) -> Result<V::Value, NotPlain> {
        self.cursor.inside(|cursor| {
            let mut rows = Rows::new(cursor, is_marked);
            let value = visitor.visit_map(&mut rows)?;
            rows.end().map(|()| value)
        })
    }

    /// Reads an integer of any length, up to 64 bits.
    #[inline(never)]
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.token() {
            Token::Int(value) => visitor.visit_i64(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            _ => Err(NotPlain),
        }
    }

    /// Reads a tuple of `len` items.
    fn tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, NotPlain> {
        self.cursor.inside(|cursor| {
            let mut items = TupleAccess::new(len, cursor)?;
            let value = visitor.visit_seq(&mut items)?;
            items.end().map(|()| value)
        })
    }
}

/// Values of one op: the requested type, how it is read, and the visitor's method.
macro_rules! atoms {
    ($($method:ident: $read:ident => $visit:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
            visitor.$visit(self.cursor.$read()?)
        }
    )*};
}

/// Integers of any width.
macro_rules! integers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
            match self.cursor.short_int() {
                Some(value) => visitor.visit_i64(value),
                None => self.integer(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Plain<'_, 'de> {
    type Error = NotPlain;

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    atoms! {
        deserialize_bool: bool => visit_bool;
        deserialize_f32: float => visit_f64;
        deserialize_f64: float => visit_f64;
        deserialize_char: text => visit_borrowed_str;
        deserialize_str: text => visit_borrowed_str;
        deserialize_identifier: text => visit_borrowed_str;
    }

    /// Text that the visitor copies.
    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.short_string() {
            Some(string) => visitor.visit_string(string),
            None => visitor.visit_borrowed_str(self.cursor.text()?),
        }
    }

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.token() {
            Token::None => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Int(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Float(value) => visitor.visit_f64(value),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::List => self.list(false, visitor),
            Token::Dict => self.map(false, visitor),
            Token::EmptyTuple | Token::Known | Token::NotPlain => Err(NotPlain),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.token() {
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(NotPlain),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        if self.cursor.take(Opcode::None) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.token() {
            Token::None | Token::EmptyTuple => visitor.visit_unit(),
            _ => Err(NotPlain),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, NotPlain> {
        // Only the graph has the value.
        if name == handover::NAME {
            return Err(NotPlain);
        }
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, NotPlain> {
        // Only the graph knows the identity of values.
        if name == shared::NAME {
            return Err(NotPlain);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        if let Some(is_marked) = self.cursor.take_empty(Opcode::EmptyList) {
            return self.list(is_marked, visitor);
        }
        match self.cursor.token() {
            Token::Bytes(bytes) => {
                let mut bytes = SeqDeserializer::new(bytes.iter().copied());
                let value = visitor.visit_seq(&mut bytes)?;
                bytes.end().map(|()| value)
            }
            _ => Err(NotPlain),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, NotPlain> {
        match Opcode::from_byte(self.cursor.next()) {
            Some(Opcode::EmptyList | Opcode::ShortBinBytes | Opcode::BinBytes | Opcode::BinBytes8) => {
                self.deserialize_seq(visitor)
            }
            Some(Opcode::EmptyTuple) if self.cursor.take(Opcode::EmptyTuple) => {
                visitor.visit_seq(SeqDeserializer::new([(); 0].into_iter()))
            }
            _ => self.tuple(len, visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, NotPlain> {
        self.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.take_empty(Opcode::EmptyDict) {
            Some(is_marked) => self.map(is_marked, visitor),
            None => Err(NotPlain),
        }
    }

    /// A struct rejects a duplicate field.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotPlain> {
        match self.cursor.take_empty(Opcode::EmptyDict) {
            Some(is_marked) => self.fields(is_marked, fields, visitor),
            None => Err(NotPlain),
        }
    }

    /// Reads a variant given by its name.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotPlain> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.cursor.text()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotPlain> {
        match self.cursor.token() {
            Token::List => self.list(false, IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::Dict => self.map(false, IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Unsigned(_) | Token::Float(_) => visitor.visit_unit(),
            Token::Text(_) | Token::Bytes(_) | Token::EmptyTuple | Token::Known => visitor.visit_unit(),
            Token::NotPlain => Err(NotPlain),
        }
    }
}
