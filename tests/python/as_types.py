# -*- coding: utf-8 -*-
"""Checks that types and values survive in a Rust program that reads a record, changes a field and writes it.

    cargo build --example as_types --features serde,chrono-04
    python2.7 tests/python/as_types.py target/debug/examples/as_types

Runs under Python 2.7 and 3.6 or later, and prints the number of pickles that it checked.
"""
from __future__ import print_function

import collections
import datetime
import decimal
import pickle
import subprocess
import sys
import uuid

try:
    import enum
    import pathlib
except ImportError:
    enum = pathlib = None

Point = collections.namedtuple("Point", "x y")

if enum:

    class Color(enum.Enum):
        RED = 1
        GREEN = 2

else:

    class Color(object):
        def __init__(self, value):
            self.value = value

        def __reduce__(self):
            return Color, (self.value,)

        def __eq__(self, other):
            return self.value == other.value


class Thing(object):
    def __eq__(self, other):
        return self.__dict__ == other.__dict__


def record():
    thing = Thing()
    thing.when = datetime.date(2030, 1, 2)
    thing.items = (1, {2, 3}, frozenset([4]))
    return {
        u"id": 7,
        u"when": datetime.datetime(2030, 1, 2, 3, 4, 5, 600),
        u"day": datetime.date(2030, 1, 2),
        u"clock": datetime.time(3, 4, 5),
        u"timeout": datetime.timedelta(seconds=90, microseconds=5),
        u"price": decimal.Decimal("9.90"),
        u"key": uuid.UUID(int=0x1234),
        u"path": pathlib.PurePosixPath("a/b.txt") if pathlib else None,
        u"wave": complex(1.5, -2.0),
        u"shape": (640, 480, 3),
        u"tags": {u"a", u"b\xe9"},
        u"sizes": frozenset([1, 2]),
        u"queue": collections.deque([1, 2, 3]),
        u"raw": b"\x00\xffab",
        u"buffer": bytearray(b"\x00\xffab"),
        u"point": Point(1, 2),
        u"color": Color(2),
        u"anything": thing,
        u"everything": [(1,), thing, decimal.Decimal("1E+3"), {u"k": datetime.time(1)}],
    }


def same(a, b):
    # Python 2 does not derive `!=` from `==`.
    if type(a) is not type(b) or not a == b:
        return False
    if isinstance(a, dict):
        return all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return all(same(x, y) for x, y in zip(a, b))
    return True


def main():
    program = sys.argv[1]
    checked = 0
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for written in range(pickle.HIGHEST_PROTOCOL + 1):
            before = record()
            run = subprocess.Popen([program, str(written)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            output = run.communicate(pickle.dumps(before, protocol))[0]
            assert run.returncode == 0, "protocol %d to %d" % (protocol, written)
            after = pickle.loads(output)
            assert after.pop(u"id") == before.pop(u"id") + 1
            assert list(sorted(after)) == list(sorted(before))
            for name in before:
                assert same(before[name], after[name]), (protocol, written, name, before[name], after[name])
            checked += 1
    print("%s: %d pickles are the same but for the change" % (sys.version.split()[0], checked))


main()
