//! Conversions to and from the types of `jiff`.
//!
//! Civil types convert only to and from times without a time zone: nothing is dropped silently.

use ::jiff::civil;
use ::jiff::tz::{self, AmbiguousOffset, Offset};
use ::jiff::{SignedDuration, Timestamp, Zoned};

use super::{Date, DateTime, Time, TimeDelta, TimeZone, Zone, ZoneInfo};
use crate::error::{Error, ErrorKind, Result};

#[cold]
fn out_of_range(expected: &'static str, found: impl ToString) -> Error {
    Error::new(ErrorKind::OutOfRange, expected, found.to_string())
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1.
impl TryFrom<civil::Date> for Date {
    type Error = Error;

    fn try_from(date: civil::Date) -> Result<Date> {
        let year = u16::try_from(date.year()).map_err(|_| out_of_range("a year from 1 to 9999", date))?;
        Date::new(year, date.month() as u8, date.day() as u8)
    }
}

impl From<Date> for civil::Date {
    fn from(date: Date) -> civil::Date {
        // `jiff` supports every date that Python does.
        civil::Date::new(date.year() as i16, date.month() as i8, date.day() as i8).unwrap_or_default()
    }
}

/// Truncates to microseconds.
impl From<civil::Time> for Time<'_> {
    fn from(time: civil::Time) -> Self {
        let micros = time.subsec_nanosecond().unsigned_abs() / 1000;
        // `jiff` times are less than 24 hours.
        Time::new(time.hour() as u8, time.minute() as u8, time.second() as u8, micros).unwrap_or_default()
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has a time zone.
impl TryFrom<Time<'_>> for civil::Time {
    type Error = Error;

    fn try_from(time: Time<'_>) -> Result<civil::Time> {
        if time.zone().is_some() {
            return Err(out_of_range("a time without a time zone", time));
        }
        Ok(civil_time(time))
    }
}

/// Converts the time and ignores its time zone.
fn civil_time(time: Time<'_>) -> civil::Time {
    let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(|part| part as i8);
    civil::Time::new(hour, minute, second, time.microsecond() as i32 * 1000).unwrap_or_default()
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1.
impl TryFrom<civil::DateTime> for DateTime<'_> {
    type Error = Error;

    fn try_from(time: civil::DateTime) -> Result<Self> {
        Ok(DateTime::new(time.date().try_into()?, time.time().into()))
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has a time zone.
impl TryFrom<DateTime<'_>> for civil::DateTime {
    type Error = Error;

    fn try_from(time: DateTime<'_>) -> Result<civil::DateTime> {
        Ok(civil::Date::from(time.date()).to_datetime(time.time().try_into()?))
    }
}

/// Converts to UTC. Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1.
impl TryFrom<Timestamp> for DateTime<'_> {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        let utc = DateTime::try_from(Offset::UTC.to_datetime(time))?;
        Ok(DateTime::new(utc.date(), utc.time().with_zone(TimeZone::UTC)))
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has no time zone; [`ErrorKind::Resolver`], with the error of `jiff`, if it
/// does not find the zone.
impl TryFrom<DateTime<'_>> for Timestamp {
    type Error = Error;

    fn try_from(time: DateTime<'_>) -> Result<Timestamp> {
        Ok(Zoned::try_from(time)?.timestamp())
    }
}

/// Converts times with a fixed offset or an IANA time zone, which `jiff` must find: see its features.
/// [`fold`](DateTime::fold) selects one of two ambiguous times.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has no time zone; [`ErrorKind::Resolver`], with the error of `jiff`, if it
/// does not find the zone.
impl TryFrom<DateTime<'_>> for Zoned {
    type Error = Error;

    fn try_from(time: DateTime<'_>) -> Result<Zoned> {
        let zone = match time.zone().map(|zone| (zone, zone.offset())) {
            Some((_, Some(offset))) => tz::TimeZone::fixed(Offset::try_from(TimeZone::new(offset)?)?),
            Some((Zone::Named(zone), None)) => tz::TimeZone::get(zone.key()).map_err(Error::other)?,
            _ => return Err(out_of_range("a datetime with a fixed offset or an IANA time zone", time)),
        };
        let local = civil::Date::from(time.date()).to_datetime(civil_time(time.time()));
        let ambiguous = zone.to_ambiguous_zoned(local);
        let zoned = if time.fold() { ambiguous.later() } else { ambiguous.earlier() };
        zoned.map_err(Error::other)
    }
}

/// Uses the IANA time zone, or else the offset. Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1.
impl<'g> TryFrom<&'g Zoned> for DateTime<'g> {
    type Error = Error;

    fn try_from(time: &'g Zoned) -> Result<Self> {
        let zone = match time.time_zone().iana_name() {
            Some(name) => ZoneInfo::new(name).into(),
            None => Zone::Fixed(time.offset().try_into()?),
        };
        let civil = DateTime::try_from(time.datetime())?;
        let ambiguous = time.time_zone().to_ambiguous_timestamp(time.datetime()).offset();
        let fold = matches!(ambiguous, AmbiguousOffset::Fold { after, .. } if after == time.offset());
        Ok(DateTime::new(civil.date(), civil.time().with_zone(zone).with_fold(fold)))
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] for a day or more.
impl TryFrom<Offset> for TimeZone<'_> {
    type Error = Error;

    fn try_from(offset: Offset) -> Result<Self> {
        TimeZone::new(TimeDelta::new(0, offset.seconds().into(), 0)?)
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the offset is not in whole seconds.
impl TryFrom<TimeZone<'_>> for Offset {
    type Error = Error;

    fn try_from(zone: TimeZone<'_>) -> Result<Offset> {
        let offset = zone.offset();
        let seconds = i32::try_from(offset.total_seconds()).ok().filter(|_| offset.microseconds() == 0);
        let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok());
        offset.ok_or_else(|| out_of_range("an offset of whole seconds", zone))
    }
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] beyond 999,999,999 days.
impl TryFrom<SignedDuration> for TimeDelta {
    type Error = Error;

    fn try_from(duration: SignedDuration) -> Result<TimeDelta> {
        TimeDelta::new(0, duration.as_secs(), (duration.subsec_nanos() / 1000).into())
    }
}

impl From<TimeDelta> for SignedDuration {
    fn from(delta: TimeDelta) -> SignedDuration {
        SignedDuration::new(delta.total_seconds(), delta.microseconds() as i32 * 1000)
    }
}
