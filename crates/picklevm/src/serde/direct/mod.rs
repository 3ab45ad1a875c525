//! Reads plain data directly from the opcodes, without a graph.
//!
//! A pickle of only atoms, lists, tuples and dicts needs no graph: its ops come in the order in which serde requests values.
//! At anything else, such as a call, a shared container, a limit that might be exceeded or a value that does not fit the
//! type, the whole pickle is loaded, and the reading [goes on](switch) in the graph, which implements all rules. So do errors:
//! the graph has the path. Code here must never succeed where reading from a graph would fail or return another value.
//!
//! An op may show that what has been read before is not what the graph has, because of ops that come only after a value. Then
//! the rest of the type ends soon, and the type is read once more, from the graph. This is so for
//!
//! - a tuple of one to three items, if the type asks for something else that its first item is: its op comes last. Any value,
//!   ignored values and types that ask for a tuple of at most three items look ahead for it;
//! - equal keys in a dict of which something has been read;
//! - a list or dict in batches that are not full, if the type fails at the end of the first;
//! - a value that is popped, duplicated, or changed after it was complete, and an integer as a persistent id;
//! - a class as the key of a struct, a class without the names as texts before it, objects of Python 2's `INST` and `OBJ` where
//!   the type asks for a tuple;
//! - values that serde buffers before it knows their type, if they are not plain, as these are recorded for `Graph`;
//! - a type that fails after it handled an error of a part, or shows such an error: only the last one is kept;
//! - a type that counts its fields in another way than serde's derive does;
//! - a type that reads more than [`Limits::shared`](crate::Limits::shared) after the change to the graph.

mod access;
mod cursor;
mod failure;
mod fields;
mod lookahead;
mod memo;
mod ops;
mod padded;
mod place;
mod reader;
mod run;
mod stack;
mod starts;
mod switch;
mod text;
mod token;

use std::cell::OnceCell;

use ::serde::de::Deserialize;

use self::cursor::Cursor;
use self::failure::Call;
pub(crate) use self::memo::trim;
use self::reader::Plain;
use self::switch::Loader;
use super::error::Result;
use super::read::FromInput;
use crate::graph::Graph;
use crate::load::Unpickler;

/// What came of reading a type.
pub(super) enum Outcome<T> {
    Read(Result<T>),
    /// It has to be read from the graph.
    Again,
}

/// Reads a value. Otherwise returns the graph to read it from, if it was loaded.
pub(super) fn read<'de, T: Deserialize<'de>>(
    input: &'de [u8],
    unpickler: &Unpickler,
    depth: usize,
) -> Result<Result<T>, Option<(Graph, FromInput<'de>)>> {
    let options = &unpickler.options;
    // Out-of-band buffers are counted when a graph is loaded. The starts of containers have 31 bits.
    if !options.limits.allows_any_of_len(input.len() as u64)
        || options.limits.nesting < depth as u64
        || options.buffers.is_some()
        || input.len() > i32::MAX as usize
    {
        return Err(None);
    }
    let graph = OnceCell::new();
    let outcome = {
        let call = Call::start();
        let mut cursor = Cursor::new(Loader { input, unpickler, graph: &graph, depth });
        let result = T::deserialize(Plain::new(&mut cursor));
        cursor.finish(result, &call)
    };
    match outcome {
        Outcome::Read(result) => Ok(result),
        Outcome::Again => Err(graph.into_inner()),
    }
}

#[cfg(test)]
mod tests;
