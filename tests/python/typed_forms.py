"""Calls of classes of the standard library, in every form that a pickle can have them, and what CPython makes of them:

    python3.13 tests/python/typed_forms.py > tests/data/typed/forms.txt
    python3.15 tests/python/typed_forms.py frozendict > tests/data/typed/forms-3.15.txt

Each line is the view to ask for, the pickle in hexadecimal, and what the object is, or `!` where Python refuses the call.
"""

import collections
import copyreg
import datetime
import decimal
import fractions
import functools
import io
import ipaddress
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
import array

random.seed(316)


class Call:
    """A call, to be pickled in a form: REDUCE, an opcode, or a function that stands for one."""

    def __init__(self, function, *args, how="reduce", **kwargs):
        self.function, self.args, self.kwargs, self.how = function, args, kwargs, how


class Pickler(pickle._Pickler):
    def save(self, obj, save_persistent_id=True):
        if type(obj) is Call:
            getattr(self, obj.how)(obj)
        else:
            super().save(obj, save_persistent_id)

    def call(self, function, args):
        self.save(function)
        self.save(args)
        self.write(pickle.REDUCE)

    def reduce(self, call):
        self.call(call.function, call.args)

    def newobj(self, call):
        self.save(call.function)
        self.save(call.args)
        self.write(pickle.NEWOBJ)

    def newobj_ex(self, call):
        self.save(call.function)
        self.save(call.args)
        self.save(call.kwargs)
        self.write(pickle.NEWOBJ_EX)

    def newobj_by_name(self, call):
        self.call(copyreg.__newobj__, (call.function, *call.args))

    def newobj_ex_by_name(self, call):
        self.call(copyreg.__newobj_ex__, (call.function, call.args, call.kwargs))

    def obj(self, call):
        self.write(pickle.MARK)
        for part in (call.function, *call.args):
            self.save(part)
        self.write(pickle.OBJ)

    def inst(self, call):
        self.write(pickle.MARK)
        for part in call.args:
            self.save(part)
        name = "%s\n%s\n" % (call.function.__module__, call.function.__qualname__)
        self.write(pickle.INST + name.encode())

    def partial(self, call):
        self.save(functools.partial(call.function))
        self.write(pickle.POP)
        self.save(functools.partial)
        self.save((call.function,))
        self.write(pickle.REDUCE)
        self.save((call.function, call.args, call.kwargs, None))
        self.write(pickle.BUILD)
        self.save(())
        self.write(pickle.REDUCE)

    def partial_of_arguments(self, call):
        self.call(functools.partial, (call.function, *call.args))
        self.save(())
        self.write(pickle.REDUCE)

    def partial_called_with_them(self, call):
        self.call(functools.partial, (call.function,))
        self.save(call.args)
        self.write(pickle.REDUCE)


POSITIONAL = ["reduce", "newobj", "newobj_by_name", "obj", "inst", "partial", "partial_of_arguments", "partial_called_with_them"]
NAMED = ["newobj_ex", "newobj_ex_by_name", "partial"]


