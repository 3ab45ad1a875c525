//! Standard library objects as Python expressions: `datetime.date(2030, 1, 2)`.
//!
//! The expression evaluates to an equal object. Objects with long texts or many items use the raw form, which writes
//! shared values once.

use std::fmt;

use picklevm_ops::repr;
use smallvec::smallvec;

use super::notation::{Parts, Step, Steps, Write};
use super::python::{self, BRACES, LIST, PARENTHESES, arguments, float, group, is_dotted_name};
use crate::graph::{Change, Items, Kind, Object, Value};
use crate::literal::names::Name;
use crate::python::Class;
use crate::typed::datetime::zone_argument;
use crate::typed::{
    Array, ArrayItems, Date, DateTime, DefaultDict, Deque, Exception, FlagNames, FrozenDict, InstanceView, IpAddress,
    OrderedDict, Partial, Path, Range, Regex, SafeUuid, SimpleNamespace, Slice, Time, TimeDelta, TimeZone, Uuid, View,
    ZoneInfo,
};

/// Maximum bytes of text, and number of items, in an expression.
const MAX_INLINE: usize = 200;

/// Returns the steps of a standard library object, or `None` to use the raw form.
pub(super) fn steps<'g>(value: Value<'g>, object: Object<'g>) -> Option<Steps<'g>> {
    let known = Class::of(object.class());
    if known == Class::Other && object.class().as_object().is_none() {
        return None;
    }
    let instance = InstanceView::new(object, known);
    // The arguments of exceptions and slices may be long: they are written as values, so that sharing is visible.
    let has_arguments = matches!(instance.known, Class::Exception | Class::Slice);
    let keywords =
        instance.kwargs().is_none_or(|kwargs| kwargs.values().len() <= MAX_INLINE && is_short_text(kwargs.values()));
    let is_all_short = || is_short(object.args()) && is_short(instance.args()) && keywords;
    if !(has_arguments || is_all_short()) {
        return None;
    }
    match instance.known {
        Class::Date => whole::<Date>(value, |value, out| {
            let date: Date = read(value)?;
            write!(out, "datetime.date({}, {}, {})", date.year(), date.month(), date.day())
        }),
        Class::TimeDelta => whole::<TimeDelta>(value, write_delta),
        Class::TimeZone => {
            (TimeZone::of(&instance)? == TimeZone::UTC).then(|| smallvec![Step::Text("datetime.timezone.utc")])
        }
        Class::Time => {
            let fold = Time::of(&instance)?.fold();
            Some(zoned(Step::Written(value, write_time), zone_argument(&instance), fold))
        }
        Class::DateTime => {
            let fold = DateTime::of(&instance)?.fold();
            Some(zoned(Step::Written(value, write_datetime), zone_argument(&instance), fold))
        }
        Class::Uuid => whole::<Uuid>(value, write_uuid),
        Class::Ip(_) => whole::<IpAddress<'_>>(value, write_address),
        Class::Path(_) => path(value),
        Class::Range => whole::<Range>(value, |value, out| write!(out, "{}", read::<Range>(value)?)),
        Class::Slice => {
            Slice::of(&instance)?;
            Some(smallvec![Step::Text("slice"), Step::Arguments(object, arguments)])
        }
        Class::ArrayReconstructor => array(value),
        Class::OrderedDict if object.args().is_empty() => {
            OrderedDict::of(&instance)?;
            let [open, close] = ["collections.OrderedDict(", ")"].map(Step::Text);
            Some(smallvec![open, set_pairs(object).unwrap_or(Step::Text("")), close])
        }
        Class::FrozenDict => {
            FrozenDict::of(&instance)?;
            Some(smallvec![Step::Text("frozendict"), Step::Arguments(object, arguments)])
        }
        Class::DefaultDict => {
            let dict = DefaultDict::of(&instance)?;
            let factory = dict.factory().map_or(Step::Text("None"), Step::Value);
            let pairs = set_pairs(object)?;
            let [open, comma, close] = ["collections.defaultdict(", ", ", ")"].map(Step::Text);
            Some(smallvec![open, factory, comma, pairs, close])
        }
        Class::Deque if object.changes().next().is_none() && object.args().is_empty() => {
            Deque::of(&instance)?;
            Some(smallvec![Step::Text("collections.deque([])")])
        }
        Class::Deque if object.changes().next().is_some() => {
            let items = Deque::of(&instance)?.borrowed_items()?;
            let items = group(&LIST, Parts::Items(items));
            Some(smallvec![Step::Text("collections.deque("), items, Step::Written(value, write_max_len)])
        }
        Class::Partial => partial(value),
        Class::Regex => {
            let pattern = Regex::of(&instance)?.pattern();
            Some(smallvec![Step::Text("re.compile("), Step::Value(pattern), Step::Written(value, write_flags)])
        }
        Class::SimpleNamespace => {
            let attributes = SimpleNamespace::of(&instance)?.state()?;
            let is_simple = attributes.keys().all(|key| key.as_str().is_some());
            let [open, close] = ["types.SimpleNamespace(**", ")"].map(Step::Text);
            is_simple.then(|| smallvec![open, Step::Value(attributes.value()), close])
        }
        Class::GetAttr => attribute(object),
        Class::BitOr => {
            FlagNames::of(&instance)?;
            flags(object)
        }
        Class::ZoneInfo | Class::ZoneInfoUncached | Class::ZoneInfoUnpickle => zone_info(value),
        Class::Exception if is_builtin(object) => {
            Exception::of(&instance)?;
            let name = Step::Written(value, write_exception);
            Some(python::instance(
                object,
                name,
                Step::Arguments(object, arguments),
                object.class(),
                object.args().len(),
            ))
        }
        _ => reconstructed(&instance, object),
    }
}

