//! Reads enums from a name, a dict of one entry, a tuple that starts with the name, an enum member or an instance.

use std::borrow::Cow;
use std::marker::PhantomData;

use ::serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer};
use ::serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, Unexpected, VariantAccess, Visitor,
};

use super::context::{Context, Lend};
use super::{ItemsReader, Reader, describe, text_of};
use crate::graph::{Items, Kind, Value};
use crate::path::Step;
use crate::serde::error::Error;

/// A variant and its content.
struct Variant<'c, 'g, 'de, L> {
    name: Cow<'g, str>,
    content: Content<'g>,
    context: &'c mut Context<'g, 'de, L>,
}

#[derive(Clone, Copy)]
enum Content<'g> {
    Nothing,
    /// The value of the dict's only key.
    Entry(Value<'g>, Value<'g>),
    /// The items after the name in a tuple.
    Items(Items<'g>),
    /// The instance whose class names the variant.
    Object(Value<'g>),
}

/// Reads an enum.
pub(super) fn visit<'g, 'de, L: Lend<'g, 'de>, V: Visitor<'de>>(
    mut reader: Reader<'_, 'g, 'de, L>,
    variants: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, Error> {
    let value = reader.value;
    let (name, content) = match value.kind() {
        Kind::Persistent(pid) => return reader.stand_in(pid, |reader| visit(reader, variants, visitor)),
        Kind::Object(_) => {
            let instance = reader.instance();
            match instance.as_member() {
                Some(member) => (name_of(member), Content::Nothing),
                None => (class_name(instance.class, variants).map(Cow::Owned), Content::Object(value)),
            }
        }
        Kind::Dict(dict) if dict.len() == 1 => match dict.entries().next() {
            Some((key, content)) => (name_of(key), Content::Entry(key, content)),
            None => (None, Content::Nothing),
        },
        Kind::Tuple(items) | Kind::List(items) => match items.get(0) {
            Some(name) if items.len() == 1 => (name_of(name), Content::Nothing),
            Some(name) => (name_of(name), Content::Items(items.from(1))),
            None => (None, Content::Nothing),
        },
        _ => (name_of(value), Content::Nothing),
    };
    let Some(name) = name else { return Err(not_a_variant(value)) };
    let context = reader.context;
    // For an instance, reading the state calls `enter`.
    let inside = matches!(content, Content::Entry(..) | Content::Items(_));
    if inside {
        context.enter(value.cell(), 2)?;
    }
    let result = visitor.visit_enum(Variant { name, content, context });
    if inside {
        context.leave();
    }
    result
}

/// Returns the name of a variant: text, or an integer in decimal.
fn name_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::Int(int) => Some(int.to_string().into()),
        _ => text_of(value).map(Cow::Borrowed),
    }
}

/// Returns the name of a class as a variant: its full name, or the last part.
fn class_name(class: Value<'_>, variants: &[&str]) -> Option<String> {
    let full = class.as_global()?.to_string();
    if variants.contains(&&*full) {
        return Some(full);
    }
    full.rsplit('.').next().map(str::to_owned)
}

#[cold]
fn not_a_variant(value: Value<'_>) -> Error {
    Error::invalid_type(Unexpected::Other(&describe(value)), &"a variant: its name, or a dict of its name and content")
}

impl<'g, 'de, L: Lend<'g, 'de>> EnumAccess<'de> for Variant<'_, 'g, 'de, L> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: CowStrDeserializer<'_, Error> = std::mem::take(&mut self.name).into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

/// A variant given by its name alone.
pub(crate) struct UnitVariant<'de, E>(pub(crate) &'de str, pub(crate) PhantomData<E>);

impl<'de, E: de::Error> EnumAccess<'de> for UnitVariant<'de, E> {
    type Error = E;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), E> {
        Ok((seed.deserialize(BorrowedStrDeserializer::<E>::new(self.0))?, self))
    }
}

impl<'de, E: de::Error> VariantAccess<'de> for UnitVariant<'de, E> {
    type Error = E;

    fn unit_variant(self) -> Result<(), E> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, E> {
        Err(no_content("a newtype variant"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, E> {
        Err(no_content("a tuple variant"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, E> {
        Err(no_content("a struct variant"))
    }
}

#[cold]
fn no_content<E: de::Error>(expected: &'static str) -> E {
    E::invalid_type(Unexpected::UnitVariant, &expected)
}

/// Content of a variant, as one value or several.
enum Values<'g> {
    One(Value<'g>, Place<'g>),
    Several(Items<'g>),
}

/// Place of a variant's content.
enum Place<'g> {
    Same,
    Key(Value<'g>),
    Item(usize),
}

impl<'g> Content<'g> {
    fn values(self, expected: &'static str) -> Result<Values<'g>, Error> {
        match self {
            Content::Nothing => Err(no_content(expected)),
            Content::Object(value) => Ok(Values::One(value, Place::Same)),
            Content::Entry(key, value) => Ok(Values::One(value, Place::Key(key))),
            Content::Items(items) => Ok(match items.as_array() {
                Some([only]) => Values::One(only, Place::Item(1)),
                None => Values::Several(items),
            }),
        }
    }
}

impl Place<'_> {
    #[cold]
    fn under(self, error: Error) -> Error {
        match self {
            Place::Same => error,
            Place::Key(key) => error.under(Step::name_or_key(key)),
            Place::Item(at) => error.under(Step::Index(at as i64)),
        }
    }
}

impl<'g, 'de, L: Lend<'g, 'de>> VariantAccess<'de> for Variant<'_, 'g, 'de, L> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            Content::Nothing | Content::Object(_) => Ok(()),
            _ => self.newtype_variant_seed(PhantomData),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        let context = self.context;
        match self.content.values("a newtype variant")? {
            Values::One(value, place) => {
                seed.deserialize(Reader::new(value, context)).map_err(|error| place.under(error))
            }
            Values::Several(items) => seed.deserialize(ItemsReader { items, context }).map_err(Error::inside),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let context = self.context;
        match self.content.values("a tuple variant")? {
            Values::One(value, place) => {
                Reader::new(value, context).deserialize_tuple(len, visitor).map_err(|error| place.under(error))
            }
            Values::Several(items) => ItemsReader { items, context }.deserialize_any(visitor).map_err(Error::inside),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let context = self.context;
        match self.content.values("a struct variant")? {
            Values::One(value, place) => {
                Reader::new(value, context).deserialize_struct("", fields, visitor).map_err(|error| place.under(error))
            }
            Values::Several(items) => ItemsReader { items, context }.deserialize_any(visitor).map_err(Error::inside),
        }
    }
}
