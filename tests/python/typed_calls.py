"""Calls of classes of the standard library as other picklers than CPython's write them, and what CPython 3.13 makes of them:

    python3.13 tests/python/typed_calls.py > tests/data/typed/calls.txt

Each line is the view to ask for, the pickle in hexadecimal, and `str` of the object, or `!` where Python refuses the call.
"""

import array
import collections
import datetime
import decimal
import fractions
import functools
import ipaddress
import itertools
import pickle
import random
import struct
import uuid
import zoneinfo

random.seed(20260)


class Call:
    """Pickles as a call of a function, by REDUCE."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


class Named:
    """Pickles as a call with keyword arguments: of the class by NEWOBJ_EX, or of a partial by REDUCE."""

    def __init__(self, by_new, cls, args, kwargs):
        self.by_new, self.cls, self.args, self.kwargs = by_new, cls, args, kwargs

    def __reduce__(self):
        if self.by_new:
            import copyreg

            return copyreg.__newobj_ex__, (self.cls, self.args, self.kwargs)
        return functools.partial(self.cls, *self.args, **self.kwargs), ()


def pickled(value):
    return pickle.dumps(value, random.choice([2, 3, 4, 5]))


def told(view, value):
    """Returns what the view of an object must say."""
    if view in ("Date", "Decimal", "Fraction", "Path", "IpAddress", "IpNetwork", "IpInterface", "Uuid"):
        return str(value)
    if view == "Time":
        return "%s %d %s" % (value.replace(tzinfo=None, fold=0).isoformat("microseconds"), value.fold, offset(value))
    if view == "DateTime":
        return "%s %d %s" % (value.replace(tzinfo=None, fold=0).isoformat("T", "microseconds"), value.fold, offset(value))
    if view == "TimeDelta":
        return "%d %d %d" % (value.days, value.seconds, value.microseconds)
    if view == "TimeZone":
        delta = value.utcoffset(None)
        return "%d %d %d" % (delta.days, delta.seconds, delta.microseconds)
    if view == "Range":
        return "%d %d %d" % (value.start, value.stop, value.step)
    if view == "Complex":
        return "%r %r" % (value.real, value.imag)
    if view == "Array":
        return "%s %r" % (value.typecode, value.tolist() if value.typecode != "w" else value.tounicode())
    if view == "Deque":
        return "%r %r" % (list(value), value.maxlen)
    if view in ("OrderedDict", "DefaultDict"):
        return repr([list(item) for item in value.items()])
    if view == "ZoneInfo":
        return value.key
    raise ValueError(view)


def offset(value):
    return "-" if value.tzinfo is None else str(value.tzinfo.utcoffset(None) // datetime.timedelta(microseconds=1))


def case(view, cls, call):
    """Prints a call."""
    data = pickled(call)
    try:
        value = pickle.loads(data)
        text = told(view, value) if isinstance(value, cls) else "!"
    except Exception:
        text = "!"
    text = text.encode("unicode_escape").decode()
    print(view, data.hex(), text)


def both(view, cls, positions, names, required, values, count, by_init=False):
    """Calls with values for the parameters: by position, and by name."""
    for _ in range(count):
        given = random.randint(0, len(positions)) if random.random() < 0.8 else random.randint(0, len(positions) + 1)
        args = [random.choice(values[at] if random.random() < 0.93 else ODD) for at in range(min(given, len(positions)))]
        if given > len(positions):
            args.append(1)
        kwargs = {}
        if random.random() < 0.4:
            for at, name in enumerate(names):
                missing = at >= len(args) and (at < required and random.random() < 0.95 or random.random() < 0.3)
                if missing or random.random() < 0.02:
                    kwargs[name] = random.choice(values[at])
            if random.random() < 0.03:
                kwargs["other"] = 1
        if kwargs:
            # By `__new__` alone is made what needs no `__init__`.
            case(view, cls, Named(not by_init and random.random() < 0.5, cls, tuple(args), kwargs))
        else:
            case(view, cls, Call(cls, *args))


ODD = [None, "x", 1.5, -1, 10**30, b"\x00", True, (), []]
UTC = datetime.timezone.utc
CET = datetime.timezone(datetime.timedelta(hours=1))

years, months, days = [1, 1970, 2011, 2024, 9999, 0, 10000], [1, 2, 12, 13], [1, 28, 29, 31, 32, 0]
date = ["year", "month", "day"]
both("Date", datetime.date, date, date, 3, [years, months, days], 150)
clock = [[0, 9, 23, 24], [0, 30, 59, 60], [0, 59, 60], [0, 1, 999999, 1000000], [None, UTC, CET], [0, 1, 2]]
time = ["hour", "minute", "second", "microsecond", "tzinfo"]
both("Time", datetime.time, time, time + ["fold"], 0, clock, 150)
both("DateTime", datetime.datetime, date + time, date + time + ["fold"], 3, [years, months, days] + clock, 250)
for data in [b"\x07\xdb\x0c\x1f", b"\x07\xdb\x8c\x1f", b"\x07\xdb\x0c", "\x07\xdb\x0c\x1f"]:
    case("Date", datetime.date, Call(datetime.date, data))
for data in [b"\x17\x3b\x3b\x00\x00\x01", b"\x97\x3b\x3b\x00\x00\x01", b"\x18\x00\x00\x00\x00\x00"]:
    case("Time", datetime.time, Call(datetime.time, data))
    case("Time", datetime.time, Call(datetime.time, data, UTC))
    case("DateTime", datetime.datetime, Call(datetime.datetime, b"\x07\xdb\x0c\x1f" + data[:1] + data[1:], CET))
    case("DateTime", datetime.datetime, Call(datetime.datetime, b"\x07\xdb\x8c\x1f" + data))
delta = ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"]
spans = [0, 1, -1, 5, 0.5, -0.1, 1e-7, 2.5e-6, 10**9, -(10**9), 86400, 1e20, float("nan"), 10**20, True, 1 / 3]
both("TimeDelta", datetime.timedelta, delta, delta, 0, [spans] * 7, 400)
offsets = [datetime.timedelta(hours=1), datetime.timedelta(days=1), datetime.timedelta(minutes=-90), datetime.timedelta(0), 1]
both("TimeZone", datetime.timezone, ["offset", "name"], ["offset", "name"], 1, [offsets, ["CET", "", None, 1]], 60)
keys = ["Europe/Berlin", "UTC", "America/New_York"]
for key in keys:
    case("ZoneInfo", zoneinfo.ZoneInfo, Call(zoneinfo.ZoneInfo, key))
    case("ZoneInfo", zoneinfo.ZoneInfo, Call(zoneinfo.ZoneInfo.no_cache, key))
    case("ZoneInfo", zoneinfo.ZoneInfo, Named(False, zoneinfo.ZoneInfo, (), {"key": key}))

texts = [
    "0", "-0", "9.90", "1e3", "1E-7", "0.0000001", "0.000001", " 1_000.50 ", "+5", ".5", "5.", "1e", "", "abc", "Inf",
    "-infinity", "nan", "-NaN0012", "sNaN7", "00012.300", "0e5", "0E-9", "123456789012345678901234567890e-40", "1e+2",
    "1e999999999999999999", "1e1000000000000000000", "--1", "1.2.3", "0.00", "-1.5e-10", "1_0", "12e-2",
]
tuples = [
    (0, (1, 2, 3), -2), (1, (0, 0, 5), 3), (0, (), 0), (0, (), "F"), (1, (1, 2), "n"), (0, (), "N"), (2, (1,), 0),
    (0, (10,), 0), (0, (1, 2), -9), (0, (0,), -10), (0, (1,)), (0, [1, 2], 0), [1, [4], 2], (0, (1,), "x"), (0, (1,), 1.5),
]
floats = [0.0, -0.0, 0.1, 1.5, 1e22, 1e300, 5e-324, 2.0**-30, float("inf"), float("-inf"), float("nan"), 123456.789]
values = texts + tuples + floats + [0, 5, -7, 10**40, True, None, b"1"]
for value in values:
    case("Decimal", decimal.Decimal, Call(decimal.Decimal, value))
    case("Decimal", decimal.Decimal, Named(True, decimal.Decimal, (), {"value": value}))
    case("Decimal", decimal.Decimal, Call(decimal.Decimal, value, None))
case("Decimal", decimal.Decimal, Call(decimal.Decimal))
case("Decimal", decimal.Decimal, Call(decimal.Decimal, "1", 2))

numbers = [
    0, 1, -3, 6, 10**30, True, 0.5, -1.25, 1e300, 5e-324, float("inf"), float("nan"), "3/4", " -6/8 ", "1_0/2", "0.125",
    "1e3", "2.5E-2", "-.5", "5.", ".", "", "1/0", "3/-4", "x", "1 / 3", "1__0", "+7", "1/3e1", None, b"1",
]
for value in numbers:
    case("Fraction", fractions.Fraction, Call(fractions.Fraction, value))
for pair in itertools.product([0, 6, -4, 10**20, 0.5, "1", True], [1, 3, -8, 0, 0.5, None, 10**19]):
    case("Fraction", fractions.Fraction, Call(fractions.Fraction, *pair))
    case("Fraction", fractions.Fraction, Named(False, fractions.Fraction, pair[:1], {"denominator": pair[1]}))
case("Fraction", fractions.Fraction, Call(fractions.Fraction))

text = "12345678-1234-5678-9abc-123456789abc"
one = uuid.UUID(text)
hexes = [text, text.upper(), "{%s}" % text, "urn:uuid:" + text, text.replace("-", ""), text[:-1], text + "0", "g" + text[1:], ""]
for value in hexes + [None, 5, one.bytes]:
    case("Uuid", uuid.UUID, Call(uuid.UUID, value))
for kwargs in [
    {"bytes": one.bytes}, {"bytes": one.bytes[1:]}, {"bytes_le": one.bytes_le}, {"fields": one.fields}, {"fields": one.fields[1:]},
    {"fields": (2**32, 0, 0, 0, 0, 0)}, {"int": 5}, {"int": 2**128 - 1}, {"int": 2**128}, {"int": -1}, {"int": 1, "hex": text},
    {"hex": text, "version": 4}, {"int": 0, "version": 1}, {"int": 0, "version": 9}, {"int": 7, "is_safe": uuid.SafeUUID.safe}, {},
]:
    case("Uuid", uuid.UUID, Named(False, uuid.UUID, (), kwargs))
for args in [(None, one.bytes), (None, None, one.bytes_le), (None, None, None, one.fields), (None, None, None, None, 7)]:
    case("Uuid", uuid.UUID, Call(uuid.UUID, *args))
    case("Uuid", uuid.UUID, Call(uuid.UUID, *args, *([None] * (5 - len(args))), 3))

four = ["10.0.0.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "010.0.0.1", "1.2.3", "", 1, 2**32 - 1, 2**32, -1, b"\x7f\0\0\1", b"\1", None]
six = ["::1", "fe80::1%eth0", "fe80::1%", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::2::3", 1, 2**128 - 1, 2**128, bytes(16), bytes(15), "::"]
for value in four:
    case("IpAddress", ipaddress.IPv4Address, Call(ipaddress.IPv4Address, value))
for value in six:
    case("IpAddress", ipaddress.IPv6Address, Call(ipaddress.IPv6Address, value))
case("IpAddress", ipaddress.IPv4Address, Named(False, ipaddress.IPv4Address, (), {"address": "1.2.3.4"}))
nets = ["10.0.0.0/8", "10.0.0.1/8", "10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/", "1.2.3.4/255.0.255.0",
        ("10.0.0.0", 8), (0, 0), (b"\n\0\0\0", "255.255.0.0"), ("10.0.0.0",), 1, b"\1\2\3\4", "0.0.0.0/0", "1.2.3.4/0.0.0.0", "1.2.3.4/32"]
for value in nets:
    case("IpNetwork", ipaddress.IPv4Network, Call(ipaddress.IPv4Network, value))
    case("IpNetwork", ipaddress.IPv4Network, Call(ipaddress.IPv4Network, value, False))
    case("IpNetwork", ipaddress.IPv4Network, Named(False, ipaddress.IPv4Network, (value,), {"strict": False}))
    case("IpInterface", ipaddress.IPv4Interface, Call(ipaddress.IPv4Interface, value))
for value in ["fe80::/64", "fe80::1/64", "::/0", ("::1", 128), ("::1", 129), 5, "::1/ffff::", "fe80::1%a/64"]:
    case("IpNetwork", ipaddress.IPv6Network, Call(ipaddress.IPv6Network, value))
    case("IpNetwork", ipaddress.IPv6Network, Call(ipaddress.IPv6Network, value, False))
    case("IpInterface", ipaddress.IPv6Interface, Call(ipaddress.IPv6Interface, value))

for args in [(), (5,), (1, 5), (1, 5, 2), (1, 5, 0), (5, 1, -1), (1.5,), (True,), (10**30,), (1, 2, 3, 4), ("1",)]:
    case("Range", range, Call(range, *args))
for args in [(), (1,), (1.5, 2), (1, 2, 3), (None,), (True, False), (10**400,)]:
    case("Complex", complex, Call(complex, *args))
for args in [
    ("h", [1, -1]), ("h", (1, 2)), ("h", b"\1\0\xff\xff"), ("h", b"\1"), ("h",), ("B", [256]), ("B", [1.5]), ("d", [1, 2.5]), ("f", b"\0\0\x80?"),
    ("w", "añ"), ("w", ["a", "b"]), ("h", "a"), ("h", bytearray(b"\1\0")), ("x", [1]), ("q", [True]), ("h", None), ("w", b"a\0\0\0"),
]:
    case("Array", array.array, Call(array.array, *args))
for args in [(), ([1, 2],), ((1, 2),), ([1, 2, 3], 2), ([1, 2], None), ([], 0), ([1], -1), (5,), ([1], 2, 3)]:
    case("Deque", collections.deque, Call(collections.deque, *args))
case("Deque", collections.deque, Named(False, collections.deque, ([1, 2, 3],), {"maxlen": 2}))
case("Deque", collections.deque, Named(False, collections.deque, (), {"iterable": [1, 2, 3]}))
for args in [(), ([(1, 2), (3, 4)],), (((1, 2),),), ([[1, 2]],), ({1: 2},), ([(1, 2, 3)],), ([1],), (5,)]:
    case("OrderedDict", collections.OrderedDict, Call(collections.OrderedDict, *args))
for args in [(), (None,), (list,), (list, {1: 2}), (None, {1: 2}), (5,)]:
    case("DefaultDict", collections.defaultdict, Call(collections.defaultdict, *args))
