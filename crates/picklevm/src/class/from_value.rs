//! `FromValue`: conversion of graph values to Rust types.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "indexmap")]
use indexmap::{IndexMap, IndexSet};
use num_bigint::BigInt;

use super::reading::ReadContext;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Graph, Kind, Value, describe};

/// Conversion from a value of a graph. Fields of a [`PickleClass`](super::PickleClass) implement it, and the class itself.
///
/// | Python | Rust |
/// | --- | --- |
/// | `None` | `()`, the `None` of an `Option` |
/// | `bool`, `int`, `float` | `bool`, integers, `BigInt`; `f32` and `f64`, of an `int` too |
/// | `str`, an 8-bit `str` of Python 2 that is UTF-8 | `String`, `Box<str>`, `char`; `&str`, `Cow<str>` |
/// | `bytes`, `bytearray`, an 8-bit `str` | `Vec<u8>`, [`Bytes`]; `&[u8]`, `Cow<[u8]>` |
/// | `list`, `tuple`, `set`, `frozenset` | `Vec`, `VecDeque`, arrays; `HashSet`, `BTreeSet`, `IndexSet` (feature `indexmap`); tuples, of a `list` or `tuple` |
/// | `dict` | `HashMap`, `BTreeMap`; `IndexMap` (feature `indexmap`), in Python's order |
/// | an instance of a class | the type that derives `PickleClass` for it |
/// | a shared value | one `Arc` or `Rc` for all places that share it |
/// | `date`, `timedelta`, `UUID`, `Fraction`, `complex`, `range`, `array` | their views in [`typed`](crate::typed) |
/// | anything | [`Graph`]: a copy |
///
/// References and `Cow`s borrow from the graph, which lives for `'g`.
///
/// Implementations for other types call [`ReadContext::read`] for the values inside:
///
/// ```
/// use picklevm::class::{FromValue, ReadContext};
/// use picklevm::{Result, Value};
///
/// #[derive(Debug, PartialEq)]
/// struct Celsius(f64);
///
/// impl<'g> FromValue<'g> for Celsius {
///     fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
///         context.read(value).map(Celsius)
///     }
/// }
///
/// let graph = picklevm::Graph::from([20.5, 21.0]);
/// assert_eq!(graph.root().to::<Vec<Celsius>>()?, [Celsius(20.5), Celsius(21.0)]);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a pickle",
    label = "no `FromValue`",
    note = "derive `PickleClass` for the type, or set functions for the field: #[pickle(with = …)]"
)]
pub trait FromValue<'g>: Sized {
    /// Reads the value. Call [`ReadContext::read`] for values inside it: that checks depth and cycles.
    ///
    /// # Errors
    ///
    /// [`Type`](ErrorKind::Type) if the value does not fit the type, and others.
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self>;

    /// Reads a sequence from several values: the items appended to an object.
    ///
    /// # Errors
    ///
    /// Errors of the items. The default fails: the type is not a sequence.
    #[doc(hidden)]
    fn from_items(items: &mut dyn Iterator<Item = Value<'g>>, context: &mut ReadContext<'g>) -> Result<Self> {
        let _ = (items, context);
        Err(Error::new(ErrorKind::Type, "a sequence type for the items of an object", type_name::<Self>()))
    }

    /// Reads a mapping from pairs: the items set on an object.
    ///
    /// # Errors
    ///
    /// Errors of keys and values. The default fails: the type is not a mapping.
    #[doc(hidden)]
    fn from_pairs(
        pairs: &mut dyn Iterator<Item = (Value<'g>, Value<'g>)>,
        context: &mut ReadContext<'g>,
    ) -> Result<Self> {
        let _ = (pairs, context);
        Err(Error::new(ErrorKind::Type, "a mapping type for the pairs of an object", type_name::<Self>()))
    }

    /// Reads a sequence of such values: the items of a container; for `u8` also bytes.
    #[doc(hidden)]
    fn vec_from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Vec<Self>> {
        match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => context.items(items),
            _ => Err(wrong_type(value, "a list, tuple, set or frozenset")),
        }
    }
}

