//! Objects of the standard library from the Python expressions that make them.

use crate::graph::{Arena, Cell, Construction, Id, IntoValue, Kind, OpKind, Value};
use crate::protocol::Protocol;
use crate::python::Class;
use crate::typed::datetime::zone_argument;
use crate::typed::{
    Array, Date, DateTime, InstanceView, IpAddress, Range, Reduce, Regex, Time, TimeDelta, Uuid, View, ZoneInfo,
};

/// Returns the object that Python pickles for what a call returns, if the call is that of a class of the standard
/// library which is pickled in another way.
pub(super) fn canonical(arena: &mut Arena, call: Cell) -> Option<Id> {
    let value = Value::new(arena, call);
    let (instance, object) = (InstanceView::of(value)?, value.as_object()?);
    // Packed into bytes already.
    let is_packed = object.args().get(0).is_some_and(|first| first.as_bytes().or_else(|| text(first)).is_some());
    // In a text, keyword arguments are those of a call.
    let instance = InstanceView { construction: Construction::Reduce, ..instance };
    match instance.known {
        Class::Date | Class::Time | Class::DateTime if is_packed => None,
        Class::Date => Date::of(&instance).map(|date| date.into_value(arena)),
        Class::TimeDelta => TimeDelta::of(&instance).map(|delta| delta.into_value(arena)),
        Class::Time | Class::DateTime => date_time(arena, call),
        Class::Uuid => Uuid::of(&instance).map(|uuid| uuid.into_value(arena)),
        Class::Range => Range::of(&instance).map(|range| range.into_value(arena)),
        Class::Array => Array::of(&instance).map(|array| Reduce::reduce(&array, arena, Protocol::DEFAULT)),
        // What they hold is copied: texts and numbers.
        Class::Ip(_) => IpAddress::view(value.detach().root()).map(|address| address.into_value(arena)),
        Class::Regex => Regex::view(value.detach().root()).map(|regex| regex.into_value(arena)),
        Class::ZoneInfo | Class::ZoneInfoUncached => {
            ZoneInfo::view(value.detach().root()).map(|zone| zone.into_value(arena))
        }
        Class::OrderedDict
        | Class::DefaultDict
        | Class::Deque
        | Class::FrozenDict
        | Class::Partial
        | Class::SimpleNamespace => container(arena, instance.known, call),
        _ => None,
    }
}

fn text(value: Value<'_>) -> Option<&[u8]> {
    value.as_text().map(|text| text.as_bytes())
}

/// Adds a time or datetime. Its time zone is the same value.
fn date_time(arena: &mut Arena, call: Cell) -> Option<Id> {
    let value = Value::new(arena, call);
    let instance = InstanceView::of(value)?;
    let zone = zone_argument(&instance).map(Value::cell);
    let clock = |time: Time<'_>| {
        Time::new(time.hour(), time.minute(), time.second(), time.microsecond()).map(|new| new.with_fold(time.fold()))
    };
    let made = match instance.known {
        Class::Time => {
            let time = clock(Time::of(&instance)?).ok()?;
            time.into_value(arena)
        }
        _ => {
            let whole = DateTime::of(&instance)?;
            let (date, time) = (whole.date(), clock(whole.time()).ok()?);
            DateTime::new(date, time).into_value(arena)
        }
    };
    if let Some(zone) = zone {
        let packed = Value::new(arena, made.0).as_object()?.args().get(0)?.cell();
        arena.value_mut(made).set_args([Id(packed), Id(zone)]).ok()?;
    }
    Some(made)
}

/// Adds an object that holds values of the graph.
fn container(arena: &mut Arena, class: Class, call: Cell) -> Option<Id> {
    let object = Value::new(arena, call).as_object()?;
    let args: Vec<Cell> = object.args().map(Value::cell).collect();
    let kwargs = object.kwargs().map(Value::cell);
    let as_dict = |arena: &Arena, cell: Cell| Value::new(arena, cell).as_dict().is_some();
    let pairs = |arena: &Arena, cell: Cell| -> Vec<Cell> { arena.items(cell).to_vec() };
    match (class, &args[..], kwargs) {
        (Class::OrderedDict, [dict], None) if as_dict(arena, *dict) => {
            let rows = pairs(arena, *dict);
            Some(with(arena, ["collections", "OrderedDict"], &[], OpKind::SetItem, &rows))
        }
        (Class::DefaultDict, [factory, dict], None) if as_dict(arena, *dict) => {
            let rows = pairs(arena, *dict);
            let factory = Some(*factory).filter(|factory| *factory != Cell::NONE);
            Some(with(arena, ["collections", "defaultdict"], factory.as_slice(), OpKind::SetItem, &rows))
        }
        (Class::Deque, [items], _) if matches!(Value::new(arena, *items).kind(), Kind::List(_)) => {
            let max_len = object.kwargs().and_then(|kwargs| kwargs.get("maxlen")).map(Value::cell);
            let args = max_len.map(|len| [Cell::EMPTY_TUPLE, len]);
            let items = pairs(arena, *items);
            let args = args.as_ref().map_or(&[][..], |args| &args[..]);
            Some(with(arena, ["collections", "deque"], args, OpKind::Append, &items))
        }
        (Class::FrozenDict, [dict], None) if as_dict(arena, *dict) => Some(arena.new_frozen_dict(*dict)),
        (Class::Partial, [function, rest @ ..], kwargs) => {
            let rest = arena.new_tuple(rest);
            let kwargs = kwargs.unwrap_or_else(|| arena.new_dict());
            let state = arena.new_tuple(&[*function, rest, kwargs, Cell::NONE]);
            Some(with(arena, ["functools", "partial"], &[*function], OpKind::Build, &[state]))
        }
        (Class::SimpleNamespace, [], Some(attributes)) => {
            Some(with(arena, ["types", "SimpleNamespace"], &[], OpKind::Build, &[attributes]))
        }
        _ => None,
    }
}

/// Adds a call, and a change of what it returns.
fn with(arena: &mut Arena, [module, name]: [&str; 2], args: &[Cell], kind: OpKind, cells: &[Cell]) -> Id {
    let class = arena.known_global(module, name);
    let args = arena.new_tuple(args);
    let object = arena.new_object(Construction::Reduce, class, args);
    if !cells.is_empty() {
        arena.object_op(object, kind, cells);
    }
    Id(object)
}
