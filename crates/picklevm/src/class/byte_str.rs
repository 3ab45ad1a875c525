//! Functions for fields that are 8-bit strings, Python 2's `str`: `#[pickle(with = picklevm::class::byte_str)]`.
//!
//! Such a `String` or `Vec<u8>` field is also read from text and bytes, and written as an 8-bit string at every protocol.
//! Without this, strings are written as text, which is `unicode` in Python 2.
//!
#![cfg_attr(feature = "derive", doc = "```")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! #[derive(picklevm::PickleClass)]
//! #[pickle(module = "legacy")]
//! struct Account {
//!     #[pickle(with = picklevm::class::byte_str)]
//!     owner: String,
//! }
//!
//! let graph = picklevm::Pickler::new().to_graph(&Account { owner: "ann".into() })?;
//! assert_eq!(format!("{:?}", graph.root()), "legacy.Account() with state {u'owner': 'ann'}");
//! # Ok::<(), picklevm::Error>(())
//! ```

use super::{FromValue, ReadContext, WriteContext};
use crate::error::Result;
use crate::graph::{Id, Tag, Value};

/// Writes an 8-bit string.
///
/// # Errors
///
/// Never fails.
pub fn to_value(bytes: &impl AsRef<[u8]>, context: &mut WriteContext<'_>) -> Result<Id> {
    Ok(context.bytes(Tag::ByteStr, bytes.as_ref()))
}

/// Reads a string or bytes.
///
/// # Errors
///
/// Errors of the type.
pub fn from_value<'g, T: FromValue<'g>>(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<T> {
    context.read(value)
}
