//! `ToValue`: conversion of Rust types to graph values, for a protocol.

use std::any::Any;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "indexmap")]
use indexmap::{IndexMap, IndexSet};
use num_bigint::BigInt;

use super::op_writer::OpWriter;
use super::writing::WriteContext;
use crate::convert::key_hash;
use crate::direct_write::{After, Compound, Key, Position, Tuple};
use crate::error::Result;
use crate::graph::{Graph, Id, Tag};

/// Conversion to a value of a graph. Fields of a [`PickleClass`](super::PickleClass) implement it, and the class itself.
///
/// The counterpart of [`FromValue`](super::FromValue), with the same table. A `Vec` becomes a list, a `Vec<u8>` bytes; an
/// `Arc` or `Rc` becomes one value in all places that hold it. Unlike [`IntoValue`](crate::IntoValue), it borrows, can fail,
/// and knows the protocol.
///
/// ```
/// use picklevm::class::{ToValue, WriteContext};
/// use picklevm::{Id, Result};
///
/// struct Celsius(f64);
///
/// impl ToValue for Celsius {
///     fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
///         context.write(&self.0)
///     }
/// }
///
/// let graph = picklevm::Pickler::new().to_graph(&[Celsius(20.5), Celsius(21.0)])?;
/// assert_eq!(format!("{:?}", graph.root()), "[20.5, 21.0]");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as a value of a pickle",
    label = "no `ToValue`",
    note = "derive `PickleClass` for the type, or set functions for the field: #[pickle(with = …)]"
)]
pub trait ToValue {
    /// Writes the value. Call [`WriteContext::write`] for values inside it: that checks the depth.
    ///
    /// # Errors
    ///
    /// If Python has no such value.
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id>;

    /// Writes a sequence of such values: a list; for `u8` bytes.
    #[doc(hidden)]
    fn slice_to_value(items: &[Self], context: &mut WriteContext<'_>) -> Result<Id>
    where
        Self: Sized,
    {
        let items = ids(items, context)?;
        Ok(context.list(items))
    }

    /// Writes the value as opcodes. By default and on any error, all is written from a graph.
    #[doc(hidden)]
    fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
        Err(out.direct.leave_to_graph())
    }

    /// Returns what is compared of a key or a member of a set. If there is nothing, all is written from a graph.
    #[doc(hidden)]
    fn key(&self) -> Option<Key<'_>> {
        None
    }

    /// Writes a sequence of such values as opcodes.
    #[doc(hidden)]
    fn slice_to_ops(items: &[Self], out: OpWriter<'_, '_>) -> Result<Position>
    where
        Self: Sized,
    {
        out.list(items.len(), items.iter())
    }
}

fn ids<'t, T: ToValue + 't>(items: impl IntoIterator<Item = &'t T>, context: &mut WriteContext<'_>) -> Result<Vec<Id>> {
    items.into_iter().enumerate().map(|(n, item)| context.write(item).map_err(|e| e.in_item(n))).collect()
}

/// Numbers and `None`: how they are written, and what is compared of a key.
macro_rules! atoms {
    ($($type:ty),*: |$out:ident, $value:ident| $written:expr, $key:expr) => {$(
        impl ToValue for $type {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                Ok(context.add(*self))
            }

            #[inline]
            fn to_ops(&self, mut $out: OpWriter<'_, '_>) -> Result<Position> {
                let $value = *self;
                $written?;
                Ok($out.at)
            }

            #[inline]
            fn key(&self) -> Option<Key<'_>> {
                let $value = *self;
                $key
            }
        }
    )*};
}
atoms!((): |out, _value| out.none(), Some(Key::Other(key_hash::none())));
atoms!(bool: |out, value| out.bool(value), Some(Key::Other(key_hash::int(value.into()))));
atoms!(i8, i16, i32, u16, u32: |out, value| out.int(value.into()), Some(Key::Int(value.into())));
atoms!(i64, isize: |out, value| out.int(value as i64), Some(Key::Int(value as i64)));
atoms!(u64, usize: |out, value| out.unsigned(value as u64), Some(Key::of_int(value as i128)));
atoms!(i128: |out, value| out.long(&value.to_le_bytes()), Some(Key::of_int(value)));
atoms!(u128: |out, value| out.wide_unsigned(value), value.try_into().ok().map(Key::of_int));
atoms!(f32: |out, value| out.float(value.into()), key_hash::float(value.into()).map(Key::Other));
atoms!(f64: |out, value| out.float(value), key_hash::float(value).map(Key::Other));

impl ToValue for u8 {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.add(*self))
    }

    fn slice_to_value(items: &[u8], context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.bytes(Tag::Bytes, items))
    }

    #[inline]
    fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
        i64::from(*self).to_ops(out)
    }

    fn key(&self) -> Option<Key<'_>> {
        Some(Key::Int((*self).into()))
    }

    fn slice_to_ops(items: &[u8], mut out: OpWriter<'_, '_>) -> Result<Position> {
        out.bytes(items)?;
        Ok(out.at)
    }
}

impl ToValue for Id {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.add(*self))
    }
}

impl ToValue for BigInt {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.add(self))
    }

    fn to_ops(&self, mut out: OpWriter<'_, '_>) -> Result<Position> {
        out.long(&self.to_signed_bytes_le())?;
        Ok(out.at)
    }
}

