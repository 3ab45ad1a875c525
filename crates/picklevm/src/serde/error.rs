//! Errors of reading and writing Rust types.

use std::borrow::Cow;
use std::fmt::{self, Display};

use ::serde::{de, ser};

use crate::path::{Path, Step};

/// The result of reading and writing Rust types.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Error of reading a value into a Rust type, or of writing a Rust value.
///
/// One word wide. Match on [`kind`](Error::kind); [`path`](Error::path) is the place in the data; `Display` prints one line.
///
/// ```
/// #[derive(serde::Deserialize, Debug)]
/// struct Customer {
///     name: String,
/// }
///
/// // [{'name': 5}]
/// let error = picklevm::serde::from_slice::<Vec<Customer>>(b"\x80\x04]}\x8c\x04nameK\x05sa.").unwrap_err();
/// assert_eq!(error.kind(), picklevm::serde::ErrorKind::Type);
/// assert_eq!(error.path(), "[0].name".parse()?);
/// assert_eq!(error.to_string(), "[0].name: expected a string, found integer `5`");
/// # Ok::<(), picklevm::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// `None` if `found` is the whole message.
    expected: Option<Cow<'static, str>>,
    found: Cow<'static, str>,
    source: Option<crate::Error>,
    /// Innermost step first; `None` for the step to a value that is read in place of another one.
    path: Vec<Option<Step>>,
    /// Length of the path, from the root, to the value where the cycle starts.
    closes: usize,
}

/// Kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The pickle could not be read or written, or Python cannot hash a key. The error's source is a
    /// [`picklevm::Error`](crate::Error).
    Pickle,
    /// The value has another type than the Rust type expects.
    Type,
    /// The value has the right type, but the Rust type does not accept it, such as an integer out of range.
    Value,
    /// A sequence is too short or too long.
    Length,
    /// The enum has no variant of this name.
    UnknownVariant,
    /// A struct that denies unknown fields has an unknown field.
    UnknownField,
    /// A field is missing.
    MissingField,
    /// A field is present twice.
    DuplicateField,
    /// A value contains itself.
    Cycle,
    /// The data is nested deeper than [`Config::depth`](super::Config::depth).
    Depth,
    /// Reading shared values again exceeded [`Limits::shared`](crate::Limits::shared).
    Limit,
    /// An error message of a `Serialize` or `Deserialize` implementation.
    Custom,
}

impl Error {
    #[cold]
    #[inline(never)]
    fn with_message(kind: ErrorKind, message: String, source: Option<crate::Error>) -> Error {
        Error(Box::new(Inner { kind, expected: None, found: message.into(), source, path: Vec::new(), closes: 0 }))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn new(
        kind: ErrorKind,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Error {
        let (expected, found) = (Some(expected.into()), found.into());
        Error(Box::new(Inner { kind, expected, found, source: None, path: Vec::new(), closes: 0 }))
    }

    /// Error for a value that contains itself. The cycle starts `closes` levels below the root.
    #[cold]
    #[inline(never)]
    pub(super) fn cycle(closes: usize) -> Error {
        let mut error = Error::new(ErrorKind::Cycle, "data without cycles", "");
        error.0.closes = closes;
        error
    }

    /// Adds an outer step to the path.
    #[cold]
    #[inline(never)]
    pub(super) fn under(mut self, step: Step) -> Error {
        self.0.path.push(Some(step));
        self
    }

    /// Adds the step to a value that is read in place of another one, which the path does not name.
    #[cold]
    #[inline(never)]
    pub(super) fn inside(mut self) -> Error {
        self.0.path.push(None);
        self
    }

    /// Replaces the name of the found value, if the error is about this value itself.
    #[cold]
    #[inline(never)]
    pub(super) fn found_here(mut self, name: impl FnOnce() -> String) -> Error {
        if self.0.kind == ErrorKind::Type && self.0.path.is_empty() {
            self.0.found = name().into();
        }
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the path to the value, such as `[3].customer.name`. Empty for the root.
    pub fn path(&self) -> Path {
        self.path_from(0)
    }

    /// Returns the path without its innermost `inner` steps.
    fn path_from(&self, inner: usize) -> Path {
        self.0.path[inner..].iter().rev().flatten().cloned().collect::<Vec<_>>().into()
    }

    /// Returns what was expected, if the error is about a value.
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// Returns what was found, if the error is about a value.
    pub fn found(&self) -> Option<&str> {
        (self.0.expected.is_some() && self.0.kind != ErrorKind::Cycle).then_some(&self.0.found)
    }

    /// Returns the path to the start of the cycle, for an error of kind [`Cycle`](ErrorKind::Cycle).
    pub fn cycle_start(&self) -> Option<Path> {
        let from = self.0.path.len().saturating_sub(self.0.closes);
        (self.0.kind == ErrorKind::Cycle).then(|| self.path_from(from))
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.path.iter().any(Option::is_some) {
            write!(f, "{:#}: ", self.path())?;
        }
        match (&self.0.expected, self.cycle_start()) {
            (Some(expected), Some(start)) => {
                let place = if start.is_root() { "the root".to_owned() } else { format!("{start:#}") };
                write!(f, "expected {expected}, found {place} again")
            }
            (Some(expected), None) => write!(f, "expected {expected}, found {}", self.0.found),
            (None, _) => f.write_str(&self.0.found),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("path", &format_args!("\"{:#}\"", self.path()))
            .field("message", &self.to_string())
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source as _)
    }
}

impl From<crate::Error> for Error {
    #[cold]
    #[inline(never)]
    fn from(error: crate::Error) -> Error {
        Error::with_message(ErrorKind::Pickle, error.to_string(), Some(error))
    }
}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Error {
        Error::with_message(ErrorKind::Custom, message.to_string(), None)
    }
}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Error {
        Error::with_message(ErrorKind::Custom, message.to_string(), None)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Error {
        Error::new(ErrorKind::Type, expected.to_string(), unexpected(found))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Error {
        Error::new(ErrorKind::Value, expected.to_string(), unexpected(found))
    }

    fn invalid_length(len: usize, expected: &dyn de::Expected) -> Error {
        Error::new(ErrorKind::Length, expected.to_string(), format!("length {len}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Error {
        Error::new(ErrorKind::UnknownVariant, one_of("variant", expected), format!("`{}`", shorten(variant)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Error {
        Error::new(ErrorKind::UnknownField, one_of("field", expected), format!("`{}`", shorten(field)))
    }

    fn missing_field(field: &'static str) -> Error {
        Error::new(ErrorKind::MissingField, format!("a field `{field}`"), "none")
    }

    fn duplicate_field(field: &'static str) -> Error {
        Error::new(ErrorKind::DuplicateField, format!("one field `{field}`"), "another")
    }
}

/// Error for data nested deeper than the limit.
#[cold]
#[inline(never)]
pub(super) fn too_deep(depth: usize) -> Error {
    Error::new(ErrorKind::Depth, format!("at most {depth} nested values (Config::depth)"), "more")
}

/// Describes the value that serde found.
fn unexpected(found: de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Unit => "None".to_owned(),
        de::Unexpected::Str(text) => format!("string {:?}", shorten(text)),
        de::Unexpected::Other(text) => text.to_owned(),
        // Only the token of such an instance is one.
        de::Unexpected::NewtypeStruct => "an instance that only a Graph or serde::Instance reads".to_owned(),
        other => other.to_string(),
    }
}

fn one_of(what: &str, names: &[&str]) -> String {
    match names {
        [] => format!("no {what}"),
        names => format!("{what} `{}`", names.join("` or `")),
    }
}

/// Shortens text to fit a line.
fn shorten(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
