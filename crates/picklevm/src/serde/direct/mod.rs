//! Reads plain data directly from the opcodes, without a graph.
//!
//! A pickle of only atoms, lists, tuples and dicts needs no graph: its ops come in the order in which serde requests values.
//! Anything else, such as a call, a shared container, a limit that might be exceeded or a
//! value of an unexpected type, is the error [`NotPlain`], without a reason: the caller then reads the pickle from a graph,
//! which implements all rules and reports errors. Code here must never succeed where reading from a graph would fail or
//! return another value.

mod access;
mod cursor;
mod fields;
mod lookahead;
mod memo;
mod padded;
mod reader;
mod run;

use std::fmt::{self, Display};

use ::serde::de::{self, Deserialize};
use picklevm_ops::Opcode;

use self::cursor::Cursor;
pub(crate) use self::memo::trim;
use self::reader::Plain;
use crate::options::Options;

/// Reads a value, if all of it is plain data.
pub(super) fn read<'de, T: Deserialize<'de>>(input: &'de [u8], options: &Options, depth: usize) -> Option<T> {
    let limits = &options.limits;
    // Out-of-band buffers are counted when a graph is loaded.
    if !limits.allows_any_of_len(input.len() as u64) || limits.nesting < depth as u64 || options.buffers.is_some() {
        return None;
    }
    let mut cursor = Cursor::new(input, depth, limits.shared);
    let value = T::deserialize(Plain::new(&mut cursor)).ok()?;
    cursor.take(Opcode::Stop).then_some(value)
}

/// Error: the pickle is not plain data.
#[derive(Debug)]
pub(super) struct NotPlain;

impl Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not plain data")
    }
}

impl std::error::Error for NotPlain {}

impl de::Error for NotPlain {
    /// The message is never shown, so it is not built.
    #[cold]
    fn custom<T: Display>(_: T) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn invalid_length(_: usize, _: &dyn de::Expected) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn unknown_field(_: &str, _: &'static [&'static str]) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn missing_field(_: &'static str) -> NotPlain {
        NotPlain
    }

    #[cold]
    fn duplicate_field(_: &'static str) -> NotPlain {
        NotPlain
    }
}

#[cfg(test)]
mod tests;
