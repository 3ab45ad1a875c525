# -*- coding: utf-8 -*-
"""Objects of the standard library that have typed views, pickled and checked by the Python that runs this (2.7, 3.6 or
later).

usage: pythonX.Y typed_objects.py make            writes lines `NAME PROTOCOL HEX`
       pythonX.Y typed_objects.py check < LINES   loads such lines and compares with the objects of these names
       pythonX.Y typed_objects.py shown < LINES   evaluates lines `NAME PROTOCOL TEXT` and compares

Objects that this Python does not have are left out.
"""
from __future__ import print_function, unicode_literals
import binascii, collections, importlib, io, re, sys, warnings

import typed_objects

warnings.simplefilter("ignore")
PYTHON_2 = sys.version_info[0] == 2
if PYTHON_2:
    import cPickle as pickle
    range = xrange  # noqa
else:
    import pickle

Point = collections.namedtuple(str("Point"), str("x y"))
Point.__module__ = str("typed_objects")


class Plain(object):
    def __init__(self, **attributes): self.__dict__.update(attributes)


class Slotted(object):
    __slots__ = ("x", "y")

    def __init__(self, x, y): self.x, self.y = x, y


class ShopError(Exception):
    pass


def noted(error, **attributes):
    error.__dict__.update(attributes)
    return error


try:
    import enum

    class Color(enum.Enum):
        RED = 1
        PAIR = (1, "a")

    class Named(enum.Enum):
        RED = 1

        def __reduce_ex__(self, protocol): return getattr, (self.__class__, self._name_)

    class Access(enum.Flag):
        READ = 1
        WRITE = 2
except (ImportError, AttributeError):
    pass

try:
    import dataclasses

    Data = dataclasses.make_dataclass("Data", [("x", int), ("y", str)])
    Data.__module__ = "typed_objects"
except ImportError:
    pass

# In the order of the manual. What is nested in a call is evaluated with the modules that it names.
CATALOG = """
date                datetime.date(2030, 1, 2)
date-max            datetime.date(9999, 12, 31)
time                datetime.time(1, 2, 3, 4)
time-fold           datetime.time(1, 2, 3, fold=1)
time-zone           datetime.time(1, 2, tzinfo=datetime.timezone.utc)
datetime            datetime.datetime(2030, 1, 2, 3, 4, 5, 6)
datetime-utc        datetime.datetime(2030, 1, 2, tzinfo=datetime.timezone.utc)
datetime-fold       datetime.datetime(2030, 10, 27, 2, 30, fold=1)
datetime-cet        datetime.datetime(2030, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "CET"))
datetime-berlin     datetime.datetime(2030, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
timedelta           datetime.timedelta(-1, 5, 7)
timedelta-max       datetime.timedelta.max
timezone            datetime.timezone.utc
timezone-negative   datetime.timezone(-datetime.timedelta(hours=3, minutes=30))
zoneinfo            zoneinfo.ZoneInfo("Europe/Berlin")
zoneinfo-own        zoneinfo.ZoneInfo.no_cache("Europe/Berlin")
decimal             decimal.Decimal("9.90")
decimal-nan         decimal.Decimal("-sNaN12")
decimal-large       decimal.Decimal("1E+400")
fraction            fractions.Fraction(-1, 3)
fraction-large      fractions.Fraction(10 ** 30, 7)
fraction-whole      fractions.Fraction(5)
complex             complex(1.5, -2)
range               range(0, 10, 3)
range-large         range(0, 10 ** 20)
slice               slice(1, None, 2)
ordereddict         collections.OrderedDict([("b", 1), ("a", 2)])
ordereddict-empty   collections.OrderedDict()
defaultdict         collections.defaultdict(list, {"a": [1]})
defaultdict-none    collections.defaultdict(None, {"a": 1})
counter             collections.Counter({"a": 2})
deque               collections.deque(["a", 1])
deque-bounded       collections.deque([1, 2], 3)
deque-empty         collections.deque([], 0)
namedtuple          typed_objects.Point(1, "a")
enum                typed_objects.Color.RED
enum-pair           typed_objects.Color.PAIR
enum-named          typed_objects.Named.RED
enum-flag           typed_objects.Access.READ | typed_objects.Access.WRITE
enum-http           http.HTTPStatus.OK
instance            typed_objects.Plain(x=1)
instance-empty      typed_objects.Plain()
instance-slots      typed_objects.Slotted(1, "a")
instance-data       typed_objects.Data(5, "b")
uuid                uuid.UUID(int=0x12345678123456781234567812345678)
uuid-safe           uuid.UUID(int=5, is_safe=uuid.SafeUUID.safe)
path                pathlib.PurePosixPath("/usr/lib")
path-relative       pathlib.PurePosixPath("a")
path-empty          pathlib.PurePosixPath()
path-posix          pathlib.PosixPath("/tmp")
path-windows        pathlib.PureWindowsPath("c:/a/b")
ip-v4               ipaddress.IPv4Address("1.2.3.4")
ip-v6               ipaddress.IPv6Address("2001:db8::1")
ip-v6-mapped        ipaddress.IPv6Address("::ffff:1.2.3.4")
ip-v6-scope         ipaddress.IPv6Address("fe80::1%eth0")
ip-network          ipaddress.ip_network("10.0.0.0/8")
ip-network-v6       ipaddress.ip_network("2001:db8::/32")
ip-interface        ipaddress.ip_interface("10.0.0.1/8")
ip-interface-v6     ipaddress.ip_interface("::1/128")
array-b             array.array(str("b"), [-128, 127])
array-B             array.array(str("B"), [0, 255])
array-h             array.array(str("h"), [-2, 1])
array-H             array.array(str("H"), [65535])
array-i             array.array(str("i"), [-2, 1])
array-I             array.array(str("I"), [4294967295])
array-l             array.array(str("l"), [-2 ** 63])
array-L             array.array(str("L"), [2 ** 64 - 1])
array-q             array.array(str("q"), [-2 ** 63])
array-Q             array.array(str("Q"), [2 ** 64 - 1])
array-f             array.array(str("f"), [0.1])
array-d             array.array(str("d"), [0.1])
array-u             array.array(str("u"), "a\\xe9\\u20ac")
array-w             array.array(str("w"), "a\\U0001f600")
array-empty         array.array(str("i"))
array-c             array.array(str("c"), str("ab"))
exception           ValueError("bad", 1)
exception-os        FileNotFoundError(2, "no")
exception-own       typed_objects.noted(typed_objects.ShopError("closed"), code=7)
partial             functools.partial(max, [1], key=len)
partial-plain       functools.partial(max)
regex               re.compile("a+", re.IGNORECASE | re.UNICODE)
regex-bytes         re.compile(b"a+")
namespace           types.SimpleNamespace(x=1)
""".strip("\n").split("\n")


