//! Tokens in serde's buffer for instances that have no plain form.
//!
//! A token is a newtype of a newtype of bytes. Only a `Graph` reads it; for other types it is an error, as is the instance.

use ::serde::de::{Deserializer, Visitor};
use ::serde::forward_to_deserialize_any;

use crate::serde::error::Error;

/// What the bytes of a token start with.
const PREFIX: &[u8] = b"$picklevm::serde::Token";

/// Deserializer of a token.
pub(in crate::serde) struct Token {
    /// Number of the recorded value.
    pub(in crate::serde) root: usize,
    /// Number of the instance in that value.
    pub(in crate::serde) at: u64,
    /// Whether the newtype around it has been read.
    pub(in crate::serde) is_inner: bool,
}

/// Whether bytes are those of a token.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    bytes.starts_with(PREFIX)
}

impl Token {
    /// Passes the token to the visitor of a buffer.
    pub(in crate::serde) fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}

impl<'de> Deserializer<'de> for Token {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_inner {
            let bytes = [PREFIX, &(self.root as u64).to_le_bytes(), &self.at.to_le_bytes()].concat();
            return visitor.visit_byte_buf(bytes);
        }
        visitor.visit_newtype_struct(Token { is_inner: true, ..self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