/// A type that borrows nothing from the graph.
pub trait FromValueOwned: for<'g> FromValue<'g> {}

impl<T: for<'g> FromValue<'g>> FromValueOwned for T {}

#[cold]
#[inline(never)]
fn wrong_type(value: Value<'_>, expected: &'static str) -> Error {
    Error::new(ErrorKind::Type, expected, describe(value.arena(), value.cell()))
}

#[cold]
#[inline(never)]
fn wrong_length(expected: usize, found: usize) -> Error {
    Error::new(ErrorKind::OutOfRange, format!("{expected} items"), found.to_string())
}

/// Implements [`FromValue`] for types that hold no other values.
macro_rules! leaves {
    ($($($(#[$doc:meta])* $type:ty),+: $read:expr;)*) => {$($(
        $(#[$doc])*
        impl<'g> FromValue<'g> for $type {
            fn from_value(value: Value<'g>, _: &mut ReadContext<'g>) -> Result<Self> {
                $read(value)
            }
        }
    )+)*};
}
leaves! {
    bool, i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize, f64, BigInt, Bytes: Value::try_into;
    /// Rounded to the nearest.
    f32: |value| f64::try_from(value).map(|wide| wide as f32);
    (): |value: Value<'_>| if value.is_none() { Ok(()) } else { Err(wrong_type(value, "None")) };
    String: |value| str_of(value).map(str::to_owned);
    Box<str>: |value| str_of(value).map(Box::from);
    char: char_of;
}

impl<'g> FromValue<'g> for u8 {
    fn from_value(value: Value<'g>, _: &mut ReadContext<'g>) -> Result<Self> {
        value.try_into()
    }

    fn vec_from_value(value: Value<'g>, _: &mut ReadContext<'g>) -> Result<Vec<u8>> {
        match value.as_bytes() {
            Some(bytes) => Ok(bytes.to_vec()),
            None => value.try_into(),
        }
    }
}

/// Returns text, or an 8-bit string of Python 2 that is UTF-8.
fn str_of(value: Value<'_>) -> Result<&str> {
    match value.kind() {
        Kind::ByteStr(bytes) => {
            std::str::from_utf8(bytes).map_err(|_| wrong_type(value, "an 8-bit string that is UTF-8"))
        }
        _ => value.try_into(),
    }
}

/// Returns the only character of a text.
fn char_of(value: Value<'_>) -> Result<char> {
    let mut chars = str_of(value)?.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Error::new(ErrorKind::OutOfRange, "a string of one character", "another length")),
    }
}

impl<'g: 'a, 'a> FromValue<'g> for &'a str {
    fn from_value(value: Value<'g>, _: &mut ReadContext<'g>) -> Result<Self> {
        str_of(value)
    }
}

impl<'g: 'a, 'a> FromValue<'g> for &'a [u8] {
    fn from_value(value: Value<'g>, _: &mut ReadContext<'g>) -> Result<Self> {
        value.as_bytes().ok_or_else(|| wrong_type(value, "bytes"))
    }
}

/// Borrowed.
impl<'g: 'a, 'a, T: ToOwned + ?Sized> FromValue<'g> for Cow<'a, T>
where
    &'a T: FromValue<'g>,
{
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
        <&T>::from_value(value, context).map(Cow::Borrowed)
    }
}

/// A copy of the value and everything it reaches, with its sharing.
impl<'g> FromValue<'g> for Graph {
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
        let copy = Graph::from(value);
        context.spend(copy.held_bytes())?;
        Ok(copy)
    }
}

impl<'g, T: FromValue<'g>> FromValue<'g> for Option<T> {
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
        if value.is_none() { Ok(None) } else { T::from_value(value, context).map(Some) }
    }
}

