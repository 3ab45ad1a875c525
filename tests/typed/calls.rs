//! Calls as other picklers than CPython's write them: tests/data/typed/calls.txt, by tests/python/typed_calls.py.

use std::fs;

use picklevm::typed::{
    Array, ArrayItems, Complex, Date, DateTime, Decimal, DefaultDict, Deque, Fraction, IpAddress, IpInterface,
    IpNetwork, OrderedDict, Range, Time, TimeDelta, TimeZone, Uuid, View, Zone, ZoneInfo,
};
use picklevm::{Symbolic, Unpickler, Value, ops::repr::Float};

use super::{root, unhex};

/// What the script tells of an object, by its view.
fn told(view: &str, value: Value<'_>) -> Option<String> {
    fn shown<'g, T: View<'g> + ToString>(value: Value<'g>) -> Option<String> {
        T::view(value).map(|view| view.to_string())
    }
    let delta = |delta: TimeDelta| format!("{} {} {}", delta.days(), delta.seconds(), delta.microseconds());
    let clock = |time: Time<'_>, zone: Option<Zone<'_>>| {
        let zone = zone.and_then(|zone| zone.offset()).map(|offset| offset.total_microseconds().to_string());
        let zone = zone.unwrap_or("-".into());
        let [hour, minute, second] = [time.hour(), time.minute(), time.second()];
        format!("{hour:02}:{minute:02}:{second:02}.{:06} {} {zone}", time.microsecond(), u8::from(time.fold()))
    };
    let list = |items: &mut dyn Iterator<Item = String>| format!("[{}]", items.collect::<Vec<_>>().join(", "));
    let pairs = |entries: &mut dyn Iterator<Item = (Value<'_>, Value<'_>)>| {
        list(&mut entries.map(|(key, value)| format!("[{key}, {value}]")))
    };
    match view {
        "Date" => shown::<Date>(value),
        "Decimal" => shown::<Decimal<'_>>(value),
        "Fraction" => shown::<Fraction>(value),
        "IpAddress" => shown::<IpAddress<'_>>(value),
        "IpNetwork" => shown::<IpNetwork<'_>>(value),
        "IpInterface" => shown::<IpInterface<'_>>(value),
        "Uuid" => shown::<Uuid>(value),
        "ZoneInfo" => shown::<ZoneInfo<'_>>(value),
        "Time" => Time::view(value).map(|time| clock(time, time.zone())),
        "DateTime" => DateTime::view(value).map(|time| format!("{}T{}", time.date(), clock(time.time(), time.zone()))),
        "TimeDelta" => TimeDelta::view(value).map(delta),
        "TimeZone" => TimeZone::view(value).map(|zone| delta(zone.offset())),
        "Range" => Range::view(value).map(|range| format!("{} {} {}", range.start(), range.stop(), range.step())),
        "Complex" => Complex::view(value).map(|complex| format!("{} {}", Float(complex.re), Float(complex.im))),
        "Array" => Array::view(value).map(|array| match array.items() {
            ArrayItems::Int(items) => format!("{} {items:?}", array.typecode()),
            ArrayItems::UInt(items) => format!("{} {items:?}", array.typecode()),
            ArrayItems::Float(items) => {
                format!("{} {}", array.typecode(), list(&mut items.iter().map(|item| Float(*item).to_string())))
            }
            ArrayItems::Text(text) => format!("{} '{text}'", array.typecode()),
        }),
        "Deque" => Deque::view(value).map(|deque| {
            let most = deque.max_len().map_or("None".to_owned(), |most| most.to_string());
            format!("{} {most}", list(&mut deque.items().map(|item| item.to_string())))
        }),
        "OrderedDict" => OrderedDict::view(value).map(|dict| pairs(&mut dict.entries())),
        "DefaultDict" => DefaultDict::view(value).map(|dict| pairs(&mut dict.entries())),
        _ => panic!("{view} is no view"),
    }
}

#[test]
fn every_call_that_python_accepts_has_the_view_of_what_it_makes_and_no_other() {
    let lines = fs::read_to_string(root().join("tests/data/typed/calls.txt")).expect("vectors");
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let (view, rest) = line.split_once(' ').expect("a view");
        let (pickle, expected) = rest.split_once(' ').expect("a pickle");
        let pickle = unhex(pickle);
        let expected = (expected != "!").then(|| expected.replace("\\xf1", "ñ"));
        for unpickler in [Unpickler::new(), Unpickler::new().resolver(Symbolic)] {
            let graph = unpickler.loads(&pickle).expect("a pickle");
            let found = told(view, graph.root());
            if found != expected {
                wrong.push(format!("{view} of {}: {found:?} instead of {expected:?}", graph.root()));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines.lines().count(), wrong.join("\n"));
}
