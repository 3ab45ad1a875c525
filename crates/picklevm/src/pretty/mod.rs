//! Values as text: in Python syntax or as JSON, on one line or on several.
//!
//! `picklevm show` prints [`Value::pretty`]; `Display` and `Debug` of values are the same on one line.
//!
//! A notation splits values into steps, and `walk` runs the steps on a work list for each pass: `Count` finds values that
//! occur more than once, `Measure` tests whether parts fit on a line, and `Print` writes. Nothing recurses.

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
use crate::graph::{Arena, Entries, Items, NodeIndex, Unmemoized, Value};

/// Formats a value as text. Returned by [`Value::pretty`] and [`Arena::pretty`].
///
/// The default is Python syntax. Plain data is written like Python's `repr`, so that `ast.literal_eval` can parse it.
/// Dates, paths and other objects of the standard library are written as Python expressions that create them, other
/// instances as `module.Name(arguments)` with their items and state. A shared or recursive value is written once, as
/// `&1 value`, and as `*1` from then on: apart from shared payloads, the output never grows faster than the graph.
///
/// By default, output is limited to 200 levels of nesting, 10,000 items of each value and 4,096 bytes of each payload.
/// Omitted parts are counted: `... 3 more`.
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
    objects: Option<Objects>,
}

/// How objects of other packages are written: see [`Pretty::objects`].
#[derive(Clone, Copy)]
struct Objects {
    claims: fn(Value<'_>) -> bool,
    write: notation::Write,
}

/// The values to write.
#[derive(Clone, Copy)]
enum Roots<'g> {
    Value(Value<'g>),
    /// The root of a graph, and the calls made for their effect.
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

    /// Returns which values of a whole graph cPickle left out of its memo, if that is known.
    fn unmemoized(self) -> Option<Unmemoized> {
        let Roots::Graph(arena) = self else { return None };
        Unmemoized::of(arena, NodeIndex::new(arena), arena.root().cell(), arena.effects().cells())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    Python { raw: bool },
    Json,
}

/// Limits of the output.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Maximum levels of nesting.
    depth: usize,
    /// Maximum items of each value.
    items: usize,
    /// Maximum bytes of each payload.
    bytes: usize,
    /// Maximum number of values.
    values: usize,
}

impl Bounds {
    /// The default. Deeper than Python's own parser supports.
    const DEFAULT: Bounds = Bounds { depth: 200, items: 10_000, bytes: 4096, values: usize::MAX };
    /// No limits.
    const FULL: Bounds = Bounds { depth: usize::MAX, items: usize::MAX, bytes: usize::MAX, values: usize::MAX };
    /// Whether there are none.
    fn is_full(self) -> bool {
        [self.depth, self.items, self.bytes, self.values] == [usize::MAX; 4]
    }

    /// For `Debug`.
    const BRIEF: Bounds = Bounds { depth: 12, items: 200, bytes: 200, values: 200 };
}

/// Lines and columns.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Maximum columns of a line.
    width: usize,
    /// Columns per level of nesting.
    indent: usize,
}

impl<'g> Pretty<'g> {
    fn new(roots: Roots<'g>) -> Self {
        let layout = Layout { width: 100, indent: 4 };
        Pretty { roots, syntax: Syntax::Python { raw: false }, bounds: Bounds::DEFAULT, layout, objects: None }
    }

    /// Sets the limits of `Debug`.
    pub(crate) fn brief(self) -> Self {
        Pretty { bounds: Bounds::BRIEF, ..self }
    }

    /// Writes calls as the pickle encodes them, including those of standard library objects.
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

