//! Points and spans of time in NumPy's units, and their text.

use std::borrow::Cow;
use std::fmt;

/// The unit of a `datetime64` or `timedelta64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeUnit {
    /// A year: `Y`.
    Year,
    /// A month: `M`.
    Month,
    /// A week: `W`.
    Week,
    /// A day: `D`.
    Day,
    /// An hour: `h`.
    Hour,
    /// A minute: `m`.
    Minute,
    /// A second: `s`.
    Second,
    /// A millisecond: `ms`.
    Milli,
    /// A microsecond: `us`.
    Micro,
    /// A nanosecond: `ns`.
    Nano,
    /// A picosecond: `ps`.
    Pico,
    /// A femtosecond: `fs`.
    Femto,
    /// An attosecond: `as`.
    Atto,
    /// No unit: what NumPy writes as `generic`.
    Generic,
}

use TimeUnit::*;

/// NumPy's letters, and how many nanoseconds a unit has where that is a whole number.
const UNITS: [(TimeUnit, &str, i64); 14] = [
    (Year, "Y", 0),
    (Month, "M", 0),
    (Week, "W", 7 * 86_400_000_000_000),
    (Day, "D", 86_400_000_000_000),
    (Hour, "h", 3_600_000_000_000),
    (Minute, "m", 60_000_000_000),
    (Second, "s", 1_000_000_000),
    (Milli, "ms", 1_000_000),
    (Micro, "us", 1_000),
    (Nano, "ns", 1),
    (Pico, "ps", 0),
    (Femto, "fs", 0),
    (Atto, "as", 0),
    (Generic, "generic", 0),
];

impl TimeUnit {
    /// The unit of NumPy's letters.
    pub fn parse(text: &str) -> Option<TimeUnit> {
        UNITS.iter().find(|row| row.1 == text).map(|row| row.0)
    }

    /// NumPy's letters.
    pub fn name(self) -> &'static str {
        UNITS[self as usize].1
    }

    /// Returns the nanoseconds of the unit; `None` for years, months and units below a nanosecond.
    pub fn nanos(self) -> Option<i64> {
        Some(UNITS[self as usize].2).filter(|nanos| *nanos > 0)
    }

    /// How many there are in a second, of the units that are less than one.
    fn per_second(self) -> Option<i128> {
        Some(match self {
            Second => 1,
            Milli => 1_000,
            Micro => 1_000_000,
            Nano => 1_000_000_000,
            Pico => 1_000_000_000_000,
            Femto => 1_000_000_000_000_000,
            Atto => 1_000_000_000_000_000_000,
            _ => return None,
        })
    }
}

/// A point in time: a count of units since 1970, in UTC if there is a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Instant<'a> {
    /// Number of ticks.
    pub ticks: i64,
    /// The unit.
    pub unit: TimeUnit,
    /// Units of a tick: 15 for `datetime64[15us]`.
    pub per: i64,
    /// The zone, if there is one.
    pub zone: Option<Cow<'a, str>>,
    /// Whether it is a day only, such as a `datetime.date`.
    pub is_date: bool,
}

/// A span of time: a count of units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delta {
    /// Number of ticks.
    pub ticks: i64,
    /// The unit.
    pub unit: TimeUnit,
    /// Units of a tick.
    pub per: i64,
}

/// What NumPy has for "not a time".
pub(crate) const NAT: i64 = i64::MIN;

impl<'a> Instant<'a> {
    /// Without a zone.
    pub fn new(ticks: i64, unit: TimeUnit) -> Instant<'a> {
        Instant { ticks, unit, per: 1, zone: None, is_date: false }
    }

    /// The point in time that pandas writes as `2020-01-31 12:00:00.5`.
    #[cfg(feature = "arrow")]
    pub(crate) fn parse(text: &str) -> Option<Instant<'static>> {
        let (date, clock) = text.split_once([' ', 'T']).unwrap_or((text, "0:0:0"));
        let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let numbers = |text: &str, separator| -> Option<[u16; 3]> {
            let numbers: Option<Vec<u16>> = text.split(separator).map(|number| number.parse().ok()).collect();
            numbers?.try_into().ok()
        };
        let ([year, month, day], [hours, minutes, seconds]) = (numbers(date, '-')?, numbers(whole, ':')?);
        let days = days_of(year.into(), month.into(), day.into())?;
        if civil(days) != (year.into(), month.into(), day.into()) || hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        let nanos: u32 = format!("{fraction:0<9}").parse().ok().filter(|_| fraction.len() <= 9)?;
        let seconds = days * 86_400 + i128::from(hours) * 3600 + i128::from(minutes) * 60 + i128::from(seconds);
        let ticks = seconds.checked_mul(1_000_000_000)?.checked_add(nanos.into())?;
        Some(Instant::new(i64::try_from(ticks).ok()?, Nano))
    }

    /// Nanoseconds since 1970; `None` if they are too many or the unit is below a nanosecond.
    pub fn nanos(&self) -> Option<i128> {
        let count = i128::from(self.ticks).checked_mul(i128::from(self.per))?;
        match self.unit {
            Year => Some(days_of(i64::try_from(count).ok()?.checked_add(1970)?, 1, 1)? * 86_400_000_000_000),
            Month => {
                let months = i64::try_from(count).ok()?;
                let (year, month) = (months.div_euclid(12).checked_add(1970)?, months.rem_euclid(12) + 1);
                Some(days_of(year, month as u32, 1)? * 86_400_000_000_000)
            }
            unit => count.checked_mul(i128::from(unit.nanos()?)),
        }
    }
}

