//! Objects of Python's standard library as the strings that Rust crates parse.

use std::fmt::Display;

use crate::graph::InstanceView;
use crate::python::{Class, IpKind};
use crate::typed::signature::real_of_object;
use crate::typed::{
    Date, DateTime, Decimal, FlagNames, Fraction, IpAddress, IpInterface, IpNetwork, Path, Time, TimeDelta, TimeZone,
    Uuid, ZoneInfo,
};

/// Returns the string form of an instance, if its class has one.
pub(crate) fn text(instance: &InstanceView<'_>) -> Option<String> {
    fn written(view: Option<impl Display>) -> Option<String> {
        view.map(|view| view.to_string())
    }
    match instance.result_class() {
        Class::Date => written(Date::of(instance)),
        Class::Time => written(Time::of(instance)),
        Class::DateTime => written(DateTime::of(instance)),
        Class::Decimal => Decimal::of(instance).map(|decimal| decimal.as_str().to_owned()),
        Class::Fraction => written(Fraction::of(instance)),
        Class::TimeDelta => written(TimeDelta::of(instance)),
        Class::TimeZone => written(TimeZone::of(instance)),
        Class::Uuid => written(Uuid::of(instance)),
        Class::Path(_) => written(Path::of(instance)),
        Class::Ip(class) => match class.kind {
            IpKind::Address => written(IpAddress::of(instance)),
            IpKind::Network => written(IpNetwork::of(instance)),
            IpKind::Interface => written(IpInterface::of(instance)),
        },
        Class::ZoneInfo | Class::ZoneInfoUncached | Class::ZoneInfoUnpickle => written(ZoneInfo::of(instance)),
        Class::BitOr => written(FlagNames::of(instance)),
        _ => None,
    }
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
