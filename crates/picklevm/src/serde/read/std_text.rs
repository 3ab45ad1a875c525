//! Classes of Python's standard library as the strings by which Rust's crates know them.

use std::fmt::Display;

use crate::typed::class::Class;
use crate::typed::instance::InstanceView;
use crate::typed::{Date, DateTime, IpAddress, Path, Time, TimeDelta, TimeZone, Uuid};

/// The string that an instance reads as, if its class has one.
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

/// Seconds and nanoseconds to be added, if the instance is a time span: what `std::time::Duration` is made of.
pub(crate) fn parts(instance: &InstanceView<'_>) -> Option<(i64, u32)> {
    let delta = TimeDelta::of(instance)?;
    Some((delta.total_seconds(), delta.microseconds() * 1000))
}

/// The number that an instance reads as where a float is asked for: the seconds of a time span.
pub(crate) fn seconds(instance: &InstanceView<'_>) -> Option<f64> {
    let (seconds, nanos) = parts(instance)?;
    Some(seconds as f64 + f64::from(nanos) / 1e9)
}
