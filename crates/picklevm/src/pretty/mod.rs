//! Values as text: in Python syntax or as JSON, on one line or on several.
//!
//! [`Value::pretty`] is what `picklevm show` prints; `Display` and `Debug` of values are the same on one line.
//!
//! A [notation](notation::Notation) takes values apart into steps, and [`walk`] runs the steps on a work list for one
//! pass after the other: [`Count`] sees what is met more than once, [`Measure`](measure::Measure) whether parts fit on a
//! line, [`Print`] writes. Nothing recurses.

mod count;
mod debug;
mod json;
mod measure;
mod notation;
mod print;
mod python;
#[cfg(test)]
mod tests;
mod typed;
mod walk;

use std::fmt;
use std::io;

use smallvec::smallvec;

use self::count::Count;
use self::json::Json;
use self::notation::{Notation, Steps};
use self::print::Print;
use self::python::Python;
use crate::graph::{Arena, Entries, Items, Value};

/// A value as text: what [`Value::pretty`] and [`Arena::pretty`] return.
///
/// Python syntax, with plain data as Python's `repr` writes it, so that `ast.literal_eval` reads it back. Dates, paths and
/// other objects of the standard library are written as the Python that makes them, other instances as
/// `module.Name(arguments)` with the items and the state that they were given. A value that several places share, or that
/// holds itself, is written once, as `&1 value`, and is `*1` from then on: what is written never grows faster than the
/// graph, but for payloads that are shared.
///
/// Without other word, nesting is followed to 200 levels, 10,000 items are written of a value and 4,096 bytes of a payload;
/// what is left out is counted: `... 3 more`.
///
/// ```
/// let mut graph = picklevm::Graph::new();
/// let point = graph.list([1, 2]);
/// let line = graph.dict([("from", point), ("to", point)])?;
/// graph.set_root(line);
/// let root = graph.root();
/// assert_eq!(root.pretty().to_string(), "{'from': &1 [1, 2], 'to': *1}");
/// assert_eq!(root.pretty().width(20).to_string(), "{\n    'from': &1 [\n        1,\n        2,\n    ],\n    'to': *1,\n}");
/// assert_eq!(root.pretty().max_items(1).to_string(), "{'from': [1, ... 1 more], ... 1 more}");
/// assert_eq!(root.pretty().json().to_string(), r#"{"from":{"$id":1,"$value":[1,2]},"to":{"$ref":1}}"#);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Pretty<'g> {
    roots: Roots<'g>,
    syntax: Syntax,
    bounds: Bounds,
    layout: Layout,
}

