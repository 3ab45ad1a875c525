//! Reading one value as its ops come: the `Deserializer`.
//!
//! What is asked for and the first op together say which form a value has; the form says which op ends it.

use ::serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use ::serde::de::{Deserializer, IgnoredAny, Visitor};
use picklevm_ops::Opcode;

use super::Beyond;
use super::access::{Batches, TupleAccess};
use super::cursor::{Cursor, Token};
use crate::serde::shared;

/// Reads one value, which comes next.
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
    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.cursor.inside(|cursor| {
            let mut items = Batches::<false>::new(cursor);
            let value = visitor.visit_seq(&mut items)?;
            items.end().map(|()| value)
        })
    }

    /// Reads the rest of a dict.
    #[inline(always)]
    fn dict<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.cursor.inside(|cursor| {
            let mut rows = Batches::<true>::new(cursor);
            let value = visitor.visit_map(&mut rows)?;
            rows.end().map(|()| value)
        })
    }

    /// Reads an integer of any length, up to 64 bits.
    #[inline(never)]
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match self.cursor.token() {
            Token::Int(value) => visitor.visit_i64(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            _ => Err(Beyond),
        }
    }

    /// Reads a tuple of so many items.
    fn tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Beyond> {
        self.cursor.inside(|cursor| {
            let mut items = TupleAccess::new(len, cursor)?;
            let value = visitor.visit_seq(&mut items)?;
            items.end().map(|()| value)
        })
    }
}

/// Values of one op: what is asked for, how it is read, and what the visitor is handed.
macro_rules! atoms {
    ($($method:ident: $read:ident => $visit:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
            visitor.$visit(self.cursor.$read()?)
        }
    )*};
}

/// Integers of any width.
macro_rules! integers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
            match self.cursor.short_int() {
                Some(value) => visitor.visit_i64(value),
                None => self.integer(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Plain<'_, 'de> {
    type Error = Beyond;

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
        deserialize_string: text => visit_borrowed_str;
        deserialize_identifier: text => visit_borrowed_str;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
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
            Token::List => self.list(visitor),
            // A dict may say a key twice, which only the graph tells.
            Token::Dict | Token::EmptyTuple | Token::Known | Token::Beyond => Err(Beyond),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match self.cursor.token() {
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(Beyond),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        if self.cursor.take(Opcode::None) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match self.cursor.token() {
            Token::None | Token::EmptyTuple => visitor.visit_unit(),
            _ => Err(Beyond),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Beyond> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Beyond> {
        // Which value is which, only the graph tells.
        if name == shared::NAME {
            return Err(Beyond);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        if self.cursor.take(Opcode::EmptyList) {
            return self.list(visitor);
        }
        match self.cursor.token() {
            Token::Bytes(bytes) => {
                let mut bytes = SeqDeserializer::new(bytes.iter().copied());
                let value = visitor.visit_seq(&mut bytes)?;
                bytes.end().map(|()| value)
            }
            _ => Err(Beyond),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Beyond> {
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
    ) -> Result<V::Value, Beyond> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Beyond> {
        Err(Beyond)
    }

    /// A struct that is given a field twice refuses it, where a map might take both.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Beyond> {
        if self.cursor.take(Opcode::EmptyDict) { self.dict(visitor) } else { Err(Beyond) }
    }

    /// A variant by its name alone.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Beyond> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.cursor.text()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match self.cursor.token() {
            Token::List => self.list(IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::Dict => self.dict(IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Unsigned(_) | Token::Float(_) => visitor.visit_unit(),
            Token::Text(_) | Token::Bytes(_) | Token::EmptyTuple | Token::Known => visitor.visit_unit(),
            Token::Beyond => Err(Beyond),
        }
    }
}
