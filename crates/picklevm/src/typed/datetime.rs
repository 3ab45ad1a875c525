//! `date`, `time` and `datetime` of `datetime`, which pack their fields into bytes (CPython's `_datetimemodule.c`).

use std::fmt::{self, Write};

use super::builtins::{octets_of, text};
use super::reduce_helpers::typed;
use super::signature::{Signature, index, index_or};
use super::zones::Zone;
use super::{Reduce, View, iso_format};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Id, Items, Value, attribute};
use crate::protocol::Protocol;
use crate::python::Class;

/// Flag for `fold=1` (PEP 495): the highest bit of the month of a datetime, or of the hour of a time.
const FOLD: u8 = 0x80;
const DATE: Signature<3> = Signature::new(["year", "month", "day"], 3);
const TIME: Signature<6> =
    Signature::new(["hour", "minute", "second", "microsecond", "tzinfo", "fold"], 0).keyword_only_after(5);
const DATE_TIME: Signature<9> =
    Signature::new(["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"], 3)
        .keyword_only_after(8);

/// View of a `datetime.date`.
///
/// ```
/// use picklevm::typed::Date;
///
/// let date = Date::new(2028, 2, 29)?;
/// assert_eq!(date.to_string(), "2028-02-29");
/// assert!(Date::new(2030, 2, 29).is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Creates a date of the Gregorian calendar: years from 1 to 9999, months and days from 1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if the date does not exist.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Date> {
        let days = match month {
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if (1..=9999).contains(&year) && (1..=days).contains(&day) {
            return Ok(Date { year, month, day });
        }
        let found = format!("{year:04}-{month:02}-{day:02}");
        Err(Error::new(ErrorKind::OutOfRange, "a date from 0001-01-01 to 9999-12-31", found))
    }

    /// Returns the year, from 1 to 9999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// Returns the month, from 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// Returns the day of the month, from 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// Returns the date of a number of days, of which the first of January of the year 1 has the number 1:
    /// `date.fromordinal`.
    fn from_ordinal(ordinal: i64) -> Option<Date> {
        // Years that begin in March, so that the leap day is the last one.
        let days = ordinal.checked_add(305)?;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, is_next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = year_of_era + era * 400 + is_next;
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
    }

    /// Returns the number of the first of January: `date(year, 1, 1).toordinal()`.
    fn first_ordinal(year: i64) -> i64 {
        let before = year - 1;
        before * 365 + before / 4 - before / 100 + before / 400 + 1
    }

    /// Returns the date of an ISO 8601 week and day: `date.fromisocalendar`.
    pub(super) fn from_iso_week(year: i64, week: i64, day: i64) -> Option<Date> {
        if !(1..=9999).contains(&year) || !(1..=53).contains(&week) || !(1..=7).contains(&day) {
            return None;
        }
        // The weekday of the first of January, from 0 for a Monday. Its week is the first if it is at most a Thursday.
        let first_monday = |year: i64| {
            let first = Date::first_ordinal(year);
            let weekday = (first + 6) % 7;
            if weekday > 3 { first - weekday + 7 } else { first - weekday }
        };
        let ordinal = first_monday(year) + 7 * (week - 1) + day - 1;
        (week < 53 || ordinal - day + 1 < first_monday(year + 1)).then(|| Date::from_ordinal(ordinal)).flatten()
    }

    /// Decodes a packed date without the fold flag.
    fn unpack(packed: [u8; 4]) -> Option<Date> {
        let [high, low, month, day] = packed;
        Date::new(u16::from_be_bytes([high, low]), month, day).ok()
    }

    /// Encodes the date without the fold flag.
    fn pack(self) -> [u8; 4] {
        let [high, low] = self.year.to_be_bytes();
        [high, low, self.month, self.day]
    }

    /// Accepts packed bytes, numbers, and the class methods that make a date of them or of text.
    pub(crate) fn of(instance: &InstanceView<'_>) -> Option<Date> {
        if instance.known == Class::DateMethod {
            return date_of_method(instance, Class::DateMethod);
        }
        if let Some(packed) = packed_args(instance, Class::Date).and_then(|args| octets_of(args.get(0)?)) {
            return Date::unpack(packed);
        }
        Date::of_numbers(instance.bind(Class::Date, &DATE)?)
    }

    fn of_numbers(numbers: [Option<Value<'_>>; 3]) -> Option<Date> {
        let [year, month, day] = numbers.map(|number| index(number?));
        Date::new(year?.try_into().ok()?, month?.try_into().ok()?, day?.try_into().ok()?).ok()
    }
}

