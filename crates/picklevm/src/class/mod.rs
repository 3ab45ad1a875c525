//! Map Rust types to Python classes.
//!
//! A type that derives [`PickleClass`] maps to a class of a Python program. Its instances are read from pickles of any
//! protocol, and written byte for byte as Python writes its own. `docs/classes.md` explains the attributes.
//!
#![cfg_attr(feature = "derive", doc = "```")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! use picklevm::{PickleClass, class};
//!
//! #[derive(PickleClass, Debug, PartialEq)]
//! #[pickle(module = "geometry")]
//! struct Point {
//!     x: i64,
//!     y: i64,
//! }
//!
//! // class Point:
//! //     def __init__(self, x, y): self.x, self.y = x, y
//! let bytes = b"\x80\x02cgeometry\nPoint\nq\x00)\x81q\x01}q\x02(X\x01\x00\x00\x00xq\x03K\x01X\x01\x00\x00\x00yq\x04K\x02ub.";
//! let point: Point = class::from_slice(bytes)?;
//! assert_eq!(point, Point { x: 1, y: 2 });
//!
//! let pickler = picklevm::Pickler::new().protocol(picklevm::Protocol::V2);
//! assert_eq!(pickler.to_vec(&point)?, bytes);
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! [`to_vec`] writes values in one pass. From a graph are written: types that implement [`ToValue`] by hand, fields with functions,
//! [`Graph`] fields, `Arc` and `Rc`, [`Rest`], old-style classes, keyword arguments, base classes, `getstate`, fields in two
//! places, unusual keys of maps, protocols 0 and 1, and what bytes and sets are at protocols without an opcode for them. If there is one of
//! them in a value, what was written in one pass before it is thrown away: the bytes are the same, and the time is that of the graph.
//!
//! [`Value::to`](crate::Value::to) reads a part of a graph, [`Pickler::to_graph`](crate::Pickler::to_graph) makes a graph.
//! The derive macro is optional: it only fills in the constant and the methods of [`PickleClass`] and [`FromObject`].

pub mod byte_str;
mod def;
mod from_value;
mod members;
mod op_writer;
mod reading;
mod rest;
#[cfg(feature = "serde")]
pub mod serde;
mod to_value;
mod typed;
mod writing;

pub use def::{Base, ClassDef, Field, State};
pub use from_value::{FromValue, FromValueOwned};
pub use members::Member;
#[doc(hidden)]
pub use op_writer::{OpWriter, Position};
pub use reading::{ObjectReader, ReadContext};
pub use rest::Rest;
pub use to_value::ToValue;
pub use writing::{ObjectWriter, WriteContext};

use crate::direct_write::{self, Written};
use crate::dump::Pickler;
use crate::emitter::Options;
use crate::error::{Error, Result};
use crate::graph::{Graph, Value};
use crate::load::Unpickler;

/// A Rust type that maps to a Python class.
///
/// Usually derived, with the feature `derive`. Implemented by hand, together with [`FromObject`], [`FromValue`] and [`ToValue`]:
///
/// ```
/// use picklevm::class::{self, ClassDef, Field, FromObject, FromValue, ObjectReader, ObjectWriter, ReadContext, ToValue, WriteContext};
/// use picklevm::{Id, PickleClass, Result, Value};
///
/// #[derive(Debug, PartialEq)]
/// struct Point {
///     x: i64,
/// }
///
/// const X: Field = Field::attr("x");
///
/// impl PickleClass for Point {
///     const CLASS: ClassDef = ClassDef::new("geometry", "Point");
///
///     fn to_object(&self, object: &mut ObjectWriter<'_, '_>) -> Result<()> {
///         object.put(&X, &self.x)
///     }
/// }
///
/// impl<'g> FromObject<'g> for Point {
///     fn from_object(object: &mut ObjectReader<'_, 'g>) -> Result<Self> {
///         Ok(Point { x: object.get(&X)? })
///     }
/// }
///
/// impl<'g> FromValue<'g> for Point {
///     fn from_value(value: Value<'g>, context: &mut ReadContext<'g>) -> Result<Self> {
///         context.object(value)
///     }
/// }
///
/// impl ToValue for Point {
///     fn to_value(&self, context: &mut WriteContext<'_>) -> Result<Id> {
///         context.object(self)
///     }
/// }
///
/// let bytes = class::to_vec(&Point { x: 5 })?;
/// assert_eq!(class::from_slice::<Point>(&bytes)?, Point { x: 5 });
/// # Ok::<(), picklevm::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not map to a Python class",
    note = "derive it: #[derive(PickleClass)] with #[pickle(module = \"…\")]"
)]
pub trait PickleClass: Sized {
    /// The class: its names, how its instances are made, and the form of their state.
    const CLASS: ClassDef;

