//! Serializers of sequences, tuples, maps and structs.

use ::serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use picklevm_ops::Sink;

use super::Compound;
use super::keys::KeySerializer;
use crate::serde::error::{Error, Result};

impl<S: Sink> Compound<'_, '_, '_, S> {
    #[inline(always)]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.count()?;
        value.serialize(&mut *self.direct)
    }

    /// Writes an item of a tuple that is a key. Returns its hash.
    pub(crate) fn key_item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Option<u64>> {
        self.count()?;
        value.serialize(KeySerializer::new(self.direct, None))
    }

    /// Writes the key of a row.
    #[inline(always)]
    fn key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.count()?;
        let hash = value.serialize(KeySerializer::new(self.direct, Some(&mut self.keys)))?;
        Ok(self.add_hash(hash)?)
    }

    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.count()?;
        self.direct.name(name)?;
        value.serialize(&mut *self.direct)
    }
}

macro_rules! items {
    ($($trait:ident::$method:ident)*) => {$(
        impl<S: Sink> $trait for Compound<'_, '_, '_, S> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            #[inline(always)]
            fn end(self) -> Result<()> {
                Ok(self.finish()?)
            }
        }
    )*};
}
items!(SerializeSeq::serialize_element SerializeTuple::serialize_element SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field);

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<S: Sink> $trait for Compound<'_, '_, '_, S> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.field(name, value)
            }

            #[inline(always)]
            fn end(self) -> Result<()> {
                Ok(self.finish()?)
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl<S: Sink> SerializeMap for Compound<'_, '_, '_, S> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.direct)
    }

    #[inline(always)]
    fn end(self) -> Result<()> {
        Ok(self.finish()?)
    }
}
