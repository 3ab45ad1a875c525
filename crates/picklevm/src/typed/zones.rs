//! Time zones: `datetime.timezone`, `zoneinfo.ZoneInfo`, and those of other packages.

use std::fmt;

use super::builtins::text;
use super::reduce_helpers::{into_value, typed};
use super::signature::{Signature, index};
use super::timedelta::TimeDelta;
use super::{Reduce, View};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::InstanceView;
use crate::graph::{Arena, Id, IntoValue, Value};
use crate::protocol::Protocol;
use crate::python::Class;

/// View of a `datetime.timezone`: a fixed offset from UTC with an optional name.
///
/// ```
/// use picklevm::typed::{TimeDelta, TimeZone};
///
/// let zone = TimeZone::new(TimeDelta::new(0, 3600, 0)?)?.with_name("CET");
/// assert_eq!(zone.to_string(), "+01:00");
/// assert!(TimeZone::new(TimeDelta::new(1, 0, 0)?).is_err());
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeZone<'g> {
    offset: TimeDelta,
    name: Option<&'g str>,
}

impl<'g> TimeZone<'g> {
    /// UTC: `datetime.timezone.utc`.
    pub const UTC: TimeZone<'static> = TimeZone { offset: TimeDelta::ZERO, name: None };

    /// Creates a time zone from an offset from UTC of less than a day.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfRange`] for a day or more.
    pub fn new(offset: TimeDelta) -> Result<TimeZone<'g>> {
        if offset.total_microseconds().unsigned_abs() < 86_400_000_000 {
            return Ok(TimeZone { offset, name: None });
        }
        Err(Error::new(ErrorKind::OutOfRange, "an offset of less than a day", offset.to_string()))
    }

    /// Returns the same offset with a name.
    #[must_use]
    pub fn with_name(self, name: &'g str) -> TimeZone<'g> {
        TimeZone { name: Some(name), ..self }
    }

    /// Returns the offset to add to UTC.
    pub fn offset(&self) -> TimeDelta {
        self.offset
    }

    /// Returns the name, if it has one.
    pub fn name(&self) -> Option<&'g str> {
        self.name
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<TimeZone<'g>> {
        const SIGNATURE: Signature<2> = Signature::new(["offset", "name"], 1);
        let [offset, name] = instance.bind(Class::TimeZone, &SIGNATURE)?;
        let zone = TimeZone::new(TimeDelta::view(offset?)?).ok()?;
        match name {
            None => Some(zone),
            Some(name) => Some(zone.with_name(text(name)?)),
        }
    }
}

/// Formats the offset: `+01:00`, with seconds and microseconds if they are not zero.
impl fmt::Display for TimeZone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.offset.total_microseconds();
        let (size, micros) = (total.unsigned_abs() / 1_000_000, total.unsigned_abs() % 1_000_000);
        let sign = if total < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", size / 3600, size / 60 % 60)?;
        match (size % 60, micros) {
            (0, 0) => Ok(()),
            (seconds, 0) => write!(f, ":{seconds:02}"),
            (seconds, micros) => write!(f, ":{seconds:02}.{micros:06}"),
        }
    }
}

impl Reduce for TimeZone<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        let mut args = vec![self.offset.reduce(arena, protocol).0];
        args.extend(self.name.map(|name| arena.cell(name)));
        arena.known_call(["datetime", "timezone"], &args)
    }
}

/// View of a `zoneinfo.ZoneInfo`, by its key in the IANA database.
///
/// ```
/// use picklevm::typed::ZoneInfo;
///
/// let graph = picklevm::Graph::from(ZoneInfo::new("Europe/Berlin"));
/// assert_eq!(graph.root().view::<ZoneInfo>()?.key(), "Europe/Berlin");
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZoneInfo<'g> {
    key: &'g str,
    is_cached: bool,
}

impl<'g> ZoneInfo<'g> {
    /// Creates a time zone from its key in the IANA database.
    pub fn new(key: &'g str) -> ZoneInfo<'g> {
        ZoneInfo { key, is_cached: true }
    }

    /// Returns the same zone, to be created with `ZoneInfo.no_cache(key)`, which returns a new object each time.
    #[must_use]
    pub fn no_cache(self) -> ZoneInfo<'g> {
        ZoneInfo { is_cached: false, ..self }
    }

