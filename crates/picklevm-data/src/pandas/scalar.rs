//! Scalars of pandas: timestamps, time spans, periods and intervals.

use picklevm::Value;

use super::extension::zone_text;
use super::periods::Freq;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::names::{Form, form};
use crate::time::{Delta, Instant, NAT, TimeUnit};

/// NumPy's numbers for the units that a `Timestamp` may have.
const UNITS: [(i64, TimeUnit); 4] =
    [(7, TimeUnit::Second), (8, TimeUnit::Milli), (9, TimeUnit::Micro), (10, TimeUnit::Nano)];

fn unit(value: Option<Value<'_>>) -> Result<TimeUnit> {
    match value.filter(|value| !value.is_none()) {
        None => Ok(TimeUnit::Nano),
        Some(number) => {
            let row = UNITS.iter().find(|row| Some(row.0) == number.as_i64());
            row.map(|row| row.1).ok_or_else(|| Error::expected("the number of a time unit", number))
        }
    }
}

/// A `Timestamp`, `Timedelta`, `Period` or `Interval` as a cell.
pub(crate) fn cell<'g>(value: Value<'g>) -> Result<Cell<'g>> {
    let bad = || Error::expected("a scalar of pandas", value);
    let object = value.as_object().ok_or_else(bad)?;
    let args = object.args();
    let number = |at: usize| args.get(at).and_then(Value::as_i64).ok_or_else(bad);
    match form(value) {
        Some(Form::Timestamp) => {
            let named = object.kwargs().and_then(|kwargs| kwargs.get("tz"));
            let zone = named.or(args.get(2)).filter(|zone| !zone.is_none()).map(zone_text).transpose()?;
            let time = Instant::new(number(0)?, unit(args.get(3))?);
            Ok(Cell::Instant(Instant { zone: zone.map(Into::into), ..time }))
        }
        Some(Form::Timedelta) => {
            // The state of a Timedelta may hold its count; versions without the unit have nanoseconds.
            Ok(Cell::Delta(Delta { ticks: number(0)?, unit: unit(args.get(1))?, per: 1 }))
        }
        Some(Form::Period) => {
            let state = value.as_object().and_then(|object| object.state()).map(|state| state.items());
            let part = |at: usize| state.and_then(|state| state.get(at)).or(args.get(at));
            let ordinal = part(2).and_then(Value::as_i64).ok_or_else(bad)?;
            match ordinal {
                NAT => Ok(Cell::Null),
                _ => Ok(Cell::Period { text: Freq::of(part(1)).text(ordinal), ordinal }),
            }
        }
        Some(Form::Interval) => {
            let (Some(left), Some(right)) = (args.get(0), args.get(1)) else { return Err(bad()) };
            let closed = args.get(2).map_or("right".to_owned(), crate::numpy_text);
            let end = |value: Value<'g>| match crate::text::resolve(value) {
                Cell::Object(_) => Err(bad()),
                cell => Ok(Box::new(cell)),
            };
            Ok(Cell::Interval { left: end(left)?, right: end(right)?, closed: closed.into() })
        }
        _ => Err(bad()),
    }
}
