//! The `Serializer`.

use ::serde::ser::{Error as _, Serialize, Serializer};
use picklevm_ops::internal::int_from_le_bytes;
use picklevm_ops::{Opcode, Sink};

use super::Direct;
use super::compound::{After, Compound, Kind};
use super::names::Single;
use crate::graph::{Int, trimmed_len};
use crate::serde::as_types::{MEMBER, container_of};
use crate::serde::config::Variants;
use crate::serde::error::{Error, Result};
use crate::serde::{bigint, handover, instance, shared};

/// Maximum length of bytes that are written in a run.
const SHORT_BYTES: u8 = 96;

impl<S: Sink> Direct<'_, S> {
    #[inline(always)]
    pub(super) fn int(&mut self, value: i64) -> Result<()> {
        self.value(|run| run.int(value), |leaf| leaf.int(value))
    }

    /// Writes an integer in little-endian two's complement.
    #[inline(never)]
    fn long(&mut self, bytes: &[u8]) -> Result<()> {
        let bytes = &bytes[..trimmed_len(bytes)];
        if let Some(value) = int_from_le_bytes(bytes) {
            return self.int(value);
        }
        // The graph puts long ones into the memo if they are shared, which these are not.
        self.boundary()?;
        self.leaf(|leaf| leaf.long(Int::from_le(bytes)))
    }

    #[inline(always)]
    fn none(&mut self) -> Result<()> {
        self.value(|run| run.bare(Opcode::None), |leaf| leaf.none())
    }

    /// Writes bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        // Below protocol 3 they are calls, which share functions and texts.
        if self.protocol < 3 {
            return Err(self.leave_to_graph());
        }
        self.boundary()?;
        let single = Single::of_bytes(bytes);
        if let Some(number) = single.and_then(|single| self.names.single(single)) {
            return self.get(number);
        }
        match u8::try_from(bytes.len()) {
            Ok(len @ 0..=SHORT_BYTES) => self.ops(|run| run.short(Opcode::ShortBinBytes, bytes, len)),
            _ => self.leaf(|leaf| leaf.bytes(bytes))?,
        }
        let number = self.put()?;
        if let Some(single) = single {
            self.names.insert_single(single, number);
        }
        Ok(())
    }

    /// Writes the only value inside another one.
    fn inside_one<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.enter()?;
        self.inside(value)?;
        self.depth += 1;
        Ok(())
    }

    /// Starts the dict or tuple of a variant, and writes its name.
    pub(super) fn begin_variant(&mut self, name: &'static str) -> Result<()> {
        self.boundary()?;
        match self.config.variants {
            Variants::Dict => self.empty_dict()?,
            Variants::Tuple => self.tuple_mark(2)?,
        }
        self.name(name)
    }

    /// Ends the dict or tuple of a variant.
    pub(super) fn end_variant(&mut self) -> Result<()> {
        match self.config.variants {
            Variants::Dict => self.bare(Opcode::SetItem),
            Variants::Tuple => self.tuple_end(2),
        }
    }
}

/// Integers that fit 64 bits.
macro_rules! integers {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<()> {
            self.int(value.into())
        }
    )*};
}

