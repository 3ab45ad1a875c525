//! `Config`: options for reading and writing.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, LazyLock};

use ::serde::de::{Deserialize, DeserializeOwned};
use ::serde::ser::Serialize;

use super::direct;
use super::direct_write;
use super::error::Result;
use super::read::{Context, FromGraph, FromInput, Lend, Reader};
use super::write::to_graph;
use crate::direct_write::{Skip, Written};
use crate::dump::Pickler;
use crate::graph::{Graph, Value};
use crate::load::Unpickler;
use crate::protocol::Protocol;
use crate::python;

/// Default of [`Config::depth`].
pub(super) const DEPTH: usize = 128;

/// Options for reading and writing Rust types. Cheap to clone.
///
/// ```
/// use picklevm::serde::Config;
///
/// #[derive(serde::Serialize)]
/// struct Point {
///     x: i32,
/// }
///
/// let graph = Config::new().class("Point", "geometry.Point").to_graph(&Point { x: 5 })?;
/// assert_eq!(format!("{:?}", graph.root()), "geometry.Point() with state {'x': 5}");
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    unpickler: Unpickler,
    pub(super) pickler: Pickler,
    depth: usize,
    pub(super) variants: Variants,
    classes: Arc<HashMap<String, String>>,
}

/// Form in which enum variants without a class are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Variants {
    /// A unit variant as its name, others as a dict of name and content, as in serde_json.
    #[default]
    Dict,
    /// A tuple of name and content; for a unit variant a tuple of the name.
    Tuple,
}

/// The default options: making them for each small pickle takes longer than writing it.
static DEFAULT: LazyLock<Config> = LazyLock::new(Config::new);

/// Returns the default options.
pub(super) fn default() -> &'static Config {
    &DEFAULT
}

impl Default for Config {
    fn default() -> Self {
        Config::new()
    }
}

