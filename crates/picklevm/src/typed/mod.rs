//! Views: what Python's standard library pickles, as what it is.
//!
//! A pickle has no opcode for a date. It has a call of `datetime.date` with four bytes, written differently by each
//! protocol, and the graph keeps that call as it came. [`Value::view`] reads it:
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
//! A view changes nothing and loses nothing: the graph is written back byte for byte as it was. It is the same for every
//! protocol and every Python from 2.7 on, and for graphs that [`Symbolic`](crate::Symbolic) or
//! [`Standard`](crate::Standard) made. An object that holds more than its view could tell has none, nor has one with
//! contents that Python would refuse: month 13, say. Every object has a view as [`InstanceView`].
//!
//! The way back is [`IntoValue`](crate::IntoValue), which views have too, and constructors of [`Arena`] for what is made
//! of values of the graph: [`deque`](Arena::deque), [`partial`](Arena::partial), … They make what CPython 3.13 pickles.
//! For the few classes that it pickles differently below the default protocol there is [`Arena::add_for`].
//!
//! ```
//! use picklevm::{Graph, Protocol, Pickler, typed::{Date, Uuid}};
//!
//! let mut graph = Graph::new();
//! let date = graph.add(Date::new(2030, 1, 2)?);
//! assert_eq!(format!("{:?}", graph.value(date)), "datetime.date(2030, 1, 2)");
//!
//! // `copyreg._reconstructor`, as Python has it at protocols 0 and 1.
//! let id = graph.add_for(Protocol::V1, Uuid::from(0x1234));
//! let pickle = Pickler::new().protocol(Protocol::V1).dumps(graph.value(id))?;
//! # assert!(pickle.starts_with(b"ccopy_reg\n_reconstructor\n"));
//! # Ok::<(), picklevm::Error>(())
//! ```
//!
//! With the features `chrono-04` and `jiff-02`, dates, times, time spans and offsets convert into the types of these crates and
//! back by `TryFrom` and `From`.
//!
//! Views that borrow nothing are also fields of types that derive [`PickleClass`](crate::PickleClass).
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
pub(crate) mod class;
mod collections;
pub(crate) mod constructor_call;
pub(crate) mod datetime;
mod decimal;
mod exceptions;
mod functions;
pub(crate) mod instance;
#[cfg(feature = "jiff-02")]
mod jiff;
mod namedtuple_enum;
mod network;
mod numbers;
mod paths;
mod ranges;
mod reduce_helpers;
pub(crate) mod signature;
mod uuid;
mod zones;

pub use array::{Array, ArrayItems};
pub use collections::{Counter, DefaultDict, Deque, FrozenDict, OrderedDict};
pub use datetime::{Date, DateTime, Time, TimeDelta};
pub use decimal::Decimal;
pub use exceptions::Exception;
pub use functions::{Partial, Regex, SimpleNamespace};
pub use instance::InstanceView;
pub use namedtuple_enum::{EnumMember, Member, NamedTuple};
pub use network::{IpAddress, IpInterface, IpNetwork};
pub use numbers::{Complex, Fraction};
pub use paths::{Flavour, Path};
pub use ranges::{Range, Slice};
pub use uuid::{SafeUuid, Uuid};
pub use zones::{TimeZone, Zone, ZoneInfo};

use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Id, Value, describe, shorten};
use crate::protocol::Protocol;

/// What a Python object is in Rust: the types of [this module](self), and those of programs.
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
    /// What it is in Python, with its article, for errors: `a datetime.date`.
    const EXPECTED: &'static str;

    /// The view; `None` of what is something else.
    fn view(value: Value<'g>) -> Option<Self>;
}

/// `None` of Python's `None`.
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

/// What can be made in a graph as Python reduces it for a protocol: `object.__reduce_ex__`.
pub trait Reduce: Sized {
    /// Makes the object in `arena` as CPython 3.13 pickles it at `protocol`, and returns its id.
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id;
}

impl<'g> Value<'g> {
    /// The value as what it is in Python: a date, a decimal, a path, … See [`typed`](self).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] if it is something else, or is malformed.
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
        // As it was pickled: what is written otherwise is asked for its views, whose errors would write it again.
        Some(_) => shorten(&value.pretty().raw().brief().one_line().to_string()),
        None => describe(value.arena(), value.cell()),
    };
    Error::new(ErrorKind::Type, expected, found)
}

/// # Objects of the standard library
impl Arena {
    /// Makes an object as CPython 3.13 pickles it at a protocol; [`add`](Arena::add) makes what it pickles at the
    /// default one.
    ///
    /// A graph can be written at any protocol, and Python reads the same from it. Only the bytes may be other ones than
    /// Python's own: it leaves out [`fold`](DateTime::fold) below protocol 4, writes arrays as lists below 3, and makes
    /// instances by `copyreg._reconstructor` below 2.
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
