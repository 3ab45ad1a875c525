//! Tokens in serde's buffer for instances that have no plain form.
//!
//! A token is a newtype of bytes. Only a `Graph` reads it; for other types it is an error, as is the instance.

use ::serde::de::Visitor;
use ::serde::de::value::BytesDeserializer;

use crate::serde::error::Error;

/// What the bytes of a token start with.
const PREFIX: &[u8] = b"$picklevm::serde::Token";

/// Whether bytes are those of a token.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    bytes.starts_with(PREFIX)
}

/// Passes a token to the visitor of a buffer: that of the instance number `at` in the recorded value number `root`.
pub(in crate::serde) fn visit_token<'de, V: Visitor<'de>>(root: usize, at: u64, visitor: V) -> Result<V::Value, Error> {
    let bytes = [PREFIX, &(root as u64).to_le_bytes(), &at.to_le_bytes()].concat();
    visitor.visit_newtype_struct(BytesDeserializer::new(&bytes))
}
