//! Values that a type and picklevm hand over to each other past serde's data model, with their Python types.
//!
//! A type asks whether picklevm serializes or deserializes it: the answer to `is_human_readable` is the same as that of other
//! formats, but leaves a note. If it is picklevm, the type leaves a function that makes the value in a graph and serializes a
//! unit struct with a reserved name, or deserializes such a unit struct and takes the graph that the reader left. Other
//! formats see none of it. The notes are thread-local, and are taken at once.

use std::any::type_name;
use std::cell::Cell;
use std::fmt;

use ::serde::de::{Deserializer, Visitor};
use ::serde::ser::{Error as _, Serializer};

use crate::error::Result;
use crate::graph::{Arena, Cell as Node, Graph, Id};
use crate::protocol::Protocol;

/// Serde name of a value that is handed over.
pub(super) const NAME: &str = "$picklevm::serde::Value";

/// A function that makes a value in a graph, as Python pickles it at a protocol.
pub(super) type Make = Box<dyn FnOnce(&mut Arena, Protocol) -> Result<Id>>;

thread_local! {
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
    static NODE: Cell<Option<Node>> = const { Cell::new(None) };
    static MAKE: Cell<Option<Make>> = const { Cell::new(None) };
    static GRAPH: Cell<Option<Graph>> = const { Cell::new(None) };
}

/// The answer of picklevm's serializers and deserializers to `is_human_readable`.
pub(super) fn is_human_readable() -> bool {
    IS_HERE.set(true);
    true
}

/// [`is_human_readable`] of the deserializer of a value of a graph.
pub(super) fn is_human_readable_at(node: Node) -> bool {
    NODE.set(Some(node));
    is_human_readable()
}

/// Returns the value of the graph that a deserializer reads, if it is picklevm's.
pub(super) fn node<'de, D: Deserializer<'de>>(deserializer: &D) -> Option<Node> {
    NODE.set(None);
    deserializer.is_human_readable();
    NODE.take()
}

/// Whether a serializer is picklevm's.
pub(super) fn writes<S: Serializer>(serializer: &S) -> bool {
    IS_HERE.set(false);
    serializer.is_human_readable();
    IS_HERE.take()
}

/// Whether a deserializer is picklevm's, and knows the value.
pub(super) fn reads<'de, D: Deserializer<'de>>(deserializer: &D) -> bool {
    IS_HERE.set(false);
    deserializer.is_human_readable();
    IS_HERE.take()
}

/// Whether an error is picklevm's: the serializer or deserializer is one of serde's adapters around picklevm.
#[inline]
pub(super) fn is_error<E>() -> bool {
    type_name::<E>() == type_name::<super::error::Error>()
}

/// Hands a value over to picklevm's serializer.
pub(super) fn give<S: Serializer>(serializer: S, make: Make) -> Result<S::Ok, S::Error> {
    MAKE.set(Some(make));
    let given = serializer.serialize_unit_struct(NAME);
    match MAKE.take() {
        Some(_) => Err(S::Error::custom("the serializer did not take a Python value")),
        None => given,
    }
}

/// Takes the value that was handed over.
pub(super) fn take() -> Option<Make> {
    MAKE.take()
}

/// Hands a graph over to a visitor.
pub(super) fn lend<'de, V: Visitor<'de>, E: ::serde::de::Error>(graph: Graph, visitor: V) -> Result<V::Value, E> {
    GRAPH.set(Some(graph));
    let result = visitor.visit_unit();
    GRAPH.set(None);
    result
}

/// Takes a graph from picklevm's deserializer.
pub(super) fn receive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Graph, D::Error> {
    struct Receiver;

    impl Visitor<'_> for Receiver {
        type Value = Graph;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }

        fn visit_unit<E: ::serde::de::Error>(self) -> Result<Graph, E> {
            GRAPH.take().ok_or_else(|| E::custom("the deserializer did not give a Python value"))
        }
    }

    deserializer.deserialize_unit_struct(NAME, Receiver)
}
