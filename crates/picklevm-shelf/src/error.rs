//! Why a shelf could not be opened, read or written.

use std::{error, fmt};

/// Why a shelf could not be opened, read or written.
///
/// ```
/// use picklevm_shelf::{ErrorKind, Mode, Shelf};
///
/// let error = Shelf::open("no such shelf", Mode::Read).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Database(picklevm_files::ErrorKind::Io));
/// ```
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    key: Option<Vec<u8>>,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Database(picklevm_files::Error),
    Pickle(picklevm::Error),
    #[cfg(feature = "serde")]
    Serde(picklevm::serde::Error),
    Key,
}

/// The kinds of errors there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The database cannot be opened, read or written.
    Database(picklevm_files::ErrorKind),
    /// A value cannot be read from its pickle, or written to it.
    Pickle(picklevm::ErrorKind),
    /// A value is not of the Rust type that was asked for, or cannot be written.
    #[cfg(feature = "serde")]
    Serde(picklevm::serde::ErrorKind),
    /// A key is not text in UTF-8.
    Key,
}

impl Error {
    fn new(cause: Cause) -> Self {
        Error(Box::new(Inner { key: None, cause }))
    }

    #[cold]
    pub(crate) fn no_text(key: &[u8]) -> Self {
        Error::new(Cause::Key).with_key(key)
    }

    /// The same error, of the value of a key.
    #[must_use]
    pub(crate) fn with_key(mut self, key: &[u8]) -> Self {
        self.0.key = Some(key.to_vec());
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match &self.0.cause {
            Cause::Database(error) => ErrorKind::Database(error.kind()),
            Cause::Pickle(error) => ErrorKind::Pickle(error.kind()),
            #[cfg(feature = "serde")]
            Cause::Serde(error) => ErrorKind::Serde(error.kind()),
            Cause::Key => ErrorKind::Key,
        }
    }

    /// The key of the value that it is about, if it is about one.
    pub fn key(&self) -> Option<&[u8]> {
        self.0.key.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.0.key {
            write!(f, "key \"{}\": ", key.escape_ascii())?;
        }
        match &self.0.cause {
            Cause::Database(error) => error.fmt(f),
            Cause::Pickle(error) => error.fmt(f),
            #[cfg(feature = "serde")]
            Cause::Serde(error) => error.fmt(f),
            Cause::Key => f.write_str("the key is not text in UTF-8; `raw_keys` has the keys as bytes"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind()).field("message", &self.to_string()).finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0.cause {
            Cause::Database(error) => Some(error),
            Cause::Pickle(error) => Some(error),
            #[cfg(feature = "serde")]
            Cause::Serde(error) => Some(error),
            Cause::Key => None,
        }
    }
}

impl From<picklevm_files::Error> for Error {
    fn from(error: picklevm_files::Error) -> Self {
        Error::new(Cause::Database(error))
    }
}

impl From<picklevm::Error> for Error {
    fn from(error: picklevm::Error) -> Self {
        Error::new(Cause::Pickle(error))
    }
}

#[cfg(feature = "serde")]
impl From<picklevm::serde::Error> for Error {
    fn from(error: picklevm::serde::Error) -> Self {
        Error::new(Cause::Serde(error))
    }
}