/// Formats as ISO 8601, like Python's `isoformat`: `2030-01-02`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Reduce for Date {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let packed = arena.cell(self.pack());
        arena.known_call(["datetime", "date"], &[packed])
    }
}

/// View of a `datetime.time`, with or without a time zone.
///
/// ```
/// use picklevm::typed::{Time, TimeZone};
///
/// let time = Time::new(9, 30, 0, 500)?;
/// assert_eq!(time.to_string(), "09:30:00.000500");
/// assert_eq!(time.with_zone(TimeZone::UTC).to_string(), "09:30:00.000500+00:00");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Time<'g> {
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: u32,
    fold: bool,
    zone: Option<Zone<'g>>,
}

impl<'g> Time<'g> {
    /// Creates a time without a time zone: hours below 24, minutes and seconds below 60, microseconds below a million.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] if a field is out of range.
    pub fn new(hour: u8, minute: u8, second: u8, microsecond: u32) -> Result<Time<'g>> {
        if hour < 24 && minute < 60 && second < 60 && microsecond < 1_000_000 {
            return Ok(Time { hour, minute, second, microsecond, fold: false, zone: None });
        }
        let found = format!("{hour:02}:{minute:02}:{second:02}.{microsecond:06}");
        Err(Error::new(ErrorKind::OutOfRange, "a time from 00:00:00 to 23:59:59.999999", found))
    }

    /// Returns the same time in a time zone.
    #[must_use]
    pub fn with_zone(self, zone: impl Into<Zone<'g>>) -> Time<'g> {
        Time { zone: Some(zone.into()), ..self }
    }

    /// Returns the same time with another [`fold`](Time::fold).
    #[must_use]
    pub fn with_fold(self, fold: bool) -> Time<'g> {
        Time { fold, ..self }
    }

    /// Returns the hour, from 0 to 23.
    pub fn hour(&self) -> u8 {
        self.hour
    }

    /// Returns the minute, from 0 to 59.
    pub fn minute(&self) -> u8 {
        self.minute
    }

    /// Returns the second, from 0 to 59.
    pub fn second(&self) -> u8 {
        self.second
    }

    /// Returns the microsecond, from 0 to 999,999.
    pub fn microsecond(&self) -> u32 {
        self.microsecond
    }

    /// Returns whether this is the second of two ambiguous times, at the end of daylight saving time (PEP 495).
    pub fn fold(&self) -> bool {
        self.fold
    }

    /// Returns the time zone (`tzinfo`), if there is one.
    pub fn zone(&self) -> Option<Zone<'g>> {
        self.zone
    }

    /// Returns the same time in the time zone of an argument, if there is one.
    fn in_zone(self, zone: Option<Value<'g>>) -> Option<Time<'g>> {
        match zone {
            Some(zone) if !zone.is_none() => Some(self.with_zone(Zone::of(zone)?)),
            _ => Some(self),
        }
    }

    /// Decodes a packed time without the fold flag.
    fn unpack(packed: [u8; 6], fold: bool, zone: Option<Value<'g>>) -> Option<Time<'g>> {
        let [hour, minute, second, micros @ ..] = packed;
        let microsecond = u32::from_be_bytes([0, micros[0], micros[1], micros[2]]);
        Time::new(hour, minute, second, microsecond).ok()?.with_fold(fold).in_zone(zone)
    }

    /// Reads hour to microsecond, `tzinfo` and `fold`, all optional.
    fn of_arguments(arguments: [Option<Value<'g>>; 6]) -> Option<Time<'g>> {
        let [hour, minute, second, microsecond, zone, fold] = arguments;
        let [hour, minute, second] = [hour, minute, second].map(|part| u8::try_from(index_or(part, 0)?).ok());
        let microsecond = u32::try_from(index_or(microsecond, 0)?).ok()?;
        let fold = index_or(fold, 0).filter(|fold| matches!(fold, 0 | 1))? == 1;
        Time::new(hour?, minute?, second?, microsecond).ok()?.with_fold(fold).in_zone(zone)
    }

    /// Encodes the time without the fold flag.
    fn pack(self) -> [u8; 6] {
        let [_, high, middle, low] = self.microsecond.to_be_bytes();
        [self.hour, self.minute, self.second, high, middle, low]
    }

    /// Returns the fold flag. It is written from protocol 4 on, as Python 2 does not read it.
    fn fold_flag(self, protocol: Protocol) -> u8 {
        if self.fold && protocol >= Protocol::V4 { FOLD } else { 0 }
    }

    /// Accepts packed bytes, numbers, and `time.fromisoformat`.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Time<'g>> {
        if instance.known == Class::TimeMethod {
            return iso_format::time(iso_text(instance, Class::TimeMethod)?);
        }
        let args = packed_args(instance, Class::Time);
        if let Some([hour, rest @ ..]) = args.and_then(|args| octets_of::<6>(args.get(0)?)) {
            let [minute, second, micros @ ..] = rest;
            let clock = [hour & !FOLD, minute, second, micros[0], micros[1], micros[2]];
            return Time::unpack(clock, hour & FOLD != 0, args?.get(1));
        }
        Time::of_arguments(instance.bind(Class::Time, &TIME)?)
    }
}

/// Formats as ISO 8601, like Python's `isoformat`: `09:30:00.000500+01:00`. A time zone without a fixed offset is
/// written as its name in brackets (RFC 9557): `09:30:00[Europe/Berlin]`.
impl fmt::Display for Time<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        fraction(f, self.microsecond)?;
        self.zone.map_or(Ok(()), |zone| zone.write_suffix(f))
    }
}

