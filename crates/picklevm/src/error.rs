//! Errors: kind, position, what was expected and what was found.

use std::borrow::Cow;
use std::{fmt, io};

use picklevm_ops::{self as ops, Opcode};

use crate::steps::{Path, Step};

/// The result of reading or writing pickles.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error from reading or writing a pickle.
///
/// One word wide. Match on [`kind`](Error::kind); [`offset`](Error::offset) and [`opcode`](Error::opcode) say where it
/// happened; `Display` prints one line.
///
/// Corresponds to Python's `PickleError`. `PicklingError` is the kind [`Unrepresentable`](ErrorKind::Unrepresentable),
/// `UnpicklingError` most of the others, `IndexError` [`Stack`](ErrorKind::Stack), and `EOFError`
/// [`End`](ErrorKind::End) or [`Truncated`](ErrorKind::Truncated), which Python does not distinguish.
///
/// ```
/// let error = picklevm::loads(b"\x80\x04]K\x01K\x02e.").unwrap_err();
/// assert_eq!(error.kind(), picklevm::ErrorKind::Stack);
/// assert_eq!(error.offset(), Some(7));
/// assert_eq!(error.to_string(), "offset 7: APPENDS: expected a mark, found none on the stack");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    cause: Cause,
    offset: Option<u64>,
    opcode: Option<Opcode>,
    /// The class or function concerned.
    class: Option<Box<str>>,
    place: Place,
    expected: Cow<'static, str>,
    found: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Position inside a value: steps from the value that failed to the outermost one.
#[derive(Default)]
struct Place {
    steps: Vec<Step>,
    /// How many of the steps are inside of the field that is named with the class.
    inner: usize,
    /// Whether the step after those names that field.
    has_field: bool,
}

impl Place {
    fn path(&self, steps: &[Step]) -> Path {
        steps.iter().rev().cloned().collect::<Vec<_>>().into()
    }

    /// The steps that lead to the instance of the class.
    fn outer(&self) -> Path {
        self.path(self.steps.get(self.inner + usize::from(self.has_field)..).unwrap_or_default())
    }

    /// The steps inside the field of the class.
    fn inner(&self) -> Path {
        self.path(self.steps.get(..self.inner).unwrap_or_default())
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ended where a pickle could have begun: there are no more pickles.
    End,
    /// The input ended inside a pickle.
    Truncated,
    /// A byte that is not an opcode, or an operand that cannot be read.
    Malformed,
    /// An opcode found too few values on the stack, or no mark.
    Stack,
    /// A GET of a memo index that is not set.
    Memo,
    /// An opcode was applied to a value of the wrong type, or a value is not of the requested type.
    Type,
    /// A key, position or attribute does not exist.
    Missing,
    /// A number does not fit the requested type or range.
    OutOfRange,
    /// A dict key or set member that Python cannot hash.
    Unhashable,
    /// One of the [`Limits`](crate::Limits) was exceeded.
    Limit,
    /// A resolver returned an error.
    Resolver,
    /// The stream failed before and cannot continue.
    Broken,
    /// An out-of-band buffer is missing or superfluous.
    Buffer,
    /// A value cannot be written at the chosen protocol.
    Unrepresentable,
    /// The reader or writer failed.
    Io,
}

/// What exactly happened: finer than [`ErrorKind`], where a program needs it to report an error in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Reading or writing an op failed.
    Op(ops::ErrorKind),
    /// An opcode needs a value where the stack has none.
    NoValue {
        /// Whether there is a mark below.
        is_above_mark: bool,
    },
    /// An opcode needs a mark, and there is none.
    NoMark,
    /// An odd number of items where keys and values alternate.
    OddItems,
    /// A GET of this index, which was not stored.
    NotInMemo(u64),
    /// An error that the builder of the machine keeps.
    Foreign,
    /// Something else: see the [kind](Error::kind).
    Other,
}

