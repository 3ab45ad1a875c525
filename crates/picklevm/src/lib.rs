//! Reads, edits and writes Python pickles in Rust, without Python.
//!
//! A pickle is a program for a small stack machine. This crate runs any pickle that CPython 2.7 to 3.15 writes, at
//! protocols 0 to 5, and builds a graph of values; no Python code runs. It writes graphs as CPython's own picklers do.
//!
//! # Getting started
//!
//! [`loads`] returns a [`Graph`]. A [`Value`] reads from it, much like a `serde_json::Value`.
//!
//! ```
//! use picklevm::{Kind, loads};
//!
//! let graph = loads(b"\x80\x04}(\x8c\x04name\x8c\x05Alice\x8c\x04tags](\x8c\x01aK\x02eu.")?;
//! let root = graph.root();
//! assert_eq!(root.at("name").as_str(), Some("Alice"));
//! for tag in root.at("tags").items() {
//!     match tag.kind() {
//!         Kind::Str(text) => println!("{text}"),
//!         Kind::Int(number) => println!("number {number}"),
//!         _ => println!("something else: {tag:?}"),
//!     }
//! }
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! Instances stay data: class, arguments and state, in the order of the pickle. Only code registered with a
//! [`Resolver`] is called.
//!
//! ```
//! # let graph = picklevm::loads(b"\x80\x02cgeometry\nPoint\n)\x81}X\x01\0\0\0xK\x05sb.")?;
//! let point = graph.root().as_object().unwrap();
//! assert!(point.is_instance("geometry", "Point"));
//! assert_eq!(point.attr("x").and_then(|x| x.as_i64()), Some(5));
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! Types of the standard library have [views](Value::view): dates, decimals, paths and more, the same for every
//! protocol and Python version; see [`typed`].
//!
//! ```
//! use picklevm::typed::TimeDelta;
//!
//! let graph = picklevm::loads(b"cdatetime\ntimedelta\n(I1\nI30\nI0\ntR.")?;
//! let delta: TimeDelta = graph.root().view()?;
//! assert_eq!((delta.days(), delta.seconds()), (1, 30));
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! Graphs can be edited, built with methods or with [`value!`], and written by [`dumps`]. An [`Id`] used twice is
//! shared.
//!
//! ```
//! use picklevm::{Pickler, Protocol, value};
//!
//! let mut graph = value!({"name": "Alice", "tags": ["a", 2]});
//! graph.root_mut().at("tags")?.push((1.5, None::<i32>))?;
//! let point = graph.instance("geometry", "Point").attr("x", 5).build()?;
//! graph.root_mut().set("here", point)?;
//! graph.root_mut().set("there", point)?;
//! let pickle = Pickler::new().protocol(Protocol::V2).dumps(graph.root())?;
//! # assert!(picklevm::same_graph(picklevm::loads(pickle)?.root(), graph.root()));
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! Next steps: [`Unpickler`] has the options for reading, including [`Limits`] for untrusted input, and reads streams
//! of pickles; [`Pickler`] has the options for writing; a [`Registry`] turns instances into Rust values; [`Value`] and
//! [`ValueMut`] read and edit; [`ops`] is the opcode layer.

pub mod class;
#[cfg(feature = "tokio-util")]
pub mod codec;
mod convert;
mod diff;
#[cfg_attr(not(feature = "serde"), allow(dead_code, unused_imports, reason = "serde needs more of it than classes"))]
mod direct_write;
mod dump;
mod dump_limits;
mod emitter;
mod encoding;
mod error;
mod graph;
mod limits;
pub mod literal;
mod load;
/// The stack machine, for builders in the other crates of this workspace. Not part of the public API.
#[doc(hidden)]
pub mod machine;
mod memory;
mod options;
mod path;
pub mod pretty;
mod protocol;
mod python;
mod reduce;
mod resolve;
mod reuse;
#[cfg(feature = "serde")]
pub mod serde;
#[cfg(feature = "signed")]
pub mod signed;
mod steps;
mod trace;
pub mod typed;

/// Reference-counted bytes: the type of large inputs and out-of-band buffers.
pub use bytes::Bytes;
pub use class::PickleClass;
pub use diff::{Difference, DifferenceKind, diff};
pub use dump::{Pickler, StreamPickler, dump, dumps};
pub use dump_limits::DumpLimits;
pub use emitter::cpython::PicklerVersion;
pub use encoding::{Encoding, ErrorHandler};
pub use error::{Cause, Error, ErrorKind, Result};
#[doc(hidden)]
pub use graph::macro_support;
pub use graph::{
    Arena, Buffer, Call, CallResult, Change, Construction, CopyMemo, Dict, Entries, Global, Graph, Handle, HashMode,
    Id, InstanceBuilder, Int, IntoKey, IntoValue, Items, Key, Kind, NativeObject, Object, OutOfRange, ReduceContext,
    Value, ValueMut, same_contents, same_graph, write_graph_form,
};
pub use limits::Limits;
pub use load::{Stream, Unpickler, load, loads};
pub use memory::trim_memory;
pub use path::{Part, Path, Place, Places, Step};
#[cfg(feature = "derive")]
pub use picklevm_derive::PickleClass;
pub use picklevm_ops as ops;
pub use picklevm_ops::Text;
pub use protocol::Protocol;
pub use python::python3_name;
pub use reduce::DispatchTable;
pub use resolve::{
    AllowList, Callable, Chain, Class, Construct, Deny, Extensions, Persistent, Registry, Resolver, Standard, Symbolic,
    persistent_resolver,
};
pub use trace::{MarkChange, Trace, TraceStep, trace};

/// Compiles the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// Compiles and runs the code in the architecture document.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/architecture.md")]
pub struct Architecture;

/// Compiles and runs the code in the chapter on classes.
#[cfg(all(doctest, feature = "derive"))]
#[doc = include_str!("../../../docs/classes.md")]
pub struct Classes;

/// Compiles and runs the code in the chapter on which API to use.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/which-way.md")]
pub struct WhichWay;

/// Compiles and runs the code in the chapter on views.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/views.md")]
pub struct Views;
