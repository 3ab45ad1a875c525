//! Pickles straight into and out of Rust types.
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
//! # What is read as what
//!
//! | Python | Rust |
//! | --- | --- |
//! | `None` | `()`, a unit struct, the `None` of an `Option` |
//! | `bool`, `int`, `float` | the same; integers beyond 64 bits as strings of digits too, all of any size with [`bigint`] |
//! | `complex` | `(f64, f64)` |
//! | `str` | `String`, `&str`, `char`, the name of a variant |
//! | `bytes`, `bytearray` | `serde_bytes`, `Vec<u8>` |
//! | 8-bit `str` of Python 2 | text if it is UTF-8, bytes else or where bytes are asked for |
//! | `list`, `tuple`, `set`, `frozenset`, `deque` | sequences, tuples, tuple structs |
//! | `dict`, `OrderedDict`, `defaultdict`, `Counter` | maps, structs |
//! | an instance | a struct or map of its attributes: of `__dict__`, `__slots__` or both |
//! | a namedtuple | a struct or tuple of its fields, in order |
//! | a subclass of `int`, `str`, `list`, `dict`, … | what it extends |
//! | an `Enum` member | its value, and the variant of that name |
//! | `datetime`, `date`, `time` | the string that `chrono` and `jiff` parse: `2014-03-09T12:00:00+01:00` |
//! | `timedelta` | `std::time::Duration`, a float of seconds, a string such as `PT36H1.5S` |
//! | `array.array` | a sequence; bytes where they are asked for and the items are bytes; a string of characters |
//! | `Decimal`, `UUID`, `pathlib`, `ipaddress` | the string that `rust_decimal`, `uuid`, `PathBuf`, `IpAddr` parse |
//! | an exception | a struct of `class` and `args`, and its attributes |
//! | what another call would have returned | its argument if there is but one, else like an exception |
//!
//! [`Instance`] keeps class, arguments and state of an object, [`Shared`] the identity of a shared value.
//!
//! An instance whose state is neither of these, as that of a NumPy array, is an error that names its class; a struct of as
//! many fields takes a list or tuple, in which dataclasses with slots keep their attributes. [`Instance`] reads any.
//!
//! # Enums
//!
//! A variant is read from its name alone, from a dict of its name and its content, from a tuple that starts with its
//! name, from an instance of a class of its name (of the last part, or of the full one if the variant is renamed to
//! it), and from an enum member of this value or name.
//!
//! # Python's classes
//!
//! A type whose serde name holds a dot is written as an instance of the class of that name, and so is a type that
//! [`Config::class`] names a class for: a struct with its fields as attributes, a tuple struct as a namedtuple, a unit
//! variant of such an enum as the enum member of its name, any other variant whose name holds a dot like a struct.
//! The pickle is the one that CPython writes of the equal object, at every protocol. Protocols 0 and 1 tell which builtin
//! type a class extends (PEP 307): `object` for a struct, `tuple` for a tuple struct, for a newtype that of its value. A
//! struct for a class that extends another type, `dict` or `Exception` say, takes protocol 2 or later, as no protocol
//! before would make an instance of it from that; or an [`Instance`], which goes through `copyreg.__newobj__` there.
//!
//! # Depth, cycles and sharing
//!
//! `Deserialize` implementations call each other, so that data nested deeper than [`Config::depth`] is an error and
//! not an overflow of the stack. A value that several places share is read at each of them, within the budget of
//! [`Limits::shared`](crate::Limits::shared). A value that contains itself is an error that says where the cycle closes. What a
//! type ignores is not looked at.
//!
//! # Speed
//!
//! A slice of plain data (atoms, lists, tuples, and dicts that structs are read from) is read straight from its
//! opcodes, without a graph. Where that fails, for whatever reason, the type is asked again with a graph to read from:
//! `Deserialize` implementations may run twice, and should do nothing but deserialize. Pickles with anything else in
//! them, maps with keys of their own among it, are read by way of a graph from the start or soon.

