//! The `Deserializer` of one value, read from ops.
//!
//! The requested type and the first op determine the form of a value; the form determines which op ends it.

use std::marker::PhantomData;

use ::serde::de::value::SeqDeserializer;
use ::serde::de::{Deserializer, IgnoredAny, Visitor};
use picklevm_ops::Opcode;

use super::access::{Fields, Items, Rows, TupleAccess};
use super::cursor::Cursor;
use super::failure::{Failure, Result};
use super::lookahead::{Ahead, items_ahead};
use super::run::Numbers;
use super::token::Token;
use crate::serde::error::Error;
use crate::serde::read::{FromInput, Reader, UnitVariant, sequence};
use crate::serde::recorded::{is_buffer, is_tag_and_buffer};
use crate::serde::{handover, shared};

/// Deserializer of the next value.
pub(super) struct Plain<'t, 'g, 'de> {
    cursor: &'t mut Cursor<'g, 'de>,
}

impl<'t, 'g, 'de> Plain<'t, 'g, 'de> {
    #[inline(always)]
    pub(super) fn new(cursor: &'t mut Cursor<'g, 'de>) -> Self {
        Plain { cursor }
    }

    /// Reads the value from the graph, which starts at an offset if the ops are still read.
    #[cold]
    #[inline(never)]
    pub(super) fn in_graph<T>(
        self,
        at: usize,
        read: impl FnOnce(Reader<'_, 'g, 'de, FromInput<'de>>) -> Result<T, Error>,
    ) -> Result<T> {
        let (value, context) = self.cursor.value_in_graph(at)?;
        read(Reader::new(value, context)).map_err(Failure::new)
    }

    /// Returns the offset of a list or dict whose first op was read, and its MARK if it follows MEMOIZE.
    #[inline(always)]
    fn start(&self, is_marked: bool) -> usize {
        self.cursor.offset() - if is_marked { 3 } else { 1 }
    }

    /// Reads the rest of a list.
    #[inline(always)]
    fn list<V: Visitor<'de>>(self, is_marked: bool, visitor: V) -> Result<V::Value> {
        let start = self.start(is_marked);
        if self.cursor.is_too_deep() {
            return self.in_graph(start, |reader| reader.deserialize_seq(visitor));
        }
        let cursor = self.cursor;
        cursor.enter(start as u32);
        let is_marked = is_marked || cursor.take(Opcode::Mark);
        let ahead = if is_marked { items_ahead(cursor.rest()) } else { Ahead::NONE };
        if let Some(numbers) = Numbers::new(cursor, &ahead) {
            let result = visitor.visit_seq(numbers);
            let end = Numbers::end(cursor, result.is_ok());
            cursor.leave(result.is_ok(), end)?;
            return result;
        }
        let mut items = Items::new(cursor, is_marked, ahead.count);
        let result = visitor.visit_seq(&mut items);
        let end = items.end(result.is_ok());
        cursor.leave(result.is_ok(), end)?;
        result
    }

    /// Reads the rest of a dict into a struct with these fields.
    #[inline(always)]
    fn fields<V: Visitor<'de>>(self, is_marked: bool, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let start = self.start(is_marked);
        if self.cursor.is_too_deep() {
            return self.in_graph(start, |reader| reader.deserialize_struct("", names, visitor));
        }
        let cursor = self.cursor;
        cursor.enter(start as u32);
        let mut fields = Fields::new(cursor, is_marked, names);
        let result = visitor.visit_map(&mut fields);
        let end = fields.end(result.is_ok());
        cursor.leave(result.is_ok(), end)?;
        result
    }

    /// Reads the rest of a dict into a map.
    fn map<V: Visitor<'de>>(self, is_marked: bool, visitor: V) -> Result<V::Value> {
        let start = self.start(is_marked);
        if self.cursor.is_too_deep() {
            return self.in_graph(start, |reader| reader.deserialize_map(visitor));
        }
        let cursor = self.cursor;
        cursor.enter(start as u32);
        let mut rows = Rows::new(cursor, is_marked);
        let result = visitor.visit_map(&mut rows);
        let end = rows.end(result.is_ok());
        cursor.leave(result.is_ok(), end)?;
        result
    }

    /// Reads an integer that is not short.
    #[inline(never)]
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.cursor.token() {
            Token::Int(value) => visitor.visit_i64(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            _ => self.read_in_graph(|reader| reader.deserialize_i64(visitor)),
        }
    }

    /// Reads the value of the last token from the graph.
    pub(super) fn read_in_graph<T>(
        self,
        read: impl FnOnce(Reader<'_, 'g, 'de, FromInput<'de>>) -> Result<T, Error>,
    ) -> Result<T> {
        let at = self.cursor.token_at();
        self.in_graph(at, read)
    }

    /// Reads any value from the graph. What serde buffers is recorded there from the start, so all is read again then.
    fn any_in_graph<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if is_buffer::<V::Value>() || is_tag_and_buffer::<V::Value>() {
            return Err(self.cursor.give_up());
        }
        self.read_in_graph(|reader| reader.deserialize_any(visitor))
    }

    /// Reads a tuple of `len` items, which starts with its mark or its first item. `first` is its first op.
    #[inline(always)]
    fn tuple<V: Visitor<'de>>(self, first: u8, len: usize, visitor: V) -> Result<V::Value> {
        let at = self.cursor.offset();
        let (start, end) = match self.cursor.tuple_end(first, len) {
            Some(Opcode::Tuple) if !self.cursor.is_too_deep() && self.cursor.take(Opcode::Mark) => (at, Opcode::Tuple),
            Some(end) if end != Opcode::Tuple && !self.cursor.is_too_deep() => (!at, end),
            _ => return self.in_graph(at, |reader| reader.deserialize_seq(visitor)),
        };
        let cursor = self.cursor;
        cursor.enter(start as u32);
        let mut items = TupleAccess::new(len, end, cursor);
        let result = visitor.visit_seq(&mut items);
        let end = items.end(result.is_ok());
        cursor.leave(result.is_ok(), end)?;
        result
    }
}

