//! Conversions from Rust values to values of a graph.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
#[cfg(feature = "indexmap")]
use indexmap::{IndexMap, IndexSet};
use num_bigint::BigInt;
use picklevm_ops::Text;

use super::super::arena::Arena;
use super::super::cell::{Cell, Tag};
use super::super::value::{Id, Value};
use super::super::{Graph, Int};
use super::copy::Copier;

/// A Rust type that can be converted to a value of a graph.
///
/// | Rust | Python |
/// | --- | --- |
/// | `()`, `Option::None` | `None` |
/// | `bool`, integers, `BigInt`, [`Int`] | `bool`, `int` |
/// | `f32`, `f64` | `float` |
/// | `&str`, `String`, `char`, [`Text`] | `str` |
/// | `&[u8]`, `[u8; N]`, `Vec<u8>`, [`Bytes`] | `bytes` |
/// | `Vec`, slices and arrays of anything else | `list` |
/// | tuples | `tuple` |
/// | `BTreeMap`, `HashMap`, `IndexMap` (feature `indexmap`) | `dict`, in the order of iteration |
/// | `BTreeSet`, `HashSet`, `IndexSet` | `set` |
/// | [`Id`] | the value of that id itself, shared; `None` if there is no such node |
/// | [`Value`] of another graph | a copy of everything it reaches, sharing included |
///
/// Such a value is the `obj` of Python's `pickle.dumps(obj)`. For types that Rust does not have, use the methods of
/// [`Arena`]: [`frozenset`](Arena::frozenset), [`instance`](Arena::instance), …
///
/// ```
/// use picklevm::{Arena, Graph, Id, IntoValue};
///
/// struct Point { x: i32, y: i32 }
///
/// impl IntoValue for Point {
///     fn into_value(self, arena: &mut Arena) -> Id {
///         (self.x, self.y).into_value(arena)
///     }
/// }
///
/// let graph = Graph::from(vec![Point { x: 1, y: 2 }, Point { x: 3, y: 4 }]);
/// assert_eq!(format!("{:?}", graph.root()), "[(1, 2), (3, 4)]");
/// ```
pub trait IntoValue: Sized {
    /// Adds the value to `arena` and returns its id.
    fn into_value(self, arena: &mut Arena) -> Id;

    /// Adds a sequence of such values as one value: a list, or bytes for `u8`.
    #[doc(hidden)]
    fn sequence_into_value(items: impl Iterator<Item = Self>, arena: &mut Arena) -> Id {
        arena.list(items)
    }
}

