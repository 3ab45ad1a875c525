//! Errors, with the path of the value.

use std::fmt;

/// The result of reading or writing data.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why data could not be read, or not be expressed in a format.
///
/// One word wide. [`kind`](Error::kind) is for matching, [`path`](Error::path) says where in the pickle, the `Display`
/// form is one line for people.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    path: String,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The value is something else than what was asked for.
    Type,
    /// The value contradicts itself: a size that does not match, an offset past the end.
    Malformed,
    /// A dtype, a class or a value that is not supported, or that the format cannot express.
    Unsupported,
    /// Data that the pickle refers to are not there.
    Missing,
    /// The result would be larger than the data justify.
    Limit,
    /// Reading or writing failed.
    Io,
}

impl Error {
    /// An error of a kind.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, path: String::new(), message: message.into(), source: None }))
    }

    /// The value is not what was asked for.
    #[cold]
    pub(crate) fn expected(what: &str, found: picklevm::Value<'_>) -> Error {
        Error::new(ErrorKind::Type, format!("expected {what}, found {}", describe(found)))
    }

    /// The value contradicts itself.
    #[cold]
    pub(crate) fn malformed(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Malformed, message)
    }

    /// The library or the format cannot represent the value.
    #[cold]
    pub(crate) fn unsupported(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unsupported, message)
    }

    /// Data that are not there. For implementations of [`Source`](crate::Source).
    #[cold]
    pub fn missing(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Missing, message)
    }

    /// An error of another library.
    #[cold]
    pub(crate) fn other(kind: ErrorKind, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let source = error.into();
        let mut error = Error::new(kind, source.to_string());
        error.0.source = Some(source);
        error
    }

    /// The same error, at a path, unless it knows one.
    #[cold]
    #[must_use]
    pub(crate) fn at(mut self, path: impl fmt::Display) -> Error {
        if self.0.path.is_empty() {
            self.0.path = path.to_string();
        }
        self
    }

    /// The same error, in a part that is named in front of the message.
    #[cold]
    #[must_use]
    pub(crate) fn inside(mut self, part: impl fmt::Display) -> Error {
        self.0.message = format!("{part}: {}", self.0.message);
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the path in the pickle as Python writes it (`['model'][0]`); empty for the root or if it is not known.
    pub fn path(&self) -> &str {
        &self.0.path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.0.path)?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.to_string()).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        // An error of this crate may have come through a writer.
        error.downcast().unwrap_or_else(|error| Error::other(ErrorKind::Io, error))
    }
}

/// A value for an error text: the class of an object, the type of another value.
pub(crate) fn describe(value: picklevm::Value<'_>) -> String {
    match value.kind() {
        picklevm::Kind::Object(_) => match crate::names::class(value).and_then(picklevm::Value::as_global) {
            Some(class) => class.to_string(),
            None => "an object".to_owned(),
        },
        picklevm::Kind::Global(global) => format!("the global {global}"),
        _ => value.type_name().to_owned(),
    }
}