/// Returns whether an exception is built in.
fn is_builtin(object: Object<'_>) -> bool {
    let class = object.class().as_global();
    class.and_then(|class| class.module().as_str()).is_some_and(|module| matches!(module, "builtins" | "exceptions"))
}

/// Returns whether items are few and short.
fn is_short(items: Items<'_>) -> bool {
    items.len() <= MAX_INLINE && is_short_text(items)
}

/// Returns whether the text, bytes and integers among items are short.
fn is_short_text<'g>(items: impl Iterator<Item = Value<'g>>) -> bool {
    let size = |item: Value<'_>| match item.kind() {
        Kind::Str(text) => text.as_bytes().len(),
        Kind::Int(int) => int.with_le_bytes(<[u8]>::len),
        _ => item.as_bytes().map_or(0, <[u8]>::len),
    };
    items.map(size).sum::<usize>() <= MAX_INLINE
}

/// Returns a single step for a value with the view `T`.
fn whole<'g, T: View<'g>>(value: Value<'g>, write: Write) -> Option<Steps<'g>> {
    T::view(value).map(|_| smallvec![Step::Written(value, write)])
}

/// Returns the view of a value that is known to have it.
fn read<'g, T: View<'g>>(value: Value<'g>) -> Result<T, fmt::Error> {
    T::view(value).ok_or(fmt::Error)
}

/// Returns the entries that were set on an object.
fn set_pairs(object: Object<'_>) -> Option<Step<'_>> {
    match object.changes().next()? {
        Change::SetItem(pairs) => Some(group(&BRACES, Parts::Entries(pairs))),
        _ => None,
    }
}

/// Returns the steps of a time with its time zone and fold.
fn zoned<'g>(time: Step<'g>, zone: Option<Value<'g>>, fold: bool) -> Steps<'g> {
    let mut steps: Steps<'g> = smallvec![time];
    if let Some(zone) = zone {
        steps.extend([Step::Text(", tzinfo="), Step::Value(zone)]);
    }
    steps.push(Step::Text(if fold { ", fold=1)" } else { ")" }));
    steps
}

fn write_time(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let time: Time<'_> = read(value)?;
    write!(out, "datetime.time(")?;
    write_clock(time, out)
}

fn write_datetime(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let time: DateTime<'_> = read(value)?;
    let date = time.date();
    write!(out, "datetime.datetime({}, {}, {}, ", date.year(), date.month(), date.day())?;
    write_clock(time.time(), out)
}

/// Writes hour, minute and the nonzero rest, like `repr`.
fn write_clock(time: Time<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    write!(out, "{}, {}", time.hour(), time.minute())?;
    match (time.second(), time.microsecond()) {
        (0, 0) => Ok(()),
        (second, 0) => write!(out, ", {second}"),
        (second, microsecond) => write!(out, ", {second}, {microsecond}"),
    }
}

fn write_delta(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let delta: TimeDelta = read(value)?;
    if delta == TimeDelta::ZERO {
        return out.write_str("datetime.timedelta(0)");
    }
    let parts = [
        ("days", i64::from(delta.days())),
        ("seconds", delta.seconds().into()),
        ("microseconds", delta.microseconds().into()),
    ];
    out.write_str("datetime.timedelta(")?;
    for (n, (name, part)) in parts.into_iter().filter(|(_, part)| *part != 0).enumerate() {
        write!(out, "{}{name}={part}", if n > 0 { ", " } else { "" })?;
    }
    out.write_str(")")
}

/// Writes a `zoneinfo.ZoneInfo` as a call of the class or its `no_cache`.
fn zone_info(value: Value<'_>) -> Option<Steps<'_>> {
    whole::<ZoneInfo<'_>>(value, |value, out| {
        let zone: ZoneInfo<'_> = read(value)?;
        let method = if zone.is_cached() { "" } else { ".no_cache" };
        write!(out, "zoneinfo.ZoneInfo{method}({})", repr::Str(zone.key().into()))
    })
}

fn write_uuid(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let id: Uuid = read(value)?;
    write!(out, "uuid.UUID('{id}'")?;
    match id.safety() {
        SafeUuid::Safe => out.write_str(", is_safe=uuid.SafeUUID.safe)"),
        SafeUuid::Unsafe => out.write_str(", is_safe=uuid.SafeUUID.unsafe)"),
        SafeUuid::Unknown => out.write_str(")"),
    }
}

fn write_address(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let address: IpAddress<'_> = read(value)?;
    let class = if address.addr().is_ipv6() { "IPv6Address" } else { "IPv4Address" };
    write!(out, "ipaddress.{class}({})", repr::Str((&*address.to_string()).into()))
}

fn path(value: Value<'_>) -> Option<Steps<'_>> {
    Path::view(value)?.to_str()?;
    whole::<Path<'_>>(value, |value, out| {
        let path: Path<'_> = read(value)?;
        write!(out, "pathlib.{}({})", path.flavour().name(), repr::Str((&*path.to_string()).into()))
    })
}