    /// Writes the objects for which `claims` returns `true` by `write`: those of a package that a program knows. Has no effect
    /// with [`raw`](Pretty::raw) and [`json`](Pretty::json).
    ///
    /// ```
    /// let mut graph = picklevm::Graph::new();
    /// let point = graph.instance("geometry", "Point").attr("x", 1).build()?;
    /// graph.set_root([point]);
    /// let pretty = graph.root().pretty().objects(
    ///     |value| value.as_object().is_some_and(|object| object.is_instance("geometry", "Point")),
    ///     |value, out| write!(out, "Point at {}", value.attr("x").and_then(|x| x.as_i64()).unwrap_or_default()),
    /// );
    /// assert_eq!(pretty.to_string(), "[Point at 1]");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    #[must_use]
    pub fn objects(
        self,
        claims: fn(Value<'_>) -> bool,
        write: fn(Value<'_>, &mut dyn fmt::Write) -> fmt::Result,
    ) -> Self {
        Pretty { objects: Some(Objects { claims, write }), ..self }
    }

    /// Writes JSON on one line and removes all [limits](Pretty::full); limits set afterwards apply. Values without a
    /// JSON equivalent are objects with a key that begins with `$`.
    #[must_use]
    pub fn json(self) -> Self {
        let layout = Layout { width: usize::MAX, ..self.layout };
        Pretty { syntax: Syntax::Json, bounds: Bounds::FULL, layout, ..self }
    }

    /// Removes all limits.
    #[must_use]
    pub fn full(self) -> Self {
        Pretty { bounds: Bounds::FULL, ..self }
    }

    /// Sets the maximum number of levels of nesting. Default: 200.
    #[must_use]
    pub fn max_depth(mut self, levels: usize) -> Self {
        self.bounds.depth = levels;
        self
    }

    /// Sets the maximum number of items of each value. Default: 10,000.
    #[must_use]
    pub fn max_items(mut self, items: usize) -> Self {
        self.bounds.items = items;
        self
    }

    /// Sets the maximum number of bytes of each text, bytes or integer (at least 16 for integers). Default: 4,096.
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

    /// Sets the maximum number of columns of a line. Default: 100.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.layout.width = columns;
        self
    }

    /// Writes everything on one line.
    #[must_use]
    pub fn one_line(self) -> Self {
        self.width(usize::MAX)
    }

    /// Sets the number of columns per level of indentation, up to column 80. Default: 4.
    #[must_use]
    pub fn indent(mut self, columns: usize) -> Self {
        self.layout.indent = columns;
        self
    }

    /// Writes the text to `out`.
    ///
    /// # Errors
    ///
    /// Errors of `out`.
    pub fn write_to(&self, out: &mut dyn io::Write) -> io::Result<()> {
        self.write_io(None, out)
    }

    /// Writes the text to `out` in the colours of a palette.
    ///
    /// # Errors
    ///
    /// Errors of `out`.
    pub fn write_colored(&self, palette: &dyn Palette, out: &mut dyn io::Write) -> io::Result<()> {
        self.write_io(Some(palette), out)
    }

    fn write_io(&self, palette: Option<&dyn Palette>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = IoWriter { out, error: None };
        self.write(palette, &mut out).map_err(|_| out.error.unwrap_or(io::ErrorKind::Other.into()))
    }

    fn write(&self, palette: Option<&dyn Palette>, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.syntax {
            Syntax::Python { raw } => self.write_in(Python::new(raw, self.bounds.bytes, self.objects), palette, out),
            Syntax::Json => {
                // What is cut off is never read back.
                let unmemoized = self.bounds.is_full().then(|| self.roots.unmemoized()).flatten();
                self.write_in(Json::new(self.bounds.bytes, unmemoized), palette, out)
            }
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
            notation.set_has_byte_strings();
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

/// Writes the options.
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

/// Kinds of text that a [`Palette`] can colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Token {
    /// Brackets, commas and keywords; never coloured.
    Punctuation,
    /// Text or bytes.
    Text,
    /// Text or bytes as the key of a dict.
    Key,
    /// A number, another constant, or an object of the standard library.
    Constant,
    /// Name of a class or function.
    Name,
    /// Label of a shared value: `&1` and `*1`.
    Label,
    /// Number of omitted parts.
    Omission,
}

/// The colours of [`Pretty::write_colored`].
pub trait Palette {
    /// Writes text before a token, such as an escape sequence. It does not count towards the line width.
    ///
    /// # Errors
    ///
    /// Errors of `out`.
    fn begin(&self, token: Token, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Writes text after a token.
    ///
    /// # Errors
    ///
    /// Errors of `out`.
    fn end(&self, token: Token, out: &mut dyn fmt::Write) -> fmt::Result;
}

/// Adapts an `io::Write` to `fmt::Write`.
struct IoWriter<'a> {
    out: &'a mut dyn io::Write,
    /// The error of `out`, which `fmt::Error` cannot hold.
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
    /// Formats the value as text, as `picklevm show` prints it. See [`Pretty`].
    pub fn pretty(self) -> Pretty<'g> {
        Pretty::new(Roots::Value(self))
    }
}

impl Arena {
    /// Formats the root, and the [calls](Arena::effects) made for their effect, as text. See [`Pretty`].
    pub fn pretty(&self) -> Pretty<'_> {
        Pretty::new(Roots::Graph(self))
    }
}
