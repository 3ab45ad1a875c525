//! `timedelta` of `datetime`, which is pickled as days, seconds and microseconds.

use std::fmt::{self, Write};
use std::time::Duration;

use super::Reduce;
use super::datetime::fraction;
use super::reduce_helpers::typed;
use super::signature::{Signature, index};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Id, Kind, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// Seconds per day.
const DAY: i64 = 86_400;
const MILLION: i64 = 1_000_000;
const TIME_DELTA: Signature<7> =
    Signature::new(["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"], 0);
/// `timedelta.max.days`.
const MAX_DAYS: i64 = 999_999_999;

/// View of a `datetime.timedelta`: days, plus seconds, plus microseconds.
///
/// ```
/// use picklevm::typed::TimeDelta;
///
/// let delta = TimeDelta::from_microseconds(-1)?;   // normalized as in Python
/// assert_eq!((delta.days(), delta.seconds(), delta.microseconds()), (-1, 86_399, 999_999));
/// assert_eq!(delta.to_string(), "-PT0.000001S");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeDelta {
    days: i32,
    seconds: u32,
    microseconds: u32,
}

impl TimeDelta {
    /// A time delta of zero.
    pub const ZERO: TimeDelta = TimeDelta { days: 0, seconds: 0, microseconds: 0 };

    /// Creates a time delta from days, seconds and microseconds, which may be negative; normalizes them like Python.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] beyond 999,999,999 days.
    pub fn new(days: i64, seconds: i64, microseconds: i64) -> Result<TimeDelta> {
        let total = (i128::from(days) * i128::from(DAY) + i128::from(seconds)) * i128::from(MILLION);
        TimeDelta::from_total(total + i128::from(microseconds))
    }

    /// Creates a time delta from microseconds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] beyond 999,999,999 days.
    pub fn from_microseconds(microseconds: i64) -> Result<TimeDelta> {
        TimeDelta::new(0, 0, microseconds)
    }

    fn from_total(microseconds: i128) -> Result<TimeDelta> {
        let seconds = microseconds.div_euclid(MILLION.into());
        let days = seconds.div_euclid(DAY.into());
        if days.unsigned_abs() > MAX_DAYS.unsigned_abs().into() {
            let found = format!("{days} days");
            return Err(Error::new(ErrorKind::OutOfRange, "a timedelta of at most 999,999,999 days", found));
        }
        // The remainders are below a day and below a second.
        Ok(TimeDelta {
            days: days as i32,
            seconds: seconds.rem_euclid(DAY.into()) as u32,
            microseconds: microseconds.rem_euclid(MILLION.into()) as u32,
        })
    }

    /// Returns the days, from -999,999,999 to 999,999,999.
    pub fn days(self) -> i32 {
        self.days
    }

    /// Returns the seconds to add to the days, from 0 to 86,399.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Returns the microseconds to add to the seconds, from 0 to 999,999.
    pub fn microseconds(self) -> u32 {
        self.microseconds
    }

    /// Returns the total in microseconds.
    pub fn total_microseconds(self) -> i128 {
        i128::from(self.total_seconds()) * i128::from(MILLION) + i128::from(self.microseconds)
    }

    /// Returns days and seconds in seconds, without the microseconds.
    pub(crate) fn total_seconds(self) -> i64 {
        i64::from(self.days) * DAY + i64::from(self.seconds)
    }

    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<TimeDelta> {
        const MICROSECONDS: [i64; 7] =
            [DAY * MILLION, MILLION, 1, 1000, 60 * MILLION, 3600 * MILLION, 7 * DAY * MILLION];
        let parts = instance.bind(Class::TimeDelta, &TIME_DELTA)?;
        let mut total = Microseconds::default();
        // In the order in which CPython adds them: rounding depends on it.
        for at in [2, 3, 1, 4, 5, 0, 6] {
            if let Some(part) = parts[at] {
                total.add(part, MICROSECONDS[at])?;
            }
        }
        TimeDelta::from_total(total.rounded()?).ok()
    }
}

/// A sum of integers and floats in microseconds, added like CPython's `accum`.
#[derive(Default)]
struct Microseconds {
    whole: i128,
    /// Fractional microseconds.
    fraction: f64,
}

impl Microseconds {
    /// Adds a number of units; `unit` is in microseconds.
    fn add(&mut self, count: Value<'_>, unit: i64) -> Option<()> {
        let Kind::Float(count) = count.kind() else {
            let count = match count.kind() {
                Kind::Int(count) => i128::try_from(count).ok()?,
                _ => i128::from(index(count)?),
            };
            return self.add_whole(count.checked_mul(unit.into())?);
        };
        let fraction = count.fract();
        self.add_whole(whole(count.trunc())?.checked_mul(unit.into())?)?;
        let fraction = unit as f64 * fraction;
        self.fraction += fraction.fract();
        self.add_whole(whole(fraction.trunc())?)
    }

    fn add_whole(&mut self, count: i128) -> Option<()> {
        self.whole = self.whole.checked_add(count)?;
        Some(())
    }

    /// Returns the sum, rounded half to even.
    fn rounded(self) -> Option<i128> {
        let mut rounded = self.fraction.round();
        if (rounded - self.fraction).abs() == 0.5 {
            let odd = f64::from((self.whole & 1) as u8);
            rounded = 2.0 * ((self.fraction + odd) * 0.5).round() - odd;
        }
        self.whole.checked_add(whole(rounded)?)
    }
}

/// Converts a float without a fraction to an integer.
fn whole(value: f64) -> Option<i128> {
    (value.abs() < 2f64.powi(120)).then_some(value as i128)
}

/// Formats as an ISO 8601 duration of hours, minutes and seconds: `PT36H0.5S`.
impl fmt::Display for TimeDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total_microseconds();
        let (seconds, rest) = (total.unsigned_abs() / 1_000_000, (total.unsigned_abs() % 1_000_000) as u32);
        f.write_str(if total < 0 { "-PT" } else { "PT" })?;
        for (unit, count) in [('H', seconds / 3600), ('M', seconds / 60 % 60)] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        if seconds % 60 > 0 || rest > 0 || total == 0 {
            write!(f, "{}", seconds % 60)?;
            fraction(f, rest)?;
            f.write_char('S')?;
        }
        Ok(())
    }
}

impl Reduce for TimeDelta {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let args = [arena.cell(self.days), arena.cell(self.seconds), arena.cell(self.microseconds)];
        arena.known_call(["datetime", "timedelta"], &args)
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] beyond 999,999,999 days. Truncates to microseconds.
impl TryFrom<Duration> for TimeDelta {
    type Error = Error;

    fn try_from(duration: Duration) -> Result<TimeDelta> {
        TimeDelta::from_total(i128::try_from(duration.as_micros()).unwrap_or(i128::MAX))
    }
}

/// # Errors
///
/// [`ErrorKind::OutOfRange`] if it is negative.
impl TryFrom<TimeDelta> for Duration {
    type Error = Error;

    fn try_from(delta: TimeDelta) -> Result<Duration> {
        match u64::try_from(delta.total_seconds()) {
            Ok(seconds) => Ok(Duration::new(seconds, delta.microseconds * 1000)),
            Err(_) => Err(Error::new(ErrorKind::OutOfRange, "a non-negative timedelta", delta.to_string())),
        }
    }
}

typed! {
    TimeDelta, "a datetime.timedelta";
}
