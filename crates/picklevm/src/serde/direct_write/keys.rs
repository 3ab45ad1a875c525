//! Keys of maps. Python has one entry for equal keys, so that each key is hashed while it is written: equal keys get
//! equal hashes, and two equal hashes leave the map to the graph. So do keys that Python may be unable to hash.

use ::serde::ser::{Impossible, Serialize, SerializeTuple, SerializeTupleStruct, Serializer};
use picklevm_ops::Sink;

use super::Direct;
use super::compound::{After, Compound, Kind};
use crate::serde::config::Variants;
use crate::serde::error::{Error, Result};
use crate::serde::{handover, key_hash};

/// The keys of one map.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Start of their hashes on the stack.
    from: usize,
}

impl Keys {
    /// No keys to check.
    pub(super) const NONE: Keys = Keys { from: usize::MAX };

    #[inline]
    pub(super) fn begin<S: Sink>(direct: &mut Direct<'_, S>) -> Keys {
        if direct.out.is_stream() {
            // The value of an equal key would replace that of the first.
            direct.hold();
        }
        Keys { from: direct.hashes.len() }
    }

    /// Checks that no two keys are equal.
    #[inline]
    pub(super) fn end<S: Sink>(self, direct: &mut Direct<'_, S>) -> Result<()> {
        if self.from == usize::MAX {
            return Ok(());
        }
        if direct.out.is_stream() {
            direct.release();
        }
        if key_hash::are_equal(&mut direct.hashes, self.from) { Err(direct.leave_to_graph()) } else { Ok(()) }
    }
}

/// Serializer of a key, which returns its hash.
pub(super) struct KeySerializer<'c, 'w, S> {
    direct: &'c mut Direct<'w, S>,
}

impl<'c, 'w, S: Sink> KeySerializer<'c, 'w, S> {
    #[inline]
    pub(super) fn new(direct: &'c mut Direct<'w, S>) -> Self {
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
            Err(self.direct.leave_to_graph())
        }
    )*};
}

type NoKey = Impossible<u64, Error>;

impl<'c, 'w, S: Sink> Serializer for KeySerializer<'c, 'w, S> {
    type Ok = u64;
    type Error = Error;
    type SerializeSeq = NoKey;
    type SerializeTuple = KeyTuple<'c, 'w, S>;
    type SerializeTupleStruct = KeyTuple<'c, 'w, S>;
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
        let Some(hash) = key_hash::float(value) else { return Err(self.direct.leave_to_graph()) };
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
        Err(self.direct.leave_to_graph())
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<u64> {
        let is_class = self.direct.class_of(name)?.is_some() || self.direct.class_of_variant(variant)?.is_some();
        if is_class || self.direct.config.variants != Variants::Dict {
            return Err(self.direct.leave_to_graph());
        }
        self.direct.serialize_unit_variant(name, index, variant)?;
        Ok(key_hash::text(variant.as_bytes()))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<u64> {
        if name.starts_with('$') || self.direct.class_of(name)?.is_some() {
            return Err(self.direct.leave_to_graph());
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
        Err(self.direct.leave_to_graph())
    }

    fn serialize_tuple(self, len: usize) -> Result<KeyTuple<'c, 'w, S>> {
        KeyTuple::begin(self.direct, len)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<KeyTuple<'c, 'w, S>> {
        if self.direct.class_of(name)?.is_some() {
            return Err(self.direct.leave_to_graph());
        }
        KeyTuple::begin(self.direct, len)
    }
}

/// A tuple that is a key.
pub(super) struct KeyTuple<'c, 'w, S> {
    compound: Compound<'c, 'w, S>,
    hashes: Vec<u64>,
}

impl<'c, 'w, S: Sink> KeyTuple<'c, 'w, S> {
    fn begin(direct: &'c mut Direct<'w, S>, len: usize) -> Result<Self> {
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

impl<S: Sink> SerializeTuple for KeyTuple<'_, '_, S> {
    type Ok = u64;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<u64> {
        self.finish()
    }
}

impl<S: Sink> SerializeTupleStruct for KeyTuple<'_, '_, S> {
    type Ok = u64;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<u64> {
        self.finish()
    }
}
