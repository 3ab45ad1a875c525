//! Read pickles into Rust types and write Rust types as pickles, with serde.
//!
//! ```
//! #[derive(serde::Deserialize, serde::Serialize, Debug, PartialEq)]
//! struct Order {
//!     id: u64,
//!     lines: Vec<(String, f64)>,
//! }
//!
//! // {'id': 7, 'lines': [('PX-104', 14.5)]}
//! let bytes = b"\x80\x04}(\x8c\x02idK\x07\x8c\x05lines](\x8c\x06PX-104G@-\0\0\0\0\0\0\x86eu.";
//! let order: Order = picklevm::serde::from_slice(bytes)?;
//! assert_eq!(order, Order { id: 7, lines: vec![("PX-104".into(), 14.5)] });
//! # Ok::<(), picklevm::serde::Error>(())
//! ```
//!
//! # Type mapping
//!
//! | Python | Rust |
//! | --- | --- |
//! | `None` | `()`, a unit struct, the `None` of an `Option` |
//! | `bool`, `int`, `float` | the same; integers beyond 64 bits as strings of digits too, all of any size with [`bigint`] |
//! | `complex` | `(f64, f64)` |
//! | `str` | `String`, `&str`, `char`, a variant's name |
//! | `bytes`, `bytearray` | `serde_bytes`, `Vec<u8>` |
//! | 8-bit `str` of Python 2 | text if it is UTF-8; bytes otherwise, or if the type asks for bytes |
//! | `list`, `tuple`, `set`, `frozenset`, `deque` | sequences, tuples, tuple structs |
//! | `dict`, `OrderedDict`, `defaultdict`, `Counter` | maps, structs |
//! | an instance | a struct or map of its attributes, from `__dict__`, `__slots__` or both |
//! | a namedtuple | a struct or tuple of its fields, in order |
//! | an instance of a subclass of `int`, `str`, `list`, `dict`, … | as the base class |
//! | an `Enum` member | its value if the type is a number or text, and the variant of that name |
//! | `datetime`, `date`, `time` | a string that `chrono` and `jiff` parse: `2014-03-09T12:00:00+01:00` |
//! | `timedelta` | `std::time::Duration`, a float of seconds, a string such as `PT36H1.5S` |
//! | `array.array` | a sequence; bytes if the type asks for bytes and the items are bytes; a string of characters |
//! | `Decimal`, `UUID`, `pathlib`, `ipaddress`, `ZoneInfo` | a string that `rust_decimal`, `uuid`, `PathBuf`, `IpAddr` parse; the key of a zone |
//! | `Fraction` | a string such as `3/4`, a tuple of numerator and denominator, a float |
//! | `range` | a sequence of its integers |
//! | `slice` | a struct or tuple of `start`, `stop` and `step` |
//! | a compiled regular expression | a struct or tuple of `pattern` and `flags` |
//! | `functools.partial` | a struct of `function`, `args` and `keywords` |
//! | an exception | a struct of `class` and `args`, and its attributes |
//! | the result of a call with several arguments | like an exception |
//!
//! [`Instance`] keeps the class, arguments and state of an object; [`Shared`] keeps the identity of a shared value.
//!
//! What else an instance is, is an error that names its class; [`Instance`] reads it. This includes an instance with any other
//! state, such as a NumPy array; what a call of an unknown class makes of one argument, unless the type is a number, text or
//! enum, as the member of an enum is pickled so; a bound method; and, if the type is any value or a map, an instance of several
//! parts, such as a text or list with attributes. A state
//! that is a list or tuple, where dataclasses with slots keep their attributes, is read into a struct with as many fields.
//!
//! # Python types as fields
//!
//! A date that is read into a `String` or a type of chrono is text when it is written: serde has no dates. Modules for
//! `#[serde(with = "picklevm::serde::as_date")]` keep the Python type in both directions, and are text in other formats:
//! [`as_datetime`], [`as_date`], [`as_time`], [`as_timedelta`], [`as_decimal`], [`as_uuid`], [`as_path`], [`as_complex`],
//! [`as_tuple`], [`as_set`], [`as_frozenset`], [`as_deque`], [`as_bytes`], [`as_bytearray`], [`as_namedtuple`] and [`as_enum`].
//! A field of type [`Graph`] keeps any value. Both do so in flattened members and in tagged and untagged enums too; the
//! documentation of `Deserialize` for [`Graph`] tells the limit.
//!
//! # Enums
//!
//! A variant is read from its name, from a dict of its name and its content, from a tuple that starts with its name, from an
//! instance of a class of that name (the last part of the class name; the full name if the variant is renamed to it), and
//! from an enum member with that value or name.
//!
//! # Python classes
//!
//! A type is written as an instance of a class if its serde name contains a dot, or if [`Config::class`] sets a class for
//! it. A struct is written with its fields as attributes, a tuple struct as a namedtuple, a unit variant of such an enum as
//! the enum member of its name, any other variant whose name contains a dot like a struct.
//!
//! The pickle is the one that CPython writes for the equal object, at every protocol. At protocols 0 and 1 it names the
//! builtin type that the class extends (PEP 307): `object` for a struct, `tuple` for a tuple struct, the type of the value
//! for a newtype. A struct for a class that extends another type, such as `dict` or `Exception`, needs protocol 2 or later,
//! or an [`Instance`], which is written as a call of `copyreg.__newobj__` below protocol 2.
//!
//! # Depth, cycles and sharing
//!
//! `Deserialize` implementations call each other, so data nested deeper than [`Config::depth`] is an error instead of a
//! stack overflow. A shared value is read at each place that shares it, within the budget of
//! [`Limits::shared`](crate::Limits::shared). A value that contains itself is an error that says where the cycle closes.
//! Ignored values are not inspected.
//!
//! # Speed
//!
//! A slice of plain data (atoms, lists, tuples and dicts) is read directly from its opcodes, without a graph. At the first
//! value that is none, and at an error, the pickle is loaded, and the type goes on with the graph, from that value. All other
//! pickles are read from a graph.
//!
//! A `Deserialize` implementation runs a second time, from the graph, only if an op shows too late that what it got is not the
//! value of the pickle: if it asks for what the first item of a tuple of one to three items is, where the tuple is; if it has
//! got a part of a dict with equal keys; if an op takes, duplicates or changes a value after it was complete, which
//! Python's picklers do only for values that contain themselves; for an integer that is a persistent id, a class as the key
//! of a struct, and an old-style instance of Python 2 where it asks for a tuple; if it has serde buffer values that are
//! not plain, as `#[serde(flatten)]` and most forms of enums do; if it fails at the end of a batch of less than 1000
//! items, after which another follows; if it fails after it handled the error of a part; if it numbers its fields in another way than serde's derive does; and if it exceeds [`Limits::shared`](crate::Limits::shared).
//!
//! [`to_vec`] and [`to_writer`] write opcodes in one pass. [`Shared`] and [`Instance`], [`Graph`] fields, instances below
//! protocol 2, bytes below protocol 3 and maps with unusual keys are written from a graph instead: `Serialize`
//! implementations then run twice.

