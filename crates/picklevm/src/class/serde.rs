//! Fields of types that `serde` knows: `#[pickle(serde)]`, or `#[pickle(with = picklevm::class::serde)]`.
//!
//! What reads as what is told in [`picklevm::serde`](crate::serde); `chrono`'s dates, `uuid`'s ids and others are read
//! from the classes of Python's standard library. They are written as serde writes them, that is, as strings.

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;

use super::{ReadContext, ToValue, WriteContext};
use crate::error::{Error, Result};
use crate::graph::{Graph, Id, Value};

/// Writes what serde makes of a value.
///
/// # Errors
///
/// Those of [`picklevm::serde::to_graph`](crate::serde::to_graph).
pub fn to_value<T: Serialize + ?Sized>(value: &T, writing: &mut WriteContext<'_>) -> Result<Id> {
    crate::serde::to_graph(value).map_err(Error::other)?.to_value(writing)
}

/// Reads a value by serde.
///
/// # Errors
///
/// Those of [`picklevm::serde::from_value`](crate::serde::from_value).
pub fn from_value<T: DeserializeOwned>(value: Value<'_>, reading: &mut ReadContext<'_>) -> Result<T> {
    // A part that several fields share is read anew for each of them, at a cost that a copy of it tells.
    let copy: Graph = reading.read(value)?;
    crate::serde::from_value(copy.root()).map_err(Error::other)
}
