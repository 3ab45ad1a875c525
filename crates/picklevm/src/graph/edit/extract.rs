//! Conversions from values of a graph to Rust values: `TryFrom<Value>`.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::hash::{BuildHasher, Hash};

use bytes::Bytes;
use num_bigint::BigInt;
use picklevm_ops::Text;

use super::super::Int;
use super::super::cell::{Cell, Tag};
use super::super::value::{Kind, Value};
use crate::error::{Error, ErrorKind, Result};

#[cold]
#[inline(never)]
fn unfit(value: Value<'_>, expected: &'static str) -> Error {
    value.arena().wrong_type(expected, value.cell())
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Error {
        match never {}
    }
}

macro_rules! try_from_value {
    ($($(#[$doc:meta])* $type:ty, $expected:literal, |$value:ident| $make:expr;)*) => {$(
        $(#[$doc])*
        impl<'g> TryFrom<Value<'g>> for $type {
            type Error = Error;

            fn try_from($value: Value<'g>) -> Result<$type> {
                $make.ok_or_else(|| unfit($value, $expected))
            }
        }
    )*};
}
try_from_value! {
    bool, "a bool", |value| value.as_bool();
    /// A float, or an integer, rounded to the nearest float.
    f64, "a float", |value| value.as_f64();
    Int<'g>, "an integer", |value| value.as_int();
    BigInt, "an integer", |value| value.as_int().map(Int::to_bigint);
    Text<'g>, "a str", |value| value.as_text();
    &'g [u8], "bytes, a bytearray or an 8-bit string", |value| value.as_bytes();
    /// Shared without a copy if the graph shares them.
    Bytes, "bytes, a bytearray or an 8-bit string", |value| {
        let (arena, cell) = (value.arena(), value.cell());
        value.as_bytes().map(|_| arena.payloads.share(arena.spans[cell]))
    };
}

impl<'g> TryFrom<Value<'g>> for &'g str {
    type Error = Error;

    fn try_from(value: Value<'g>) -> Result<&'g str> {
        let text = Text::try_from(value)?;
        text.as_str().ok_or_else(|| Error::new(ErrorKind::Type, "a str without surrogates", "one with surrogates"))
    }
}

impl TryFrom<Value<'_>> for String {
    type Error = Error;

    fn try_from(value: Value<'_>) -> Result<String> {
        <&str>::try_from(value).map(str::to_owned)
    }
}

macro_rules! try_from_int {
    ($($type:ty),*) => {$(
        impl TryFrom<Value<'_>> for $type {
            type Error = Error;

            fn try_from(value: Value<'_>) -> Result<$type> {
                let int = value.as_int().ok_or_else(|| unfit(value, "an integer"))?;
                int.try_into().map_err(|_| {
                    let expected = concat!("an integer that fits ", stringify!($type));
                    let found = int.as_i64().map_or("one of more than 64 bits".into(), |int| int.to_string());
                    Error::new(ErrorKind::OutOfRange, expected, found)
                })
            }
        }
    )*};
}
try_from_int!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

/// The items of a list, tuple, set or frozenset; or bytes, as integers.
///
/// ```
/// let graph = picklevm::Graph::from(vec![1, 2, 3]);
/// assert_eq!(Vec::<u8>::try_from(graph.root())?, [1, 2, 3]);
/// assert!(Vec::<bool>::try_from(graph.root()).is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
impl<'g, T> TryFrom<Value<'g>> for Vec<T>
where
    T: TryFrom<Value<'g>>,
    Error: From<T::Error>,
{
    type Error = Error;

    fn try_from(value: Value<'g>) -> Result<Vec<T>> {
        match value.kind() {
            Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => {
                items.enumerate().map(|(n, item)| T::try_from(item).map_err(|e| Error::from(e).in_item(n))).collect()
            }
            Kind::Bytes(bytes) | Kind::ByteArray(bytes) | Kind::ByteStr(bytes) => bytes
                .iter()
                .enumerate()
                .map(|(n, byte)| {
                    let item = Value::new(value.arena(), Cell::small_int(i32::from(*byte)));
                    T::try_from(item).map_err(|e| Error::from(e).in_item(n))
                })
                .collect(),
            _ => Err(unfit(value, "a list, tuple, set or frozenset, or bytes")),
        }
    }
}

/// The items of a list or tuple of this length.
impl<'g, T, const N: usize> TryFrom<Value<'g>> for [T; N]
where
    T: TryFrom<Value<'g>>,
    Error: From<T::Error>,
{
    type Error = Error;

    fn try_from(value: Value<'g>) -> Result<[T; N]> {
        Vec::try_from(value)?.try_into().map_err(|items: Vec<T>| wrong_length(N, items.len()))
    }
}

#[cold]
#[inline(never)]
fn wrong_length(expected: usize, found: usize) -> Error {
    Error::new(ErrorKind::OutOfRange, format!("{expected} items"), found.to_string())
}

macro_rules! try_from_tuple {
    ($($count:literal $($name:ident)+;)*) => {$(
        /// The items of a tuple or list of this length.
        impl<'g, $($name),+> TryFrom<Value<'g>> for ($($name,)+)
        where
            $($name: TryFrom<Value<'g>>, Error: From<$name::Error>,)+
        {
            type Error = Error;

            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn try_from(value: Value<'g>) -> Result<Self> {
                if !matches!(value.cell().tag(), Tag::Tuple | Tag::EmptyTuple | Tag::List) {
                    return Err(unfit(value, "a tuple or list"));
                }
                let items = value.items();
                let [$($name),+] = items.as_array::<$count>().ok_or_else(|| wrong_length($count, items.len()))?;
                let mut numbers = 0..$count;
                Ok(($({
                    let number = numbers.next().unwrap_or_default();
                    $name::try_from($name).map_err(|e| Error::from(e).in_item(number))?
                },)+))
            }
        }
    )*};
}
try_from_tuple! {
    1 A; 2 A B; 3 A B C; 4 A B C D; 5 A B C D E; 6 A B C D E F;
}

macro_rules! try_from_map {
    ($($map:ident [$($hasher:ident)?] [$($bound:tt)+]),*) => {$(
        /// The entries of a dict.
        impl<'g, K, V $(, $hasher)?> TryFrom<Value<'g>> for $map<K, V $(, $hasher)?>
        where
            K: TryFrom<Value<'g>> + $($bound)+,
            V: TryFrom<Value<'g>>,
            $($hasher: BuildHasher + Default,)?
            Error: From<K::Error>,
            Error: From<V::Error>,
        {
            type Error = Error;

            fn try_from(value: Value<'g>) -> Result<Self> {
                let dict = value.as_dict().ok_or_else(|| unfit(value, "a dict"))?;
                let entry = |key: Value<'g>, value: Value<'g>| Ok((K::try_from(key)?, V::try_from(value)?));
                dict.entries().map(|(key, value)| entry(key, value).map_err(|e: Error| e.in_key(key.as_i64(), key))).collect()
            }
        }
    )*};
}
try_from_map!(BTreeMap [] [Ord], HashMap [S] [Eq + Hash]);
