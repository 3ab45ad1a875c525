//! Reading one value as its tokens come: the `Deserializer`.
//!
//! What is asked for and the first token together say which form a value has; the form says which token ends it.

use ::serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use ::serde::de::{Deserializer, IgnoredAny, Visitor};

use super::Beyond;
use super::access::{Batches, DICT, LIST, TupleAccess};
use super::tokens::{Token, Tokens};
use crate::serde::shared;

/// Reads one value, which begins with the token that was read last.
pub(super) struct Plain<'t, 'de> {
    tokens: &'t mut Tokens<'de>,
}

impl<'t, 'de> Plain<'t, 'de> {
    #[inline]
    pub(super) fn new(tokens: &'t mut Tokens<'de>) -> Self {
        Plain { tokens }
    }

    #[inline]
    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.tokens.depth = self.tokens.depth.checked_sub(1).ok_or(Beyond)?;
        let mut items = Batches::new(LIST, self.tokens)?;
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        items.tokens.depth += 1;
        Ok(value)
    }

    #[inline]
    fn dict<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.tokens.depth = self.tokens.depth.checked_sub(1).ok_or(Beyond)?;
        let mut rows = Batches::new(DICT, self.tokens)?;
        let value = visitor.visit_map(&mut rows)?;
        rows.end()?;
        rows.tokens.depth += 1;
        Ok(value)
    }

    fn tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Beyond> {
        self.tokens.depth = self.tokens.depth.checked_sub(1).ok_or(Beyond)?;
        let mut items = TupleAccess::new(len, self.tokens)?;
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        items.tokens.depth += 1;
        Ok(value)
    }

    #[inline]
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(Beyond),
        }
    }
}

/// Integers.
macro_rules! integers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
            match *self.tokens.token() {
                Token::Int(value) => visitor.visit_i64(value),
                _ => Err(Beyond),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Plain<'_, 'de> {
    type Error = Beyond;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::None => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Int(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            Token::Float(value) => visitor.visit_f64(value),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::List => self.list(visitor),
            // A dict may say a key twice, which only the graph tells.
            _ => Err(Beyond),
        }
    }

    integers!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.deserialize_f64(visitor)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::Float(value) => visitor.visit_f64(value),
            Token::Int(value) => visitor.visit_f64(value as f64),
            _ => Err(Beyond),
        }
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::Bool(value) => visitor.visit_bool(value),
            _ => Err(Beyond),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            _ => self.text(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
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
        match *self.tokens.token() {
            Token::List => self.list(visitor),
            Token::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => Err(Beyond),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::List | Token::Bytes(_) => self.deserialize_seq(visitor),
            Token::EmptyTuple => visitor.visit_seq(SeqDeserializer::new([(); 0].into_iter())),
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
        match *self.tokens.token() {
            Token::Dict => self.dict(visitor),
            _ => Err(Beyond),
        }
    }

    /// A variant by its name alone.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::Text(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            _ => Err(Beyond),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Beyond> {
        match *self.tokens.token() {
            Token::List => self.list(IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::Dict => self.dict(IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Float(_) => visitor.visit_unit(),
            Token::Text(_) | Token::Bytes(_) | Token::EmptyTuple | Token::Known => visitor.visit_unit(),
            _ => Err(Beyond),
        }
    }
}
