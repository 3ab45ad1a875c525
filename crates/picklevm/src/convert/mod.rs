//! What conversions between Rust types and graphs share, by [`class`](crate::class) and by serde.

mod budget;
mod interner;
#[cfg_attr(not(feature = "serde"), allow(dead_code, reason = "serde has more keys than classes"))]
pub(crate) mod key_hash;

pub(crate) use self::budget::{Budget, Refusal};
pub(crate) use self::interner::Interner;
