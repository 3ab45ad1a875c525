//! Plain data read straight from the opcodes, without a graph in between.
//!
//! A pickle of nothing but atoms, lists, tuples and dicts that structs are read from needs no graph: its ops come in
//! the order in which serde asks for values. This is the straight road, and it has no exits. Whatever is not on it,
//! be it a call, a shared container, a map, a limit that might be passed or a value of another type than was asked
//! for, is [`Beyond`]: the caller reads the pickle again by way of a graph, which knows all rules and tells what is
//! wrong. So nothing here says why it gave up, and nothing here may succeed where the graph would not or would read
//! something else.

mod access;
mod cursor;
mod lookahead;
mod memo;
mod reader;

use std::fmt::{self, Display};

use ::serde::de::{self, Deserialize};
use picklevm_ops::Opcode;

use self::cursor::Cursor;
pub(crate) use self::memo::trim;
use self::reader::Plain;
use crate::options::Options;

/// Reads a value, if it is plain all through.
pub(super) fn read<'de, T: Deserialize<'de>>(input: &'de [u8], options: &Options, depth: usize) -> Option<T> {
    let limits = &options.limits;
    // Out-of-band buffers are counted, which is the graph's business.
    if !limits.allows_any_of_len(input.len() as u64) || limits.nesting < depth as u64 || options.buffers.is_some() {
        return None;
    }
    let mut cursor = Cursor::new(input, depth, limits.shared);
    let value = T::deserialize(Plain::new(&mut cursor)).ok()?;
    cursor.take(Opcode::Stop).then_some(value)
}

/// Something is not as plain as it should be.
#[derive(Debug)]
pub(super) struct Beyond;

impl Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not plain data")
    }
}

impl std::error::Error for Beyond {}

impl de::Error for Beyond {
    /// The message is never seen, and not even put together.
    #[cold]
    fn custom<T: Display>(_: T) -> Beyond {
        Beyond
    }

    #[cold]
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Beyond {
        Beyond
    }

    #[cold]
    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Beyond {
        Beyond
    }

    #[cold]
    fn invalid_length(_: usize, _: &dyn de::Expected) -> Beyond {
        Beyond
    }

    #[cold]
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Beyond {
        Beyond
    }

    #[cold]
    fn unknown_field(_: &str, _: &'static [&'static str]) -> Beyond {
        Beyond
    }

    #[cold]
    fn missing_field(_: &'static str) -> Beyond {
        Beyond
    }

    #[cold]
    fn duplicate_field(_: &'static str) -> Beyond {
        Beyond
    }
}

#[cfg(test)]
mod tests;