impl<'c, 'w, S: Sink> Serializer for &'c mut Direct<'w, S> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'c, 'w, S>;
    type SerializeTuple = Compound<'c, 'w, S>;
    type SerializeTupleStruct = Compound<'c, 'w, S>;
    type SerializeTupleVariant = Compound<'c, 'w, S>;
    type SerializeMap = Compound<'c, 'w, S>;
    type SerializeStruct = Compound<'c, 'w, S>;
    type SerializeStructVariant = Compound<'c, 'w, S>;

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
        match i64::try_from(value) {
            Ok(value) => self.int(value),
            Err(_) => self.long(&u128::from(value).to_le_bytes()),
        }
    }

    fn serialize_i128(self, value: i128) -> Result<()> {
        self.long(&value.to_le_bytes())
    }

    fn serialize_u128(self, value: u128) -> Result<()> {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        self.long(&bytes)
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<()> {
        self.value(|run| run.bool(value), |leaf| leaf.bool(value))
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<()> {
        self.serialize_f64(value.into())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        self.value(|run| run.float(value), |leaf| leaf.float(value))
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        if self.is_digits {
            return self.digits(value);
        }
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.bytes(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        self.none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.inside(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        self.none()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<()> {
        if name == handover::NAME
            && let Some(make) = handover::take()
        {
            return self.made(make);
        }
        match self.class_of(name)? {
            Some(class) => self.empty_instance(class),
            None => self.none(),
        }
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<()> {
        if let Some(class) = self.class_of_variant(variant)? {
            return self.empty_instance(class);
        }
        if let Some(class) = self.class_of(name)? {
            return self.member(class, variant);
        }
        match self.config.variants {
            Variants::Dict => self.name(variant),
            Variants::Tuple => {
                self.boundary()?;
                self.tuple_mark(1)?;
                self.name(variant)?;
                self.tuple_end(1)
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
                self.end_instance()
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
            return Err(self.leave_to_graph());
        }
        if let Some(class) = self.class_of_variant(variant)? {
            self.begin_instance(class)?;
            self.boundary()?;
            self.tuple_mark(1)?;
            self.inside_one(value)?;
            self.tuple_end(1)?;
            return self.end_instance();
        }
        self.begin_variant(variant)?;
        self.inside_one(value)?;
        self.end_variant()
    }

    // Inlined, as are the ends: what is returned would be copied through memory, which stalls.
    #[inline(always)]
    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'c, 'w, S>> {
        Compound::begin(self, Kind::List, len, After::Nothing)
    }

    #[inline(always)]
    fn serialize_tuple(self, len: usize) -> Result<Compound<'c, 'w, S>> {
        Compound::begin(self, Kind::Tuple, Some(len), After::Nothing)
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Compound<'c, 'w, S>> {
        let after = match self.class_of(name)? {
            Some(class) => {
                self.begin_instance(class)?;
                After::NewObj
            }
            None => After::Nothing,
        };
        Compound::begin(self, Kind::Tuple, Some(len), after)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'c, 'w, S>> {
        let after = match self.class_of_variant(variant)? {
            Some(class) => {
                self.begin_instance(class)?;
                After::NewObj
            }
            None => {
                self.begin_variant(variant)?;
                After::Variant
            }
        };
        Compound::begin(self, Kind::Tuple, Some(len), after)
    }

    #[inline(always)]
    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'c, 'w, S>> {
        Compound::begin(self, Kind::Map, len, After::Nothing)
    }

    #[inline(always)]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Compound<'c, 'w, S>> {
        if name == instance::NAME {
            return Err(self.leave_to_graph());
        }
        let after = match self.class_of(name)? {
            Some(class) => self.begin_attributes(class)?,
            None => After::Nothing,
        };
        Compound::begin(self, Kind::Struct, Some(len), after)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'c, 'w, S>> {
        let after = match self.class_of_variant(variant)? {
            Some(class) => self.begin_attributes(class)?,
            None => {
                self.begin_variant(variant)?;
                After::Variant
            }
        };
        Compound::begin(self, Kind::Struct, Some(len), after)
    }
}

impl<S: Sink> Direct<'_, S> {
    /// Writes a newtype with a name that only this crate uses.
    #[inline(never)]
    fn reserved<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        match name {
            shared::NAME => Err(self.leave_to_graph()),
            _ if container_of(name).is_some() => Err(self.leave_to_graph()),
            bigint::NAME => {
                self.is_digits = true;
                value.serialize(&mut *self)
            }
            _ => match self.class_of(name)? {
                None => self.inside(value),
                Some(_) => Err(self.leave_to_graph()),
            },
        }
    }

    /// Writes the integer of a [`bigint`] field.
    #[cold]
    fn digits(&mut self, digits: &str) -> Result<()> {
        self.is_digits = false;
        let integer = bigint::parse(digits).ok_or_else(|| Error::custom("an integer without digits"))?;
        self.long(&integer.to_signed_bytes_le())
    }
}
