//! Serializers of sequences, tuples, maps and structs.

use ::serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use picklevm_ops::Sink;

use super::Compound;
use super::keys::KeySerializer;
use crate::direct_write::{Fields, Keyed, List, Position, Tuple};
use crate::serde::error::{Error, Result};

impl<S: Sink> Compound<'_, '_, '_, S, Tuple> {
    /// Writes an item of a tuple that is a key. Returns its hash.
    pub(crate) fn key_item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Option<u64>> {
        self.count()?;
        let (hash, end) = value.serialize(KeySerializer::new(self.cursor.again(), None))?;
        self.cursor.at = end;
        Ok(hash)
    }
}

macro_rules! items {
    ($($trait:ident::$method:ident of $items:ty;)*) => {$(
        impl<S: Sink> $trait for Compound<'_, '_, '_, S, $items> {
            type Ok = Position;
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(|cursor| value.serialize(cursor))
            }

            #[inline(always)]
            fn end(self) -> Result<Position> {
                Ok(self.finish()?)
            }
        }
    )*};
}
items! {
    SerializeSeq::serialize_element of List;
    SerializeTuple::serialize_element of Tuple;
    SerializeTupleStruct::serialize_field of Tuple;
    SerializeTupleVariant::serialize_field of Tuple;
}

impl<S: Sink> Compound<'_, '_, '_, S, Fields> {
    /// Writes a row whose key is not equal to another one.
    #[inline(always)]
    pub(super) fn row<K: Serialize, V: Serialize>(&mut self, key: &K, value: &V) -> Result<()> {
        self.item(|cursor| key.serialize(cursor))?;
        self.cursor.at = value.serialize(self.cursor.again())?;
        Ok(())
    }
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<S: Sink> $trait for Compound<'_, '_, '_, S, Fields> {
            type Ok = Position;
            type Error = Error;

            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.count()?;
                self.cursor.name(name)?;
                self.cursor.at = value.serialize(self.cursor.again())?;
                Ok(())
            }

            #[inline(always)]
            fn end(self) -> Result<Position> {
                Ok(self.finish()?)
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl<S: Sink> SerializeMap for Compound<'_, '_, '_, S, Keyed> {
    type Ok = Position;
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.count()?;
        let (cursor, keys) = self.keys();
        let (hash, end) = key.serialize(KeySerializer::new(cursor.again(), Some(keys)))?;
        cursor.at = end;
        Ok(self.add_hash(hash)?)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.cursor.at = value.serialize(self.cursor.again())?;
        Ok(())
    }

    #[inline(always)]
    fn end(self) -> Result<Position> {
        Ok(self.finish()?)
    }
}
