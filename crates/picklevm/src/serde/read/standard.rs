//! Classes of Python's standard library as the strings by which Rust's crates know them.
//!
//! Their pickled arguments are those of each class's `__reduce__`: `datetime` packs its fields into bytes
//! (CPython's `_datetimemodule.c`), `timedelta` counts days, seconds and microseconds, `UUID` keeps an integer,
//! paths keep their parts.

use std::fmt::Write;

use super::class::Class;
use super::instance::Instance;
use super::text_of;
use crate::graph::{Items, Kind, Value};

const DAY: i64 = 86_400;

/// A time span as `timedelta` keeps it: whole seconds, and microseconds from 0 to 999,999 to be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    seconds: i64,
    micros: u32,
}

/// The string that an instance reads as, if its class has one.
pub(crate) fn text(instance: &Instance<'_>) -> Option<String> {
    let args = instance.args;
    let mut out = String::new();
    match instance.known {
        Class::Date => date(&mut out, packed(args)?)?,
        Class::Time => {
            time(&mut out, packed(args)?)?;
            offset(&mut out, args.get(1))?;
        }
        Class::DateTime => {
            let (day, clock) = packed(args)?.split_at_checked(4)?;
            date(&mut out, day)?;
            out.push('T');
            time(&mut out, clock)?;
            offset(&mut out, args.get(1))?;
        }
        Class::TimeDelta => duration(&mut out, span(args)?)?,
        Class::Timezone => {
            let span = span_of(args.get(0)?)?;
            utc_offset(&mut out, span)?;
        }
        Class::Uuid => uuid(&mut out, instance)?,
        Class::PosixPath => path(&mut out, args, '/')?,
        Class::WindowsPath => path(&mut out, args, '\\')?,
        Class::IpV4Address => {
            let bits = args.get(0)?.as_int()?.try_into().ok()?;
            write!(out, "{}", std::net::Ipv4Addr::from_bits(bits)).ok()?;
        }
        Class::IpV6Address => match args.get(0)?.kind() {
            Kind::Int(bits) => write!(out, "{}", std::net::Ipv6Addr::from_bits(bits.try_into().ok()?)).ok()?,
            _ => return None,
        },
        _ => return None,
    }
    Some(out)
}

/// Seconds and nanoseconds to be added, if the instance is a time span: what `std::time::Duration` is made of.
pub(crate) fn parts(instance: &Instance<'_>) -> Option<(i64, u32)> {
    let Span { seconds, micros } = (instance.known == Class::TimeDelta).then(|| span(instance.args)).flatten()?;
    Some((seconds, micros * 1000))
}

/// The number that an instance reads as where a float is asked for: the seconds of a time span.
pub(crate) fn seconds(instance: &Instance<'_>) -> Option<f64> {
    let (seconds, nanos) = parts(instance)?;
    Some(seconds as f64 + f64::from(nanos) / 1e9)
}

/// The first argument, if it is bytes: of Python 3, or the 8-bit string of Python 2.
fn packed(args: Items<'_>) -> Option<&[u8]> {
    args.get(0)?.as_bytes()
}

fn date(out: &mut String, packed: &[u8]) -> Option<()> {
    let [high, low, month, day] = *packed.first_chunk()?;
    // The highest bit of the month tells the second of two equal times, at the end of summer time (PEP 495).
    write!(out, "{:04}-{:02}-{day:02}", u16::from_be_bytes([high, low]), month & 0x7f).ok()
}

fn time(out: &mut String, packed: &[u8]) -> Option<()> {
    let [hour, minute, second, micros @ ..] = *packed.first_chunk::<6>()?;
    write!(out, "{:02}:{minute:02}:{second:02}", hour & 0x7f).ok()?;
    fraction(out, u32::from_be_bytes([0, micros[0], micros[1], micros[2]]))
}

fn fraction(out: &mut String, micros: u32) -> Option<()> {
    if micros == 0 { Some(()) } else { write!(out, ".{micros:06}").ok() }
}

