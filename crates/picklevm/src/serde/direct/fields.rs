//! Names of fields by memo index: after the first rows, the key of a row is not compared with the names of the fields.
//!
//! The visitor that serde derives for the name of a field also takes the number of the field, which is the number of the
//! variant that it makes. That is learned from the first key that comes from the memo, and checked for each further one.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use ::serde::de::value::BorrowedStrDeserializer;
use ::serde::de::{Deserializer, Expected, Visitor};
use ::serde::forward_to_deserialize_any;

use super::failure::{Failure, Result};

/// Number of fields known at a time: a power of two, larger than the number of fields of most types.
const KNOWN: usize = 64;

/// The fields that keys from the memo are the names of. Empty before the first.
pub(super) struct KnownFields(Vec<Known>);

#[derive(Clone, Copy)]
struct Known {
    /// Address of the code that reads the names.
    of: usize,
    number: u32,
    field: u32,
}

impl KnownFields {
    pub(super) fn new() -> Self {
        KnownFields(Vec::new())
    }

    /// Returns the number of the field whose name has a memo index.
    #[inline(always)]
    pub(super) fn get(&self, of: usize, number: u32) -> Option<u32> {
        let known = self.0.get(number as usize % KNOWN)?;
        (known.of == of && known.number == number).then_some(known.field)
    }

    pub(super) fn insert(&mut self, of: usize, number: u32, field: u32) {
        self.0.resize(KNOWN, Known { of: 0, number: 0, field: 0 });
        self.0[number as usize % KNOWN] = Known { of, number, field };
    }
}

/// Returns the number of the variant, if the value is one of an enum without content, of at most 256 variants.
#[inline(always)]
pub(super) fn number_of<T>(value: &T) -> Option<u32> {
    /// Keeps the number that the hash of a discriminant is made from.
    struct Kept(Option<u32>);

    impl Hasher for Kept {
        #[inline(always)]
        fn write(&mut self, _: &[u8]) {}

        #[inline(always)]
        fn write_isize(&mut self, number: isize) {
            self.0 = u32::try_from(number).ok();
        }

        fn finish(&self) -> u64 {
            0
        }
    }

    if size_of::<T>() != 1 {
        return None;
    }
    let mut kept = Kept(None);
    discriminant(value).hash(&mut kept);
    kept.0
}

/// Deserializer of the name of a field.
pub(super) struct Name<'n, 'de> {
    pub(super) name: &'de str,
    /// Set if the visitor is one that serde derives.
    pub(super) is_field: Option<&'n mut bool>,
}

impl<'de> Deserializer<'de> for Name<'_, 'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.name)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Some(is_field) = self.is_field {
            *is_field = (&visitor as &dyn Expected).to_string() == "field identifier";
        }
        visitor.visit_borrowed_str(self.name)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let name_of: BorrowedStrDeserializer<'_, Failure> = BorrowedStrDeserializer::new(self.name);
        name_of.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct ignored_any
    }
}

/// Deserializer of the number of a field.
pub(super) struct Number(pub(super) u32);

impl<'de> Deserializer<'de> for Number {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(::serde::de::Error::custom("not the name of a field"))
    }

    #[inline(always)]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_u64(self.0.into())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_variant_is_its_place() {
        #[derive(Clone, Copy)]
        enum Field {
            First,
            Second,
            Ignored,
        }
        assert_eq!(
            [Field::First, Field::Second, Field::Ignored].map(|field| number_of(&field)),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!((number_of(&7u8), number_of(&"text"), number_of(&Some(7u8))), (None, None, None));
    }
}