impl Error {
    /// Creates an error without a position.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(
        kind: ErrorKind,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error(Box::new(Inner {
            kind,
            cause: Cause::Other,
            offset: None,
            opcode: None,
            class: None,
            place: Place::default(),
            expected: expected.into(),
            found: found.into(),
            source: None,
        }))
    }

    /// Creates an error from caller code: a resolver, a native object or a hook. Its kind is
    /// [`Resolver`](ErrorKind::Resolver).
    ///
    /// ```
    /// use picklevm::{Class, Error, Unpickler};
    ///
    /// let unpickler = Unpickler::new().resolver(|_: &str, name: &str| match name {
    ///     "Point" => Ok(Class::Symbolic),
    ///     _ => Err(Error::other(format!("no shape is called {name}"))),
    /// });
    /// let error = unpickler.loads(b"cgeometry\nCube\n.").unwrap_err();
    /// assert_eq!(error.to_string(), "offset 0: GLOBAL: geometry.Cube: no shape is called Cube");
    /// ```
    #[cold]
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let source = error.into();
        let mut error = Error::new(ErrorKind::Resolver, "", source.to_string());
        error.0.source = Some(source);
        error
    }

    /// Creates an error that stands for one that the builder of the [machine](crate::machine) keeps, without a message.
    #[doc(hidden)]
    #[cold]
    #[inline(never)]
    pub fn foreign() -> Error {
        Error::new(ErrorKind::Resolver, "", "an error of the builder").because(Cause::Foreign)
    }

    /// Sets the cause.
    #[cold]
    pub(crate) fn because(mut self, cause: Cause) -> Error {
        self.0.cause = cause;
        self
    }

    /// Adds the class or function, unless the error has one.
    #[cold]
    #[inline(never)]
    pub(crate) fn about(mut self, class: impl FnOnce() -> String) -> Error {
        self.0.class.get_or_insert_with(|| class().into());
        self
    }

    /// Prepends the index of an item to the path.
    #[cold]
    #[inline(never)]
    pub(crate) fn in_item(mut self, index: usize) -> Error {
        self.0.place.steps.push(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)));
        self
    }

    /// Prepends a key to the path. `index` is the key if it is an integer.
    #[cold]
    #[inline(never)]
    pub(crate) fn in_key(mut self, index: Option<i64>, key: impl fmt::Debug) -> Error {
        self.0.place.steps.push(index.map_or_else(|| Step::Key(format!("{key:?}")), Step::Index));
        self
    }

    /// Prepends a field of an instance to the path. The innermost field names the class.
    #[cold]
    #[inline(never)]
    pub(crate) fn in_field(mut self, class: impl fmt::Display, field: &str) -> Error {
        let Inner { class: known, place, .. } = &mut *self.0;
        if known.is_none() {
            (place.inner, place.has_field) = (place.steps.len(), true);
            *known = Some(format!("{class}.{field}").into());
        }
        place.steps.push(Step::Name(field.to_owned()));
        self
    }

    /// Prepends a path.
    #[cold]
    #[inline(never)]
    pub(crate) fn in_path(mut self, path: &Path) -> Error {
        self.0.place.steps.extend(path.steps().iter().rev().cloned());
        self
    }

    /// Adds offset and opcode, unless the error has them.
    #[cold]
    #[inline(never)]
    pub(crate) fn at(mut self, offset: u64, opcode: Option<Opcode>) -> Error {
        self.0.offset.get_or_insert(offset);
        self.0.opcode = self.0.opcode.or(opcode);
        self
    }

    /// Adds `bytes` to the offset: for a pickle that starts at that offset of a file. Does nothing to an error without
    /// an offset.
    ///
    /// ```
    /// let file = b"N.K\x01a.";
    /// let error = picklevm::loads(&file[2..]).unwrap_err().offset_by(2);
    /// assert_eq!(error.offset(), Some(4));
    /// ```
    #[must_use]
    pub fn offset_by(mut self, bytes: u64) -> Error {
        self.0.offset = self.0.offset.map(|offset| offset.saturating_add(bytes));
        // The source error has the offset too.
        self.0.source = self.0.source.map(|source| match source.downcast::<ops::Error>() {
            Ok(error) => Box::new(error.offset_by(bytes)) as _,
            Err(other) => other,
        });
        self
    }

    /// Converts the error of an op that could not be written.
    #[cold]
    #[inline(never)]
    pub(crate) fn unwritable(error: ops::Error) -> Error {
        let is_io = error.kind() == ops::ErrorKind::Io;
        let mut error = Error::from(error);
        if !is_io {
            error.0.kind = ErrorKind::Unrepresentable;
            // The offset is in the output, not in an input.
            error.0.offset = None;
        }
        error
    }

    /// Returns the kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what exactly happened, for programs that answer it in their own words.
    pub fn cause(&self) -> Cause {
        self.0.cause
    }

    /// Returns the offset of the failed opcode in the input, in bytes.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Returns the opcode that failed.
    pub fn opcode(&self) -> Option<Opcode> {
        self.0.opcode
    }

    /// Returns the class or function that caller code was called for, or the class of the native object.
    pub fn class(&self) -> Option<&str> {
        self.0.class.as_deref()
    }

    /// Returns the path inside the value that was converted to or from a Rust type, such as `[3].lines[0].sku`; empty
    /// at its root.
    ///
    /// ```
    /// let error = picklevm::value!({"a": [1, 2, "3"]}).root().at("a").to::<Vec<i64>>().unwrap_err();
    /// assert_eq!(error.path(), "[2]".parse()?);
    /// assert_eq!(error.to_string(), "[2]: expected an integer, found a value of type str");
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn path(&self) -> Path {
        self.0.place.path(&self.0.place.steps)
    }

    /// Returns what was expected; empty in an error of [caller code](Error::other).
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// Returns what was found instead, or the message of caller code.
    pub fn found(&self) -> &str {
        &self.0.found
    }
}