impl Delta {
    /// Nanoseconds; `None` of years and months, and of what is less than one.
    pub fn nanos(&self) -> Option<i128> {
        i128::from(self.ticks).checked_mul(i128::from(self.per))?.checked_mul(i128::from(self.unit.nanos()?))
    }
}

/// ISO 8601, with as many digits as the unit has. With a zone: UTC, ending in `Z`.
impl fmt::Display for Instant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = i128::from(self.ticks) * i128::from(self.per);
        let (days, seconds, fraction, digits) = match (self.unit, self.unit.per_second()) {
            (Year, _) => return write!(f, "{:04}", count + 1970),
            (Month, _) => return write!(f, "{:04}-{:02}", count.div_euclid(12) + 1970, count.rem_euclid(12) + 1),
            (Generic, _) => return write!(f, "{count}"),
            (unit, None) => {
                let seconds = count * i128::from(unit.nanos().unwrap_or(1)) / 1_000_000_000;
                (seconds.div_euclid(86_400), seconds.rem_euclid(86_400), 0, 0)
            }
            (_, Some(per_second)) => {
                let seconds = count.div_euclid(per_second);
                let digits = per_second.ilog10();
                (seconds.div_euclid(86_400), seconds.rem_euclid(86_400), count.rem_euclid(per_second), digits)
            }
        };
        let (year, month, day) = civil(days);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        if self.zone.is_none() && (self.is_date || matches!(self.unit, Day | Week)) {
            return Ok(());
        }
        write!(f, "T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if digits > 0 {
            write!(f, ".{fraction:0width$}", width = digits as usize)?;
        }
        if self.zone.is_some() { f.write_str("Z") } else { Ok(()) }
    }
}

/// An ISO 8601 duration: `P1DT2H3M4.5S`, `-PT1S`, `P3M`.
impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = i128::from(self.ticks) * i128::from(self.per);
        if count < 0 {
            f.write_str("-")?;
        }
        let count = count.unsigned_abs();
        let (seconds, fraction, digits) = match (self.unit, self.unit.per_second()) {
            (Year, _) => return write!(f, "P{count}Y"),
            (Month, _) => return write!(f, "P{count}M"),
            (Generic, _) => return write!(f, "{count}"),
            (unit, None) => (count * unit.nanos().unwrap_or(1).unsigned_abs() as u128 / 1_000_000_000, 0, 0),
            (_, Some(per)) => (count / per as u128, count % per as u128, per.ilog10() as usize),
        };
        let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if seconds % 86_400 == 0 && fraction == 0 && days > 0 {
            return Ok(());
        }
        f.write_str("T")?;
        for (count, unit) in [(hours, 'H'), (minutes, 'M')] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        if fraction > 0 {
            let text = format!("{fraction:0digits$}");
            write!(f, "{rest}.{}S", text.trim_end_matches('0'))
        } else if rest > 0 || (hours == 0 && minutes == 0) {
            write!(f, "{rest}S")
        } else {
            Ok(())
        }
    }
}

/// Days since 1970-01-01 to year, month and day: Howard Hinnant's `civil_from_days`.
pub(crate) fn civil(days: i128) -> (i128, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i128::from(month <= 2), month as u32, day as u32)
}

/// Year, month and day to days since 1970-01-01.
pub(crate) fn days_of(year: i64, month: u32, day: u32) -> Option<i128> {
    let year = i128::from(year) - i128::from(month <= 2);
    let era = year.div_euclid(400);
    let yoe = year.rem_euclid(400);
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = i128::from((153 * mp + 2) / 5 + day.checked_sub(1)?);
    Some(era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_with_the_digits_of_their_unit() {
        let text = |ticks, unit| Instant::new(ticks, unit).to_string();
        assert_eq!(text(0, Nano), "1970-01-01T00:00:00.000000000");
        assert_eq!(text(-1, Micro), "1969-12-31T23:59:59.999999");
        assert_eq!(text(18263, Day), "2020-01-02");
        assert_eq!(text(-1, Month), "1969-12");
        assert_eq!(text(50, Year), "2020");
        assert_eq!(text(1, Hour), "1970-01-01T01:00:00");
    }

    #[test]
    fn deltas_are_iso_durations() {
        let text = |ticks, unit| Delta { ticks, unit, per: 1 }.to_string();
        assert_eq!(text(1_500_000_000, Nano), "PT1.5S");
        assert_eq!(text(-1, Second), "-PT1S");
        assert_eq!(text(1, Day), "P1D");
        assert_eq!(text(25, Hour), "P1DT1H");
        assert_eq!(text(0, Second), "PT0S");
        assert_eq!(text(7, Month), "P7M");
    }

    #[test]
    fn days_and_dates_are_inverse() {
        for day in [-719_468, -1, 0, 59, 60, 18_263, 2_932_896] {
            let (year, month, date) = civil(day);
            assert_eq!(days_of(year as i64, month, date), Some(day));
        }
    }
}
