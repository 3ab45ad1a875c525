//! Functions for fields that use serde's traits: `#[pickle(serde)]`, or `#[pickle(with = picklevm::class::serde)]`.
//!
//! The table in [`picklevm::serde`](crate::serde) lists the types. `chrono`'s dates, `uuid`'s ids and others are read from
//! the classes of Python's standard library, and written as serde writes them: as strings.

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;

use super::{ReadContext, ToValue, WriteContext};
use crate::error::{Error, Result};
use crate::graph::{Graph, Id, Value};

/// Writes a value by its `Serialize` implementation.
///
/// # Errors
///
/// Those of [`picklevm::serde::to_graph`](crate::serde::to_graph).
pub fn to_value<T: Serialize + ?Sized>(value: &T, context: &mut WriteContext<'_>) -> Result<Id> {
    crate::serde::to_graph(value).map_err(Error::other)?.to_value(context)
}

/// Reads a value by its `Deserialize` implementation.
///
/// # Errors
///
/// Those of [`picklevm::serde::from_value`](crate::serde::from_value).
pub fn from_value<'g, T: DeserializeOwned>(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<T> {
    // A value shared by several fields is read again for each of them. Copying it counts this against the budget.
    let copy: Graph = context.read(value)?;
    crate::serde::from_value(copy.root()).map_err(Error::other)
}