def told(view, value):
    """Returns what the view of an object must say."""
    if view in ("Date", "Decimal", "Fraction", "Path", "Uuid", "IpAddress"):
        return str(value)
    if view in ("Time", "DateTime"):
        zone = "-" if value.tzinfo is None else str(value.tzinfo.utcoffset(None) // datetime.timedelta(microseconds=1))
        return "%s %d %s" % (value.replace(tzinfo=None, fold=0).isoformat(timespec="microseconds"), value.fold, zone)
    if view in ("TimeDelta", "TimeZone"):
        delta = value if view == "TimeDelta" else value.utcoffset(None)
        return "%d %d %d" % (delta.days, delta.seconds, delta.microseconds)
    if view == "Range":
        return "%d %d %d" % (value.start, value.stop, value.step)
    if view == "Complex":
        return "%r %r" % (value.real, value.imag)
    if view == "Array":
        return "%s %r" % (value.typecode, value.tolist() if value.typecode != "w" else value.tounicode())
    if view == "Deque":
        return "%r %r" % (list(value), value.maxlen)
    if view in ("OrderedDict", "DefaultDict", "Counter", "FrozenDict"):
        return repr([list(item) for item in value.items()])
    if view == "SimpleNamespace":
        return repr([list(item) for item in vars(value).items()])
    if view == "Slice":
        return "%r %r %r" % (value.start, value.stop, value.step)
    if view in ("Bytes", "ByteArray"):
        return value.hex()
    if view in ("Set", "FrozenSet"):
        return " ".join(sorted(map(repr, value)))
    if view == "Partial":
        return "%r %r" % (list(value.args), [list(item) for item in value.keywords.items()])
    if view == "Regex":
        return "%r %d" % (value.pattern, value.flags)
    raise ValueError(view)


def case(view, cls, call):
    out = io.BytesIO()
    try:
        Pickler(out, random.choice([0, 1, 2, 3, 4, 5]) if call.how != "newobj_ex" else random.choice([4, 5])).dump(call)
        data = out.getvalue()
    except Exception:
        return
    try:
        value = pickle.loads(data)
        text = told(view, value) if isinstance(value, cls) else "!"
    except Exception:
        text = "!"
    print(view, data.hex(), text.encode("unicode_escape").decode())


def cases(view, cls, function, *calls, forms=3, leave_out=()):
    """Prints each call, a tuple of arguments or the same with a dict of keyword arguments, in some of its forms."""
    for call in calls:
        args, kwargs = call if len(call) == 2 and isinstance(call[0], tuple) and type(call[1]) is dict else (call, {})
        hows = [how for how in (NAMED if kwargs else POSITIONAL) if how not in leave_out]
        if view == "Path" and not args:
            # Python calls `__new__` alone, which makes a path up to 3.11.
            hows = [how for how in hows if how not in ("obj", "inst")]
        if view in ("Bytes", "ByteArray", "Set", "FrozenSet"):
            # These stay calls.
            hows = [how for how in hows if not how.startswith("partial")]
        if not isinstance(function, type):
            hows = [how for how in hows if "newobj" not in how]
        first = [] if kwargs or "reduce" in leave_out else ["reduce"]
        for how in first + random.sample(hows, min(forms, len(hows))):
            if how != "reduce" or how in first:
                case(view, cls, Call(function, *args, how=how, **kwargs))


def call(function, *args):
    return Call(function, *args)


if sys.argv[1:] == ["frozendict"]:
    f = frozendict  # noqa: F821
    pairs = [(1, 2), ("a", 3)]
    cases(
        "FrozenDict", f, f, (), ({1: 2, "a": 3},), (pairs,), (tuple(pairs),), ([[1, 2]],), ([(1, 2), (1, 3)],), ((), {"a": 1}),
        ((), {"a": 1, "b": 2}), (({1: 2},), {"a": 3}), (({"a": 2},), {"a": 3}), (call(f, {1: 2}),), (call(collections.OrderedDict, pairs),),
        (5,), (None,), ([1],), ({1: 2}, 3), (collections.OrderedDict(pairs),), ([(1, 2, 3)],), ([],), ({},), (call(set, pairs[:1]),),
        forms=5, leave_out=["inst"],
    )
    sys.exit()

date, time, moment, delta = datetime.date, datetime.time, datetime.datetime, datetime.timedelta
utc, cet = datetime.timezone.utc, datetime.timezone(delta(hours=1), "CET")
cases(
    "Date", date, date, (2011, 12, 31), (True, 1, 1), (2011, 2, 29), (2011, 12), (b"\x07\xdb\x0c\x1f",), ("\x07\xdb\x0c\x1f",), (2011.0, 1, 1),
    ((2011,), {"month": 1, "day": 2}), ((), {"year": 2011, "month": 1, "day": 2}), ((2011, 1, 2), {"day": 3}), ((2011, 1), {"days": 3}), ("2011-12-31",),
)
cases(
    "Time", time, time, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4, utc), (1, 2, 3, 4, None), (24,), (1, 2, 3, 4, utc, 1), (b"\x17\x3b\x3b\0\0\1",),
    (b"\x97\x3b\x3b\0\0\1", cet), ((1,), {"fold": 1}), ((), {"hour": 5, "tzinfo": cet}), ((1, 2), {"microsecond": 7}), ((1,), {"hour": 2}), ((1,), {"fold": True}),
)
cases(
    "DateTime", moment, moment, (2011, 12, 31), (2011, 12, 31, 1), (2011, 12, 31, 1, 2), (2011, 12, 31, 1, 2, 3), (2011, 12, 31, 1, 2, 3, 4),
    (2011, 12, 31, 1, 2, 3, 4, utc), (2011, 12), (2011, 12, 31, 24), (b"\x07\xdb\x0c\x1f\1\2\3\0\0\4",), (b"\x07\xdb\x8c\x1f\1\2\3\0\0\4", cet),
    ("\x07\xdb\x0c\x1f\1\2\3\0\0\4",), ((2011, 12, 31), {"fold": 1}), ((2011,), {"month": 3, "day": 4, "tzinfo": cet}), ((2011, 12, 31, 1), {"second": 5}),
    ((), {"year": 2011, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5, "microsecond": 6, "tzinfo": utc, "fold": 1}), ((2011, 12, 31, 1), {"hour": 5}),
)
cases(
    "TimeDelta", delta, delta, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6, 7), (1.5, -0.25), (True,),
    ((), {"weeks": 1.5, "hours": -3}), ((1,), {"minutes": 90}), ((1,), {"days": 2}), ((), {"milliseconds": 0.0005}), ("1",), (10**9,),
)
cases(
    "TimeZone", datetime.timezone, datetime.timezone, (delta(hours=1),), (delta(hours=-3), "X"), (delta(hours=24),), (), (1,), (delta(0),),
    ((delta(1 / 48),), {"name": "X"}), ((), {"offset": delta(0), "name": "GMT"}), ((delta(0),), {"name": None}),
)

