//! Typed views of Python standard library objects: dates, decimals, paths, named tuples, and others.
//!
//! A pickle has no opcode for a date. It calls `datetime.date` with four bytes, encoded differently by each protocol,
//! and the graph stores that call unchanged. [`Value::view`] interprets it:
//!
//! ```
//! use picklevm::typed::{Date, DateTime};
//!
//! let graph = picklevm::loads(b"\x80\x04\x95 \0\0\0\0\0\0\0\x8c\x08datetime\x8c\x04date\x93C\x04\x07\xee\x01\x02\x85R.")?;
//! let date: Date = graph.root().view()?;
//! assert_eq!((date.year(), date.month(), date.day()), (2030, 1, 2));
//! assert_eq!(date.to_string(), "2030-01-02");
//!
//! let error = graph.root().view::<DateTime>().unwrap_err();
//! assert_eq!(error.kind(), picklevm::ErrorKind::Type);
//! assert_eq!(error.to_string(), r"expected a datetime.datetime, found datetime.date(b'\x07\xee\x01\x02')");
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! [`Value::typed`] returns whichever view an object has, as a [`Typed`].
//!
//! A view does not modify the graph, which is still written back byte for byte. Views are the same for every protocol
//! and every Python from 2.7 on, and for graphs loaded with [`Symbolic`](crate::Symbolic) or
//! [`Standard`](crate::Standard). An object has no view if it holds more than the view can represent, or if Python
//! would reject its contents (month 13, for example). Every object has an [`InstanceView`].
//!
//! To write such objects, use [`IntoValue`](crate::IntoValue), which views implement, or the constructors of [`Arena`]
//! for objects that hold values of the graph: [`deque`](Arena::deque), [`partial`](Arena::partial), … They produce what
//! CPython 3.13 pickles. For the few classes that it pickles differently below the default protocol, use
//! [`Arena::add_for`].
//!
//! ```
//! use picklevm::{Graph, Protocol, Pickler, typed::{Date, Uuid}};
//!
//! let mut graph = Graph::new();
//! let date = graph.add(Date::new(2030, 1, 2)?);
//! assert_eq!(format!("{:?}", graph.value(date)), "datetime.date(2030, 1, 2)");
//!
//! // Python calls `copyreg._reconstructor` at protocols 0 and 1.
//! let id = graph.add_for(Protocol::V1, Uuid::from(0x1234));
//! let pickle = Pickler::new().protocol(Protocol::V1).dumps(graph.value(id))?;
//! # assert!(pickle.starts_with(b"ccopy_reg\n_reconstructor\n"));
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! With the features `chrono-04` and `jiff-02`, dates, times, time deltas and offsets convert to and from the types of
//! these crates by `TryFrom` and `From`.
//!
//! Views without a lifetime can be fields of types that derive [`PickleClass`](crate::PickleClass).
//!
//! ```
//! use picklevm::typed::Date;
//!
//! let graph = picklevm::Graph::from(vec![Date::new(2030, 1, 2)?, Date::new(2030, 1, 3)?]);
//! let days: Vec<Date> = graph.root().to()?;
//! assert_eq!(days[1].day(), 3);
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! | Python | view |
//! | --- | --- |
//! | `datetime.date`, `time`, `datetime`, `timedelta` | [`Date`], [`Time`], [`DateTime`], [`TimeDelta`] |
//! | `datetime.timezone`, `zoneinfo.ZoneInfo`, any other `tzinfo` | [`TimeZone`], [`ZoneInfo`], [`Zone`] |
//! | `decimal.Decimal`, `fractions.Fraction`, `complex` | [`Decimal`], [`Fraction`], [`Complex`] |
//! | `range` (`xrange`), `slice` | [`Range`], [`Slice`] |
//! | `collections.OrderedDict`, `defaultdict`, `Counter`, `deque` | [`OrderedDict`], [`DefaultDict`], [`Counter`], [`Deque`] |
//! | `frozendict` (3.15) | [`FrozenDict`] |
//! | a named tuple, a member of an enum | [`NamedTuple`], [`EnumMember`] |
//! | a dataclass, an instance of any class | [`InstanceView`] |
//! | `uuid.UUID` | [`Uuid`] |
//! | the classes of `pathlib` | [`Path`] |
//! | addresses, networks and interfaces of `ipaddress` | [`IpAddress`], [`IpNetwork`], [`IpInterface`] |
//! | `array.array` | [`Array`] |
//! | an exception | [`Exception`] |
//! | `functools.partial`, `re.compile(…)`, `types.SimpleNamespace` | [`Partial`], [`Regex`], [`SimpleNamespace`] |

mod array;
pub(crate) mod builtins;
#[cfg(feature = "chrono-04")]
mod chrono;
mod collections;
mod complex_text;
pub(crate) mod contents;
pub(crate) mod datetime;
mod decimal;
mod exceptions;
mod functions;
mod instance;
mod iso_format;
pub(crate) mod iterables;
#[cfg(feature = "jiff-02")]
mod jiff;
mod namedtuple_enum;
mod network;
mod number_text;
mod numbers;
mod paths;
mod ranges;
mod recognized;
mod reduce_helpers;
pub(crate) mod signature;
pub(crate) mod timedelta;
mod uuid;
mod zones;