    /// Returns the key in the IANA database.
    pub fn key(&self) -> &'g str {
        self.key
    }

    /// Returns whether Python caches the zone, so that all zones with this key are one object. See
    /// [`no_cache`](ZoneInfo::no_cache).
    pub fn is_cached(&self) -> bool {
        self.is_cached
    }

    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<ZoneInfo<'g>> {
        const CALL: Signature<1> = Signature::new(["key"], 1);
        const UNPICKLE: Signature<2> = Signature::new(["key", "from_cache"], 2).positional_only(2);
        let (key, is_cached) = match instance.known {
            Class::ZoneInfo => (instance.bind(Class::ZoneInfo, &CALL)?[0]?, true),
            Class::ZoneInfoUncached => (instance.bind(Class::ZoneInfoUncached, &CALL)?[0]?, false),
            _ => {
                let [key, cached] = instance.bind(Class::ZoneInfoUnpickle, &UNPICKLE)?;
                (key?, index(cached?)? != 0)
            }
        };
        Some(ZoneInfo { key: text(key)?, is_cached })
    }
}

/// Writes the key.
impl fmt::Display for ZoneInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)
    }
}

impl Reduce for ZoneInfo<'_> {
    fn reduce(self, arena: &mut Arena, _: Protocol) -> Id {
        let (class, name) = (arena.known_global("zoneinfo", "ZoneInfo"), arena.cell("_unpickle"));
        let function = arena.attribute_of(class, name);
        let args = [arena.cell(self.key), arena.cell(u8::from(self.is_cached))];
        Id(arena.new_call(function, &args))
    }
}

/// The time zone of a time: any `tzinfo`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Zone<'g> {
    /// A fixed offset from UTC.
    Fixed(TimeZone<'g>),
    /// A time zone of the IANA database.
    Named(ZoneInfo<'g>),
    /// A time zone of another package, such as `pytz` or `dateutil`, or of the program.
    Other(Value<'g>),
}

impl<'g> Zone<'g> {
    pub(super) fn of(value: Value<'g>) -> Option<Zone<'g>> {
        if let Some(zone) = TimeZone::view(value) {
            return Some(Zone::Fixed(zone));
        }
        if let Some(zone) = ZoneInfo::view(value) {
            return Some(Zone::Named(zone));
        }
        value.as_object().map(|_| Zone::Other(value))
    }

    /// Returns the offset to add to UTC if it is fixed. This includes `pytz.utc`, `dateutil.tz.tzutc`, and a `pytz`
    /// zone attached to a time, which represents one offset of the zone.
    pub fn offset(&self) -> Option<TimeDelta> {
        match self {
            Zone::Fixed(zone) => Some(zone.offset),
            Zone::Named(_) => None,
            Zone::Other(value) => {
                let zone = InstanceView::of(*value)?;
                let class = zone.class.as_global()?.to_string();
                match &*class {
                    "pytz._UTC" | "dateutil.tz.tz.tzutc" => Some(TimeDelta::ZERO),
                    // pytz._p(name, seconds of the offset, seconds of summer time in it, abbreviation)
                    "pytz._p" => TimeDelta::new(0, zone.args.get(1)?.as_i64()?, 0).ok(),
                    _ => None,
                }
            }
        }
    }

    /// Returns the name in the IANA database, if the pickle contains it.
    pub fn name(&self) -> Option<&'g str> {
        match self {
            Zone::Fixed(_) => None,
            Zone::Named(zone) => Some(zone.key),
            Zone::Other(value) => text(InstanceView::of(*value)?.args.get(0)?),
        }
    }

    /// Writes the suffix of an ISO 8601 time: the offset, or the name in brackets (RFC 9557).
    pub(super) fn write_suffix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.offset(), self.name()) {
            (Some(offset), _) => write!(f, "{}", TimeZone { offset, name: None }),
            (None, Some(name)) => write!(f, "[{name}]"),
            (None, None) => Ok(()),
        }
    }
}

impl<'g> View<'g> for Zone<'g> {
    const EXPECTED: &'static str = "a tzinfo";

    fn view(value: Value<'g>) -> Option<Self> {
        Zone::of(value)
    }
}

impl Reduce for Zone<'_> {
    fn reduce(self, arena: &mut Arena, protocol: Protocol) -> Id {
        match self {
            Zone::Fixed(zone) => zone.reduce(arena, protocol),
            Zone::Named(zone) => zone.reduce(arena, protocol),
            Zone::Other(value) => value.into_value(arena),
        }
    }
}

impl<'g> From<TimeZone<'g>> for Zone<'g> {
    fn from(zone: TimeZone<'g>) -> Self {
        Zone::Fixed(zone)
    }
}

impl<'g> From<ZoneInfo<'g>> for Zone<'g> {
    fn from(zone: ZoneInfo<'g>) -> Self {
        Zone::Named(zone)
    }
}

into_value!(Zone<'g>);
typed! {
    TimeZone<'g>, "a datetime.timezone";
    ZoneInfo<'g>, "a zoneinfo.ZoneInfo";
}
