//! Serializer of keys, which returns their hashes.

use ::serde::ser::{Impossible, Serialize, SerializeTuple, SerializeTupleStruct, Serializer};
use picklevm_ops::Sink;

use super::{Compound, Direct};
use crate::convert::key_hash;
use crate::direct_write::{After, Kind};
use crate::serde::config::Variants;
use crate::serde::error::{Error, Result};
use crate::serde::handover;

/// Serializer of a key, which returns its hash.
pub(super) struct KeySerializer<'c, 'w, 'o, S> {
    direct: &'c mut Direct<'w, 'o, S>,
}

impl<'c, 'w, 'o, S: Sink> KeySerializer<'c, 'w, 'o, S> {
    #[inline]
    pub(super) fn new(direct: &'c mut Direct<'w, 'o, S>) -> Self {
        KeySerializer { direct }
    }

    #[inline]
    fn int(self, value: i128) -> Result<u64> {
        match i64::try_from(value) {
            Ok(small) => self.direct.int(small)?,
            Err(_) => self.direct.serialize_i128(value)?,
        }
        Ok(key_hash::int(value))
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<u64> {
            self.int(value.into())
        }
    )*};
}

/// Keys that are left to the graph.
macro_rules! left {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self $(, _: $arg)*) -> Result<$ok> {
            Err(self.direct.leave_to_graph().into())
        }
    )*};
}

type NoKey = Impossible<u64, Error>;

impl<'c, 'w, 'o, S: Sink> Serializer for KeySerializer<'c, 'w, 'o, S> {
    type Ok = u64;
    type Error = Error;
    type SerializeSeq = NoKey;
    type SerializeTuple = KeyTuple<'c, 'w, 'o, S>;
    type SerializeTupleStruct = KeyTuple<'c, 'w, 'o, S>;
    type SerializeTupleVariant = NoKey;
    type SerializeMap = NoKey;
    type SerializeStruct = NoKey;
    type SerializeStructVariant = NoKey;

    integers! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
    }

    left! {
        serialize_seq(Option<usize>) -> NoKey;
        serialize_map(Option<usize>) -> NoKey;
        serialize_struct(&'static str, usize) -> NoKey;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> NoKey;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> NoKey;
        serialize_u128(u128) -> u64;
    }

    fn serialize_bool(self, value: bool) -> Result<u64> {
        self.direct.serialize_bool(value)?;
        Ok(key_hash::int(value.into()))
    }

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }

    fn serialize_f32(self, value: f32) -> Result<u64> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<u64> {
        let Some(hash) = key_hash::float(value) else { return Err(self.direct.leave_to_graph().into()) };
        self.direct.serialize_f64(value)?;
        Ok(hash)
    }

    fn serialize_char(self, value: char) -> Result<u64> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<u64> {
        self.direct.serialize_str(value)?;
        Ok(key_hash::text(value.as_bytes()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<u64> {
        self.direct.serialize_bytes(value)?;
        Ok(key_hash::bytes(value))
    }

    fn serialize_none(self) -> Result<u64> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<u64> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<u64> {
        self.direct.serialize_unit()?;
        Ok(key_hash::none())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<u64> {
        drop(handover::take());
        Err(self.direct.leave_to_graph().into())
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<u64> {
        let is_class = self.direct.class_of(name)?.is_some() || self.direct.class_of_variant(variant)?.is_some();
        if is_class || self.direct.context.config.variants != Variants::Dict {
            return Err(self.direct.leave_to_graph().into());
        }
        self.direct.serialize_unit_variant(name, index, variant)?;
        Ok(key_hash::text(variant.as_bytes()))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<u64> {
        if name.starts_with('$') || self.direct.class_of(name)?.is_some() {
            return Err(self.direct.leave_to_graph().into());
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<u64> {
        Err(self.direct.leave_to_graph().into())
    }

    fn serialize_tuple(self, len: usize) -> Result<KeyTuple<'c, 'w, 'o, S>> {
        KeyTuple::begin(self.direct, len)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<KeyTuple<'c, 'w, 'o, S>> {
        if self.direct.class_of(name)?.is_some() {
            return Err(self.direct.leave_to_graph().into());
        }
        KeyTuple::begin(self.direct, len)
    }
}

/// A tuple that is a key.
pub(super) struct KeyTuple<'c, 'w, 'o, S> {
    compound: Compound<'c, 'w, 'o, S>,
    hashes: Vec<u64>,
}

impl<'c, 'w, 'o, S: Sink> KeyTuple<'c, 'w, 'o, S> {
    fn begin(direct: &'c mut Direct<'w, 'o, S>, len: usize) -> Result<Self> {
        Ok(KeyTuple { compound: Compound::begin(direct, Kind::Tuple, Some(len), After::Nothing)?, hashes: Vec::new() })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let hash = self.compound.key(value)?;
        self.hashes.push(hash);
        Ok(())
    }

    fn finish(self) -> Result<u64> {
        SerializeTuple::end(self.compound)?;
        Ok(key_hash::tuple(&self.hashes))
    }
}

impl<S: Sink> SerializeTuple for KeyTuple<'_, '_, '_, S> {
    type Ok = u64;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<u64> {
        self.finish()
    }
}

impl<S: Sink> SerializeTupleStruct for KeyTuple<'_, '_, '_, S> {
    type Ok = u64;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<u64> {
        self.finish()
    }
}
