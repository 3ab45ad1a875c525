# -*- coding: utf-8 -*-
"""Loads random values of Rust types, as picklevm wrote them, and compares what Python sees with what Rust had.

    cargo build --example random_types --features derive,serde
    python2.7 tests/python/random_types.py target/debug/examples/random_types [SEED [COUNT]]

Runs under Python 2.7 and 3.6 or later, with both picklers, for the protocols that the Python reads. Prints the number of
pickles that it compared, by shape.
"""
from __future__ import print_function

import collections
import io
import pickle
import struct
import subprocess
import sys

try:
    import enum
except ImportError:
    enum = None

if sys.version_info[0] == 2:
    import cPickle

    loaders = [pickle.loads, cPickle.loads]
    text, integers = unicode, (int, long)  # noqa: F821
else:
    loaders = [pickle._loads, pickle.loads]
    text, integers = str, (int,)


class Point(object):
    pass


class Plain(object):
    class Inner(object):
        pass


Inner = Plain.Inner


class Slotted(object):
    __slots__ = ("name", "x")


Pair = collections.namedtuple("Pair", "first second")

if enum:

    class Color(enum.Enum):
        Red = 1
        Green = "g"

else:

    class Color(object):
        def __init__(self, value):
            self.name = {1: "Red", "g": "Green"}[value]


def chars(value):
    """Code points, also where a Python 2 has surrogates."""
    wide = value.encode("utf-32-le", "surrogatepass" if sys.version_info[0] == 3 else "strict")
    return struct.unpack("<%dI" % (len(wide) // 4), wide)


def show(value, out):
    kind = type(value)
    if value is None or kind is bool:
        out.append(str(value))
    elif kind in integers:
        out.append("%d" % value)
    elif kind is float:
        out.append("f%016x" % struct.unpack("<Q", struct.pack("<d", value)))
    elif kind is text:
        out.append("u" + "".join("%x." % char for char in chars(value)))
    elif kind is bytes:
        out.append("b" + "".join("%02x" % byte for byte in bytearray(value)))
    elif kind is list:
        show_items("[", value, "]", out)
    elif kind is tuple:
        show_items("(", value, ")", out)
    elif kind is Pair:
        show_items("Pair(", value, ")", out)
    elif kind in (set, frozenset):
        show_items(kind.__name__ + "[", sorted(value), "]", out)
    elif kind is dict:
        # Python 2 has no order: that of the fields is compared elsewhere.
        show_rows("{", value.items(), out)
    elif kind is Slotted:
        show_rows("Slotted{", [(u"name", value.name), (u"x", value.x)], out)
    elif kind is Color:
        out.append("Color." + value.name)
    else:
        show_rows(kind.__name__ + "{", vars(value).items(), out)


def show_items(begin, items, end, out):
    out.append(begin)
    for item in items:
        show(item, out)
        out.append(",")
    out.append(end)


def show_rows(begin, rows, out):
    shown = []
    for key, value in rows:
        row = []
        # Names of attributes are 8-bit strings of Python 2.
        show(text(key) if type(key) is str else key, row)
        row.append(":")
        show(value, row)
        shown.append("".join(row))
    out.append(begin)
    out.append("".join(row + "," for row in shown))
    out.append("}")


def main(program, seed="1", count="20"):
    sys.modules["random_types"] = sys.modules["__main__"]
    highest = pickle.HIGHEST_PROTOCOL
    compared = collections.Counter()
    lines = subprocess.Popen([program, seed, count], stdout=subprocess.PIPE)
    for number, line in enumerate(io.TextIOWrapper(lines.stdout, encoding="ascii") if sys.version_info[0] == 3 else lines.stdout):
        shape, protocol, pickled, expected = line.rstrip("\n").split(" ", 3)
        if int(protocol) > highest:
            continue
        for load in loaders:
            value = load(bytes(bytearray.fromhex(pickled)))
            out = []
            show(value, out)
            found = "".join(out)
            if not same(found, expected):
                sys.exit("line %d: %s at protocol %s is\n%s\ninstead of\n%s" % (number + 1, shape, protocol, found, expected))
        compared[shape] += 1
    if lines.wait():
        sys.exit("%s failed" % program)
    print(sum(compared.values()), dict(compared))


def same(found, expected):
    # Dicts before 3.7 have no order: then the characters are compared.
    return found == expected or (sys.version_info < (3, 7) and sorted(found) == sorted(expected))


if __name__ == "__main__":
    main(*sys.argv[1:])
