//! Serializer of keys.

use std::any::type_name;

use ::serde::ser::{Impossible, Serialize, SerializeTuple, SerializeTupleStruct, Serializer};
use picklevm_ops::Sink;

use super::{Compound, Cursor};
use crate::convert::key_hash;
use crate::direct_write::{After, Key, Keys, Position, Tuple};
use crate::serde::config::Variants;
use crate::serde::error::{Error, Result};
use crate::serde::handover;

/// Serializer of a key. It returns its hash, unless it is compared with the key before.
pub(super) struct KeySerializer<'c, 'w, 'o, S> {
    cursor: Cursor<'c, 'w, 'o, S>,
    /// The keys of the map. `None` for an item of a tuple.
    keys: Option<&'c mut Keys>,
}

/// The hash of a key, and where the key ends.
type Hash = (Option<u64>, Position);

/// Whether no two keys of a type of map are equal, given what it is iterated by and its items' keys: one of the standard library or
/// `indexmap`, of texts or integers. The compiler knows the answer. A type of the same name with equal keys would be written with
/// both, of which Python keeps the last too.
#[inline(always)]
pub(super) fn are_unique<I, K>() -> bool {
    const MAPS: [&str; 3] = [
        "&alloc::collections::btree::map::BTreeMap<",
        "&std::collections::hash::map::HashMap<",
        "&indexmap::map::IndexMap<",
    ];
    let is_map = MAPS.iter().any(|map| type_name::<I>().starts_with(map));
    let is_plain = matches!(
        type_name::<K>(),
        "&alloc::string::String" | "&&str" | "&i32" | "&i64" | "&isize" | "&u16" | "&u32" | "&u64" | "&usize"
    );
    is_map && is_plain
}

impl<'c, 'w, 'o, S: Sink> KeySerializer<'c, 'w, 'o, S> {
    #[inline(always)]
    pub(super) fn new(cursor: Cursor<'c, 'w, 'o, S>, keys: Option<&'c mut Keys>) -> Self {
        KeySerializer { cursor, keys }
    }

    /// Ends a key that was written.
    #[inline(always)]
    fn end(self, key: Key<'_>) -> Result<Hash> {
        Ok((Keys::hash(self.keys, key), self.cursor.at))
    }

    #[inline]
    fn int(mut self, value: i128) -> Result<Hash> {
        match i64::try_from(value) {
            Ok(small) => self.cursor.int(small)?,
            Err(_) => self.cursor.call(|cursor| cursor.long(&value.to_le_bytes()))?,
        }
        self.end(Key::of_int(value))
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<Hash> {
            self.int(value.into())
        }
    )*};
}

/// Keys that are left to the graph.
macro_rules! left {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self $(, _: $arg)*) -> Result<$ok> {
            Err(self.cursor.direct.leave_to_graph().into())
        }
    )*};
}

type NoKey = Impossible<Hash, Error>;

impl<'c, 'w, 'o, S: Sink> Serializer for KeySerializer<'c, 'w, 'o, S> {
    type Ok = Hash;
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
        serialize_u128(u128) -> Hash;
    }

    fn serialize_bool(mut self, value: bool) -> Result<Hash> {
        self.cursor.at = self.cursor.again().serialize_bool(value)?;
        self.end(Key::Other(key_hash::int(value.into())))
    }

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }

    fn serialize_f32(self, value: f32) -> Result<Hash> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(mut self, value: f64) -> Result<Hash> {
        let Some(hash) = key_hash::float(value) else { return Err(self.cursor.direct.leave_to_graph().into()) };
        self.cursor.at = self.cursor.again().serialize_f64(value)?;
        self.end(Key::Other(hash))
    }

    fn serialize_char(self, value: char) -> Result<Hash> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline(always)]
    fn serialize_str(mut self, value: &str) -> Result<Hash> {
        self.cursor.at = self.cursor.again().serialize_str(value)?;
        self.end(Key::Text(value))
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<Hash> {
        self.cursor.at = self.cursor.again().serialize_bytes(value)?;
        self.end(Key::Other(key_hash::bytes(value)))
    }

    fn serialize_none(self) -> Result<Hash> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Hash> {
        value.serialize(self)
    }

    fn serialize_unit(mut self) -> Result<Hash> {
        self.cursor.at = self.cursor.again().serialize_unit()?;
        self.end(Key::Other(key_hash::none()))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Hash> {
        drop(handover::take());
        Err(self.cursor.direct.leave_to_graph().into())
    }

    fn serialize_unit_variant(mut self, name: &'static str, index: u32, variant: &'static str) -> Result<Hash> {
        let is_class =
            self.cursor.direct.class_of(name)?.is_some() || self.cursor.direct.class_of_variant(variant)?.is_some();
        if is_class || self.cursor.direct.context.config.variants != Variants::Dict {
            return Err(self.cursor.direct.leave_to_graph().into());
        }
        self.cursor.at = self.cursor.again().serialize_unit_variant(name, index, variant)?;
        self.end(Key::Other(key_hash::text(variant.as_bytes())))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Hash> {
        if name.starts_with('$') || self.cursor.direct.class_of(name)?.is_some() {
            return Err(self.cursor.direct.leave_to_graph().into());
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Hash> {
        Err(self.cursor.direct.leave_to_graph().into())
    }

    fn serialize_tuple(self, len: usize) -> Result<KeyTuple<'c, 'w, 'o, S>> {
        KeyTuple::begin(self, len)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<KeyTuple<'c, 'w, 'o, S>> {
        if self.cursor.direct.class_of(name)?.is_some() {
            return Err(self.cursor.direct.leave_to_graph().into());
        }
        KeyTuple::begin(self, len)
    }
}

/// A tuple that is a key.
pub(super) struct KeyTuple<'c, 'w, 'o, S> {
    compound: Compound<'c, 'w, 'o, S, Tuple>,
    keys: Option<&'c mut Keys>,
    hashes: Vec<u64>,
}

impl<'c, 'w, 'o, S: Sink> KeyTuple<'c, 'w, 'o, S> {
    fn begin(KeySerializer { cursor, keys }: KeySerializer<'c, 'w, 'o, S>, len: usize) -> Result<Self> {
        let compound = Compound::begin(cursor, |cursor| Tuple::begin(cursor, len, After::Nothing))?;
        Ok(KeyTuple { compound, keys, hashes: Vec::new() })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let hash = self.compound.key_item(value)?;
        self.hashes.extend(hash);
        Ok(())
    }

    fn finish(self) -> Result<Hash> {
        let end = SerializeTuple::end(self.compound)?;
        Ok((Keys::hash(self.keys, Key::Other(key_hash::tuple(&self.hashes))), end))
    }
}

impl<S: Sink> SerializeTuple for KeyTuple<'_, '_, '_, S> {
    type Ok = Hash;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<Hash> {
        self.finish()
    }
}

impl<S: Sink> SerializeTupleStruct for KeyTuple<'_, '_, '_, S> {
    type Ok = Hash;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<Hash> {
        self.finish()
    }
}