D, F = decimal.Decimal, fractions.Fraction
inner = call(D, "1.50")
cases(
    "Decimal", D, D, (), ("1.5",), (inner,), (call(D, inner),), (call(D, 7),), (12,), (True,), (0.1,), (-0.0,), ((1, (1, 2), -3),), ([0, [1, 2], 5],), ((True, (True, 2), False),),
    (D("1e-7").as_tuple(),), (D("-Infinity").as_tuple(),), ("\u0661\u0662.\u0665",), ("\uff11e\uff12",), ("1\u20e0",), (" \u3000\x1c1_0__0_\x85",), ("\u00b2",),
    ("1 0",), (call(F, 1, 2),), (b"1",), (call(complex, 1),), ((), {"value": "3"}), (("3",), {"context": None}), (("3",), {"value": "4"}), (float("nan"),), (10**50,),
    ((0, (1,), "F"),), ((1, (), "N"),), ("NaN\u0661",), ("\U0001d7d9\U0001d7ce",), (call(D, call(F, 1)),),
)
big = 3**2000
cases(
    "Fraction", F, F, (), (call(F, 3, 4),), (call(F, call(F, 6, 4)),), (call(D, "0.75"),), (call(D, "-1e20"),), (call(D, "NaN"),), (0.75,), (float("inf"),), (True,),
    ("3/4",), ("\u0663/\u0664",), (" \x1c-6/8\u2003",), ("6 / 8",), ("1_0.2_5e-1",), ("1__0",), ("_1",), ("1e1_0",), ("\uff11.\uff15E\uff12",), ("1/0",), ("1/-2",), ("+.5",), ("5.",),
    (call(F, 1, 2), call(F, 3, 4)), (call(F, 1, 2), 3), (6, call(F, 3, 5)), (call(D, "1"), 2), (1, call(D, "2")), (1, 0.5), ("1", 2), (None, 2), ((), {"denominator": 3}),
    ((6,), {"denominator": -4}), (("1/2",), {"denominator": None}), (2 * big, 6 * big), (-4 * big, 10 * 7**800), (2 * 10**1000, -(4 * 10**1000)), (big, big),
    ("%d/%d" % (10 * 7**700, 14 * 3**900),), ("6%s/8%s" % ("0" * 900, "0" * 900),), ("2e900",), ("25e-900",), (call(D, "25e-700"),), (1e300,), (5e-324,),
    (call(F, 5**500, 6**500), call(F, 10**400, 21**300)), (True, False), (call(complex, 1),), ((1, 2),), (b"1/2",),
)
cases(
    "Complex", complex, complex, (), (1,), (1.5, -2), (True, False), (1 + 2j,), (1 + 2j, 3 + 4j), (1, 2j), (1j, 2), (call(complex, 1, 2),), (call(complex, call(complex, "j")),), (call(complex, 1, 2), 5),
    *[(text,) for text in [
        "1+2j", "1", "j", "-J", "+j", "1j", " ( 1e3-.5j ) ", "1_0+1_0j", "1__0", "_1j", "inf", "-infinityj", "nan+nanj", "1+", "1+2", "", "()", "(1", "1)", "1 +2j", "1e400", "1e-400-1e400j", "0x1", "1e5j",
        "1e", "1ej", "1e+j", "1+-2j", "\u0661+\u0662j", "\u00a01\u2003", "\x1c1", "--1", ".", ".j", "1.", "+.5-5.J", "infinity-nanj", "1jj", "j1", "1+2jj", "(j)", "i", "Nan",
    ]],
    ("1", 2), (1, "2"), (inner,), (call(D, "-1.25"), call(F, 1, 2)), (call(F, 1, 4),), (10**400,), ((), {"real": 1, "imag": 2}), ((1,), {"imag": 2.5}), ((), {"real": "1-j"}), ((1,), {"real": 2}),
    (None,), ([1],), (b"1",),
    forms=2,
)
cases(
    "Range", range, range, (5,), (1, 5), (1, 5, 2), (5, 1, -2), (1, 5, 0), (), (True,), (10**30,), (1.0,), ("1",), forms=2,
)
cases("Slice", slice, slice, (5,), (1, 5), (1, None, 2), (), ("a", (1,)), (1, 2, 3, 4), forms=2)