/// What is written.
#[derive(Clone, Copy)]
enum Roots<'g> {
    Value(Value<'g>),
    /// What a load made: the root, and the calls that were made for their effect.
    Graph(&'g Arena),
    Items(Items<'g>),
    Entries(Entries<'g>),
}

impl<'g> Roots<'g> {
    fn steps(self, notation: &impl Notation) -> Steps<'g> {
        match self {
            Roots::Value(value) => smallvec![notation::Step::Value(value)],
            Roots::Graph(arena) => notation.roots(arena.root(), arena.effects()),
            Roots::Items(items) => smallvec![notation.list(items)],
            Roots::Entries(pairs) => smallvec![notation.dict(pairs)],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    Python { raw: bool },
    Json,
}

/// How much of a graph is written.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Levels of nesting.
    depth: usize,
    /// Items of a value.
    items: usize,
    /// Bytes of a payload.
    bytes: usize,
    /// Values in all.
    values: usize,
}

impl Bounds {
    /// For people: deeper than Python's own parser reads.
    const PEOPLE: Bounds = Bounds { depth: 200, items: 10_000, bytes: 4096, values: usize::MAX };
    /// All of it.
    const FULL: Bounds = Bounds { depth: usize::MAX, items: usize::MAX, bytes: usize::MAX, values: usize::MAX };
    /// For `Debug`.
    const BRIEF: Bounds = Bounds { depth: 12, items: 200, bytes: 200, values: 200 };
}

/// Lines and columns.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Columns of a line that is not broken.
    width: usize,
    /// Columns a level of nesting.
    indent: usize,
}

impl<'g> Pretty<'g> {
    fn new(roots: Roots<'g>) -> Self {
        let layout = Layout { width: 100, indent: 4 };
        Pretty { roots, syntax: Syntax::Python { raw: false }, bounds: Bounds::PEOPLE, layout }
    }

    /// Little of what is large.
    pub(crate) fn brief(self) -> Self {
        Pretty { bounds: Bounds::BRIEF, ..self }
    }

    /// Calls as the pickle has them, also those of the standard library that read better otherwise.
    ///
    /// ```
    /// let graph = picklevm::loads(b"cdatetime\ndate\n(C\x04\x07\xee\x01\x02tR.")?;
    /// assert_eq!(graph.root().pretty().to_string(), "datetime.date(2030, 1, 2)");
    /// assert_eq!(graph.root().pretty().raw().to_string(), r"datetime.date(b'\x07\xee\x01\x02')");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn raw(self) -> Self {
        Pretty { syntax: Syntax::Python { raw: true }, ..self }
    }

    /// JSON on one line, without [limits](Pretty::full) unless they are set from here on. What JSON cannot say is an object
    /// with a key that begins with `$`.
    #[must_use]
    pub fn json(self) -> Self {
        let layout = Layout { width: usize::MAX, ..self.layout };
        Pretty { syntax: Syntax::Json, bounds: Bounds::FULL, layout, ..self }
    }

    /// All of it, however deep, long and large.
    #[must_use]
    pub fn full(self) -> Self {
        Pretty { bounds: Bounds::FULL, ..self }
    }

    /// How many levels of nesting to follow; 200 by default.
    #[must_use]
    pub fn max_depth(mut self, levels: usize) -> Self {
        self.bounds.depth = levels;
        self
    }

    /// How many items to write of each value; 10,000 by default.
    #[must_use]
    pub fn max_items(mut self, items: usize) -> Self {
        self.bounds.items = items;
        self
    }

    /// How many bytes to write of each text, of bytes, and of an integer (at least 16 of these); 4,096 by default.
    ///
    /// ```
    /// let graph = picklevm::Graph::from("abc".repeat(1000));
    /// assert_eq!(graph.root().pretty().max_bytes(4).to_string(), "'abca'... 2,996 more bytes");
    /// ```
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes;
        self
    }

    /// How many columns a line has before it is broken; 100 by default.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.layout.width = columns;
        self
    }

    /// All on one line.
    #[must_use]
    pub fn one_line(self) -> Self {
        self.width(usize::MAX)
    }

    /// By how many columns nested lines are indented; 4 by default, and never further than column 80.
    #[must_use]
    pub fn indent(mut self, columns: usize) -> Self {
        self.layout.indent = columns;
        self
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_to(&self, out: &mut dyn io::Write) -> io::Result<()> {
        self.write_io(None, out)
    }

    /// Writes it in the colours of a palette.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_colored(&self, palette: &dyn Palette, out: &mut dyn io::Write) -> io::Result<()> {
        self.write_io(Some(palette), out)
    }

    fn write_io(&self, palette: Option<&dyn Palette>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = IoWriter { out, error: None };
        self.write(palette, &mut out).map_err(|_| out.error.unwrap_or(io::ErrorKind::Other.into()))
    }

    fn write(&self, palette: Option<&dyn Palette>, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.syntax {
            Syntax::Python { raw } => self.write_in(Python::new(raw, self.bounds.bytes), palette, out),
            Syntax::Json => self.write_in(Json { bytes: self.bounds.bytes }, palette, out),
        }
    }

    fn write_in(
        &self,
        mut notation: impl Notation,
        palette: Option<&dyn Palette>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        let mut count = Count::new(&notation);
        walk::walk(self.roots.steps(&notation), 0, self.bounds, &mut Vec::new(), &mut count)?;
        let (labels, byte_strings) = count.finish();
        if byte_strings {
            notation.tell_byte_strings();
        }
        let mut print = Print::new(&notation, self.bounds, self.layout, labels, palette, out);
        walk::walk(self.roots.steps(&notation), 0, self.bounds, &mut Vec::new(), &mut print)
    }
}

impl fmt::Display for Pretty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(None, f)
    }
}

/// What will be written, and how.
impl fmt::Debug for Pretty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pretty { syntax, bounds, layout, .. } = self;
        f.debug_struct("Pretty")
            .field("syntax", syntax)
            .field("bounds", bounds)
            .field("layout", layout)
            .finish_non_exhaustive()
    }
}

/// What a piece of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Token {
    /// Brackets, commas, and words of the syntax: never coloured.
    Punctuation,
    /// Text or bytes.
    Text,
    /// A number, another constant, or an object of the standard library.
    Constant,
    /// The name of a class or function.
    Name,
    /// A mark of a shared value: `&1` and `*1`.
    Label,
    /// How much is left out.
    Omission,
}

/// The colours of [`Pretty::write_colored`].
pub trait Palette {
    /// Writes what comes before a token, and takes no room on the line: an escape sequence.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    fn begin(&self, token: Token, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Writes what comes after it.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    fn end(&self, token: Token, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Text for a writer of bytes.
struct IoWriter<'a> {
    out: &'a mut dyn io::Write,
    /// Why `out` failed, which a `fmt::Error` cannot tell.
    error: Option<io::Error>,
}

impl fmt::Write for IoWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

impl<'g> Value<'g> {
    /// The value as text for people: what `picklevm show` prints. See [`Pretty`].
    pub fn pretty(self) -> Pretty<'g> {
        Pretty::new(Roots::Value(self))
    }
}

impl Arena {
    /// What was loaded as text for people: the root, and the [calls](Arena::effects) that were made for their effect. See
    /// [`Pretty`].
    pub fn pretty(&self) -> Pretty<'_> {
        Pretty::new(Roots::Graph(self))
    }
}
