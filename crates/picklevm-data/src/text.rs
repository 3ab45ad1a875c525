//! Cells as text: for people, for .csv, and the parts that .json shares with them.

use std::borrow::Cow;
use std::fmt;

use picklevm::ops::repr;
use picklevm::typed::{DateTime, Time, TimeDelta, Typed, Zone};
use picklevm::{Kind, Value};

use crate::cell::Cell;
use crate::names::{Form, form, form_of};
use crate::time::{Delta, Instant, TimeUnit, days_of};

/// A cell as Python would write it.
pub(crate) struct Shown<'a, 'b>(pub(crate) &'a Cell<'b>);

impl fmt::Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cell::Str(text) => write!(f, "{}", repr::Str(text.as_ref().into())),
            Cell::Bytes(bytes) => write!(f, "{}", repr::Bytes(bytes)),
            Cell::Bool(true) => f.write_str("True"),
            Cell::Bool(false) => f.write_str("False"),
            Cell::Null => f.write_str("None"),
            Cell::List(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { ", " } else { "" }, Shown(item))?;
                }
                f.write_str("]")
            }
            Cell::Record(fields) => {
                f.write_str("(")?;
                for (at, (_, item)) in fields.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { ", " } else { "" }, Shown(item))?;
                }
                f.write_str(")")
            }
            Cell::Object(value) => f.write_str(&crate::key::repr(*value)),
            cell => f.write_str(&plain(cell)),
        }
    }
}

/// Writes the cell as a field of a table of text: nothing of a missing one.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&plain(self))
    }
}

/// A float as Python writes it.
pub(crate) fn float(value: f64) -> String {
    repr::Float(value).to_string()
}

/// A float of 32 bits with the fewest digits that read back as it.
pub(crate) fn float32(value: f32) -> String {
    if value.is_finite() && value.abs() >= 1e-4 && value.abs() < 1e16 || value == 0.0 {
        return format!("{value:?}");
    }
    if value.is_finite() { format!("{value:e}") } else { float(f64::from(value)) }
}

/// The text of a cell that is no container, as a field of .csv has it; nothing of a missing one.
pub(crate) fn plain(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::UInt(value) => value.to_string(),
        Cell::Float32(value) => float32(*value),
        Cell::Float(value) => float(*value),
        Cell::Complex(re, im) => {
            let sign = if im.is_sign_negative() && !im.is_nan() { "" } else { "+" };
            format!("({}{sign}{}j)", float(*re), float(*im)).replace(".0j", "j").replace(".0+", "+").replace(".0-", "-")
        }
        Cell::Bytes(bytes) => crate::key::text_of_bytes(bytes),
        Cell::Str(text) => text.to_string(),
        Cell::Instant(instant) => instant.to_string(),
        Cell::Delta(delta) => delta.to_string(),
        Cell::Decimal(digits) => digits.clone(),
        Cell::Period { text, .. } => text.clone(),
        Cell::Interval { left, right, closed } => {
            let (open, close) = match closed.as_ref() {
                "left" => ('[', ')'),
                "both" => ('[', ']'),
                "neither" => ('(', ')'),
                _ => ('(', ']'),
            };
            format!("{open}{}, {}{close}", plain(left), plain(right))
        }
        Cell::List(_) | Cell::Record(_) | Cell::Object(_) => Shown(cell).to_string(),
    }
}

/// A Python object that is one value as what it is: a number, a text, a date, a timestamp of pandas. Others stay.
pub(crate) fn resolve<'g>(value: Value<'g>) -> Cell<'g> {
    match value.kind() {
        Kind::None => Cell::Null,
        Kind::Bool(value) => Cell::Bool(value),
        Kind::Int(int) => match (int.as_i64(), value.as_u64()) {
            (Some(int), _) => Cell::Int(int),
            (None, Some(int)) => Cell::UInt(int),
            _ => Cell::Object(value),
        },
        Kind::Float(float) => Cell::Float(float),
        Kind::Complex(re, im) => Cell::Complex(re, im),
        Kind::Str(text) => match text.as_str() {
            Some(text) => Cell::str(text),
            None => Cell::Object(value),
        },
        Kind::Bytes(bytes) | Kind::ByteArray(bytes) => Cell::Bytes(bytes.into()),
        Kind::ByteStr(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::str(text),
            Err(_) => Cell::Bytes(bytes.into()),
        },
        Kind::Global(_) if matches!(form_of(value), Some(Form::NA | Form::NaT)) => Cell::Null,
        Kind::Object(_) => object(value).unwrap_or(Cell::Object(value)),
        _ => Cell::Object(value),
    }
}