pairs = [(1, 2), ("a", 3)]
O, C, N = collections.OrderedDict, collections.Counter, collections.defaultdict
cases(
    "OrderedDict", O, O, (), (pairs,), (tuple(pairs),), ([[1, 2], ("a", 3)],), ({1: 2, "a": 3},), ([(1, 2), (1.0, 3), (True, 4)],), (call(O, pairs),), (O(pairs),), (C("ab"),), (call(set, pairs[:1]),),
    ((), {"a": 1, "b": 2}), ((pairs,), {"b": 4}), ((pairs,), {"a": 4}), (({"a": 1},), {"a": 2, "c": 3}), ([(1, 2, 3)],), ([1],), (5,), (None,), (pairs, pairs), ([((1, 2), 3), ((1.0, 2), 4)],), ([([], 1)],),
    ([],), ("",), (b"",),
)
cases(
    "DefaultDict", N, N, (), (None,), (list,), (list, pairs), (list, {1: 2}), (None, [(1, 2), (1, 3)]), (list, O(pairs)), ((), {"a": 1}), ((list,), {"a": 1}), ((list, pairs), {"a": 5}), (5,), (list, 5), (list, [1]),
    (list, pairs, 1), ("x",), (list, call(O, pairs)),
)
cases(
    "Counter", C, C, (), ("abracadabra",), ("",), ("a\u00e9\U0001f600a",), ([1, 2, 1.0, True, "a"],), ((1, (1, 2), (1.0, 2)),), ({"a": 2, "b": 0},), ({"a": 2.5},), (set([1]),), (frozenset(["x"]),), (b"abca",),
    (bytearray(b"aa"),), (range(3),), (call(range, 2, 8, 3),), (call(range, 0),), (C("abca"),), (call(C, [1, 1]),), (O([("a", 5)]),), (collections.deque([1, 1, 2]),), ([[1]],), (5,), (None,), ("ab", "c"),
    ((), {"a": 3}), (("abca",), {"a": 3, "z": 0}), (([1, "a", "a"],), {"a": 3}), (({"a": 2},), {"a": 3, "b": -1}), (({"a": 2.5},), {"b": 1}), (({"a": "x"},), {"a": 1}), (([],), {"a": "x"}), ([None, None, ()],),
    ([10**30, 10**30, 1e30],), ({},), ([float("1e300"), 1e300],), (call(set, "aa"),), (call(frozenset, [2, 2]),),
)
cases(
    "Deque", collections.deque, collections.deque, (), ([1, 2],), ((1, 2, 3), 2), ("abc",), ("abc", 2), (b"abc",), (bytearray(b"abcd"), 1), (range(5), 3), ({1: 2, 3: 4},), ({1: 2, 3: 4}, 1), ([], 0), ([1], None), ([1], -1),
    (collections.deque([1, 2]),), (O(pairs),), (frozenset([1]),), (5,), ([1], 2, 3), (None,), (call(set, "a"),), ([1], True), (((), {"iterable": [1, 2]})), (((), {"iterable": "abc", "maxlen": 1})), (([1, 2, 3],), {"maxlen": 2}),
    (call(bytes, 2),), ([1], 1.0), ((1, 2), 5),
)
n = types.SimpleNamespace
cases(
    "SimpleNamespace", n, n, (), ((), {"a": 1, "b": 2}), ({"a": 1},), ([("a", 1), ("a", 2)],), (({"a": 1},), {"a": 2, "c": 3}), ({1: 2},), ([(1, 2)],), (5,), (None,), ({"a": 1}, {"b": 2}), (O([("x", 1)]),), ([],),
)