impl From<ops::Error> for Error {
    #[cold]
    fn from(error: ops::Error) -> Error {
        let kind = match error.kind() {
            ops::ErrorKind::End => ErrorKind::End,
            ops::ErrorKind::Truncated => ErrorKind::Truncated,
            ops::ErrorKind::Stack => ErrorKind::Stack,
            ops::ErrorKind::Memo => ErrorKind::Memo,
            ops::ErrorKind::Limit => ErrorKind::Limit,
            ops::ErrorKind::Io => ErrorKind::Io,
            _ => ErrorKind::Malformed,
        };
        Error(Box::new(Inner {
            kind,
            cause: Cause::Op(error.kind()),
            offset: Some(error.offset()),
            opcode: error.opcode(),
            class: None,
            place: Place::default(),
            // A source of ops has only one limit, on its length.
            expected: match kind {
                ErrorKind::Limit => format!("{} (Limits::input)", error.expected()),
                _ => error.expected().to_owned(),
            }
            .into(),
            found: error.found().to_owned().into(),
            source: Some(Box::new(error)),
        }))
    }
}

impl From<io::Error> for Error {
    /// Creates an error of kind [`Io`](ErrorKind::Io) without a position.
    #[cold]
    fn from(error: io::Error) -> Error {
        let mut io = Error::new(ErrorKind::Io, "", error.to_string());
        io.0.source = Some(Box::new(error));
        io
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(offset) = self.0.offset {
            write!(f, "offset {offset}: ")?;
        }
        if let Some(opcode) = self.0.opcode {
            write!(f, "{}: ", opcode.name())?;
        }
        let place = &self.0.place;
        match self.class() {
            Some(class) if place.outer().is_root() => write!(f, "{class}{}: ", place.inner())?,
            Some(class) => write!(f, "{:#}: {class}{}: ", place.outer(), place.inner())?,
            None if place.steps.is_empty() => {}
            None => write!(f, "{:#}: ", self.path())?,
        }
        match self.expected() {
            "" => f.write_str(&self.0.found),
            expected => write!(f, "expected {expected}, found {}", self.0.found),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("offset", &self.0.offset)
            .field("opcode", &self.0.opcode)
            .field("class", &self.0.class)
            .field("path", &format_args!("\"{:#}\"", self.path()))
            .field("expected", &self.0.expected)
            .field("found", &self.0.found)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
