//! Objects of Python's standard library as the strings that Rust crates parse.

use std::fmt::Display;

use crate::graph::InstanceView;
use crate::python::Class;
use crate::typed::{Date, DateTime, IpAddress, Path, Time, TimeDelta, TimeZone, Uuid};

/// Returns the string form of an instance, if its class has one.
pub(crate) fn text(instance: &InstanceView<'_>) -> Option<String> {
    fn written(view: Option<impl Display>) -> Option<String> {
        view.map(|view| view.to_string())
    }
    match instance.known {
        Class::Date => written(Date::of(instance)),
        Class::Time => written(Time::of(instance)),
        Class::DateTime => written(DateTime::of(instance)),
        Class::TimeDelta => written(TimeDelta::of(instance)),
        Class::TimeZone => written(TimeZone::of(instance)),
        Class::Uuid => written(Uuid::of(instance)),
        Class::Path(_) => written(Path::of(instance)),
        Class::Ip(_) => written(IpAddress::of(instance)),
        _ => None,
    }
}

/// Returns seconds and nanoseconds of a `timedelta`, for `std::time::Duration`.
pub(crate) fn parts(instance: &InstanceView<'_>) -> Option<(i64, u32)> {
    let delta = TimeDelta::of(instance)?;
    Some((delta.total_seconds(), delta.microseconds() * 1000))
}

/// Returns the seconds of a `timedelta` as a float.
pub(crate) fn seconds(instance: &InstanceView<'_>) -> Option<f64> {
    let (seconds, nanos) = parts(instance)?;
    Some(seconds as f64 + f64::from(nanos) / 1e9)
}