pure, windows, posix = pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath
path_calls = [
    (), ("a",), ("a", "b"), ("/a/b",), ("a", "/b", "c"), ("",), ("a//b/./c/",), (pure("x/y"), "b"), ("a", pure("/x")), (windows("x\\y"), "b"), ("a", windows("c:\\x"), "d"), (call(pure, call(pure, "a", "b"), "c"), "d"),
    (call(windows, call(pure, "a/b"), "c"), "d"), (pure(), "a"), (5,), (b"a",), (None,), ("a", 5), (call(windows, "//h/s", "x"), "y"), ("c:", "b"), (call(pathlib.PurePath, "q"), "r"), (["a"],),
]
cases("Path", pure, pure, *path_calls, leave_out=["newobj", "newobj_by_name"], forms=2)
cases("Path", windows, windows, *path_calls, leave_out=["newobj", "newobj_by_name"], forms=2)
cases("Path", posix, posix, *path_calls[:12], leave_out=["newobj", "newobj_by_name"], forms=1)
cases("Path", pure, pathlib.PurePath, *path_calls, leave_out=["newobj", "newobj_by_name"], forms=1)
cases("Path", posix, pathlib.Path, *path_calls, leave_out=["newobj", "newobj_by_name"], forms=1)

one = uuid.UUID("12345678-1234-5678-9abc-123456789abc")
cases(
    "Uuid", uuid.UUID, uuid.UUID, (str(one),), (None, one.bytes), (None, None, one.bytes_le), (None, None, None, one.fields), (None, None, None, list(one.fields)), (None, None, None, None, 5), (), ((), {"int": 5}), ((), {"hex": str(one)}),
    ((), {"bytes": one.bytes, "version": 4}), ("\uff11" * 32,), ("1234_567812345678123456781234567",), ("0x345678123456781234567812345678",), ("+2345678123456781234567812345678 ",), ("-2345678123456781234567812345678",), ("1_3456781234567812345678123456__8",),
    ((), {"int": True}), ((), {"int": 1.0}), ((), {"fields": (1, 2, 3, 4, 5, True)}), 
)
for view, cls in [("Bytes", bytes), ("ByteArray", bytearray)]:
    cases(
        view, cls, cls, (), (3,), (0,), (-1,), (True,), ([1, 2, 255],), ((1, True),), ([256],), ([1.0],), (range(5),), (call(range, 250, 256),), (call(range, 250, 257),), ({1: 2, 3: 4},), (frozenset([7]),), (b"abc",), (bytearray(b"abc"),), ("abc",),
        ("a\u00e9", "utf-8"), ("a\u00e9", "latin-1"), ("a\u00e9", "latin1"), ("a\u00e9", "ISO_8859-1"), ("a\u00e9", "ascii"), ("abc", "US-ASCII"), ("a\u0100", "latin-1"), ("abc", "utf8", "strict"), ("abc", "klingon"), (b"abc", "utf-8"),
        (3, "utf-8"), ("", "utf-8"), (call(bytes, 2),), (call(bytearray, [1, 2]),), (call(set, [5]),), (collections.deque([1, 2]),), (None,), (1.5,), ((), {"source": b"x"}), ((), {"source": "x", "encoding": "utf-8"}),
        (("x",), {"encoding": "latin-1"}), ((), {"source": 2}), ((2,), {"errors": "strict"}), (O([(1, 2)]),), ([call(D, 1)],),
        forms=2,
    )