fn object<'g>(value: Value<'g>) -> Option<Cell<'g>> {
    match form(value) {
        Some(Form::NaT | Form::NA) => return Some(Cell::Null),
        Some(Form::Scalar) => {
            let scalar = crate::numpy::Scalar::from_value(value).ok()?.0;
            let cell = scalar.cells().next()?.ok()?;
            return Some(to_owned(cell));
        }
        Some(Form::Timestamp | Form::Timedelta | Form::Period | Form::Interval) => {
            return crate::pandas::scalar_cell(value).ok();
        }
        _ => {}
    }
    match value.typed()? {
        Typed::Date(date) => {
            let days = days_of(date.year().into(), date.month().into(), date.day().into())?;
            Some(Cell::Instant(Instant { is_date: true, ..Instant::new(days as i64, TimeUnit::Day) }))
        }
        Typed::DateTime(time) => instant(&time).map(Cell::Instant),
        Typed::TimeDelta(delta) => {
            let ticks = i64::try_from(delta.total_microseconds()).ok()?;
            Some(Cell::Delta(Delta { ticks, unit: TimeUnit::Micro, per: 1 }))
        }
        Typed::Time(time) => Some(Cell::Str(time_text(&time).into())),
        Typed::Decimal(decimal) => Some(Cell::Decimal(decimal.as_str().to_owned())),
        Typed::Uuid(uuid) => Some(Cell::Str(uuid.to_string().into())),
        _ => None,
    }
}

/// The same cell, borrowing nothing; an object becomes what Python writes for it.
pub(crate) fn to_owned<'a>(cell: Cell<'_>) -> Cell<'a> {
    let boxed = |cell: Box<Cell<'_>>| Box::new(to_owned(*cell));
    match cell {
        Cell::Null => Cell::Null,
        Cell::Bool(value) => Cell::Bool(value),
        Cell::Int(value) => Cell::Int(value),
        Cell::UInt(value) => Cell::UInt(value),
        Cell::Float32(value) => Cell::Float32(value),
        Cell::Float(value) => Cell::Float(value),
        Cell::Complex(re, im) => Cell::Complex(re, im),
        Cell::Bytes(bytes) => Cell::Bytes(Cow::Owned(bytes.into_owned())),
        Cell::Str(text) => Cell::Str(Cow::Owned(text.into_owned())),
        Cell::Instant(time) => Cell::Instant(Instant {
            zone: time.zone.map(|zone| Cow::Owned(zone.into_owned())),
            ticks: time.ticks,
            unit: time.unit,
            per: time.per,
            is_date: time.is_date,
        }),
        Cell::Delta(delta) => Cell::Delta(delta),
        Cell::Decimal(digits) => Cell::Decimal(digits),
        Cell::Period { text, ordinal } => Cell::Period { text, ordinal },
        Cell::Interval { left, right, closed } => {
            Cell::Interval { left: boxed(left), right: boxed(right), closed: Cow::Owned(closed.into_owned()) }
        }
        Cell::List(items) => Cell::List(items.into_iter().map(to_owned).collect()),
        Cell::Record(fields) => Cell::Record(
            fields.into_iter().map(|(name, cell)| (Cow::Owned(name.into_owned()), to_owned(cell))).collect(),
        ),
        Cell::Object(value) => Cell::Str(Cow::Owned(crate::key::repr(value))),
    }
}

fn time_text(time: &Time<'_>) -> String {
    let text = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if time.microsecond() > 0 { format!("{text}.{:06}", time.microsecond()) } else { text }
}

/// A `datetime.datetime`: in UTC if the offset of its zone is known, and none if it is not.
fn instant<'g>(time: &DateTime<'g>) -> Option<Instant<'g>> {
    let (date, clock) = (time.date(), time.time());
    let days = days_of(date.year().into(), date.month().into(), date.day().into())? as i64;
    let seconds = i64::from(clock.hour()) * 3600 + i64::from(clock.minute()) * 60 + i64::from(clock.second());
    let local = (days * 86_400 + seconds) * 1_000_000 + i64::from(clock.microsecond());
    let Some(zone) = time.zone() else { return Some(Instant::new(local, TimeUnit::Micro)) };
    let offset = i64::try_from(offset_of(&zone)?.total_microseconds()).ok()?;
    let name = zone.name().map_or_else(|| "fixed".into(), |name| std::borrow::Cow::Owned(name.to_owned()));
    Some(Instant { zone: Some(name), ..Instant::new(local - offset, TimeUnit::Micro) })
}

fn offset_of(zone: &Zone<'_>) -> Option<TimeDelta> {
    zone.offset()
}
