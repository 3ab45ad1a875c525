//! Conversions to and from the types of `chrono`.
//!
//! Naive types convert only to and from times without a time zone: nothing is dropped silently.

use ::chrono::{self, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Timelike, Utc};

use super::{Date, DateTime, Time, TimeDelta, TimeZone};
use crate::error::{Error, ErrorKind, Result};

#[cold]
fn out_of_range(expected: &'static str, found: impl ToString) -> Error {
    Error::new(ErrorKind::OutOfRange, expected, found.to_string())
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1 or after 9999.
impl TryFrom<NaiveDate> for Date {
    type Error = Error;

    fn try_from(date: NaiveDate) -> Result<Date> {
        let year = u16::try_from(date.year()).map_err(|_| out_of_range("a year from 1 to 9999", date))?;
        Date::new(year, date.month() as u8, date.day() as u8)
    }
}

impl From<Date> for NaiveDate {
    fn from(date: Date) -> NaiveDate {
        let found = NaiveDate::from_ymd_opt(date.year().into(), date.month().into(), date.day().into());
        found.unwrap_or_default() // `chrono` supports every date that Python does.
    }
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for a leap second.
impl TryFrom<NaiveTime> for Time<'_> {
    type Error = Error;

    fn try_from(time: NaiveTime) -> Result<Self> {
        Time::new(time.hour() as u8, time.minute() as u8, time.second() as u8, time.nanosecond() / 1000)
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has a time zone.
impl TryFrom<Time<'_>> for NaiveTime {
    type Error = Error;

    fn try_from(time: Time<'_>) -> Result<NaiveTime> {
        let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(u32::from);
        let naive = NaiveTime::from_hms_micro_opt(hour, minute, second, time.microsecond());
        naive.filter(|_| time.zone().is_none()).ok_or_else(|| out_of_range("a time without a time zone", time))
    }
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1 or after 9999, and for a leap second.
impl TryFrom<NaiveDateTime> for DateTime<'_> {
    type Error = Error;

    fn try_from(time: NaiveDateTime) -> Result<Self> {
        Ok(DateTime::new(time.date().try_into()?, time.time().try_into()?))
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has a time zone.
impl TryFrom<DateTime<'_>> for NaiveDateTime {
    type Error = Error;

    fn try_from(time: DateTime<'_>) -> Result<NaiveDateTime> {
        Ok(NaiveDate::from(time.date()).and_time(time.time().try_into()?))
    }
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1 or after 9999, and for a leap second.
impl TryFrom<chrono::DateTime<FixedOffset>> for DateTime<'_> {
    type Error = Error;

    fn try_from(time: chrono::DateTime<FixedOffset>) -> Result<Self> {
        let naive = DateTime::try_from(time.naive_local())?;
        Ok(DateTime::new(naive.date(), naive.time().with_zone(TimeZone::try_from(*time.offset())?)))
    }
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] for years before 1 or after 9999, and for a leap second.
impl TryFrom<chrono::DateTime<Utc>> for DateTime<'_> {
    type Error = Error;

    fn try_from(time: chrono::DateTime<Utc>) -> Result<Self> {
        time.fixed_offset().try_into()
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has no time zone with a fixed offset in whole seconds.
impl TryFrom<DateTime<'_>> for chrono::DateTime<FixedOffset> {
    type Error = Error;

    fn try_from(time: DateTime<'_>) -> Result<Self> {
        let Some(offset) = time.zone().and_then(|zone| zone.offset()) else {
            return Err(out_of_range("a datetime with a fixed offset from UTC", time));
        };
        let clock = time.time();
        let clock = Time::new(clock.hour(), clock.minute(), clock.second(), clock.microsecond())?;
        let naive = NaiveDateTime::try_from(DateTime::new(time.date(), clock))?;
        let local = FixedOffset::try_from(TimeZone::new(offset)?)?.from_local_datetime(&naive);
        local.single().ok_or_else(|| out_of_range("a datetime that chrono supports", time))
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the value has no time zone with a fixed offset in whole seconds.
impl TryFrom<DateTime<'_>> for chrono::DateTime<Utc> {
    type Error = Error;

    fn try_from(time: DateTime<'_>) -> Result<Self> {
        Ok(chrono::DateTime::<FixedOffset>::try_from(time)?.to_utc())
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] for a day or more, which `chrono` does not produce.
impl TryFrom<FixedOffset> for TimeZone<'_> {
    type Error = Error;

    fn try_from(offset: FixedOffset) -> Result<Self> {
        TimeZone::new(TimeDelta::new(0, offset.local_minus_utc().into(), 0)?)
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if the offset is not in whole seconds.
impl TryFrom<TimeZone<'_>> for FixedOffset {
    type Error = Error;

    fn try_from(zone: TimeZone<'_>) -> Result<FixedOffset> {
        let offset = zone.offset();
        let seconds = i32::try_from(offset.total_seconds()).ok().filter(|_| offset.microseconds() == 0);
        seconds.and_then(FixedOffset::east_opt).ok_or_else(|| out_of_range("an offset of whole seconds", zone))
    }
}

/// Truncates to microseconds.
///
/// # Errors
///
/// [`ErrorKind::OutOfRange`] beyond 999,999,999 days.
impl TryFrom<chrono::TimeDelta> for TimeDelta {
    type Error = Error;

    fn try_from(delta: chrono::TimeDelta) -> Result<TimeDelta> {
        TimeDelta::new(0, delta.num_seconds(), (delta.subsec_nanos() / 1000).into())
    }
}

impl From<TimeDelta> for chrono::TimeDelta {
    fn from(delta: TimeDelta) -> chrono::TimeDelta {
        // `chrono` supports every time delta that Python does.
        chrono::TimeDelta::new(delta.total_seconds(), delta.microseconds() * 1000).unwrap_or_default()
    }
}
