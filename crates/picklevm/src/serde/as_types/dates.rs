//! Dates, times and time deltas.

use super::{PythonAs, module, python_as};
use crate::error::Result;
use crate::graph::{Arena, Id, Value};
use crate::protocol::Protocol;
#[cfg(any(feature = "chrono-04", feature = "jiff-02"))]
use crate::typed::{Date, DateTime, Time};
use crate::typed::{Reduce, TimeDelta};

module! {
    /// A field that is a `datetime.datetime`: `#[serde(with = "picklevm::serde::as_datetime")]`.
    ///
    /// Types: `NaiveDateTime`, `DateTime<FixedOffset>` and `DateTime<Utc>` of chrono (feature `chrono-04`),
    /// `civil::DateTime`, `Timestamp` and `Zoned` of jiff (feature `jiff-02`). In other formats it is a string, as Python's
    /// `isoformat` writes it.
    ///
    #[cfg_attr(feature = "chrono-04", doc = "```")]
    #[cfg_attr(not(feature = "chrono-04"), doc = "```ignore")]
    /// use chrono::NaiveDateTime;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Event {
    ///     #[serde(with = "picklevm::serde::as_datetime")]
    ///     when: NaiveDateTime,
    /// }
    ///
    /// let event = Event { when: "2030-01-02T03:04:05".parse()? };
    /// let graph = picklevm::serde::to_graph(&event)?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'when': datetime.datetime(2030, 1, 2, 3, 4, 5)}");
    /// assert_eq!(picklevm::serde::from_value::<Event>(graph.root())?.when, event.when);
    /// assert_eq!(serde_json::to_string(&event)?, r#"{"when":"2030-01-02T03:04:05"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    as_datetime: DateTime
}

module! {
    /// A field that is a `datetime.date`: `#[serde(with = "picklevm::serde::as_date")]`.
    ///
    /// Types: chrono's `NaiveDate` (feature `chrono-04`), jiff's `civil::Date` (feature `jiff-02`). In other formats it is a
    /// string such as `2030-01-02`.
    as_date: Date
}

module! {
    /// A field that is a `datetime.time`: `#[serde(with = "picklevm::serde::as_time")]`.
    ///
    /// Types: chrono's `NaiveTime` (feature `chrono-04`), jiff's `civil::Time` (feature `jiff-02`). In other formats it is a
    /// string such as `03:04:05`.
    as_time: Time
}

module! {
    /// A field that is a `datetime.timedelta`: `#[serde(with = "picklevm::serde::as_timedelta")]`.
    ///
    /// Types: `std::time::Duration`, chrono's `TimeDelta` (feature `chrono-04`), jiff's `SignedDuration` (feature `jiff-02`).
    /// In other formats it is a string of seconds, such as `90.5`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Task {
    ///     #[serde(with = "picklevm::serde::as_timedelta")]
    ///     timeout: Option<Duration>,
    /// }
    ///
    /// let task = Task { timeout: Some(Duration::from_millis(90_500)) };
    /// let graph = picklevm::serde::to_graph(&task)?;
    /// assert_eq!(format!("{:?}", graph.root()), "{'timeout': datetime.timedelta(seconds=90, microseconds=500000)}");
    /// assert_eq!(picklevm::serde::from_value::<Task>(graph.root())?.timeout, task.timeout);
    /// assert_eq!(serde_json::to_string(&task)?, r#"{"timeout":"90.5"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    as_timedelta: Delta
}

/// Returns the seconds as text.
fn seconds(delta: TimeDelta) -> String {
    let total = delta.total_microseconds();
    let (whole, rest) = (total.unsigned_abs() / 1_000_000, total.unsigned_abs() % 1_000_000);
    let sign = if total < 0 { "-" } else { "" };
    if rest == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:06}").trim_end_matches('0').to_owned()
    }
}

/// Parses seconds, without rounding.
fn of_seconds(text: &str) -> Option<TimeDelta> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(rest) || rest.len() > 6 {
        return None;
    }
    let micros: i64 = format!("{rest:0<6}").parse().ok()?;
    let total = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?;
    TimeDelta::from_microseconds(if is_negative { -total } else { total }).ok()
}

/// Types with conversions from and to a [`TimeDelta`].
macro_rules! deltas {
    ($($type:ty),*) => {python_as! { as_timedelta::Delta, "a datetime.timedelta": $($type {
        make: |delta| TimeDelta::try_from(delta)?,
        read: |delta: TimeDelta| delta.try_into()?,
        parse: |text| <$type>::try_from(of_seconds(text)?).ok(),
        text: |delta| seconds(TimeDelta::try_from(*delta)?),
    })*}};
}

deltas!(std::time::Duration);
#[cfg(feature = "chrono-04")]
deltas!(chrono::TimeDelta);
#[cfg(feature = "jiff-02")]
deltas!(jiff::SignedDuration);

/// Types with conversions from and to a view. In other formats they are the text of the view, which the type parses.
#[cfg(any(feature = "chrono-04", feature = "jiff-02"))]
macro_rules! views {
    ($marker:ty, $view:ty, $expected:literal: $($type:ty),* $(,)?) => {python_as! { $marker, $expected: $($type {
        make: |value| <$view>::try_from(value)?,
        read: |view: $view| view.try_into()?,
        parse: |text| text.parse().ok(),
        text: |value| <$view>::try_from(value.clone())?.to_string(),
    })*}};
}

#[cfg(feature = "chrono-04")]
views!(as_datetime::DateTime, DateTime<'_>, "a datetime.datetime":
    chrono::NaiveDateTime, chrono::DateTime<chrono::FixedOffset>, chrono::DateTime<chrono::Utc>);
#[cfg(feature = "jiff-02")]
views!(as_datetime::DateTime, DateTime<'_>, "a datetime.datetime": jiff::civil::DateTime, jiff::Timestamp);
#[cfg(feature = "chrono-04")]
views!(as_date::Date, Date, "a datetime.date": chrono::NaiveDate);
#[cfg(feature = "jiff-02")]
views!(as_date::Date, Date, "a datetime.date": jiff::civil::Date);
#[cfg(feature = "chrono-04")]
views!(as_time::Time, Time<'_>, "a datetime.time": chrono::NaiveTime);
#[cfg(feature = "jiff-02")]
views!(as_time::Time, Time<'_>, "a datetime.time": jiff::civil::Time);

// With the name of the time zone, as a `zoneinfo.ZoneInfo`.
#[cfg(feature = "jiff-02")]
python_as! { as_datetime::DateTime, "a datetime.datetime": jiff::Zoned {
    make: |time| DateTime::try_from(&time)?,
    read: |time: DateTime<'_>| time.try_into()?,
    parse: |text| text.parse().ok(),
    text: |time| time.to_string(),
}}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_as_they_are_written() {
        for (micros, text) in
            [(0, "0"), (90_500_000, "90.5"), (-1, "-0.000001"), (-86_400_000_000, "-86400"), (10, "0.00001")]
        {
            let delta = TimeDelta::from_microseconds(micros).expect("in range");
            assert_eq!(seconds(delta), text);
            assert_eq!(of_seconds(text).map(TimeDelta::total_microseconds), Some(micros.into()));
        }
        for text in ["", "-", "1.", ".5", "1e3", "1.0000001", "99999999999999999999"] {
            assert!(of_seconds(text).is_none(), "{text}");
        }
    }
}
