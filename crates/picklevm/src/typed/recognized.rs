//! The view of any object of the standard library.

use std::fmt::Display;

use super::{
    Array, Counter, Date, DateTime, Decimal, DefaultDict, Deque, EnumMember, Exception, Fraction, FrozenDict,
    IpAddress, IpInterface, IpNetwork, Member, OrderedDict, Partial, Path, Range, Regex, SimpleNamespace, Slice, Time,
    TimeDelta, TimeZone, Uuid, ZoneInfo,
};
use crate::graph::{InstanceView, Value};
use crate::python::{Class, IpKind};

/// An object with its view, whichever it is: for programs that take objects as they come. [`Value::typed`] returns it.
///
/// It has the objects with a class or a function of the standard library, and members of enums. Other instances have an
/// [`InstanceView`].
///
/// ```
/// use picklevm::{Graph, Kind, Value, typed::{Date, Typed, Uuid}};
///
/// fn text(value: Value<'_>) -> String {
///     match (value.kind(), value.typed()) {
///         (Kind::Int(int), _) => int.to_string(),
///         (_, Some(Typed::Date(date))) => format!("{}/{}/{}", date.day(), date.month(), date.year()),
///         (_, Some(other)) => other.to_text().unwrap_or_default(),
///         _ => value.type_name().to_owned(),
///     }
/// }
///
/// let graph = Graph::from((7, Date::new(2030, 1, 2)?, Uuid::from(1), ()));
/// let texts: Vec<_> = graph.root().items().map(text).collect();
/// assert_eq!(texts, ["7", "2/1/2030", "00000000-0000-0000-0000-000000000001", "NoneType"]);
/// # Ok::<(), picklevm::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Typed<'g> {
    /// `array.array`.
    Array(Array),
    /// `collections.Counter`.
    Counter(Counter<'g>),
    /// `datetime.date`.
    Date(Date),
    /// `datetime.datetime`.
    DateTime(DateTime<'g>),
    /// `decimal.Decimal`.
    Decimal(Decimal<'g>),
    /// `collections.defaultdict`.
    DefaultDict(DefaultDict<'g>),
    /// `collections.deque`.
    Deque(Deque<'g>),
    /// A member of an enum, or what looks like one: the call of a class with one plain value.
    EnumMember(EnumMember<'g>),
    /// An exception.
    Exception(Exception<'g>),
    /// `fractions.Fraction`.
    Fraction(Fraction),
    /// `frozendict`.
    FrozenDict(FrozenDict<'g>),
    /// `ipaddress.IPv4Address` or `IPv6Address`.
    IpAddress(IpAddress<'g>),
    /// `ipaddress.IPv4Interface` or `IPv6Interface`.
    IpInterface(IpInterface<'g>),
    /// `ipaddress.IPv4Network` or `IPv6Network`.
    IpNetwork(IpNetwork<'g>),
    /// `collections.OrderedDict`.
    OrderedDict(OrderedDict<'g>),
    /// `functools.partial`.
    Partial(Partial<'g>),
    /// A class of `pathlib`.
    Path(Path<'g>),
    /// `range`.
    Range(Range),
    /// `re.compile(…)`.
    Regex(Regex<'g>),
    /// `types.SimpleNamespace`.
    SimpleNamespace(SimpleNamespace<'g>),
    /// `slice`.
    Slice(Slice<'g>),
    /// `datetime.time`.
    Time(Time<'g>),
    /// `datetime.timedelta`.
    TimeDelta(TimeDelta),
    /// `datetime.timezone`.
    TimeZone(TimeZone<'g>),
    /// `uuid.UUID`.
    Uuid(Uuid),
    /// `zoneinfo.ZoneInfo`.
    ZoneInfo(ZoneInfo<'g>),
}

impl<'g> Typed<'g> {
    /// Returns the view that the class of an object has, if its contents are valid.
    pub(crate) fn of(instance: &InstanceView<'g>) -> Option<Typed<'g>> {
        Some(match instance.result_class() {
            Class::Array | Class::ArrayReconstructor => Typed::Array(Array::of(instance)?),
            Class::Counter => Typed::Counter(Counter::of(instance)?),
            Class::Date => Typed::Date(Date::of(instance)?),
            Class::DateTime => Typed::DateTime(DateTime::of(instance)?),
            Class::Decimal => Typed::Decimal(Decimal::of(instance)?),
            Class::DefaultDict => Typed::DefaultDict(DefaultDict::of(instance)?),
            Class::Deque => Typed::Deque(Deque::of(instance)?),
            Class::Exception => Typed::Exception(Exception::of(instance)?),
            Class::Fraction => Typed::Fraction(Fraction::of(instance)?),
            Class::FrozenDict => Typed::FrozenDict(FrozenDict::of(instance)?),
            Class::Ip(class) => match class.kind {
                IpKind::Address => Typed::IpAddress(IpAddress::of(instance)?),
                IpKind::Interface => Typed::IpInterface(IpInterface::of(instance)?),
                IpKind::Network => Typed::IpNetwork(IpNetwork::of(instance)?),
            },
            Class::OrderedDict => Typed::OrderedDict(OrderedDict::of(instance)?),
            Class::Partial => Typed::Partial(Partial::of(instance)?),
            Class::Path(_) => Typed::Path(Path::of(instance)?),
            Class::Range => Typed::Range(Range::of(instance)?),
            Class::Regex => Typed::Regex(Regex::of(instance)?),
            Class::SimpleNamespace => Typed::SimpleNamespace(SimpleNamespace::of(instance)?),
            Class::Slice => Typed::Slice(Slice::of(instance)?),
            Class::Time => Typed::Time(Time::of(instance)?),
            Class::TimeDelta => Typed::TimeDelta(TimeDelta::of(instance)?),
            Class::TimeZone => Typed::TimeZone(TimeZone::of(instance)?),
            Class::Uuid => Typed::Uuid(Uuid::of(instance)?),
            Class::ZoneInfo | Class::ZoneInfoUncached | Class::ZoneInfoUnpickle => {
                Typed::ZoneInfo(ZoneInfo::of(instance)?)
            }
            Class::Other | Class::GetAttr | Class::BitOr => Typed::EnumMember(EnumMember::of(instance)?),
            Class::Reconstructor | Class::NewObj | Class::NewObjEx => return None,
            Class::DateMethod | Class::TimeMethod | Class::DateTimeMethod => return None,
        })
    }

    /// Returns the text that other formats have for such an object: of dates and times in ISO 8601, of numbers, ids, paths,
    /// addresses, time zones and the members of a flag. `None` for others.
    pub fn to_text(&self) -> Option<String> {
        let text: &dyn Display = match self {
            Typed::Date(date) => date,
            Typed::DateTime(time) => time,
            Typed::Decimal(decimal) => return Some(decimal.as_str().to_owned()),
            Typed::EnumMember(member) => match member.member() {
                Member::Names(names) => return Some(names.to_string()),
                _ => return None,
            },
            Typed::Fraction(fraction) => fraction,
            Typed::IpAddress(address) => address,
            Typed::IpInterface(interface) => interface,
            Typed::IpNetwork(network) => network,
            Typed::Path(path) => path,
            Typed::Time(time) => time,
            Typed::TimeDelta(delta) => delta,
            Typed::TimeZone(zone) => zone,
            Typed::Uuid(id) => id,
            Typed::ZoneInfo(zone) => zone,
            _ => return None,
        };
        Some(text.to_string())
    }
}

impl<'g> Value<'g> {
    /// Returns the [view](Typed) that the class of an object has. `None` for a value that is no object of the standard
    /// library, and for one that holds more than its view can represent.
    ///
    /// ```
    /// use picklevm::typed::Typed;
    ///
    /// let graph = picklevm::loads(b"cdatetime\ntimedelta\n(I-1\nI5\nI0\ntR.")?;
    /// assert!(matches!(graph.root().typed(), Some(Typed::TimeDelta(delta)) if delta.days() == -1));
    /// # Ok::<(), picklevm::Error>(())
    /// ```
    pub fn typed(self) -> Option<Typed<'g>> {
        Typed::of(&InstanceView::of(self)?)
    }
}