fn array(value: Value<'_>) -> Option<Steps<'_>> {
    whole::<Array>(value, |value, out| {
        let array: Array = read(value)?;
        write!(out, "array.array('{}', ", array.typecode())?;
        match array.items() {
            ArrayItems::Int(items) => write!(out, "{items:?}")?,
            ArrayItems::UInt(items) => write!(out, "{items:?}")?,
            ArrayItems::Float(items) => {
                for (n, item) in items.iter().enumerate() {
                    out.write_str(if n > 0 { ", " } else { "[" })?;
                    float(*item, out)?;
                }
                out.write_str(if items.is_empty() { "[]" } else { "]" })?;
            }
            ArrayItems::Text(text) => write!(out, "{}", repr::Str((&**text).into()))?,
        }
        out.write_str(")")
    })
}

fn write_max_len(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let deque: Deque<'_> = read(value)?;
    match deque.max_len() {
        Some(len) => write!(out, ", maxlen={len})"),
        None => out.write_str(")"),
    }
}

/// Writes `functools.partial(f, *args, **keywords)`.
fn partial(value: Value<'_>) -> Option<Steps<'_>> {
    let partial = Partial::view(value).filter(|partial| partial.attributes().is_none())?;
    let mut steps: Steps<'_> = smallvec![Step::Text("functools.partial("), Step::Value(partial.function())];
    if !partial.args().is_empty() {
        let args = value.as_object()?.state()?.items().get(1)?;
        steps.extend([Step::Text(", *"), Step::Value(args)]);
    }
    if let Some(keywords) = partial.keywords().filter(|keywords| !keywords.is_empty()) {
        steps.extend([Step::Text(", **"), Step::Value(keywords.value())]);
    }
    steps.push(Step::Text(")"));
    Some(steps)
}

/// Writes flags other than the default of the pattern.
fn write_flags(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    const UNICODE: i64 = 32;
    let regex: Regex<'_> = read(value)?;
    match regex.flags() {
        0 => out.write_str(")"),
        UNICODE if regex.pattern().as_text().is_some() => out.write_str(")"),
        flags => write!(out, ", {flags})"),
    }
}

/// Writes `Color.RED`: an attribute of a class, such as an enum member.
fn attribute(object: Object<'_>) -> Option<Steps<'_>> {
    let [owner, name] = object.args().as_array()?;
    is_short(object.args()).then_some(())?;
    let is_name = name.as_text().is_some_and(|name| is_dotted_name(name) && !name.as_bytes().contains(&b'.'));
    let owner_name = owner.as_global().is_some_and(|owner| is_dotted_name(owner.name()));
    if !is_name || !owner_name || object.changes().next().is_some() {
        return None;
    }
    let write: Write = |name, out| write!(out, "{}", name.as_text().ok_or(fmt::Error)?);
    // Without parentheses, a name like `time.struct.now` is that of a function in a module.
    let global = owner.as_global()?;
    let dotted = format!("{}.{}.x", global.module(), global.name());
    let is_clear = matches!(Name::of(&dotted), Name::Attribute([module, _], _) if global.module() == module);
    let [before, after] = if is_clear { ["", "."] } else { ["(", ")."] };
    Some(smallvec![Step::Text(before), Step::Value(owner), Step::Text(after), Step::Written(name, write)])
}

/// Writes `(Perm.R | Perm.W)`: several members of a flag. What is on the left may be shared, and has its own parentheses.
fn flags(object: Object<'_>) -> Option<Steps<'_>> {
    let [rest, member] = object.args().as_array()?;
    let [open, or, close] = ["(", " | ", ")"].map(Step::Text);
    Some(smallvec![open, Step::Value(rest), or, Step::Value(member), close])
}

/// Writes the name of a built-in exception.
fn write_exception(value: Value<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let error: Exception<'_> = read(value)?;
    out.write_str(error.name().ok_or(fmt::Error)?.1)
}

/// Writes an instance created by `copyreg._reconstructor` (protocols 0 and 1) like one of a later protocol.
fn reconstructed<'g>(instance: &InstanceView<'g>, object: Object<'g>) -> Option<Steps<'g>> {
    if Class::of(object.class()) != Class::Reconstructor || instance.is_incomplete {
        return None;
    }
    let [_, base, _] = object.args().as_array()?;
    let base = base.as_global()?.name();
    instance.class().as_global().filter(|_| base == "object" || base == "tuple")?;
    let args = group(&PARENTHESES, Parts::Items(instance.args()));
    Some(python::instance(object, Step::Value(instance.class()), args, instance.class(), instance.args().len()))
}
