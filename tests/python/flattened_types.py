# -*- coding: utf-8 -*-
"""Checks that types and values survive in flattened fields and enums of a Rust program that reads, changes and writes them.

    cargo build --example flattened_types --features serde
    python2.7 tests/python/flattened_types.py target/debug/examples/flattened_types [SEED [COUNT]]

Runs under Python 2.7 and 3.6 or later, and prints the number of pickles that it checked.
"""
from __future__ import print_function, unicode_literals

import binascii
import collections
import datetime
import decimal
import fractions
import itertools
import pickle
import random
import subprocess
import sys
import uuid

Point = collections.namedtuple(str("Point"), "x y")
NUMBERS = itertools.count(1000)


class Thing(object):
    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class Color(object):
    """Pickled by a call of one argument, as members of an enum are."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return Color, (self.value,)

    def __eq__(self, other):
        return type(self) is type(other) and self.value == other.value

    def __hash__(self):
        return hash(self.value)


class Numbers(list):
    pass


def atom():
    return random.choice([
        lambda: None,
        lambda: random.random() < 0.5,
        lambda: random.randrange(-3, 3),
        lambda: random.choice([1 << 64, -1 << 70, 1 << 2000]),
        lambda: random.choice([0.5, -0.0, 1e300, float("inf")]),
        lambda: random.choice(["", "a", "b\xe9", "2030-01-02"]),
        lambda: random.choice([b"", b"a", b"\x00\xff"]),
        lambda: complex(random.randrange(3), 0.5),
        lambda: datetime.date(2030, 1, random.randrange(1, 4)),
        lambda: datetime.datetime(2030, 1, 2, 3, 4, 5, random.randrange(3)),
        lambda: datetime.time(3, random.randrange(3)),
        lambda: datetime.timedelta(random.randrange(3), 5, 6),
        lambda: decimal.Decimal(random.choice(["9.90", "1E+3", "-0", "Infinity"])),
        lambda: fractions.Fraction(random.randrange(1, 5), 3),
        lambda: uuid.UUID(int=random.randrange(3)),
        lambda: Color(random.randrange(3)),
        lambda: Point(random.randrange(3), 2),
        lambda: random.choice([float, Thing, datetime.date]),
        lambda: bytearray(random.choice([b"", b"ab", b"\x00\xff"])),
    ])()


def hashable(depth):
    while True:
        made = value(depth)
        try:
            hash(made)
        except TypeError:
            continue
        return made


def thing(depth):
    made = Thing()
    for name in random.sample(["a", "b", "c"], random.randrange(4)):
        setattr(made, name, value(depth))
    return made


def value(depth=2):
    if depth == 0 or random.random() < 0.4:
        return atom()
    items = lambda: [value(depth - 1) for _ in range(random.randrange(4))]
    keys = lambda: [hashable(depth - 1) for _ in range(random.randrange(3))]
    return random.choice([
        items,
        lambda: tuple(items()),
        lambda: Numbers(items()),
        lambda: set(keys()),
        lambda: frozenset(keys()),
        lambda: collections.deque(items()),
        lambda: dict((key, value(depth - 1)) for key in keys()),
        lambda: collections.OrderedDict((key, value(depth - 1)) for key in keys()),
        lambda: thing(depth - 1),
        lambda: Point(value(depth - 1), items()),
    ])()


def several():
    """A list that is equal to no other value: it is not read as a graph itself, but its items are."""
    return [next(NUMBERS)] + [value() for _ in range(random.randrange(3))]


def shuffled(pairs):
    random.shuffle(pairs)
    return collections.OrderedDict(pairs) if random.random() < 0.2 else dict(pairs)


def flat():
    return shuffled([("id", 7)] + [(name, value()) for name in "abcdef"[: random.randrange(7)]])


def two():
    """No two values are equal in Rust: the two members read them in another order."""
    names = ["x", "y"] + list("abc"[: random.randrange(4)])
    return shuffled([("id", 7)] + [(name, (next(NUMBERS), value())) for name in names])


def row():
    # What is absent for Rust is not written as absent.
    return shuffled([("id", 7), ("x", value()), ("y", (value(),)), ("z", several())])


def internal():
    made = row()
    made["type"] = "Row"
    return shuffled(list(made.items()))


def adjacent():
    return shuffled([("type", "Row"), ("content", row())])


def untagged():
    kind = random.randrange(3)
    if kind == 0:
        return shuffled([("id", 7), ("x", value())])
    return {"list": [next(NUMBERS)] + [untagged() for _ in range(random.randrange(3))]} if kind == 1 else value()


def changed(made):
    if type(made) is dict and list(made) == ["list"]:
        return {"list": [changed(item) for item in made["list"]]}
    if type(made) in (dict, collections.OrderedDict) and made.get("id") == 7:
        made = dict(made)
        made["id"] = 8
    if type(made) in (dict, collections.OrderedDict) and made.get("type") == "Row" and "content" in made:
        made = dict(made, content=changed(made["content"]))
    return made


def text(made):
    """What tells values and their types apart, at every depth."""
    kind = type(made).__name__
    if isinstance(made, dict):
        pairs = [(text(key), text(item)) for key, item in made.items()]
        return "%s{%s}" % (kind, ", ".join("%s: %s" % pair for pair in sorted(pairs)))
    if isinstance(made, (set, frozenset)):
        return "%s{%s}" % (kind, ", ".join(sorted(map(text, made))))
    if isinstance(made, (list, tuple, collections.deque)):
        return "%s[%s]" % (kind, ", ".join(map(text, made)))
    if isinstance(made, Thing):
        return "Thing(%s)" % text(made.__dict__)
    if isinstance(made, Color):
        return "Color(%s)" % text(made.value)
    # Attributes and keys are 8-bit strings or Unicode in Python 2.
    return repr(made) if isinstance(made, str) else "%s %r" % (kind, made)


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    random.seed(seed)
    lines, expected = [], []
    for _ in range(count):
        for shape in (flat, two, internal, adjacent, untagged):
            made = shape()
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                written = random.randrange(pickle.HIGHEST_PROTOCOL + 1)
                digits = binascii.hexlify(pickle.dumps(made, protocol)).decode("ascii")
                lines.append("%s %d %s\n" % (shape.__name__, written, digits))
                expected.append((shape.__name__, protocol, text(changed(made))))
    run = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    output = run.communicate("".join(lines).encode("ascii"))[0].split()
    for line, digits, (shape, protocol, before) in zip(lines, output, expected):
        after = text(pickle.loads(binascii.unhexlify(digits)))
        assert after == before, "seed %d: %s\n%s\n%s" % (seed, line, before, after)
    assert run.returncode == 0, "seed %d: %s" % (seed, lines[len(output)])
    print("%s: %d pickles are the same but for the change" % (sys.version.split()[0], len(lines)))


main()