impl Reduce for Time<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let mut packed = self.pack();
        packed[0] |= self.fold_flag(protocol);
        let mut args = vec![arena.cell(packed)];
        args.extend(self.zone.map(|zone| zone.reduce(arena, protocol).0));
        arena.known_call(["datetime", "time"], &args)
    }
}

/// View of a `datetime.datetime`, with or without a time zone.
///
/// ```
/// use picklevm::typed::{Date, DateTime, Time, ZoneInfo};
///
/// let time = DateTime::new(Date::new(2030, 1, 2)?, Time::new(3, 4, 5, 0)?.with_zone(ZoneInfo::new("Europe/Berlin")));
/// assert_eq!(time.to_string(), "2030-01-02T03:04:05[Europe/Berlin]");
///
/// let graph = picklevm::Graph::from(time);
/// assert_eq!(graph.root().view::<DateTime>()?, time);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DateTime<'g> {
    date: Date,
    time: Time<'g>,
}

impl<'g> DateTime<'g> {
    /// Creates a datetime from a date and a time, including the time zone of the time.
    pub fn new(date: Date, time: Time<'g>) -> DateTime<'g> {
        DateTime { date, time }
    }

    /// Returns the date.
    pub fn date(&self) -> Date {
        self.date
    }

    /// Returns the time, including its time zone.
    pub fn time(&self) -> Time<'g> {
        self.time
    }

    /// Returns whether this is the second of two ambiguous times, at the end of daylight saving time (PEP 495).
    pub fn fold(&self) -> bool {
        self.time.fold
    }

    /// Returns the time zone (`tzinfo`), if there is one.
    pub fn zone(&self) -> Option<Zone<'g>> {
        self.time.zone
    }

    /// Accepts packed bytes, numbers, and the class methods that make a datetime of them, of text or of its parts.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<DateTime<'g>> {
        if instance.known == Class::DateTimeMethod {
            return DateTime::of_method(instance);
        }
        let args = packed_args(instance, Class::DateTime);
        let Some(packed) = args.and_then(|args| octets_of::<10>(args.get(0)?)) else {
            let [year, month, day, rest @ ..] = instance.bind(Class::DateTime, &DATE_TIME)?;
            let (date, time) = (Date::of_numbers([year, month, day])?, Time::of_arguments(rest)?);
            return Some(DateTime { date, time });
        };
        let args = args?;
        let ([high, low, month, day], clock) = packed.split_first_chunk()?;
        let date = Date::unpack([*high, *low, month & !FOLD, *day])?;
        let time = Time::unpack(clock.try_into().ok()?, month & FOLD != 0, args.get(1))?;
        Some(DateTime { date, time })
    }
}

