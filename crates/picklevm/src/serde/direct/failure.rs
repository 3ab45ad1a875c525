//! The error of reading ops: another type than that of the graph reader, as what serde buffers from ops has not been recorded.

use std::fmt::{self, Display};

use ::serde::de;

use crate::serde::error::Error;

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

#[derive(Debug)]
pub(super) struct Failure(pub(super) Error);

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        Failure(Error::custom(message))
    }

    #[cold]
    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Failure(Error::invalid_type(found, expected))
    }

    #[cold]
    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Failure(Error::invalid_value(found, expected))
    }

    #[cold]
    fn invalid_length(len: usize, expected: &dyn de::Expected) -> Self {
        Failure(Error::invalid_length(len, expected))
    }

    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Failure(Error::unknown_variant(variant, expected))
    }

    #[cold]
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Failure(Error::unknown_field(field, expected))
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Failure(Error::missing_field(field))
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Failure(Error::duplicate_field(field))
    }
}
