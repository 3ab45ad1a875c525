//! The `Serializer`.

use ::serde::ser::{Error as _, Serialize, Serializer};
use picklevm_ops::Sink;

use super::{Compound, Direct};
use crate::direct_write::{After, Fields, Keyed, List, Tuple};
use crate::serde::as_types::{MEMBER, container_of};
use crate::serde::config::Variants;
use crate::serde::error::{Error, Result};
use crate::serde::{bigint, handover, instance, shared};

impl<S: Sink> Direct<'_, '_, S> {
    /// Writes the only value inside another one.
    fn inside_one<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.enter()?;
        self.inside(value)?;
        self.leave();
        Ok(())
    }

    /// Starts the dict or tuple of a variant, and writes its name. Returns what follows its content.
    fn begin_variant(&mut self, name: &'static str) -> Result<After> {
        self.boundary()?;
        let after = match self.context.config.variants {
            Variants::Dict => {
                self.empty_dict()?;
                After::SetItem
            }
            Variants::Tuple => {
                self.tuple_mark(2)?;
                After::Pair
            }
        };
        self.name(name)?;
        Ok(after)
    }
}

/// Integers that fit 64 bits.
macro_rules! integers {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<()> {
            Ok(self.int(value.into())?)
        }
    )*};
}

impl<'c, 'w, 'o, S: Sink> Serializer for &'c mut Direct<'w, 'o, S> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'c, 'w, 'o, S, List>;
    type SerializeTuple = Compound<'c, 'w, 'o, S, Tuple>;
    type SerializeTupleStruct = Compound<'c, 'w, 'o, S, Tuple>;
    type SerializeTupleVariant = Compound<'c, 'w, 'o, S, Tuple>;
    type SerializeMap = Compound<'c, 'w, 'o, S, Keyed>;
    type SerializeStruct = Compound<'c, 'w, 'o, S, Fields>;
    type SerializeStructVariant = Compound<'c, 'w, 'o, S, Fields>;

    fn is_human_readable(&self) -> bool {
        handover::is_human_readable()
    }

    integers! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<()> {
        Ok(self.unsigned(value)?)
    }

    fn serialize_i128(self, value: i128) -> Result<()> {
        Ok(self.long(&value.to_le_bytes())?)
    }

    fn serialize_u128(self, value: u128) -> Result<()> {
        Ok(self.wide_unsigned(value)?)
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<()> {
        Ok(self.bool(value)?)
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<()> {
        self.serialize_f64(value.into())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        Ok(self.float(value)?)
    }

    fn serialize_char(self, value: char) -> Result<()> {
        Ok(self.text(value.encode_utf8(&mut [0; 4]))?)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        if self.context.is_digits {
            return self.digits(value);
        }
        Ok(self.text(value)?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        Ok(self.bytes(value)?)
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        Ok(self.none()?)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.inside(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        Ok(self.none()?)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<()> {
        if name == handover::NAME
            && let Some(make) = handover::take()
        {
            return Ok(self.made(make)?);
        }
        match self.class_of(name)? {
            Some(class) => Ok(self.empty_instance(class)?),
            None => Ok(self.none()?),
        }
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<()> {
        if let Some(class) = self.class_of_variant(variant)? {
            return Ok(self.empty_instance(class)?);
        }
        if let Some(class) = self.class_of(name)? {
            return Ok(self.member(class, variant)?);
        }
        match self.context.config.variants {
            Variants::Dict => Ok(self.name(variant)?),
            Variants::Tuple => {
                self.boundary()?;
                self.tuple_mark(1)?;
                self.name(variant)?;
                Ok(self.tuple_end(1)?)
            }
        }
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if name.starts_with('$') {
            return self.reserved(name, value);
        }
        match self.class_of(name)? {
            None => self.inside(value),
            Some(class) => {
                self.begin_instance(class)?;
                self.boundary()?;
                self.tuple_mark(1)?;
                self.inside_one(value)?;
                self.tuple_end(1)?;
                Ok(self.end_instance()?)
            }
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        if name == MEMBER {
            return Err(self.leave_to_graph().into());
        }
        if let Some(class) = self.class_of_variant(variant)? {
            self.begin_instance(class)?;
            self.boundary()?;
            self.tuple_mark(1)?;
            self.inside_one(value)?;
            self.tuple_end(1)?;
            return Ok(self.end_instance()?);
        }
        let after = self.begin_variant(variant)?;
        self.inside_one(value)?;
        Ok(after.write(self)?)
    }

    // Inlined, as are the ends: what is returned would be copied through memory, which stalls.
    #[inline(always)]
    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'c, 'w, 'o, S, List>> {
        Ok(Compound::begin(self, |direct| List::begin(direct, len))?)
    }

    #[inline(always)]
    fn serialize_tuple(self, len: usize) -> Result<Compound<'c, 'w, 'o, S, Tuple>> {
        Ok(Compound::begin(self, |direct| Tuple::begin(direct, len, After::Nothing))?)
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Compound<'c, 'w, 'o, S, Tuple>> {
        let after = match self.class_of(name)? {
            Some(class) => {
                self.begin_instance(class)?;
                After::NewObj
            }
            None => After::Nothing,
        };
        Ok(Compound::begin(self, |direct| Tuple::begin(direct, len, after))?)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'c, 'w, 'o, S, Tuple>> {
        let after = match self.class_of_variant(variant)? {
            Some(class) => {
                self.begin_instance(class)?;
                After::NewObj
            }
            None => self.begin_variant(variant)?,
        };
        Ok(Compound::begin(self, |direct| Tuple::begin(direct, len, after))?)
    }

    #[inline(always)]
    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'c, 'w, 'o, S, Keyed>> {
        Ok(Compound::begin(self, |direct| Keyed::rows(direct, len))?)
    }

    #[inline(always)]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Compound<'c, 'w, 'o, S, Fields>> {
        if name == instance::NAME {
            return Err(self.leave_to_graph().into());
        }
        let after = match self.class_of(name)? {
            Some(class) => self.begin_attributes(class)?,
            None => After::Nothing,
        };
        Ok(Compound::begin(self, |direct| Fields::begin(direct, len, after))?)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'c, 'w, 'o, S, Fields>> {
        let after = match self.class_of_variant(variant)? {
            Some(class) => self.begin_attributes(class)?,
            None => self.begin_variant(variant)?,
        };
        Ok(Compound::begin(self, |direct| Fields::begin(direct, len, after))?)
    }
}

impl<S: Sink> Direct<'_, '_, S> {
    /// Writes a newtype with a name that only this crate uses.
    #[inline(never)]
    fn reserved<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        match name {
            shared::NAME => Err(self.leave_to_graph().into()),
            _ if container_of(name).is_some() => Err(self.leave_to_graph().into()),
            bigint::NAME => {
                self.context.is_digits = true;
                value.serialize(&mut *self)
            }
            _ => match self.class_of(name)? {
                None => self.inside(value),
                Some(_) => Err(self.leave_to_graph().into()),
            },
        }
    }

    /// Writes the integer of a [`bigint`] field.
    #[cold]
    fn digits(&mut self, digits: &str) -> Result<()> {
        self.context.is_digits = false;
        let integer = bigint::parse(digits).ok_or_else(|| Error::custom("an integer without digits"))?;
        Ok(self.long(&integer.to_signed_bytes_le())?)
    }
}