/// Shared instead of copied if long.
impl ToValue for Bytes {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        if self.len() < 2 { Ok(context.bytes(Tag::Bytes, self)) } else { Ok(context.add(self.clone())) }
    }

    fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
        u8::slice_to_ops(self, out)
    }
}

macro_rules! texts {
    ($($type:ty: |$value:ident| $text:expr, $key:expr;)*) => {$(
        impl ToValue for $type {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let $value = self;
                Ok(context.text($text))
            }

            #[inline]
            fn to_ops(&self, mut out: OpWriter<'_, '_>) -> Result<Position> {
                let $value = self;
                out.text($text)?;
                Ok(out.at)
            }

            #[inline]
            fn key(&self) -> Option<Key<'_>> {
                let $value = self;
                Some($key)
            }
        }
    )*};
}
texts! {
    str: |text| text, Key::Text(text);
    String: |text| text, Key::Text(text);
    char: |char| char.encode_utf8(&mut [0; 4]), Key::Other(key_hash::text(char.encode_utf8(&mut [0; 4]).as_bytes()));
}

/// A copy of the root and everything it reaches, with its sharing.
impl ToValue for Graph {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.add(self.root()))
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        match self {
            Some(value) => value.to_value(context),
            None => ().to_value(context),
        }
    }

    #[inline]
    fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
        match self {
            Some(value) => value.to_ops(out),
            None => ().to_ops(out),
        }
    }

    fn key(&self) -> Option<Key<'_>> {
        match self {
            Some(value) => value.key(),
            None => ().key(),
        }
    }
}

macro_rules! pointers {
    ($(<T: $bound:ident $(+ $more:ident)?> $pointer:ty;)*) => {$(
        impl<T: $bound $(+ $more)? + ?Sized> ToValue for $pointer {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                (**self).to_value(context)
            }

            #[inline]
            fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
                (**self).to_ops(out)
            }

            #[inline]
            fn key(&self) -> Option<Key<'_>> {
                (**self).key()
            }
        }
    )*};
}
pointers! {
    <T: ToValue> &T;
    <T: ToValue> Box<T>;
    <T: ToValue + ToOwned> Cow<'_, T>;
}

macro_rules! shared_pointers {
    ($($pointer:ident),*) => {$(
        /// One value for all places that hold the pointer.
        impl<T: ToValue + ?Sized + 'static> ToValue for $pointer<T> {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let keep = || -> Box<dyn Any> { Box::new(self.clone()) };
                context.shared($pointer::as_ptr(self).addr(), keep, |context| (**self).to_value(context))
            }
        }
    )*};
}
shared_pointers!(Arc, Rc);

macro_rules! slices {
    ($(<T $(, const $n:ident: usize)?> $slice:ty;)*) => {$(
        impl<T: ToValue $(, const $n: usize)?> ToValue for $slice {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                T::slice_to_value(self, context)
            }

            fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
                T::slice_to_ops(self, out)
            }
        }
    )*};
}
slices! {
    <T> [T];
    <T> Vec<T>;
    <T, const N: usize> [T; N];
}

impl<T: ToValue> ToValue for VecDeque<T> {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        let items = ids(self, context)?;
        Ok(context.list(items))
    }

    fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
        out.list(self.len(), self.iter())
    }
}

macro_rules! sets {
    ($($set:ident<T $(, $hasher:ident)?>),*) => {$(
        impl<T: ToValue $(, $hasher)?> ToValue for $set<T $(, $hasher)?> {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let members = ids(self, context)?;
                context.set(members)
            }

            fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
                out.set(self.len(), self.iter())
            }
        }
    )*};
}
sets!(BTreeSet<T>, HashSet<T, S>);
#[cfg(feature = "indexmap")]
sets!(IndexSet<T, S>);

macro_rules! maps {
    ($($map:ident<K, V $(, $hasher:ident)?>),*) => {$(
        impl<K: ToValue, V: ToValue $(, $hasher)?> ToValue for $map<K, V $(, $hasher)?> {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let pairs: Result<Vec<_>> =
                    self.iter().map(|(key, value)| Ok((context.write(key)?, context.write(value)?))).collect();
                context.dict(pairs?)
            }

            fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
                out.map(self.len(), self.iter())
            }
        }
    )*};
}
maps!(BTreeMap<K, V>, HashMap<K, V, S>);
#[cfg(feature = "indexmap")]
maps!(IndexMap<K, V, S>);

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: ToValue),+> ToValue for ($($name,)+) {
            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let ($($name,)+) = self;
                let mut numbers = 0..;
                let items = [$({
                    let number = numbers.next().unwrap_or_default();
                    context.write($name).map_err(|e| e.in_item(number))?
                }),+];
                Ok(context.tuple(items))
            }

            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn to_ops(&self, out: OpWriter<'_, '_>) -> Result<Position> {
                const LEN: usize = [$(stringify!($name)),+].len();
                let ($($name,)+) = self;
                let mut tuple = Compound::begin(out, |cursor| Tuple::begin(cursor, LEN, After::Nothing))?;
                $(tuple.item(|out| $name.to_ops(out))?;)+
                tuple.finish()
            }

            #[allow(non_snake_case, reason = "the names are those of the types")]
            fn key(&self) -> Option<Key<'_>> {
                let ($($name,)+) = self;
                Some(Key::Other(key_hash::tuple(&[$($name.key()?.hash()),+])))
            }
        }
    )*};
}
tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H;
}
