//! The `Serializer`.

use ::serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use picklevm_ops::Sink;

use super::{Compound, Cursor, keys};
use crate::direct_write::{After, ClassIndex, Fields, Keyed, List, Position, Tuple};
use crate::serde::as_types::{MEMBER, container_of};
use crate::serde::config::Variants;
use crate::serde::error::{Error, Result};
use crate::serde::{bigint, handover, instance, shared};

impl<S: Sink> Cursor<'_, '_, '_, S> {
    /// Writes the only value inside another one.
    fn inside_one<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.direct.enter()?;
        self.inside(value)?;
        self.direct.leave();
        Ok(())
    }

    /// Writes the arguments of an instance: one.
    fn inside_args<T: Serialize + ?Sized>(&mut self, class: ClassIndex, value: &T) -> Result<()> {
        self.class(class)?;
        self.tuple_begin(1)?;
        self.inside_one(value)?;
        self.tuple_end(1)?;
        Ok(self.end_instance()?)
    }

    /// Starts the dict or tuple of a variant, and writes its name. Returns what follows its content.
    fn begin_variant(&mut self, name: &'static str) -> Result<After> {
        let after = match self.direct.context.config.variants {
            Variants::Dict => self.empty_dict().map(|()| After::SetItem),
            Variants::Tuple => self.tuple_begin(2).map(|()| After::Pair),
        }?;
        self.name(name)?;
        Ok(after)
    }

    /// Starts the instance of a variant, or its [dict or tuple](Self::begin_variant). Returns what follows its content.
    fn begin_variant_or(
        &mut self,
        variant: &'static str,
        begin: impl FnOnce(&mut Self, ClassIndex) -> crate::error::Result<After>,
    ) -> Result<After> {
        match self.direct.class_of_variant(variant)? {
            Some(class) => Ok(begin(self, class)?),
            None => self.begin_variant(variant),
        }
    }
}

/// Values of one op.
macro_rules! atoms {
    ($($method:ident: $type:ty => $write:ident;)*) => {$(
        #[inline]
        fn $method(mut self, value: $type) -> Result<Position> {
            self.$write(value.into())?;
            Ok(self.at)
        }
    )*};
}

impl<'c, 'w, 'o, S: Sink> Serializer for Cursor<'c, 'w, 'o, S> {
    type Ok = Position;
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

    atoms! {
        serialize_i8: i8 => int;
        serialize_i16: i16 => int;
        serialize_i32: i32 => int;
        serialize_i64: i64 => int;
        serialize_u8: u8 => int;
        serialize_u16: u16 => int;
        serialize_u32: u32 => int;
        serialize_u64: u64 => unsigned;
        serialize_bool: bool => bool;
        serialize_f32: f32 => float;
        serialize_f64: f64 => float;
    }

    fn serialize_i128(mut self, value: i128) -> Result<Position> {
        self.long(&value.to_le_bytes())?;
        Ok(self.at)
    }

    fn serialize_u128(mut self, value: u128) -> Result<Position> {
        self.wide_unsigned(value)?;
        Ok(self.at)
    }