mod as_types;
pub mod bigint;
mod buffered;
mod config;
mod direct;
mod direct_write;
mod error;
mod handover;
mod instance;
mod read;
mod recorded;
mod shared;
mod value;
mod write;

use std::io::{BufRead, Write};

use ::serde::de::{Deserialize, DeserializeOwned};
use ::serde::ser::Serialize;

pub use self::as_types::{
    PythonAs, PythonClass, as_bytearray, as_bytes, as_complex, as_date, as_datetime, as_decimal, as_deque, as_enum,
    as_frozenset, as_namedtuple, as_path, as_set, as_time, as_timedelta, as_tuple, as_uuid,
};
pub use self::config::{Config, Variants};
pub use self::error::{Error, ErrorKind, Result};
pub use self::instance::Instance;
pub use self::shared::Shared;
use crate::graph::{Graph, Value};

/// Frees the memory that the thread keeps for reuse.
pub(crate) fn trim() {
    direct::trim();
}

/// Reads a Rust value from a pickle.
///
/// Fields of type `&str` and `&[u8]` borrow from the input. This works for all text and bytes of the binary protocols, but
/// not for text with escapes in protocol 0.
///
/// # Errors
///
/// If the bytes are not a pickle, or the value does not fit the type.
///
/// ```
/// let words: Vec<&str> = picklevm::serde::from_slice(b"\x80\x04](\x8c\x02to\x8c\x02bee.")?;
/// assert_eq!(words, ["to", "be"]);
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub fn from_slice<'de, T: Deserialize<'de>>(input: &'de [u8]) -> Result<T> {
    config::default().from_slice(input)
}

/// Reads a Rust value from the next pickle of a reader. Does not read past the pickle's end.
///
/// # Errors
///
/// Those of [`from_slice`], and those of the reader.
pub fn from_reader<T: DeserializeOwned>(reader: impl BufRead) -> Result<T> {
    config::default().from_reader(reader)
}

/// Reads a Rust value from a value of a graph. `&str` and `&[u8]` borrow from the graph.
///
/// # Errors
///
/// If the value does not fit the type.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x04}\x8c\x04size]K\x03K\x04\x86as.")?;
/// let size: Vec<(u32, u32)> = picklevm::serde::from_value(graph.root().at("size"))?;
/// assert_eq!(size, [(3, 4)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_value<'g, T: Deserialize<'g>>(value: Value<'g>) -> Result<T> {
    config::default().from_value(value)
}

/// Converts a Rust value to a graph.
///
/// All uses of a field or variant name share one value, like Python's interned strings. Maps and sets are written in
/// iteration order: use a `BTreeMap` instead of a `HashMap` for reproducible output.
///
/// # Errors
///
/// If Python cannot hash a key of a map, or the value's `Serialize` fails.
///
/// ```
/// let graph = picklevm::serde::to_graph(&(1, "two", [3.0]))?;
/// assert_eq!(format!("{:?}", graph.root()), "(1, 'two', (3.0,))");
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub fn to_graph<T: Serialize + ?Sized>(value: &T) -> Result<Graph> {
    config::default().to_graph(value)
}

/// Writes a Rust value as a pickle into memory, at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT).
///
/// The same bytes as by [`to_graph`] and [`Pickler::dumps`](crate::Pickler::dumps), without the graph if possible.
///
/// # Errors
///
/// Those of [`to_graph`] and [`Pickler::dumps`](crate::Pickler::dumps).
///
/// ```
/// let bytes = picklevm::serde::to_vec(&[("a", 1)])?;
/// assert_eq!(picklevm::serde::from_slice::<Vec<(&str, u8)>>(&bytes)?, [("a", 1)]);
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    config::default().to_vec(value)
}

/// Writes a Rust value as a pickle to a writer, which need not be buffered.
///
/// # Errors
///
/// Those of [`to_vec`], and those of the writer.
pub fn to_writer<T: Serialize + ?Sized>(out: impl Write, value: &T) -> Result<()> {
    config::default().to_writer(out, value)
}