    /// Writes the fields of an instance, in the order in which the class sets them.
    ///
    /// # Errors
    ///
    /// Errors of the fields.
    fn to_object(&self, object: &mut ObjectWriter<'_, '_>) -> Result<()>;
}

/// A Rust type that maps to a Python class and is read from a graph that lives for `'g`, from which it may borrow.
pub trait FromObject<'g>: PickleClass {
    /// Reads the fields of an instance.
    ///
    /// # Errors
    ///
    /// Errors of the fields.
    fn from_object(object: &mut ObjectReader<'_, 'g>) -> Result<Self>;
}

/// Reads a Rust value from a pickle.
///
/// # Errors
///
/// If the bytes are not a pickle, or the value does not fit the type.
///
/// ```
/// let words: Vec<String> = picklevm::class::from_slice(b"\x80\x04](\x8c\x02to\x8c\x02bee.")?;
/// assert_eq!(words, ["to", "be"]);
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn from_slice<T: FromValueOwned>(bytes: &[u8]) -> Result<T> {
    Unpickler::new().from_slice(bytes)
}

/// Writes a Rust value as a pickle, at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT).
///
/// # Errors
///
/// If the value cannot be pickled at this protocol.
///
/// ```
/// assert_eq!(picklevm::class::to_vec(&7)?, b"\x80\x04K\x07.");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn to_vec<T: ToValue + ?Sized>(value: &T) -> Result<Vec<u8>> {
    Pickler::new().to_vec(value)
}

/// Writes a pickle in one pass, or leaves it to a graph.
fn to_pickle<T: ToValue + ?Sized>(pickler: &Pickler, value: &T) -> Written<Vec<u8>, Error> {
    // A graph counts the innermost values too.
    direct_write::to_vec(pickler, writing::DEPTH - 1, (), |out| value.to_ops(out))
}

/// # Conversion to Rust types
impl<'g> Value<'g> {
    /// Converts the value to a Rust type: an instance to the type that derives [`PickleClass`], other values as the table
    /// of [`FromValue`] says.
    ///
    /// # Errors
    ///
    /// If the value does not fit the type.
    ///
    /// ```
    /// let graph = picklevm::value!({"sizes": [1, 2, 3], "label": None});
    /// assert_eq!(graph.root().at("sizes").to::<Vec<u8>>()?, [1, 2, 3]);
    /// assert_eq!(graph.root().at("label").to::<Option<String>>()?, None);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn to<T: FromValue<'g>>(self) -> Result<T> {
        ReadContext::new(self.arena(), &crate::Limits::default()).read(self)
    }
}

/// # Conversion to Rust types
impl Unpickler {
    /// Reads a Rust value from a pickle; [`class::from_slice`](from_slice) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`loads`](Unpickler::loads), and if the value does not fit the type.
    pub fn from_slice<T: FromValueOwned>(&self, bytes: &[u8]) -> Result<T> {
        let graph = self.loads(bytes)?;
        ReadContext::new(&graph, &self.options.limits).read(graph.root())
    }
}

/// # Conversion from Rust types
impl Pickler {
    /// Writes a Rust value as a pickle; [`class::to_vec`](to_vec) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`to_graph`](Pickler::to_graph) and [`dumps`](Pickler::dumps).
    pub fn to_vec<T: ToValue + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        match to_pickle(self, value) {
            Written::Result(Ok(pickle)) => Ok(pickle),
            // Errors of the graph say more.
            _ => self.dumps(self.to_graph(value)?.root()),
        }
    }

    /// Converts a Rust value to a graph. Instances are reduced as Python's classes reduce them for the protocol.
    ///
    /// # Errors
    ///
    /// [`Unrepresentable`](crate::ErrorKind::Unrepresentable) for values that Python cannot pickle at the protocol either,
    /// and errors of the types.
    pub fn to_graph<T: ToValue + ?Sized>(&self, value: &T) -> Result<Graph> {
        let mut graph = Graph::new();
        let arena = graph.unique();
        let Options { protocol, writer, .. } = self.options;
        if protocol >= crate::Protocol::V4 {
            // Names of classes are values, which attributes of the same name share, as in a loaded graph.
            arena.protocol = Some(protocol.into());
        }
        let root = WriteContext::new(arena, protocol, writer).write(value)?;
        arena.set_root(root);
        Ok(graph)
    }
}

#[cfg(all(test, feature = "derive"))]
mod tests;
