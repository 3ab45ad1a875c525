//! Rust types as Python classes.
//!
//! A type that derives [`PickleClass`] stands for a class of a Python program: its instances are read from pickles of any
//! protocol, and written as Python would have written its own, byte for byte. The chapter `docs/classes.md` tells which
//! attribute stands for what of Python.
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
//! [`Value::to`](crate::Value::to) reads a part of a graph, [`Pickler::to_graph`](crate::Pickler::to_graph) makes a graph.
//! Nothing of this needs the derive macro: it fills in the constant and the two methods of [`PickleClass`].

pub mod byte_str;
mod def;
mod from_value;
mod reading;
#[cfg(feature = "serde")]
pub mod serde;
mod to_value;
mod typed;
mod writing;

pub use def::{Base, ClassDef, Field, State};
pub use from_value::FromValue;
pub use reading::{ObjectReader, ReadContext};
pub use to_value::ToValue;
pub use writing::{ObjectWriter, WriteContext};

use crate::emitter::Options;
use crate::error::Result;
use crate::graph::{Graph, Value};
use crate::pickler::Pickler;
use crate::unpickler::Unpickler;

/// A Rust type that stands for a Python class.
///
/// Derived as a rule, with the feature `derive`. By hand, together with [`FromValue`] and [`ToValue`]:
///
/// ```
/// use picklevm::class::{self, ClassDef, Field, FromValue, ObjectReader, ObjectWriter, Reading, ToValue, Writing};
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
///     fn from_object(object: &mut ObjectReader<'_, '_>) -> Result<Self> {
///         Ok(Point { x: object.get(&X)? })
///     }
///
///     fn to_object(&self, object: &mut ObjectWriter<'_, '_>) -> Result<()> {
///         object.put(&X, &self.x)
///     }
/// }
///
/// impl FromValue for Point {
///     fn from_value(value: Value<'_>, reading: &mut Reading<'_>) -> Result<Self> {
///         reading.object(value)
///     }
/// }
///
/// impl ToValue for Point {
///     fn to_value(&self, writing: &mut Writing<'_>) -> Result<Id> {
///         writing.object(self)
///     }
/// }
///
/// let bytes = class::to_vec(&Point { x: 5 })?;
/// assert_eq!(class::from_slice::<Point>(&bytes)?, Point { x: 5 });
/// # Ok::<(), picklevm::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` stands for no Python class",
    note = "derive it: #[derive(PickleClass)] with #[pickle(module = \"…\")]"
)]
pub trait PickleClass: Sized {
    /// The class: its names, how its instances are made, and what their state looks like.
    const CLASS: ClassDef;

    /// Takes the fields from an instance.
    ///
    /// # ErrorHandler
    ///
    /// Those of the fields.
    fn from_object(object: &mut ObjectReader<'_, '_>) -> Result<Self>;

    /// Gives the fields to an instance, in the order in which the class sets them.
    ///
    /// # ErrorHandler
    ///
    /// Those of the fields.
    fn to_object(&self, object: &mut ObjectWriter<'_, '_>) -> Result<()>;
}

/// Reads a Rust value from a pickle.
///
/// # ErrorHandler
///
/// If the bytes are no pickle, or the value is not what the type is for.
///
/// ```
/// let words: Vec<String> = picklevm::class::from_slice(b"\x80\x04](\x8c\x02to\x8c\x02bee.")?;
/// assert_eq!(words, ["to", "be"]);
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn from_slice<T: FromValue>(bytes: &[u8]) -> Result<T> {
    Unpickler::new().from_slice(bytes)
}

/// Writes a Rust value as a pickle, at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT).
///
/// # ErrorHandler
///
/// If there is no such pickle.
///
/// ```
/// assert_eq!(picklevm::class::to_vec(&7)?, b"\x80\x04K\x07.");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn to_vec<T: ToValue + ?Sized>(value: &T) -> Result<Vec<u8>> {
    Pickler::new().to_vec(value)
}

/// # Into Rust types
impl Value<'_> {
    /// The value as a Rust type: an instance as the type that derives [`PickleClass`], and others as
    /// [`FromValue`] says.
    ///
    /// # ErrorHandler
    ///
    /// If the value is not what the type is for.
    ///
    /// ```
    /// let graph = picklevm::value!({"sizes": [1, 2, 3], "label": None});
    /// assert_eq!(graph.root().at("sizes").to::<Vec<u8>>()?, [1, 2, 3]);
    /// assert_eq!(graph.root().at("label").to::<Option<String>>()?, None);
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn to<T: FromValue>(self) -> Result<T> {
        ReadContext::new(self.arena(), &crate::Limits::default()).read(self)
    }
}

/// # Into Rust types
impl Unpickler {
    /// Reads a Rust value from a pickle; [`class::from_slice`](from_slice) with these options.
    ///
    /// # ErrorHandler
    ///
    /// Those of [`loads`](Unpickler::loads), and if the value is not what the type is for.
    pub fn from_slice<T: FromValue>(&self, bytes: &[u8]) -> Result<T> {
        let graph = self.loads(bytes)?;
        ReadContext::new(&graph, &self.options.limits).read(graph.root())
    }
}

/// # From Rust types
impl Pickler {
    /// Writes a Rust value as a pickle; [`class::to_vec`](to_vec) with these options.
    ///
    /// # ErrorHandler
    ///
    /// Those of [`to_graph`](Pickler::to_graph) and [`dumps`](Pickler::dumps).
    pub fn to_vec<T: ToValue + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        self.dumps(self.to_graph(value)?.root())
    }

    /// Makes a graph of a Rust value, in which instances are reduced as Python's classes reduce them for the protocol.
    ///
    /// # ErrorHandler
    ///
    /// [`Unrepresentable`](crate::ErrorKind::Unrepresentable) for what Python cannot pickle at the protocol either, and
    /// those of the types.
    pub fn to_graph<T: ToValue + ?Sized>(&self, value: &T) -> Result<Graph> {
        let mut graph = Graph::new();
        let arena = graph.unique();
        let Options { protocol, writer, .. } = self.options;
        if protocol >= crate::Protocol::V4 {
            // The names of classes are values that attributes of the same name share, as in a graph that was loaded.
            arena.protocol = Some(protocol.into());
        }
        let root = WriteContext::new(arena, protocol, writer).write(value)?;
        arena.set_root(root);
        Ok(graph)
    }
}
