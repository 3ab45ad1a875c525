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

use super::writing::WriteContext;
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
}

fn ids<'t, T: ToValue + 't>(items: impl IntoIterator<Item = &'t T>, context: &mut WriteContext<'_>) -> Result<Vec<Id>> {
    items.into_iter().enumerate().map(|(n, item)| context.write(item).map_err(|e| e.in_item(n))).collect()
}

macro_rules! by_into_value {
    ($($type:ty),*) => {$(
        impl ToValue for $type {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                Ok(context.add(*self))
            }
        }
    )*};
}
by_into_value!((), bool, i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize, f32, f64, Id);

impl ToValue for u8 {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.add(*self))
    }

    fn slice_to_value(items: &[u8], context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.bytes(Tag::Bytes, items))
    }
}

impl ToValue for BigInt {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.add(self))
    }
}

/// Shared instead of copied if long.
impl ToValue for Bytes {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        if self.len() < 2 { Ok(context.bytes(Tag::Bytes, self)) } else { Ok(context.add(self.clone())) }
    }
}

impl ToValue for str {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.text(self))
    }
}

impl ToValue for String {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.text(self))
    }
}

impl ToValue for char {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        Ok(context.text(self.encode_utf8(&mut [0; 4])))
    }
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
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        (**self).to_value(context)
    }
}

impl<T: ToValue + ?Sized> ToValue for Box<T> {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        (**self).to_value(context)
    }
}

impl<T: ToValue + ToOwned + ?Sized> ToValue for Cow<'_, T> {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        (**self).to_value(context)
    }
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

impl<T: ToValue> ToValue for [T] {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        T::slice_to_value(self, context)
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        T::slice_to_value(self, context)
    }
}

impl<T: ToValue, const N: usize> ToValue for [T; N] {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        T::slice_to_value(self, context)
    }
}

impl<T: ToValue> ToValue for VecDeque<T> {
    fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
        let items = ids(self, context)?;
        Ok(context.list(items))
    }
}

macro_rules! sets {
    ($($set:ident<T $(, $hasher:ident)?>),*) => {$(
        impl<T: ToValue $(, $hasher)?> ToValue for $set<T $(, $hasher)?> {
            fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
                let members = ids(self, context)?;
                context.set(members)
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
        }
    )*};
}
tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H;
}
