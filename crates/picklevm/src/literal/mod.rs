//! Values from text: what [`pretty`](crate::pretty) writes, read back.
//!
//! [`parse`] reads Python syntax: literals as Python writes them, and the notation of `picklevm show` for the rest,
//! instances, shared and recursive values included. [`from_json`] reads JSON, plain or tagged as
//! [`Pretty::json`](crate::pretty::Pretty::json) writes it.
//!
//! A text is first read into a tree that may refer to values around it, then the tree becomes nodes of a graph. Nothing
//! recurses.
//!
//! ```
//! let graph = picklevm::literal::parse("{'when': datetime.date(2030, 1, 2), 'me': &1 [*1], 'who': app.User() with state {'id': 1}}")?;
//! assert!(graph.root().at("me").at(0).is(graph.root().at("me")));
//! assert!(graph.root().at("who").as_object().unwrap().is_instance("app", "User"));
//! let date: picklevm::typed::Date = graph.root().at("when").view()?;
//! assert_eq!(date.year(), 2030);
//! # Ok::<(), picklevm::Error>(())
//! ```

mod json;
mod known;
mod marks;
pub(crate) mod names;
mod python;
mod scanner;
#[cfg(test)]
mod tests;
mod tree;

use std::str::FromStr;

use self::json::JsonReader;
pub(crate) use self::marks::{LONG_MARK, NONE_IS_MEMOIZED, Twins, UNMEMOIZED, UNMEMOIZED_ARE_MARKED};
use self::python::Parser;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Arena, Graph, Id};
use crate::protocol::Protocol;

/// Reads a value in Python syntax as [`Value::pretty`](crate::Value::pretty) writes it, into a new graph.
///
/// - Plain data, as Python writes them.
/// - Dates, paths and other objects of the standard library, as Python expressions: `datetime.date(2030, 1, 2)`. They
///   become what CPython 3.13 pickles.
/// - Classes and functions by name (`module.Name`; `module:Outer.Inner` for nested ones) and instances:
///   `module.Name(arguments) with items […] with state {…}`.
/// - Values that occur more than once: `&1 […]` where the value is written, `*1` elsewhere, also inside of itself.
/// - 8-bit strings of Python 2 are strings without prefix in a text that has a string with the prefix `u`.
///
/// # Errors
///
/// [`ErrorKind::Malformed`] with the offset in the text; [`ErrorKind::Unhashable`] for a key that Python cannot hash;
/// [`ErrorKind::Type`] for an instance of what is no class.
///
/// ```
/// let graph = picklevm::literal::parse("[1, 2.5, 'text', b'bytes', {1, 2}, (None,)]")?;
/// assert_eq!(graph.root().to_string(), "[1, 2.5, 'text', b'bytes', {1, 2}, (None,)]");
///
/// let error = picklevm::literal::parse("[1, 2").unwrap_err();
/// assert_eq!(error.to_string(), "offset 5: expected `,` or `]`, found the end");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn parse(text: &str) -> Result<Graph> {
    let mut graph = Graph::new();
    let root = graph.add_literal(text, Strings::Text)?;
    graph.set_root(root);
    Ok(graph)
}

/// Reads one JSON document: plain JSON, or tagged JSON as [`Pretty::json`](crate::pretty::Pretty::json) writes it.
///
/// Every graph is read back from its tagged JSON as it was. Plain JSON becomes dicts, lists, text and numbers; a number
/// with a point or an exponent is a float.
///
/// # Errors
///
/// [`ErrorKind::Malformed`] with the offset in the text, for what is no JSON and for unknown tags, and the errors of
/// [`parse`].
///
/// ```
/// let graph = picklevm::literal::from_json(r#"{"pair":{"$tuple":[1,2.0]},"me":{"$id":1,"$value":[{"$ref":1}]}}"#)?;
/// assert_eq!(graph.root().to_string(), "{'pair': (1, 2.0), 'me': &1 [*1]}");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn from_json(text: &str) -> Result<Graph> {
    let (graph, end) = from_json_prefix(text, Protocol::DEFAULT)?;
    match text[end..].trim_start_matches([' ', '\t', '\n', '\r']) {
        "" => Ok(graph),
        rest => Err(Error::new(ErrorKind::Malformed, "the end", "more").at((text.len() - rest.len()) as u64, None)),
    }
}

/// Reads the first of several JSON documents, and returns where it ends.
///
/// `protocol` is that of the pickle which the JSON was made from: from protocol 4 on, names of globals are strings that other
/// values may share.
///
/// # Errors
///
/// Like [`from_json`].
///
/// ```
/// let (graph, end) = picklevm::literal::from_json_prefix("[1]\n[2]\n", picklevm::Protocol::DEFAULT)?;
/// assert_eq!((graph.root().len(), end), (1, 3));
/// # Ok::<(), picklevm::Error>(())
/// ```
pub fn from_json_prefix(text: &str, protocol: Protocol) -> Result<(Graph, usize)> {
    let mut graph = Graph::new();
    // Names of Python 2 are recognised.
    graph.protocol = Some(u8::from(protocol)).filter(|protocol| *protocol > 2);
    let end = JsonReader::new(text, &mut graph).read()?;
    Ok((graph, end))
}

/// What strings without a prefix are: text, as in Python 3, or 8-bit strings, as in Python 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strings {
    /// Text, unless the literal has a string with the prefix `u`.
    #[default]
    Text,
    /// 8-bit strings of Python 2.
    Bytes,
}

impl Arena {
    /// Adds a value in Python syntax, as [`parse`] reads it.
    ///
    /// # Errors
    ///
    /// Those of [`parse`]. No value of the graph is changed.
    ///
    /// ```
    /// use picklevm::literal::Strings;
    ///
    /// let mut graph = picklevm::value!({"tags": ["a"]});
    /// let pair = graph.add_literal("('b', 2)", Strings::Text)?;
    /// graph.root_mut().at("tags")?.push(pair)?;
    /// assert_eq!(graph.root().to_string(), "{'tags': ['a', ('b', 2)]}");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn add_literal(&mut self, text: &str, strings: Strings) -> Result<Id> {
        let read = |arena: &mut Arena, bytes| Parser::new(text, arena, bytes).read();
        let parsed = match read(self, strings == Strings::Bytes)? {
            // Strings without a prefix are 8-bit strings beside those with one.
            parsed if parsed.has_unicode && strings == Strings::Text => read(self, true)?,
            parsed => parsed,
        };
        parsed.tree.build(self, parsed.root, &parsed.effects, &[]).map(|(root, _)| Id(root))
    }
}

/// Reads Python syntax, as [`parse`] does.
impl FromStr for Graph {
    type Err = Error;

    fn from_str(text: &str) -> Result<Graph> {
        parse(text)
    }
}
