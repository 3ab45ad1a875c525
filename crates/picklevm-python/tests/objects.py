"""Objects of every kind that a pickler has code for, and random ones."""

import collections
import copyreg
import datetime
import decimal
import enum
import fractions
import functools
import operator
import random
import uuid


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    class Nested:
        pass


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __eq__(self, other):
        return (self.a, self.b) == (other.a, other.b)


class State(Plain):
    def __getstate__(self):
        return ["state", self.__dict__]

    def __setstate__(self, state):
        self.__dict__.update(state[1])


class NewArgs(int):
    def __new__(cls, value, *, sign=1):
        self = int.__new__(cls, value * sign)
        self.sign = sign
        return self

    def __getnewargs_ex__(self):
        return (abs(int(self)),), {"sign": self.sign}


class MyList(list):
    pass


class MyDict(dict):
    pass


class MySet(set):
    pass


class Reduced:
    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return Reduced, (self.value,), None, None, None

    def __eq__(self, other):
        return self.value == other.value


def set_value(object, state):
    object.value = state


class Setter(Reduced):
    def __reduce__(self):
        return Setter, (None,), self.value, None, None, set_value


class Color(enum.Enum):
    RED = 1


class Flags(enum.Flag):
    A = 1
    B = 2


Point = collections.namedtuple("Point", "x y")


def everything():
    """Yields objects that are equal to their copies, or that have no equality."""
    yield from (None, True, False, 0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**63)
    yield from (127 << 56, 128 << 56, -(128 << 56), -(2**63), -(2**63) - 1, 10**30, -(10**30), 1 << 2100, -1 << 2100)
    for bits in range(30, 80):
        yield from (1 << bits, (1 << bits) - 1, -1 << bits, (-1 << bits) - 1)
    yield from (0.0, -0.0, 1.5, 1e300, float("inf"), -float("inf"), 3.14159, 1j, complex(-0.0, 2))
    yield from ("", "a", "a" * 255, "a" * 256, "é", "€" * 100, "\U0001f600", "\n\r\\\0\x1a", "\ud800x", "x" * 70000)
    yield from (b"", b"a", b"\x80\xff\n", b"a" * 255, b"a" * 256, b"b" * 70000, bytearray(), bytearray(b"abc"))
    yield from (bytearray(b"x" * 70000), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], list(range(1000)))
    yield from (list(range(1001)), list(range(2500)), {}, {1: 2}, {n: str(n) for n in range(1000)})
    yield from ({n: n for n in range(1001)}, {n: n for n in range(999)}, set(), {1}, set(range(1000)), set(range(1001)))
    yield from (frozenset(), frozenset({1, 2}), frozenset(range(1001)), [[]] * 300, ["a"] * 3, ("a", "a"))
    yield from (Plain(), Plain(a=1, b=[2]), Plain.Nested, Slots(1, "x"), State(a=1), NewArgs(5, sign=-1), MyList([1, 2]))
    yield from (MyDict(a=1), MySet({1}), Reduced(3), Setter([4]), Color.RED, Flags.A | Flags.B, Point(1, 2), Plain, Point)
    yield from (len, print, int, type(None), type(...), type(NotImplemented), ..., NotImplemented, range(3), slice(1, 2))
    yield from (datetime.datetime(2020, 1, 2, 3, 4, 5, 6, datetime.timezone.utc), datetime.date(1, 1, 1))
    yield from (datetime.timedelta(1, 2, 3), decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5))
    yield from (collections.OrderedDict(a=1), collections.defaultdict(list, {1: [2]}), collections.deque([1, 2], 5))
    yield from (collections.Counter("aab"), functools.partial(int, base=2), operator.itemgetter(1), copyreg.pickle)
    yield from ([].append, "abc".upper, ValueError("x"), OSError(2, "no"), KeyError("k"))
    shared = ["shared"]
    yield from ([shared, shared], {"a": shared, "b": (shared, shared)})
    loop = []
    loop.append(loop)
    yield loop
    loop = {}
    loop[1] = loop
    yield loop
    loop = ([],)
    loop[0].append(loop)
    yield loop
    loop = ([], 1, 2, 3)
    loop[0].append(loop)
    yield loop
    loop = Plain()
    loop.me = loop
    yield loop
    loop = MyList()
    loop.append(loop)
    yield loop
    # An object that its own arguments lead to.
    loop = Reduced([])
    loop.value.append(loop)
    yield loop


def random_object(rng, depth=0, shared=None):
    """Returns a random object; parts occur several times."""
    shared = [] if shared is None else shared
    if shared and rng.random() < 0.1:
        return rng.choice(shared)
    kind = rng.randrange(10 if depth > 4 else 20)
    if kind == 0:
        return rng.choice((None, True, False, ..., int, len, Plain, Color.RED))
    if kind in (1, 2):
        return rng.choice((1, -1)) * rng.getrandbits(rng.choice((4, 8, 9, 16, 17, 31, 32, 33, 63, 64, 65, 200)))
    if kind == 3:
        return rng.choice((0.0, 1.5, rng.random(), -1e200))
    if kind in (4, 5, 6):
        alphabet = rng.choice(("abc", "aé€", "\n\\\0\x1a", "\ud800\U0001f600"))
        made = "".join(rng.choice(alphabet) for _ in range(rng.choice((0, 1, 5, 300))))
    elif kind in (7, 8):
        made = rng.randbytes(rng.choice((0, 1, 5, 300)))
    elif kind == 9:
        made = bytearray(rng.randbytes(rng.randrange(5)))
    else:
        count = rng.choice((0, 1, 2, 3, 4, 10))
        parts = [random_object(rng, depth + 1, shared) for _ in range(count)]
        if kind in (10, 11):
            made = parts
        elif kind in (12, 13):
            made = tuple(parts)
        elif kind in (14, 15):
            made = {rng.choice((n, str(n))): part for n, part in enumerate(parts)}
        elif kind == 16:
            made = set(rng.sample(range(1000), count))
        elif kind == 17:
            made = Plain(**{f"a{n}": part for n, part in enumerate(parts)})
        elif kind == 18:
            made = rng.choice((Reduced, MyList, Setter))(parts)
        else:
            made = rng.choice((frozenset(range(count)), Slots(parts, 1), collections.deque(parts), Point(parts, 2)))
    shared.append(made)
    return made
