//! The objects of tests/python/typed_objects.py, with their views and expected descriptions.

use picklevm::typed::{
    Array, ArrayItems, Complex, Counter, Date, DateTime, Decimal, DefaultDict, Deque, EnumMember, Exception, Fraction,
    InstanceView, IpAddress, IpInterface, IpNetwork, Member, NamedTuple, OrderedDict, Partial, Path, Range, Reduce,
    Regex, SimpleNamespace, Slice, Time, TimeDelta, TimeZone, Uuid, ZoneInfo,
};
use picklevm::{Arena, Global, Id, Protocol, Result, Value};

/// An object, by its name in the script.
pub(crate) struct Object {
    pub(crate) name: &'static str,
    /// Expected description of its view.
    pub(crate) expected: &'static str,
    /// Describes the view of a value.
    pub(crate) describe: fn(Value<'_>) -> Result<String>,
    /// Creates a new object from the view of a value.
    pub(crate) rebuild: fn(Value<'_>, &mut Arena, Protocol) -> Result<Id>,
}

macro_rules! objects {
    ($($view:ident, $describe:expr, { $($name:literal: $expected:literal,)* })*) => {
        /// All objects.
        pub(crate) const OBJECTS: &[Object] = &[$($(Object {
            name: $name,
            expected: $expected,
            describe: |value| {
                let describe: fn($view) -> String = $describe;
                value.view::<$view>().map(describe)
            },
            rebuild: |value, arena, protocol| Ok(value.view::<$view>()?.reduce(arena, protocol)),
        },)*)*];
    };
}

#[allow(elided_lifetimes_in_paths, reason = "which of the views have one does not matter here")]
mod table {
    use super::*;

    objects! {
        Date, |date| date.to_string(), { "date": "2030-01-02", "date-max": "9999-12-31", }
        Time, |time| format!("{time} fold {}", time.fold()), {
            "time": "01:02:03.000004 fold false",
            "time-fold": "01:02:03 fold true",
            "time-zone": "01:02:00+00:00 fold false",
        }
        DateTime, |time| format!("{time} fold {}", time.fold()), {
            "datetime": "2030-01-02T03:04:05.000006 fold false",
            "datetime-utc": "2030-01-02T00:00:00+00:00 fold false",
            "datetime-fold": "2030-10-27T02:30:00 fold true",
            "datetime-cet": "2030-01-02T00:00:00+01:00 fold false",
            "datetime-berlin": "2030-01-02T00:00:00[Europe/Berlin] fold false",
        }
        TimeDelta, |delta| format!("{} {} {}", delta.days(), delta.seconds(), delta.microseconds()), {
            "timedelta": "-1 5 7", "timedelta-max": "999999999 86399 999999",
        }
        TimeZone, |zone| zone.to_string(), { "timezone": "+00:00", "timezone-negative": "-03:30", }
        ZoneInfo, |zone| format!("{zone} {}", zone.is_cached()), {
            "zoneinfo": "Europe/Berlin true", "zoneinfo-own": "Europe/Berlin false",
        }
        Decimal, |decimal| decimal.to_string(), {
            "decimal": "9.90", "decimal-nan": "-sNaN12", "decimal-large": "1E+400",
        }
        Fraction, |fraction| fraction.to_string(), {
            "fraction": "-1/3", "fraction-large": "1000000000000000000000000000000/7", "fraction-whole": "5",
        }
        Complex, |complex| format!("{:?} {:?}", complex.re, complex.im), { "complex": "1.5 -2.0", }
        Range, |range| range.to_string(), {
            // Python 2 normalizes the stop of an `xrange`.
            "range": "range(0, 10, 3)", "range-large": "range(0, 100000000000000000000)",
        }
        Slice, |slice| format!("{:?} {:?} {:?}", slice.start, slice.stop, slice.step), { "slice": "1 None 2", }
        OrderedDict, |dict| pairs(dict.entries()), { "ordereddict": "b=1 a=2", "ordereddict-empty": "", }
        DefaultDict, |dict| format!("{} {}", dict.factory().map_or("-".into(), name), pairs(dict.entries())), {
            "defaultdict": "list a=[1]", "defaultdict-none": "- a=1",
        }
        Counter, |counter| pairs(counter.entries()), { "counter": "a=2", }
        Deque, |deque| format!("{} {:?}", list(deque.items()), deque.max_len()), {
            "deque": "a 1 None", "deque-bounded": "1 2 Some(3)", "deque-empty": " Some(0)",
        }
        NamedTuple, |tuple| format!("{} {}", name(tuple.class()), list(tuple.fields())), { "namedtuple": "Point 1 a", }
        EnumMember, member, {
            "enum": "Color value 1",
            "enum-pair": "Color value (1, 'a')",
            "enum-named": "Named name RED",
            "enum-flag": "Access value 3",
            "enum-http": "HTTPStatus value 200",
        }
        InstanceView, |instance| {
            // Dicts of Python 2 have no order.
            let mut attributes: Vec<_> = instance.attributes().collect();
            attributes.sort_by_key(|(name, _)| name.as_bytes().map(<[u8]>::to_vec).or_else(|| Some(name.as_str()?.into())));
            format!("{} {}", name(instance.class()), pairs(attributes))
        }, {
            "instance": "Plain x=1",
            "instance-empty": "Plain ",
            "instance-slots": "Slotted x=1 y=a",
            "instance-data": "Data x=5 y=b",
        }
        Uuid, |id| format!("{id} {:?}", id.safety()), {
            "uuid": "12345678-1234-5678-1234-567812345678 Unknown",
            "uuid-safe": "00000000-0000-0000-0000-000000000005 Safe",
        }
        Path, |path| format!("{} {path}", path.flavour().name()), {
            "path": "PurePosixPath /usr/lib",
            "path-relative": "PurePosixPath a",
            "path-empty": "PurePosixPath .",
            "path-posix": "PosixPath /tmp",
            "path-windows": r"PureWindowsPath c:\a\b",
        }
        IpAddress, |address| address.to_string(), {
            "ip-v4": "1.2.3.4",
            "ip-v6": "2001:db8::1",
            "ip-v6-mapped": "::ffff:1.2.3.4",
            "ip-v6-scope": "fe80::1%eth0",
        }
        IpNetwork, |network| network.to_string(), { "ip-network": "10.0.0.0/8", "ip-network-v6": "2001:db8::/32", }
        IpInterface, |interface| interface.to_string(), {
            "ip-interface": "10.0.0.1/8", "ip-interface-v6": "::1/128",
        }
        Array, array, {
            "array-b": "b [-128, 127]",
            "array-B": "B [0, 255]",
            "array-h": "h [-2, 1]",
            "array-H": "H [65535]",
            "array-i": "i [-2, 1]",
            "array-I": "I [4294967295]",
            "array-l": "l [-9223372036854775808]",
            "array-L": "L [18446744073709551615]",
            "array-q": "q [-9223372036854775808]",
            "array-Q": "Q [18446744073709551615]",
            "array-f": "f [0.10000000149011612]",
            "array-d": "d [0.1]",
            "array-u": "u \"aé€\"",
            "array-w": "w \"a\u{1f600}\"",
            "array-empty": "i []",
            "array-c": "c \"ab\"",
        }
        Exception, |error| {
            let attributes = error.attributes().map(pairs).unwrap_or_default();
            format!("{} {} {attributes}", name(error.class()), list(error.args()))
        }, {
            "exception": "ValueError bad 1 ",
            "exception-os": "OSError 2 no ",
            "exception-own": "ShopError closed code=7",
        }
        Partial, |partial| {
            let keywords = partial.keywords().into_iter().flatten().map(|(key, value)| (key, value.as_global()));
            let keywords: Vec<_> = keywords.map(|(key, value)| format!("{}={}", text_of(key), short(value))).collect();
            format!("{} {} {}", name(partial.function()), list(partial.args()), keywords.concat())
        }, { "partial": "max [1] key=len", "partial-plain": "max  ", }
        Regex, |regex| match (regex.text(), regex.bytes()) {
            (Some(text), _) => format!("{text:?} {}", regex.flags()),
            (None, bytes) => format!("b{:?} {}", String::from_utf8_lossy(&bytes.expect("bytes")), regex.flags()),
        }, {
            "regex": "\"a+\" 34", "regex-bytes": "b\"a+\" 0",
        }
        SimpleNamespace, |namespace| pairs(namespace.attributes()), { "namespace": "x=1", }
    }
}
pub(crate) use table::OBJECTS;

/// Returns the object with a name.
pub(crate) fn object(name: &str) -> &'static Object {
    OBJECTS.iter().find(|object| object.name == name).unwrap_or_else(|| panic!("no object is called {name}"))
}

/// Returns the name of a global without its module.
fn name(value: Value<'_>) -> String {
    short(value.as_global())
}

fn short(global: Option<Global<'_>>) -> String {
    let name = global.map_or_else(|| "?".to_owned(), |global| global.name().to_string());
    // In Python 2, subclasses of `OSError` from Python 3.3 are `OSError`.
    name.replace("FileNotFoundError", "OSError")
}

fn one(value: Value<'_>) -> String {
    value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned)
}

/// Returns text, or a Python 2 8-bit string as text.
fn text_of(value: Value<'_>) -> String {
    value.as_bytes().map_or_else(|| one(value), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn list<'g>(items: impl Iterator<Item = Value<'g>>) -> String {
    items.map(one).collect::<Vec<_>>().join(" ")
}

fn pairs<'g>(pairs: impl IntoIterator<Item = (Value<'g>, Value<'g>)>) -> String {
    pairs.into_iter().map(|(key, value)| format!("{}={}", text_of(key), one(value))).collect::<Vec<_>>().join(" ")
}

fn member(member: EnumMember<'_>) -> String {
    let class = name(member.class());
    match member.member() {
        Member::Value(value) => format!("{class} value {value:?}"),
        Member::Name(name) => format!("{class} name {name}"),
        _ => class,
    }
}

fn array(array: Array) -> String {
    match array.items() {
        ArrayItems::Int(items) => format!("{} {items:?}", array.typecode()),
        ArrayItems::UInt(items) => format!("{} {items:?}", array.typecode()),
        ArrayItems::Float(items) => format!("{} {items:?}", array.typecode()),
        ArrayItems::Text(text) => format!("{} {text:?}", array.typecode()),
        other => panic!("{other:?}"),
    }
}