for view, cls in [("Set", set), ("FrozenSet", frozenset)]:
    cases(
        view, cls, cls, (), ([1, 2, 1.0],), ((1, "a"),), ("aba",), (b"aba",), ({1: 2},), (range(3),), (call(range, 5),), (set([1]),), (frozenset(["x"]),), (call(set, call(frozenset, "ab")),), (5,), (None,), ([[]],), ([1], [2]), (O(pairs),),
        (collections.deque([1, 1]),), ((), {"iterable": [1]}), ("",), (call(bytes, 2),), (call(bytearray, b"ab"),),
        forms=2,
    )
for text in ["a+", b"a+"]:
    cases("Regex", re.Pattern, re.compile, (text,), (text, 0), (text, re.I.value), ((text,), {"flags": 2}), ((), {"pattern": text}), forms=2)
    cases("Regex", re.Pattern, re._compile, (text, 0), (text, 2), (text,), forms=2)
p = functools.partial
cases(
    "Partial", p, p, (int,), (int, "5"), ((int, "5"), {"base": 16}), ((int,), {"base": 16}), (), (5,), (int, 1, [2], "x"), forms=2, leave_out=["partial", "partial_of_arguments", "partial_called_with_them"],
)
cases(
    "Array", array.array, array.array, ("h",), ("h", [1, -1]), ("d", [1, 2.5, True]), ("d", [D("1.5")]), ("b", (1,)), ("w", "ab"), ("h", b"\1\0"), ("h", [1.0]), ("x",), ("B", [256]), ("h", {1: 2}), ("b", range(3)), ("b", set([1])),
    ("h", array.array("b", [1, 2])), ("b", collections.deque([1])), ("h", [True]),
)
four, six = ipaddress.IPv4Address, ipaddress.IPv6Address
cases("IpAddress", four, four, ("1.2.3.4",), (16909060,), (b"\1\2\3\4",), ((), {"address": 5}), ("\u0661.2.3.4",), (bytearray(b"\1\2\3\4"),), (True,), (1.0,), leave_out=["newobj", "newobj_by_name"])
cases("IpAddress", six, six, ("::1",), (1,), (bytes(16),), ("fe80::1%e",), ((), {"address": "::"}), leave_out=["newobj", "newobj_by_name"])
