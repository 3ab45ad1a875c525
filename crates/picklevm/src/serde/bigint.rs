//! Functions for [`BigInt`] fields: `#[serde(with = "picklevm::serde::bigint")]`.
//!
//! Rust's integers end at 128 bits, Python's do not. A [`BigInt`] field with this attribute is an integer in pickles, and a
//! string of decimal digits in other formats.
//!
//! ```
//! use num_bigint::BigInt;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Key {
//!     #[serde(with = "picklevm::serde::bigint")]
//!     modulus: BigInt,
//! }
//!
//! let key = Key { modulus: BigInt::from(1) << 200 };
//! let graph = picklevm::serde::to_graph(&key)?;
//! assert_eq!(graph.root().at("modulus").as_int().map(|n| n.to_bigint()), Some(key.modulus.clone()));
//! let back: Key = picklevm::serde::from_value(graph.root())?;
//! assert_eq!(back.modulus, key.modulus);
//! # Ok::<(), picklevm::serde::Error>(())
//! ```

use std::fmt;

use ::serde::de::{Deserializer, Error, Unexpected, Visitor};
use ::serde::ser::Serializer;
use num_bigint::{BigInt, Sign};

use crate::graph::{from_digits, to_decimal};

/// Serde name of an integer, recognized by the writer.
pub(super) const NAME: &str = "$picklevm::serde::bigint";

/// Writes an integer.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &BigInt, serializer: S) -> Result<S::Ok, S::Error> {
    let sign = if value.sign() == Sign::Minus { "-" } else { "" };
    serializer.serialize_newtype_struct(NAME, &format!("{sign}{}", to_decimal(value.magnitude())))
}

/// Reads an integer, or a string of decimal digits.
///
/// # Errors
///
/// If the value is neither, and those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BigInt, D::Error> {
    struct BigIntVisitor;

    impl Visitor<'_> for BigIntVisitor {
        type Value = BigInt;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer")
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<BigInt, E> {
            Ok(value.into())
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<BigInt, E> {
            Ok(value.into())
        }

        fn visit_i128<E: Error>(self, value: i128) -> Result<BigInt, E> {
            Ok(value.into())
        }

        fn visit_u128<E: Error>(self, value: u128) -> Result<BigInt, E> {
            Ok(value.into())
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<BigInt, E> {
            parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_any(BigIntVisitor)
}

/// Parses the digits of an [`Int`](crate::Int), decimal or hexadecimal, with an optional minus sign.
pub(super) fn parse(text: &str) -> Option<BigInt> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (Sign::Minus, digits),
        None => (Sign::Plus, text),
    };
    let magnitude = match digits.strip_prefix("0x") {
        Some(digits) => from_digits(digits.as_bytes(), 16)?,
        None => from_digits(digits.as_bytes(), 10)?,
    };
    Some(BigInt::from_biguint(sign, magnitude))
}