    fn serialize_char(mut self, value: char) -> Result<Position> {
        self.text(value.encode_utf8(&mut [0; 4]))?;
        Ok(self.at)
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Result<Position> {
        if self.direct.context.is_digits {
            self.call(|cursor| cursor.digits(value))?;
        } else {
            self.text(value)?;
        }
        Ok(self.at)
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<Position> {
        self.bytes(value)?;
        Ok(self.at)
    }

    #[inline]
    fn serialize_none(self) -> Result<Position> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Position> {
        self.inside(value)?;
        Ok(self.at)
    }

    #[inline]
    fn serialize_unit(mut self) -> Result<Position> {
        self.none()?;
        Ok(self.at)
    }

    fn serialize_unit_struct(mut self, name: &'static str) -> Result<Position> {
        if name == handover::NAME
            && let Some(make) = handover::take()
        {
            self.made(make)?;
            return Ok(self.at);
        }
        match self.direct.class_of(name)? {
            Some(class) => self.empty_instance(class)?,
            None => self.none()?,
        }
        Ok(self.at)
    }

    fn serialize_unit_variant(mut self, name: &'static str, _: u32, variant: &'static str) -> Result<Position> {
        if let Some(class) = self.direct.class_of_variant(variant)? {
            self.empty_instance(class)?;
        } else if let Some(class) = self.direct.class_of(name)? {
            self.member(class, variant)?;
        } else if self.direct.context.config.variants == Variants::Dict {
            self.name(variant)?;
        } else {
            self.tuple_begin(1)?;
            self.name(variant)?;
            self.tuple_end(1)?;
        }
        Ok(self.at)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Result<Position> {
        if name.starts_with('$') {
            return self.reserved(name, value);
        }
        match self.direct.class_of(name)? {
            None => self.inside(value)?,
            Some(class) => self.inside_args(class, value)?,
        }
        Ok(self.at)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Position> {
        if name == MEMBER {
            return Err(self.direct.leave_to_graph().into());
        }
        if let Some(class) = self.direct.class_of_variant(variant)? {
            self.inside_args(class, value)?;
        } else {
            let after = self.begin_variant(variant)?;
            self.inside_one(value)?;
            after.write(&mut self)?;
        }
        Ok(self.at)
    }

    // Inlined, as are the ends: what is returned would be copied through memory, which stalls.
    #[inline(always)]
    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'c, 'w, 'o, S, List>> {
        Ok(Compound::begin(self, |cursor| List::begin(cursor, len))?)
    }

    #[inline(always)]
    fn serialize_tuple(self, len: usize) -> Result<Compound<'c, 'w, 'o, S, Tuple>> {
        Ok(Compound::begin(self, |cursor| Tuple::begin(cursor, len, After::Nothing))?)
    }

    #[inline(always)]
    fn serialize_tuple_struct(mut self, name: &'static str, len: usize) -> Result<Compound<'c, 'w, 'o, S, Tuple>> {
        let after = match self.direct.class_of(name)? {
            Some(class) => {
                self.class(class)?;
                After::NewObj
            }
            None => After::Nothing,
        };
        Ok(Compound::begin(self, |cursor| Tuple::begin(cursor, len, after))?)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'c, 'w, 'o, S, Tuple>> {
        let after = self.begin_variant_or(variant, |cursor, class| cursor.class(class).map(|()| After::NewObj))?;
        Ok(Compound::begin(self, |cursor| Tuple::begin(cursor, len, after))?)
    }

    #[inline(always)]
    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'c, 'w, 'o, S, Keyed>> {
        Ok(Compound::begin(self, |cursor| Keyed::rows(cursor, len))?)
    }

    #[inline]
    fn collect_map<K: Serialize, V: Serialize, I: IntoIterator<Item = (K, V)>>(self, rows: I) -> Result<Position> {
        let mut rows = rows.into_iter();
        match rows.size_hint() {
            (len, Some(most)) if len == most && keys::are_unique::<I, K>() => {
                let mut map = Compound::begin(self, |cursor| Fields::begin(cursor, len, After::Nothing))?;
                rows.try_for_each(|(key, value)| map.row(&key, &value))?;
                Ok(map.finish()?)
            }
            (len, most) => {
                let mut map = self.serialize_map(most.filter(|most| *most == len))?;
                rows.try_for_each(|(key, value)| map.serialize_entry(&key, &value))?;
                map.end()
            }
        }
    }

    #[inline(always)]
    fn serialize_struct(mut self, name: &'static str, len: usize) -> Result<Compound<'c, 'w, 'o, S, Fields>> {
        if name == instance::NAME {
            return Err(self.direct.leave_to_graph().into());
        }
        let after = match self.direct.class_of(name)? {
            Some(class) => self.begin_attributes(class)?,
            None => After::Nothing,
        };
        Ok(Compound::begin(self, |cursor| Fields::begin(cursor, len, after))?)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'c, 'w, 'o, S, Fields>> {
        let after = self.begin_variant_or(variant, Self::begin_attributes)?;
        Ok(Compound::begin(self, |cursor| Fields::begin(cursor, len, after))?)
    }
}

impl<S: Sink> Cursor<'_, '_, '_, S> {
    /// Writes a newtype with a name that only this crate uses.
    #[inline(never)]
    fn reserved<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Result<Position> {
        if name == bigint::NAME {
            self.direct.context.is_digits = true;
            return value.serialize(self);
        }
        let is_plain = name != shared::NAME && container_of(name).is_none() && self.direct.class_of(name)?.is_none();
        if !is_plain {
            return Err(self.direct.leave_to_graph().into());
        }
        self.inside(value)?;
        Ok(self.at)
    }

    /// Writes the integer of a [`bigint`] field.
    #[cold]
    fn digits(&mut self, digits: &str) -> Result<()> {
        self.direct.context.is_digits = false;
        let integer = bigint::parse(digits).ok_or_else(|| Error::custom("an integer without digits"))?;
        Ok(self.long(&integer.to_signed_bytes_le())?)
    }
}