/// Whether an op makes, or starts, a value other than a tuple of items that can be read as one.
fn is_sequence(byte: u8) -> bool {
    use Opcode::{BinBytes, BinBytes8, EmptyList, EmptyTuple, ShortBinBytes};
    [EmptyList, EmptyTuple, ShortBinBytes, BinBytes, BinBytes8].iter().any(|opcode| opcode.byte() == byte)
}

/// Values of one op: the requested type, how it is read, and the visitor's method.
macro_rules! atoms {
    ($($method:ident: $read:ident => $visit:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.cursor.$read() {
                Some(value) => visitor.$visit(value),
                None => self.read_in_graph(|reader| reader.$method(visitor)),
            }
        }
    )*};
}

/// Integers of any width.
macro_rules! integers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.cursor.short_int() {
                Some(value) => visitor.visit_i64(value),
                None => self.integer(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Plain<'_, '_, 'de> {
    type Error = Failure;

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
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.cursor.short_string() {
            Some(string) => visitor.visit_string(string),
            None => match self.cursor.text() {
                Some(text) => visitor.visit_borrowed_str(text),
                None => self.read_in_graph(|reader| reader.deserialize_string(visitor)),
            },
        }
    }

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.cursor.is_compound() {
            return self.any_in_graph(visitor);
        }
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
            Token::EmptyTuple | Token::Known | Token::NotPlain => self.any_in_graph(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.cursor.token() {
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::Text(text) if !self.cursor.is_name() => visitor.visit_borrowed_str(text),
            _ => self.read_in_graph(|reader| reader.deserialize_bytes(visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.cursor.take(Opcode::None) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.cursor.token() {
            Token::None | Token::EmptyTuple => visitor.visit_unit(),
            _ => self.read_in_graph(|reader| reader.deserialize_unit(visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        // Only the graph has the value.
        if name == handover::NAME {
            let at = self.cursor.value_at();
            return self.in_graph(at, |reader| reader.deserialize_unit_struct(name, visitor));
        }
        match self.cursor.token() {
            Token::None | Token::EmptyTuple => visitor.visit_unit(),
            _ => self.read_in_graph(|reader| reader.deserialize_unit_struct(name, visitor)),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        // Only the graph knows the identity of values.
        if name == shared::NAME {
            let at = self.cursor.value_at();
            return self.in_graph(at, |reader| reader.deserialize_newtype_struct(name, visitor));
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Some(is_marked) = self.cursor.take_empty(Opcode::EmptyList) {
            return self.list(is_marked, visitor);
        }
        match self.cursor.token() {
            Token::Bytes(bytes) => sequence(bytes.iter().copied(), visitor),
            _ => self.read_in_graph(|reader| reader.deserialize_seq(visitor)),
        }
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        let first = self.cursor.next();
        // It may be the first item of a tuple without a mark.
        if !is_sequence(first) || (1..=3).contains(&len) && self.cursor.is_compound() {
            return self.tuple(first, len, visitor);
        }
        match self.cursor.take(Opcode::EmptyTuple) {
            true => visitor.visit_seq(SeqDeserializer::new([(); 0].into_iter())),
            false => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.cursor.take_empty(Opcode::EmptyDict) {
            Some(is_marked) => self.map(is_marked, visitor),
            None => {
                let at = self.cursor.value_at();
                self.in_graph(at, |reader| reader.deserialize_map(visitor))
            }
        }
    }

    /// A struct rejects a duplicate field.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.cursor.take_empty(Opcode::EmptyDict) {
            Some(is_marked) => self.fields(is_marked, fields, visitor),
            None => {
                let at = self.cursor.value_at();
                self.in_graph(at, |reader| reader.deserialize_struct(name, fields, visitor))
            }
        }
    }

    /// Reads a variant given by its name.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.cursor.text() {
            Some(text) => visitor.visit_enum(UnitVariant(text, PhantomData)),
            None => self.read_in_graph(|reader| reader.deserialize_enum(name, variants, visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.cursor.is_compound() {
            return self.read_in_graph(|reader| reader.deserialize_ignored_any(visitor));
        }
        if self.cursor.skip_atom() {
            return visitor.visit_unit();
        }
        match self.cursor.token() {
            Token::List | Token::Dict if self.cursor.is_too_deep() => {
                self.read_in_graph(|reader| reader.deserialize_ignored_any(visitor))
            }
            Token::List => self.list(false, IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::Dict => self.map(false, IgnoredAny).and_then(|_| visitor.visit_unit()),
            Token::None | Token::Bool(_) | Token::Int(_) | Token::Unsigned(_) | Token::Float(_) => visitor.visit_unit(),
            Token::Text(_) | Token::Bytes(_) | Token::EmptyTuple | Token::Known => visitor.visit_unit(),
            Token::NotPlain => self.read_in_graph(|reader| reader.deserialize_ignored_any(visitor)),
        }
    }
}
