//! Why a file could not be opened, read or written.

use std::{error, fmt, io};

/// Why a file, or a member of it, could not be opened, read or written.
///
/// ```
/// use picklevm_files::{ErrorKind, Opener};
///
/// let file = Opener::new().bytes("<!DOCTYPE html><html></html>");
/// let error = file.pickles().next().unwrap().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NoPickle);
/// assert!(error.to_string().starts_with("this is an HTML page, not a pickle"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// The member it is about; empty for the file itself.
    member: String,
    offset: Option<u64>,
    message: String,
    hint: Option<String>,
    limit: Option<Limit>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

/// The kinds of errors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file is something else than a pickle or a container of pickles, or a container without any.
    NoPickle,
    /// A container is damaged: its checksums or lengths are wrong.
    Damaged,
    /// The file ends before what is in it does.
    Truncated,
    /// A pickle cannot be decoded.
    Pickle,
    /// Line ends of a pickle of protocol 0 were converted.
    LineEnds,
    /// A member is encrypted.
    Encrypted,
    /// A feature of a format that is not supported, or a compression that is not compiled in.
    Unsupported,
    /// A container cannot be written back with what is to change.
    ReadOnly,
    /// Another program writes the database.
    Locked,
    /// A limit of [`FileLimits`](crate::FileLimits) was reached.
    Limit,
    /// The file could not be read.
    Io,
    /// What is written back could not be written.
    Write,
}

/// A field of [`FileLimits`](crate::FileLimits): which limit an [`Error`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`FileLimits::expanded`](crate::FileLimits::expanded).
    Expanded,
    /// [`FileLimits::ratio`](crate::FileLimits::ratio).
    Ratio,
    /// [`FileLimits::depth`](crate::FileLimits::depth).
    Depth,
    /// [`FileLimits::members`](crate::FileLimits::members).
    Members,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        let (member, offset, hint, limit, source) = (String::new(), None, None, None, None);
        Error(Box::new(Inner { kind, member, offset, message, hint, limit, source }))
    }

    /// A limit was reached.
    #[cold]
    pub(crate) fn limit(limit: Limit, message: String) -> Self {
        let mut new = Error::new(ErrorKind::Limit, message);
        new.0.limit = Some(limit);
        new
    }

    /// A container of this format is damaged.
    #[cold]
    pub(crate) fn damaged(format: &str, what: impl fmt::Display) -> Self {
        Error::new(ErrorKind::Damaged, format!("the {format} is damaged: {what}"))
    }

    #[cold]
    pub(crate) fn io(what: &str, error: io::Error) -> Self {
        let mut new = Error::new(ErrorKind::Io, format!("{what}: {error}"));
        new.0.source = Some(Box::new(error));
        new
    }

    #[cold]
    pub(crate) fn write(error: io::Error) -> Self {
        let mut new = Error::io("cannot write", error);
        new.0.kind = ErrorKind::Write;
        new
    }

    /// The pickle that begins at `start` of its member cannot be decoded.
    #[cold]
    pub(crate) fn pickle(start: u64, error: picklevm_ops::Error) -> Self {
        if error.kind() == picklevm_ops::ErrorKind::Io {
            return Error::io("cannot read", io::Error::other(error));
        }
        let opcode = error.opcode().map_or(String::new(), |opcode| format!("{opcode}: "));
        let message = format!("{opcode}expected {}, found {}", error.expected(), error.found());
        let mut new = Error::new(ErrorKind::Pickle, message);
        new.0.offset = Some(start + error.offset());
        new.0.source = Some(Box::new(error));
        new
    }

    /// The same error, of a member.
    #[must_use]
    pub(crate) fn in_member(mut self, path: &str) -> Self {
        if self.0.member.is_empty() {
            self.0.member = path.to_owned();
        }
        self
    }

    /// The same error, with what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error, with where it is.
    #[must_use]
    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.0.offset = Some(offset);
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns which of the [`FileLimits`](crate::FileLimits) was reached.
    ///
    /// ```
    /// use picklevm_files::{FileLimits, Limit, Opener};
    ///
    /// let file = Opener::new().limits(FileLimits::default().expanded(0)).bytes("gAJLAS5OTk5OTg==");
    /// assert_eq!(file.pickles().next().unwrap().unwrap_err().exceeded(), Some(Limit::Expanded));
    /// ```
    pub fn exceeded(&self) -> Option<Limit> {
        self.0.limit
    }

    /// The path of the member that it is about; empty for the file itself.
    pub fn member(&self) -> &str {
        &self.0.member
    }

    /// Returns the offset in the member, if it is known.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Returns what the user can do about it.
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { member, offset, message, hint, .. } = &*self.0;
        if !member.is_empty() {
            write!(f, "{member}: ")?;
        }
        if let Some(offset) = offset {
            write!(f, "offset {offset}: ")?;
        }
        f.write_str(message)?;
        match hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.to_string()).finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|error| error as _)
    }
}

/// The error of the system where that is all it is; otherwise one of the kind `Other` with this one in it.
impl From<Error> for io::Error {
    fn from(mut error: Error) -> io::Error {
        if error.0.member.is_empty()
            && let Some(source) = error.0.source.take()
        {
            match source.downcast::<io::Error>() {
                Ok(source) => return *source,
                Err(source) => error.0.source = Some(source),
            }
        }
        io::Error::other(error)
    }
}