impl<'g, T: FromValue<'g>> FromValue<'g> for Box<T> {
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
        T::from_value(value, context).map(Box::new)
    }
}

macro_rules! shared_pointers {
    ($($pointer:ident),*) => {$(
        /// One pointer for all places of the graph that share the value.
        impl<'g, T: FromValue<'g> + 'static> FromValue<'g> for $pointer<T> {
            fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
                context.shared(value, |context| T::from_value(value, context).map($pointer::new))
            }
        }

        /// One pointer for all places of the graph that share the value.
        impl<'g> FromValue<'g> for $pointer<str> {
            fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
                context.shared(value, |_| str_of(value).map($pointer::from))
            }
        }
    )*};
}
shared_pointers!(Arc, Rc);

impl<'g, T: FromValue<'g>> FromValue<'g> for Vec<T> {
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
        T::vec_from_value(value, context)
    }

    fn from_items(items: &mut dyn Iterator<Item = Value<'g>>, context: &mut ReadContext<'g>) -> Result<Self> {
        context.items(items)
    }
}

macro_rules! sequences {
    ($($type:ident<T $(, $hasher:ident)?> [$($bound:tt)*]),*) => {$(
        impl<'g, T: FromValue<'g> + $($bound)* $(, $hasher: BuildHasher + Default)?> FromValue<'g> for $type<T $(, $hasher)?> {
            fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
                T::vec_from_value(value, context).map(|items| items.into_iter().collect())
            }

            fn from_items(items: &mut dyn Iterator<Item = Value<'g>>, context: &mut ReadContext<'g>) -> Result<Self> {
                context.items(items)
            }
        }
    )*};
}
sequences!(VecDeque<T> [], BTreeSet<T> [Ord], HashSet<T, S> [Eq + Hash]);
#[cfg(feature = "indexmap")]
sequences!(IndexSet < T, S > [Eq + Hash]);

impl<'g, T: FromValue<'g>, const N: usize> FromValue<'g> for [T; N] {
    fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
        T::vec_from_value(value, context)?.try_into().map_err(|items: Vec<T>| wrong_length(N, items.len()))
    }
}

macro_rules! maps {
    ($($map:ident<K, V $(, $hasher:ident)?> [$($bound:tt)*]),*) => {$(
        impl<'g, K: FromValue<'g> + $($bound)*, V: FromValue<'g> $(, $hasher: BuildHasher + Default)?> FromValue<'g>
            for $map<K, V $(, $hasher)?>
        {
            fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
                let dict = value.as_dict().ok_or_else(|| wrong_type(value, "a dict"))?;
                Self::from_pairs(&mut dict.entries(), context)
            }

            fn from_pairs(
                pairs: &mut dyn Iterator<Item = (Value<'g>, Value<'g>)>,
                context: &mut ReadContext<'g>,
            ) -> Result<Self> {
                context.entries(pairs)
            }
        }
    )*};
}
maps!(BTreeMap < K, V > [Ord], HashMap < K, V, S > [Eq + Hash]);
#[cfg(feature = "indexmap")]
maps!(IndexMap < K, V, S > [Eq + Hash]);

macro_rules! tuples {
    ($($count:literal $($name:ident)+;)*) => {$(
        impl<'g, $($name: FromValue<'g>),+> FromValue<'g> for ($($name,)+) {
            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
                let (Kind::List(items) | Kind::Tuple(items)) = value.kind() else {
                    return Err(wrong_type(value, "a tuple or list"));
                };
                let [$($name),+] = items.as_array::<$count>().ok_or_else(|| wrong_length($count, items.len()))?;
                let mut numbers = 0..$count;
                Ok(($({
                    let number = numbers.next().unwrap_or_default();
                    context.read($name).map_err(|e| e.in_item(number))?
                },)+))
            }
        }
    )*};
}
tuples! {
    1 A; 2 A B; 3 A B C; 4 A B C D; 5 A B C D E; 6 A B C D E F; 7 A B C D E F G; 8 A B C D E F G H;
}