impl Config {
    /// Returns the default options, which the free functions of this module use.
    ///
    /// ```
    /// use picklevm::serde::{Config, to_vec};
    ///
    /// assert_eq!(Config::new().to_vec(&[1, 2])?, to_vec(&[1, 2])?);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    pub fn new() -> Self {
        Config {
            unpickler: Unpickler::new(),
            pickler: Pickler::new(),
            depth: DEPTH,
            variants: Variants::default(),
            classes: Arc::default(),
        }
    }

    /// Sets the unpickler, with its resolver and limits. Default: [`Unpickler::new`].
    ///
    /// [`Limits::shared`](crate::Limits::shared) limits the cost of reading shared values at each place that shares them.
    ///
    /// ```
    /// use picklevm::serde::{Config, ErrorKind};
    /// use picklevm::{Limits, Unpickler};
    ///
    /// let read = |limits, pickle| Config::new().unpickler(Unpickler::new().limits(limits)).from_slice::<Vec<u8>>(pickle);
    ///
    /// assert_eq!(read(Limits::untrusted(), b"\x80\x04](K\x01K\x02e.")?, [1, 2]);
    /// let error = read(Limits::untrusted().input(4), b"\x80\x04](K\x01K\x02e.").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Pickle);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    #[must_use]
    pub fn unpickler(mut self, unpickler: Unpickler) -> Self {
        self.unpickler = unpickler;
        self
    }

    /// Sets the pickler, with its protocol and [`PicklerVersion`](crate::PicklerVersion). Default: [`Pickler::new`].
    ///
    /// ```
    /// use picklevm::serde::Config;
    /// use picklevm::{Pickler, Protocol};
    ///
    /// let config = Config::new().pickler(Pickler::new().protocol(Protocol::V0));
    /// assert_eq!(config.to_vec(&(1, "a"))?, b"(I1\nVa\np0\ntp1\n.");
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    #[must_use]
    pub fn pickler(mut self, pickler: Pickler) -> Self {
        self.pickler = pickler;
        self
    }

    /// Sets the maximum nesting depth of values when reading and writing. Default: 128.
    ///
    /// `Deserialize` and `Serialize` implementations call each other, so nested data deepens the call stack. 128 levels fit
    /// easily into the 2 MiB stack of a Rust thread; for more levels, use a thread with a larger stack.
    ///
    /// ```
    /// use picklevm::serde::{Config, ErrorKind};
    ///
    /// #[derive(serde::Deserialize, Debug)]
    /// struct Tree(Vec<Tree>);
    ///
    /// let pickle = b"\x80\x04]]]aa.";   // [[[]]]
    /// assert_eq!(Config::new().depth(3).from_slice::<Tree>(pickle)?.0.len(), 1);
    /// assert_eq!(Config::new().depth(2).from_slice::<Tree>(pickle).unwrap_err().kind(), ErrorKind::Depth);
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    #[must_use]
    pub fn depth(mut self, limit: usize) -> Self {
        self.depth = limit;
        self
    }

    /// Sets the form in which enums are written. Default: [`Variants::Dict`]. Reading accepts all forms.
    ///
    /// ```
    /// use picklevm::serde::{Config, Variants};
    ///
    /// #[derive(serde::Serialize)]
    /// enum Shape {
    ///     Empty,
    ///     Circle(f64),
    /// }
    ///
    /// let shapes = [Shape::Empty, Shape::Circle(1.5)];
    /// let graph = Config::new().to_graph(&shapes)?;
    /// assert_eq!(format!("{:?}", graph.root()), "('Empty', {'Circle': 1.5})");
    /// let graph = Config::new().variants(Variants::Tuple).to_graph(&shapes)?;
    /// assert_eq!(format!("{:?}", graph.root()), "(('Empty',), ('Circle', 1.5))");
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    #[must_use]
    pub fn variants(mut self, variants: Variants) -> Self {
        self.variants = variants;
        self
    }

    /// Writes the Rust type with this serde name as instances of a Python class: `module.Class`, or `module:Outer.Inner`
    /// if the qualified name contains dots.
    ///
    /// Not needed for types whose serde name contains a dot: `#[serde(rename = "geometry.Point")]` has the same effect.
    ///
    /// ```
    /// use picklevm::serde::Config;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Pixel(u8, u8);
    ///
    /// let config = Config::new().class("Pixel", "screen:Frame.Pixel");
    /// assert_eq!(format!("{:?}", config.to_graph(&Pixel(3, 4))?.root()), "screen:Frame.Pixel(3, 4)");
    /// # Ok::<(), picklevm::serde::Error>(())
    /// ```
    #[must_use]
    pub fn class(mut self, name: impl Into<String>, class: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.classes).insert(name.into(), class.into());
        self
    }

    /// Whether no [class](Self::class) is set: then only a name with a dot stands for one.
    pub(super) fn sets_no_class(&self) -> bool {
        self.classes.is_empty()
    }

    /// Returns module and qualified name of the class for a serde name.
    pub(super) fn class_of<'a>(&'a self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let class = self.classes.get(name).map_or(name, String::as_str);
        python::split(class)
    }

    /// Returns the maximum nesting depth.
    pub(super) fn depth_limit(&self) -> usize {
        self.depth
    }

    /// Returns the protocol that instances are made for.
    pub(super) fn protocol(&self) -> Protocol {
        self.pickler.options.protocol
    }

    /// Reads a Rust value from a pickle. See [`from_slice`](super::from_slice).
    ///
    /// # Errors
    ///
    /// Those of [`from_slice`](super::from_slice).
    pub fn from_slice<'de, T: Deserialize<'de>>(&self, input: &'de [u8]) -> Result<T> {
        match direct::read(input, &self.unpickler, self.depth) {
            Ok(result) => result,
            Err(graph) => {
                let (graph, lend) = graph.map_or_else(|| FromInput::load(&self.unpickler, input), Ok)?;
                self.read(graph.root(), lend, Some(&graph))
            }
        }
    }

    /// Reads a Rust value from the next pickle of a reader. See [`from_reader`](super::from_reader).
    ///
    /// # Errors
    ///
    /// Those of [`from_reader`](super::from_reader).
    pub fn from_reader<T: DeserializeOwned>(&self, reader: impl BufRead) -> Result<T> {
        let graph = self.unpickler.load(reader)?;
        self.read(graph.root(), FromGraph, Some(&graph))
    }

    /// Reads a Rust value from a value of a graph. See [`from_value`](super::from_value).
    ///
    /// # Errors
    ///
    /// Those of [`from_value`](super::from_value).
    pub fn from_value<'g, T: Deserialize<'g>>(&self, value: Value<'g>) -> Result<T> {
        self.read(value, FromGraph, None)
    }

    /// Reads a value, of this graph if it is known.
    fn read<'g, 'de, T: Deserialize<'de>>(
        &self,
        value: Value<'g>,
        lend: impl Lend<'g, 'de>,
        graph: Option<&'g Graph>,
    ) -> Result<T> {
        let shared = self.unpickler.options.limits.shared;
        let mut context = Context::new(value.arena(), lend, self.depth, shared).keeping(graph);
        T::deserialize(Reader::new(value, &mut context))
    }

    /// Converts a Rust value to a graph. See [`to_graph`](super::to_graph).
    ///
    /// # Errors
    ///
    /// Those of [`to_graph`](super::to_graph).
    pub fn to_graph<T: Serialize + ?Sized>(&self, value: &T) -> Result<Graph> {
        to_graph(self, value)
    }

    /// Writes a Rust value as a pickle into memory. See [`to_vec`](super::to_vec).
    ///
    /// # Errors
    ///
    /// Those of [`to_vec`](super::to_vec).
    pub fn to_vec<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        match direct_write::to_vec(self, value) {
            Written::Result(result) => result,
            Written::Graph(_) => Ok(self.pickler.dumps(self.to_graph(value)?.root())?),
        }
    }

    /// Writes a Rust value as a pickle to a writer. See [`to_writer`](super::to_writer).
    ///
    /// # Errors
    ///
    /// Those of [`to_writer`](super::to_writer).
    pub fn to_writer<T: Serialize + ?Sized>(&self, mut out: impl Write, value: &T) -> Result<()> {
        match direct_write::to_writer(self, &mut out, value) {
            Written::Result(result) => result,
            Written::Graph(passed) => {
                Ok(self.pickler.dump(self.to_graph(value)?.root(), Skip { out, left: passed })?)
            }
        }
    }
}