pub use array::{Array, ArrayItems};
pub use collections::{Counter, DefaultDict, Deque, FrozenDict, OrderedDict};
pub use datetime::{Date, DateTime, Time};
pub use decimal::Decimal;
pub use exceptions::Exception;
pub use functions::{Partial, Regex, SimpleNamespace};
pub use namedtuple_enum::{EnumMember, FlagNames, Member, NamedTuple};
pub use network::{IpAddress, IpInterface, IpNetwork};
pub use numbers::{Complex, Fraction};
pub use paths::Path;
pub use ranges::{Range, Slice};
pub use recognized::Typed;
pub use timedelta::TimeDelta;
pub use uuid::{SafeUuid, Uuid};
pub use zones::{TimeZone, Zone, ZoneInfo};

use crate::error::{Error, ErrorKind, Result};
pub use crate::graph::InstanceView;
use crate::graph::{Arena, Id, Value, describe, shorten};
use crate::protocol::Protocol;
pub use crate::python::Flavour;

/// A Rust type that represents a Python object. Implemented by the types of [this module](self); implement it for your
/// own classes.
///
/// ```
/// use picklevm::{Value, typed::{InstanceView, View}};
///
/// struct Point { x: i64, y: i64 }
///
/// impl<'g> View<'g> for Point {
///     const EXPECTED: &'static str = "a geometry.Point";
///
///     fn view(value: Value<'g>) -> Option<Self> {
///         let point = value.view::<InstanceView>().ok().filter(|point| point.is_instance("geometry", "Point"))?;
///         Some(Point { x: point.attr("x")?.as_i64()?, y: point.attr("y")?.as_i64()? })
///     }
/// }
///
/// let mut graph = picklevm::Graph::new();
/// let point = graph.instance("geometry", "Point").attr("x", 1).attr("y", 2).build()?;
/// let point: Point = graph.value(point).view()?;
/// assert_eq!((point.x, point.y), (1, 2));
/// # Ok::<(), picklevm::Error>(())
/// ```
pub trait View<'g>: Sized {
    /// Name of the Python type with its article, for error messages: `a datetime.date`.
    const EXPECTED: &'static str;

    /// Returns the view, or `None` if the value is something else.
    fn view(value: Value<'g>) -> Option<Self>;
}

/// Returns `None` for Python's `None`.
///
/// ```
/// use picklevm::typed::Date;
///
/// let graph = picklevm::value!({"born": null});
/// assert_eq!(graph.root().at("born").view::<Option<Date>>()?, None);
/// # Ok::<(), picklevm::Error>(())
/// ```
impl<'g, T: View<'g>> View<'g> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn view(value: Value<'g>) -> Option<Self> {
        if value.is_none() { Some(None) } else { T::view(value).map(Some) }
    }
}

/// Adds an object to a graph as Python reduces it for a given protocol (`object.__reduce_ex__`).
pub trait Reduce: Sized {
    /// Adds the object to `arena` as CPython 3.13 pickles it at `protocol`, and returns its id.
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id;
}

impl<'g> Value<'g> {
    /// Returns the value as a standard library type: a date, a decimal, a path, … See [`typed`](self).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if the value is of another type or malformed.
    ///
    /// ```
    /// use picklevm::typed::TimeDelta;
    ///
    /// let graph = picklevm::loads(b"cdatetime\ntimedelta\n(I-1\nI5\nI0\ntR.")?;
    /// let delta: TimeDelta = graph.root().view()?;
    /// assert_eq!((delta.days(), delta.seconds()), (-1, 5));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn view<T: View<'g>>(self) -> Result<T> {
        T::view(self).ok_or_else(|| no_view(self, T::EXPECTED))
    }
}

#[cold]
fn no_view(value: Value<'_>, expected: &'static str) -> Error {
    let found = match value.as_object() {
        // The raw form: the other one calls `view`, whose errors would format the value again.
        Some(_) => shorten(&value.pretty().raw().brief().one_line().to_string()),
        None => describe(value.arena(), value.cell()),
    };
    Error::new(ErrorKind::Type, expected, found)
}

/// # Objects of the standard library
impl Arena {
    /// Adds an object as CPython 3.13 pickles it at the given protocol. [`add`](Arena::add) does so for the default
    /// protocol.
    ///
    /// A graph can be written at any protocol, and Python loads the same objects from it. Only the bytes may differ
    /// from Python's own: it omits [`fold`](DateTime::fold) below protocol 4, writes arrays as lists below 3, and
    /// creates instances with `copyreg._reconstructor` below 2.
    ///
    /// ```
    /// use picklevm::{Graph, Protocol, typed::{Array, ArrayItems}};
    ///
    /// let array = Array::new('h', ArrayItems::Int(vec![1, -1]))?;
    /// let mut graph = Graph::new();
    /// let [old, new] = [Protocol::V2, Protocol::V3].map(|protocol| graph.add_for(protocol, &array));
    /// assert_eq!(format!("{:?}", graph.value(old)), "array.array('h', [1, -1])");
    /// let new = graph.value(new).pretty().raw().to_string();
    /// assert_eq!(new, r"array._array_reconstructor(array.array, 'h', 4, b'\x01\x00\xff\xff')");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn add_for(&mut self, protocol: Protocol, value: impl Reduce) -> Id {
        value.reduce(self, protocol)
    }
}