impl<'g> DateTime<'g> {
    /// Evaluates a call of a class method.
    fn of_method(instance: &InstanceView<'g>) -> Option<DateTime<'g>> {
        const COMBINE: Signature<3> = Signature::new(["date", "time", "tzinfo"], 2);
        match method_name(instance)? {
            "fromisoformat" => {
                let (date, time) = iso_format::datetime(iso_text(instance, Class::DateTimeMethod)?)?;
                Some(DateTime { date, time })
            }
            "combine" => {
                let [date, time, zone] = instance.bind(Class::DateTimeMethod, &COMBINE)?;
                let (date, time) = (date?, Time::view(time?)?);
                let date = Date::view(date).or_else(|| DateTime::view(date).map(|whole| whole.date))?;
                match zone {
                    None => Some(DateTime { date, time }),
                    Some(zone) => Some(DateTime { date, time: Time { zone: None, ..time }.in_zone(Some(zone))? }),
                }
            }
            _ => Some(DateTime { date: date_of_method(instance, Class::DateTimeMethod)?, time: Time::default() }),
        }
    }
}

/// Returns the name of a class method.
fn method_name<'g>(instance: &InstanceView<'g>) -> Option<&'g str> {
    match instance.class.as_global() {
        Some(function) => function.name().as_str()?.rsplit('.').next(),
        None => attribute(instance.class).map(|(_, name)| name),
    }
}

/// Returns the argument of `fromisoformat`.
fn iso_text<'g>(instance: &InstanceView<'g>, class: Class) -> Option<&'g str> {
    const TEXT: Signature<1> = Signature::new(["date_string"], 1).positional_only(1);
    text(instance.bind(class, &TEXT)?[0]?)
}

/// Evaluates a class method that makes a date without a time.
fn date_of_method(instance: &InstanceView<'_>, class: Class) -> Option<Date> {
    const ORDINAL: Signature<1> = Signature::new(["ordinal"], 1).positional_only(1);
    const CALENDAR: Signature<3> = Signature::new(["year", "week", "day"], 3);
    match method_name(instance)? {
        "fromisoformat" => iso_format::date(iso_text(instance, class)?),
        "fromordinal" => Date::from_ordinal(index(instance.bind(class, &ORDINAL)?[0]?)?),
        "fromisocalendar" => {
            let [year, week, day] = instance.bind(class, &CALENDAR)?.map(|part| index(part?));
            Date::from_iso_week(year?, week?, day?)
        }
        _ => None,
    }
}

/// Formats as ISO 8601, like Python's `isoformat`: `2030-01-02T03:04:05+01:00`; time zones as for [`Time`].
impl fmt::Display for DateTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

impl Reduce for DateTime<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let mut date = self.date.pack();
        date[2] |= self.time.fold_flag(protocol);
        let mut args = vec![arena.cell([&date[..], &self.time.pack()].concat())];
        args.extend(self.time.zone.map(|zone| zone.reduce(arena, protocol).0));
        arena.known_call(["datetime", "datetime"], &args)
    }
}

/// Returns the arguments if the first may be packed: one argument, or two with a time zone. Python ignores keyword
/// arguments in this case.
fn packed_args<'g>(instance: &InstanceView<'g>, class: Class) -> Option<Items<'g>> {
    let most = if class == Class::Date { 1 } else { 2 };
    InstanceView { kwargs: None, ..*instance }.only_args(class).filter(|args| (1..=most).contains(&args.len()))
}

/// Returns the time zone argument of a time or datetime.
pub(crate) fn zone_argument<'g>(instance: &InstanceView<'g>) -> Option<Value<'g>> {
    let zone = match packed_args(instance, instance.known) {
        Some(args) if index(args.get(0)?).is_none() => args.get(1),
        _ if instance.known == Class::Time => instance.bind(Class::Time, &TIME)?[4],
        _ => instance.bind(Class::DateTime, &DATE_TIME)?[7],
    };
    zone.filter(|zone| !zone.is_none())
}

/// Writes microseconds after a decimal point, unless they are zero.
pub(super) fn fraction(f: &mut impl Write, microseconds: u32) -> fmt::Result {
    if microseconds == 0 { Ok(()) } else { write!(f, ".{microseconds:06}") }
}

typed! {
    Date, "a datetime.date";
    Time<'g>, "a datetime.time";
    DateTime<'g>, "a datetime.datetime";
}