/// A Rust type whose Python counterpart can be a dict key or set member.
///
/// An [`Id`] or a [`Value`] may not be hashable: [`Arena::dict`], [`Arena::set`] and
/// [`ValueMut::set`](crate::ValueMut::set) take them and can fail.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not always a key that Python can hash",
    note = "`Arena::dict`, `Arena::set`, `ValueMut::set` and `ValueMut::add` take any value as a key, and can fail"
)]
pub trait IntoKey: IntoValue + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! keys {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($generics)*> sealed::Sealed for $type {}
        impl<$($generics)*> IntoKey for $type {}
    )*};
}
keys! {
    [] (), [] bool, [] char, [] f32, [] f64, [] String, [] Bytes, [] BigInt,
    [] i8, [] i16, [] i32, [] i64, [] i128, [] isize, [] u8, [] u16, [] u32, [] u64, [] u128, [] usize,
    ['a] &'a str, ['a] &'a String, ['a] Cow<'a, str>, ['a] Text<'a>, ['a] Int<'a>, ['a] &'a BigInt,
    ['a] &'a [u8], [] Vec<u8>, [const N: usize] [u8; N], ['a, const N: usize] &'a [u8; N],
    [K: IntoKey] Option<K>,
}

macro_rules! into_value {
    ($($(#[$doc:meta])* [$($generics:tt)*] $type:ty, |$value:pat_param, $arena:pat_param| $make:expr;)*) => {$(
        $(#[$doc])*
        impl<$($generics)*> IntoValue for $type {
            #[inline]
            fn into_value(self, $arena: &mut Arena) -> Id {
                let $value = self;
                Id($make)
            }
        }
    )*};
}
into_value! {
    /// Python's `None`.
    [] (), |(), _| Cell::NONE;
    [] bool, |value, _| Cell::bool(value);
    [] &bool, |value, _| Cell::bool(*value);
    [] f32, |value, arena| arena.new_float(value.into());
    [] f64, |value, arena| arena.new_float(value);
    [] &f64, |value, arena| arena.new_float(*value);
    [] char, |value, arena| arena.new_text(Tag::Str, value.encode_utf8(&mut [0; 4]).as_bytes(), false);
    [] &str, |value, arena| arena.new_text(Tag::Str, value.as_bytes(), false);
    [] String, |value, arena| arena.new_text(Tag::Str, value.as_bytes(), false);
    [] &String, |value, arena| arena.new_text(Tag::Str, value.as_bytes(), false);
    [] Cow<'_, str>, |value, arena| arena.new_text(Tag::Str, value.as_bytes(), false);
    [] Text<'_>, |value, arena| arena.new_text(Tag::Str, value.as_bytes(), !value.is_utf8());
    /// Shared without a copy if long.
    [] Bytes, |value, arena| arena.new_bytes(Tag::Bytes, value);
    [] BigInt, |value, arena| arena.new_int_le(&value.to_signed_bytes_le());
    [] &BigInt, |value, arena| arena.new_int_le(&value.to_signed_bytes_le());
    [] Int<'_>, |value, arena| value.with_le_bytes(|bytes| arena.new_int_le(bytes));
    [T: IntoValue] Option<T>, |value, arena| value.map_or(Cell::NONE, |value| value.into_value(arena).0);
    /// The value of that id; `None` if the graph has no such node.
    [] Id, |id, arena| arena.checked(id);
    /// A copy of everything the value reaches. One call preserves sharing; to copy values that share something, copy
    /// the container that holds them.
    [] Value<'_>, |value, arena| Copier::new(value.arena(), arena).copy(value.cell());
}

macro_rules! int_into_value {
    ($($small:ty),*; $($large:ty),*) => {
        $(
            impl IntoValue for $small {
                #[inline]
                fn into_value(self, arena: &mut Arena) -> Id {
                    Id(arena.new_int(self.into()))
                }
            }
        )*
        $(
            impl IntoValue for $large {
                #[inline]
                fn into_value(self, arena: &mut Arena) -> Id {
                    match i64::try_from(self) {
                        Ok(value) => Id(arena.new_int(value)),
                        Err(_) => BigInt::from(self).into_value(arena),
                    }
                }
            }
        )*
    };
}
int_into_value!(i8, i16, i32, i64, u16, u32; i128, isize, u64, u128, usize);

macro_rules! ref_into_value {
    ($($type:ty),*) => {$(
        impl IntoValue for &$type {
            #[inline]
            fn into_value(self, arena: &mut Arena) -> Id {
                (*self).into_value(arena)
            }
        }
    )*};
}
ref_into_value!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize, char, Id, &str);

/// Sequences of bytes are `bytes`.
impl IntoValue for u8 {
    fn into_value(self, arena: &mut Arena) -> Id {
        Id(arena.new_int(self.into()))
    }

    fn sequence_into_value(items: impl Iterator<Item = u8>, arena: &mut Arena) -> Id {
        arena.add(Bytes::from_iter(items))
    }
}

/// Sequences of bytes are `bytes`.
impl IntoValue for &u8 {
    fn into_value(self, arena: &mut Arena) -> Id {
        (*self).into_value(arena)
    }

    fn sequence_into_value(items: impl Iterator<Item = Self>, arena: &mut Arena) -> Id {
        arena.add(Bytes::from_iter(items.copied()))
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self, arena: &mut Arena) -> Id {
        T::sequence_into_value(self.into_iter(), arena)
    }
}

impl<T: IntoValue, const N: usize> IntoValue for [T; N] {
    fn into_value(self, arena: &mut Arena) -> Id {
        T::sequence_into_value(self.into_iter(), arena)
    }
}

impl<'a, T> IntoValue for &'a [T]
where
    &'a T: IntoValue,
{
    fn into_value(self, arena: &mut Arena) -> Id {
        <&T>::sequence_into_value(self.iter(), arena)
    }
}

impl<'a, T, const N: usize> IntoValue for &'a [T; N]
where
    &'a T: IntoValue,
{
    fn into_value(self, arena: &mut Arena) -> Id {
        self.as_slice().into_value(arena)
    }
}

impl<'a, T> IntoValue for &'a Vec<T>
where
    &'a T: IntoValue,
{
    fn into_value(self, arena: &mut Arena) -> Id {
        self.as_slice().into_value(arena)
    }
}

macro_rules! map_into_value {
    ($($map:ident [$($hasher:ident)?]),*) => {$(
        impl<K: IntoKey, V: IntoValue $(, $hasher)?> IntoValue for $map<K, V $(, $hasher)?> {
            fn into_value(self, arena: &mut Arena) -> Id {
                let rows = arena.cells_of_pairs(self);
                arena.new_dict_of_keys(&rows)
            }
        }
    )*};
}
map_into_value!(BTreeMap [], HashMap [S]);
#[cfg(feature = "indexmap")]
map_into_value!(IndexMap[S]);

macro_rules! set_into_value {
    ($($set:ident [$($hasher:ident)?]),*) => {$(
        impl<K: IntoKey $(, $hasher)?> IntoValue for $set<K $(, $hasher)?> {
            fn into_value(self, arena: &mut Arena) -> Id {
                let rows = arena.cells_of(self);
                arena.new_set_of_keys(&rows)
            }
        }
    )*};
}
set_into_value!(BTreeSet [], HashSet [S]);
#[cfg(feature = "indexmap")]
set_into_value!(IndexSet[S]);

macro_rules! tuple_into_value {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: IntoValue),+> IntoValue for ($($name,)+) {
            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn into_value(self, arena: &mut Arena) -> Id {
                let ($($name,)+) = self;
                let items = [$($name.into_value(arena)),+];
                arena.tuple(items)
            }
        }
        impl<$($name: IntoKey),+> sealed::Sealed for ($($name,)+) {}
        impl<$($name: IntoKey),+> IntoKey for ($($name,)+) {}
    )*};
}
tuple_into_value! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H;
}

/// Creates a graph with this root.
///
/// ```
/// use picklevm::Graph;
///
/// assert_eq!(Graph::from(42).root().as_i64(), Some(42));
/// assert_eq!(format!("{:?}", Graph::from(("a", [1.5], None::<i32>)).root()), r#"('a', [1.5], None)"#);
/// ```
impl<T: IntoValue> From<T> for Graph {
    fn from(value: T) -> Graph {
        let mut graph = Graph::new();
        graph.set_root(value);
        graph
    }
}

/// Creates a graph whose root is a list.
///
/// ```
/// let graph: picklevm::Graph = (1..4).map(|n| n * n).collect();
/// assert_eq!(format!("{:?}", graph.root()), "[1, 4, 9]");
/// ```
impl<T: IntoValue> FromIterator<T> for Graph {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Graph {
        let mut graph = Graph::new();
        let list = graph.list(items);
        graph.set_root(list);
        graph
    }
}
