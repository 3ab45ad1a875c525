//! The error of reading ops: a mark without content, so that results stay small. The thread keeps the last error itself.
//!
//! It is another type than that of the graph reader, as what serde buffers from ops has not been recorded.

use std::cell::RefCell;
use std::fmt::{self, Display};

use ::serde::de;

use crate::serde::error::Error;

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The last error of the innermost call on this thread.
#[derive(Default)]
struct Last {
    error: Option<Error>,
    /// Number of errors. After the first, it is not known which of them the type returns.
    count: usize,
    /// Whether the text of one of several was asked for.
    is_unsure: bool,
}

thread_local! {
    static LAST: RefCell<Last> = RefCell::default();
}

/// A call, during which the errors of the call around it are put aside, if there are any.
pub(super) struct Call(Option<Box<Last>>);

impl Call {
    pub(super) fn start() -> Call {
        Call(LAST.with_borrow_mut(|last| (last.count > 0).then(|| Box::new(std::mem::take(last)))))
    }

    /// Returns the error of a type that failed. `None` if it is not known.
    pub(super) fn error(&self) -> Option<Error> {
        LAST.with_borrow_mut(|last| if last.count == 1 { last.error.take() } else { None })
    }

    pub(super) fn is_unsure(&self) -> bool {
        LAST.with_borrow(|last| last.is_unsure)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let outer = self.0.take();
        let is_changed = outer.is_some() || LAST.with_borrow(|last| last.count > 0);
        if is_changed {
            // Dropped while the errors are not borrowed.
            drop(LAST.replace(outer.map(|outer| *outer).unwrap_or_default()));
        }
    }
}

pub(super) struct Failure(());

impl Failure {
    #[cold]
    #[inline(never)]
    pub(super) fn new(error: Error) -> Failure {
        let before = LAST.with_borrow_mut(|last| {
            last.count += 1;
            last.error.replace(error)
        });
        drop(before);
        Failure(())
    }

    /// Changes the last error.
    pub(super) fn map(self, change: impl FnOnce(Error) -> Error) -> Failure {
        LAST.with_borrow_mut(|last| last.error = last.error.take().map(change));
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LAST.with_borrow_mut(|last| {
            last.is_unsure |= last.count > 1;
            last.error.as_ref().map_or(Ok(()), |error| error.fmt(f))
        })
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LAST.with_borrow_mut(|last| {
            last.is_unsure |= last.count > 1;
            last.error.as_ref().map_or(Ok(()), |error| fmt::Debug::fmt(error, f))
        })
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Failure::new(Error::custom(message))
    }

    #[cold]
    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Failure::new(Error::invalid_type(found, expected))
    }

    #[cold]
    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Failure::new(Error::invalid_value(found, expected))
    }

    #[cold]
    fn invalid_length(len: usize, expected: &dyn de::Expected) -> Self {
        Failure::new(Error::invalid_length(len, expected))
    }

    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Failure::new(Error::unknown_variant(variant, expected))
    }

    #[cold]
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Failure::new(Error::unknown_field(field, expected))
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Failure::new(Error::missing_field(field))
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Failure::new(Error::duplicate_field(field))
    }
}
