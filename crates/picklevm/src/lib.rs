//! The machine behind Python's pickle, for programs that are not Python.
//!
//! Pickle is a small stack-machine language. This crate runs any pickle that CPython 2.7 to 3.14 writes, at protocols 0
//! to 5, into a graph of values, without running any Python.

mod emitter;
mod encoding;
mod error;
mod graph;
mod limits;
/// The machine, for builders in the other crates of this workspace. No part of the public API.
#[doc(hidden)]
pub mod machine;
mod options;
mod pickler;
mod protocol;
mod resolve;
mod stream;
mod unpickler;

pub use emitter::writers::Writer;
pub use encoding::{Encoding, Errors};
pub use error::{Error, ErrorKind, Result};
#[doc(hidden)]
pub use graph::macro_support;
pub use graph::{
    Arena, Buffer, Change, Dict, Global, Graph, Handle, Hashed, How, Id, Instance, Int, IntoKey, IntoValue, Items, Key,
    Kind, Live, Object, OutOfRange, Pairs, Value, ValueMut, same_graph, write_graph_form,
};
pub use limits::Limits;
pub use pickler::{Dumper, Pickler, dump, dumps};
pub use picklevm_ops as ops;
pub use picklevm_ops::Text;
pub use protocol::Protocol;
pub use resolve::{
    AllowList, Call, Callable, Class, Construct, Deny, Extensions, Made, Or, Persistent, Registry, Resolver, Standard,
    Symbolic, persistent,
};
pub use stream::Stream;
pub use unpickler::{Unpickler, load, loads};

/// Compiles the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