def objects():
    """Names and objects, of those that this Python has."""
    for line in CATALOG:
        name, expression = line.split(None, 1)
        try:
            yield name, evaluate(expression, unicode_literals.compiler_flag)
        except (ImportError, AttributeError, NameError, TypeError, ValueError, OverflowError):
            pass


def evaluate(expression, flags=0):
    """The value of an expression, with the modules that it names."""
    names = {str("typed_objects"): typed_objects, str("range"): range}
    for module in re.findall(r"\b([a-z_]+)\.", expression):
        try: names[str(module)] = importlib.import_module(module)
        except ImportError: pass
    names[str("__builtin__")] = names[str("builtins")] = importlib.import_module("__builtin__" if PYTHON_2 else "builtins")
    return eval(compile(expression, "expression", "eval", flags, True), names)


def same(a, b):
    """Whether two objects are equal in all that is pickled of them."""
    if type(a) is not type(b): return False
    state = lambda value: getattr(value, "__dict__", None)
    name = type(a).__name__
    if name in ("time", "datetime"):
        parts = lambda t: (t.isoformat(), getattr(t, "fold", 0), repr(t.tzinfo), t.replace(tzinfo=None))
        return parts(a) == parts(b)
    if name == "timezone": return repr(a) == repr(b)
    if name == "ZoneInfo": return a.key == b.key
    if name == "Decimal": return str(a) == str(b)
    if name == "defaultdict": return a == b and a.default_factory == b.default_factory
    if name == "deque": return a == b and a.maxlen == b.maxlen
    if name == "UUID": return a == b and getattr(a, "is_safe", None) == getattr(b, "is_safe", None)
    if name == "Slotted": return (a.x, a.y) == (b.x, b.y)
    if name == "partial": return (a.func, a.args, a.keywords) == (b.func, b.args, b.keywords)
    if name in ("xrange", "range"): return list(a) == list(b) if PYTHON_2 else a == b
    if name == "array": return a.typecode == b.typecode and a == b
    if isinstance(a, Exception): return a.args == b.args and state(a) == state(b)
    if hasattr(a, "pattern"): return (a.pattern, a.flags) == (b.pattern, b.flags)
    if name == "Plain": return state(a) == state(b)
    return a == b


def folds(name, protocol):
    """Whether Python itself leaves out the fold."""
    return name.endswith("-fold") and protocol < 4


def main(command):
    known = dict(objects())
    if command == "make":
        for name, value in objects():
            # All before any is looked at: an exception that is asked for its `__dict__` has one from then on.
            pickles = []
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                try: pickles.append((protocol, pickle.dumps(value, protocol)))
                except TypeError: pass  # slots below protocol 2
            for protocol, data in pickles:
                # Scopes of addresses got lost before 3.10.
                if same(pickle.loads(data), value) or folds(name, protocol):
                    print(name, protocol, binascii.hexlify(data).decode())
        return
    failed = checked = 0
    for line in io.open(0, encoding="utf-8", closefd=False):
        name, protocol, what = line.rstrip("\n").split(" ", 2)
        if name not in known or int(protocol) > pickle.HIGHEST_PROTOCOL: continue
        try:
            value = pickle.loads(binascii.unhexlify(what)) if command == "check" else evaluate(what)
            problem = None if same(value, known[name]) else "%r is not %r" % (value, known[name])
        except Exception as error:
            problem = "%s: %s" % (type(error).__name__, error)
        if problem and folds(name, int(protocol)) and value.replace(fold=1) == known[name]: problem = None
        checked += 1
        if problem:
            failed += 1
            print(name, protocol, problem)
    print("checked %d, failed %d" % (checked, failed))


if __name__ == "__main__":
    main(sys.argv[1])