pub mod bigint;
mod buffered;
mod config;
mod direct;
mod error;
mod instance;
mod read;
mod shared;
mod value;
mod write;

use std::io::{BufRead, Write};

use ::serde::de::{Deserialize, DeserializeOwned};
use ::serde::ser::Serialize;

pub use self::config::{Config, Variants};
pub(crate) use self::direct::trim;
pub use self::error::{Error, ErrorKind, Path, Result};
pub use self::instance::Instance;
pub use self::shared::Shared;
use crate::graph::{Graph, Value};

/// Reads a Rust value from a pickle.
///
/// Fields of type `&str` and `&[u8]` borrow from the input what lies in it as it is. That is all text and bytes of the
/// binary protocols, but not text with escapes in protocol 0.
///
/// # Errors
///
/// If the bytes are no pickle, or the value is not what the type asks for.
///
/// ```
/// let words: Vec<&str> = picklevm::serde::from_slice(b"\x80\x04](\x8c\x02to\x8c\x02bee.")?;
/// assert_eq!(words, ["to", "be"]);
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub fn from_slice<'de, T: Deserialize<'de>>(input: &'de [u8]) -> Result<T> {
    Config::new().from_slice(input)
}

/// Reads a Rust value from the next pickle of a reader. Nothing is read past the pickle's end.
///
/// # Errors
///
/// Those of [`from_slice`], and those of the reader.
pub fn from_reader<T: DeserializeOwned>(reader: impl BufRead) -> Result<T> {
    Config::new().from_reader(reader)
}

/// Reads a Rust value from a value of a graph, from which `&str` and `&[u8]` are borrowed.
///
/// # Errors
///
/// If the value is not what the type asks for.
///
/// ```
/// let graph = picklevm::loads(b"\x80\x04}\x8c\x04size]K\x03K\x04\x86as.")?;
/// let size: Vec<(u32, u32)> = picklevm::serde::from_value(graph.root().at("size"))?;
/// assert_eq!(size, [(3, 4)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_value<'g, T: Deserialize<'g>>(value: Value<'g>) -> Result<T> {
    Config::new().from_value(value)
}

/// Makes a graph of a Rust value.
///
/// Field and variant names are one value each, shared by all places that use them, as Python's interned strings are.
/// Maps and sets are written in the order in which they are iterated: equal output for equal input takes a
/// `BTreeMap` rather than a `HashMap`.
///
/// # Errors
///
/// If a key of a map is what Python cannot hash, or the value's `Serialize` fails.
///
/// ```
/// let graph = picklevm::serde::to_graph(&(1, "two", [3.0]))?;
/// assert_eq!(format!("{:?}", graph.root()), "(1, 'two', (3.0,))");
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub fn to_graph<T: Serialize + ?Sized>(value: &T) -> Result<Graph> {
    Config::new().to_graph(value)
}

/// Writes a Rust value as a pickle into memory, at [`Protocol::DEFAULT`](crate::Protocol::DEFAULT): what
/// [`to_graph`] makes, written by a [`Pickler`](crate::Pickler).
///
/// # Errors
///
/// Those of [`to_graph`], and of [`Pickler::dumps`](crate::Pickler::dumps) if the protocol cannot say it.
///
/// ```
/// let bytes = picklevm::serde::to_vec(&[("a", 1)])?;
/// assert_eq!(picklevm::serde::from_slice::<Vec<(&str, u8)>>(&bytes)?, [("a", 1)]);
/// # Ok::<(), picklevm::serde::Error>(())
/// ```
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    Config::new().to_vec(value)
}

/// Writes a Rust value as a pickle to a writer, which needs no buffer of its own.
///
/// # Errors
///
/// Those of [`to_vec`], and those of the writer.
pub fn to_writer<T: Serialize + ?Sized>(out: impl Write, value: &T) -> Result<()> {
    Config::new().to_writer(out, value)
}
