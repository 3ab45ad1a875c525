//! Modules for `#[serde(with = "picklevm::serde::as_…")]`: fields that are objects of Python's standard library.

mod classes;
mod containers;
mod dates;
mod numbers;

use ::serde::de::{Deserialize, Deserializer, Error as _};
use ::serde::ser::{Error as _, Serializer};

pub(super) use self::classes::MEMBER;
pub use self::classes::{PythonClass, as_enum, as_namedtuple};
pub(super) use self::containers::{Container, container_of};
pub use self::containers::{as_bytearray, as_bytes, as_deque, as_frozenset, as_set, as_tuple};
pub use self::dates::{as_date, as_datetime, as_time, as_timedelta};
pub use self::numbers::{as_complex, as_decimal, as_path, as_uuid};
use super::{handover, recorded};
use crate::error::Result;
use crate::graph::{Arena, Graph, Id, Value};
use crate::protocol::Protocol;

/// A Rust type that an `as_…` module reads and writes as a Python type, `P`.
///
/// The modules list their types. `Option` of such a type is one too: `None` is Python's `None`.
pub trait PythonAs<P>: Sized + Clone + 'static {
    /// Python type with its article, for error messages.
    const EXPECTED: &'static str;

    /// Adds the Python object to a graph.
    ///
    /// # Errors
    ///
    /// If Python's type cannot hold the value.
    fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<Id>;

    /// Reads the Python object.
    ///
    /// # Errors
    ///
    /// If the value is another object, or the Rust type cannot hold it.
    fn read(value: Value<'_>) -> Result<Self>;

    /// Parses the text that other formats have; `None` for other text.
    fn parse(text: &str) -> Option<Self>;

    /// Returns the text for other formats. `None` is their null.
    ///
    /// # Errors
    ///
    /// If Python's type cannot hold the value.
    fn to_text(&self) -> Result<Option<String>>;

    /// Reads the text of other formats.
    #[doc(hidden)]
    fn deserialize_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_text(&String::deserialize(deserializer)?)
    }
}

impl<P, T: PythonAs<P>> PythonAs<P> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<Id> {
        match self {
            Some(value) => value.make(arena, protocol),
            None => Ok(arena.add(())),
        }
    }

    fn read(value: Value<'_>) -> Result<Self> {
        if value.is_none() { Ok(None) } else { T::read(value).map(Some) }
    }

    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Some)
    }

    fn to_text(&self) -> Result<Option<String>> {
        self.as_ref().map_or(Ok(None), T::to_text)
    }

    fn deserialize_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| of_text(&text)).transpose()
    }
}

#[cold]
fn unexpected<E: ::serde::de::Error>(expected: &str, text: &str) -> E {
    E::custom(format!("expected {expected}, found the text {text:?}"))
}

fn of_text<P, T: PythonAs<P>, E: ::serde::de::Error>(text: &str) -> Result<T, E> {
    T::parse(text).ok_or_else(|| unexpected(T::EXPECTED, text))
}

fn serialize<P, T: PythonAs<P>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    if handover::writes(&serializer) {
        let value = value.clone();
        return handover::give(serializer, Box::new(move |arena, protocol| value.make(arena, protocol)));
    }
    match value.to_text().map_err(S::Error::custom)? {
        Some(text) => serializer.serialize_str(&text),
        None => serializer.serialize_none(),
    }
}

fn deserialize<'de, P, T: PythonAs<P>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    if !handover::reads(&deserializer) && !recorded::is_replayed::<D::Error>() {
        return T::deserialize_text(deserializer);
    }
    let graph = Graph::deserialize(deserializer)?;
    match graph.root().as_str() {
        Some(text) => of_text(text),
        None => T::read(graph.root()).map_err(D::Error::custom),
    }
}

/// Declares a module of a Python type.
macro_rules! module {
    ($(#[$doc:meta])* $name:ident: $marker:ident) => {
        $(#[$doc])*
        pub mod $name {
            use ::serde::de::Deserializer;
            use ::serde::ser::Serializer;

            use crate::serde::as_types::PythonAs;

            /// The Python type.
            #[derive(Debug)]
            pub enum $marker {}

            /// Writes the value.
            ///
            /// # Errors
            ///
            /// If Python's type cannot hold the value, and those of the serializer.
            pub fn serialize<T: PythonAs<$marker>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
                crate::serde::as_types::serialize(value, serializer)
            }

            /// Reads the value.
            ///
            /// # Errors
            ///
            /// If the value is another object, and those of the deserializer.
            pub fn deserialize<'de, T: PythonAs<$marker>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                crate::serde::as_types::deserialize(deserializer)
            }
        }
    };
}

/// Declares a module that writes types with these bounds in a way of its own. Reading is that of the type, and so is
/// writing in other formats.
macro_rules! with_type {
    ($(#[$doc:meta])* $name:ident[T: $($bound:tt)+]: |$value:ident, $serializer:ident| $write:expr) => {
        $(#[$doc])*
        pub mod $name {
            use ::serde::de::{Deserialize, Deserializer};
            use ::serde::ser::{Serialize, Serializer};

            /// Writes the value.
            ///
            /// # Errors
            ///
            /// Those of the serializer.
            pub fn serialize<T: $($bound)+, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
                if !crate::serde::handover::writes(&serializer) {
                    return value.serialize(serializer);
                }
                let ($value, $serializer) = (value, serializer);
                $write
            }

            /// Reads the value.
            ///
            /// # Errors
            ///
            /// Those of the type.
            pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                T::deserialize(deserializer)
            }
        }
    };
}

/// Implements [`PythonAs`] for types that a view of [`typed`](crate::typed) is made of, and that are made of it; and how
/// they are parsed from the text of other formats, and become it.
macro_rules! python_as {
    ($marker:ty, $expected:literal: $($type:ty {
        make: |$made:ident| $make:expr,
        read: |$view:ident: $viewed:ty| $read:expr,
        parse: |$parsed:ident| $parse:expr,
        text: |$shown:ident| $text:expr $(,)?
    })*) => {$(
        impl PythonAs<$marker> for $type {
            const EXPECTED: &'static str = $expected;

            fn make(self, arena: &mut Arena, protocol: Protocol) -> Result<Id> {
                let $made = self;
                Ok($make.reduce(arena, protocol))
            }

            fn read(value: Value<'_>) -> Result<Self> {
                let $view: $viewed = value.view()?;
                Ok($read)
            }

            fn parse($parsed: &str) -> Option<Self> {
                $parse
            }

            fn to_text(&self) -> Result<Option<String>> {
                let $shown = self;
                Ok(Some($text))
            }
        }
    )*};
}

use module;
use python_as;
use with_type;