/// What a `tzinfo` adds to a time: `+01:00`, or `[Europe/Berlin]` (RFC 9557) where the pickle has but a name.
fn offset(out: &mut String, tzinfo: Option<Value<'_>>) -> Option<()> {
    let Some(tzinfo) = tzinfo.filter(|tzinfo| !tzinfo.is_none()) else { return Some(()) };
    let object = tzinfo.as_object()?;
    let zone = Instance::new(object, Class::of(object.class()));
    if zone.known == Class::Timezone {
        return utc_offset(out, span_of(zone.args.get(0)?)?);
    }
    let name = zone.class.as_global().map(|global| global.to_string());
    match name.as_deref() {
        Some("pytz._UTC" | "dateutil.tz.tz.tzutc") => utc_offset(out, Span { seconds: 0, micros: 0 }),
        // pytz._p(name, seconds of the offset, seconds of summer time in it, abbreviation)
        Some("pytz._p") => utc_offset(out, Span { seconds: zone.args.get(1)?.as_i64()?, micros: 0 }),
        // zoneinfo.ZoneInfo._unpickle(name, whether from the cache)
        _ => write!(out, "[{}]", zone.args.get(0)?.as_str()?).ok(),
    }
}

fn utc_offset(out: &mut String, span: Span) -> Option<()> {
    let sign = if span.seconds < 0 { '-' } else { '+' };
    let size = span.seconds.unsigned_abs();
    write!(out, "{sign}{:02}:{:02}", size / 3600, size / 60 % 60).ok()?;
    if size.is_multiple_of(60) { Some(()) } else { write!(out, ":{:02}", size % 60).ok() }
}

/// The arguments of a `timedelta`: days, seconds, microseconds.
fn span(args: Items<'_>) -> Option<Span> {
    let part = |at| args.get(at).map_or(Some(0), Value::as_i64);
    let (days, seconds, micros) = (part(0)?, part(1)?, part(2)?);
    let seconds = days.checked_mul(DAY)?.checked_add(seconds)?.checked_add(micros.div_euclid(1_000_000))?;
    Some(Span { seconds, micros: micros.rem_euclid(1_000_000) as u32 })
}

fn span_of(timedelta: Value<'_>) -> Option<Span> {
    let object = timedelta.as_object()?;
    (Class::of(object.class()) == Class::TimeDelta).then(|| span(object.args())).flatten()
}

/// An ISO 8601 duration of hours, minutes and seconds.
fn duration(out: &mut String, span: Span) -> Option<()> {
    let micros = i128::from(span.seconds) * 1_000_000 + i128::from(span.micros);
    let (seconds, rest) = (micros.unsigned_abs() / 1_000_000, (micros.unsigned_abs() % 1_000_000) as u32);
    out.push_str(if micros < 0 { "-PT" } else { "PT" });
    for (unit, count) in [('H', seconds / 3600), ('M', seconds / 60 % 60)] {
        if count > 0 {
            write!(out, "{count}{unit}").ok()?;
        }
    }
    if seconds % 60 > 0 || rest > 0 || micros == 0 {
        write!(out, "{}", seconds % 60).ok()?;
        fraction(out, rest)?;
        out.push('S');
    }
    Some(())
}

fn uuid(out: &mut String, instance: &Instance<'_>) -> Option<()> {
    let state = instance.state?;
    let bits: u128 = state.get("int")?.as_int()?.try_into().ok()?;
    let hex = format!("{bits:032x}");
    let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    write!(out, "{a}-{b}-{c}-{d}-{e}").ok()
}

fn path(out: &mut String, parts: Items<'_>, separator: char) -> Option<()> {
    if parts.is_empty() {
        out.push('.');
    }
    for part in parts {
        if !out.is_empty() && !out.ends_with(separator) {
            out.push(separator);
        }
        let part = text_of(part)?;
        // A part that starts at the root begins anew, as in `pathlib`.
        if part.starts_with(separator) {
            out.clear();
        }
        out.push_str(part);
    }
    Some(())
}
