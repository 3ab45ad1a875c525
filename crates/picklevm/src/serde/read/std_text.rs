//! Objects of Python's standard library as the strings that Rust crates parse.

use crate::graph::InstanceView;
use crate::typed::signature::real_of_object;
use crate::typed::{TimeDelta, Typed};

/// Returns the string form of an instance, if its class has one.
pub(crate) fn text(instance: &InstanceView<'_>) -> Option<String> {
    Typed::of(instance)?.to_text()
}

/// Returns seconds and nanoseconds of a `timedelta`, for `std::time::Duration`.
pub(crate) fn parts(instance: &InstanceView<'_>) -> Option<(i64, u32)> {
    let delta = TimeDelta::of(instance)?;
    Some((delta.total_seconds(), delta.microseconds() * 1000))
}

/// Returns the seconds of a `timedelta`, or the value of a `Decimal` or `Fraction`, as a float.
pub(crate) fn float(instance: &InstanceView<'_>) -> Option<f64> {
    match parts(instance) {
        Some((seconds, nanos)) => Some(seconds as f64 + f64::from(nanos) / 1e9),
        None => real_of_object(instance),
    }
}
