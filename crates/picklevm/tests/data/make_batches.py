#!/usr/bin/env python3
"""Generates batches.txt: how CPython's picklers divide the items of containers and objects into batches.

    pythonX.Y make_batches.py write > X.Y.txt     once with each Python, including 2.7
    python3 make_batches.py merge *.txt           prints batches.txt

A line is WRITERS PROTOCOLS KIND LEN SHAPE. SHAPE is the opcodes of `OPCODES` in the order of the pickle, one character each;
four or more of one are written as `a*1000`.
"""
from __future__ import print_function
import collections, io, itertools, pickle, pickletools, sys

PYTHON_2 = sys.version_info[0] == 2
OPCODES = {"MARK": "(", "EMPTY_LIST": "]", "EMPTY_DICT": "}", "EMPTY_SET": "S", "LIST": "l", "DICT": "d", "APPEND": "a",
           "APPENDS": "e", "SETITEM": "s", "SETITEMS": "u", "ADDITEMS": "A", "FROZENSET": "F"}
LENGTHS = 0, 1, 2, 3, 999, 1000, 1001, 1002, 1999, 2000, 2001, 2002


class Items(object):
    """Reduced to a call without arguments, and items."""
    def __init__(self, appended=(), entries=()):
        self.appended, self.entries = appended, entries

    def __reduce__(self):
        return Items, (), None, iter(self.appended), iter(self.entries)


KINDS = {
    "list": lambda n: [None] * n,
    "dict": lambda n: dict.fromkeys(range(n)),
    "set": lambda n: set(range(n)),
    "frozenset": lambda n: frozenset(range(n)),
    "appended": lambda n: Items(appended=[None] * n),
    "set_items": lambda n: Items(entries=[(i, None) for i in range(n)]),
}
PURE = pickle.Pickler if PYTHON_2 else pickle._Pickler


def pure(value, protocol):
    out = io.BytesIO()
    PURE(out, protocol).dump(value)
    return out.getvalue()


if PYTHON_2:
    import cPickle
    DUMPS = {"c": cPickle.dumps, "py": pure}
else:
    DUMPS = {"c": pickle.dumps, "py": pure}


def shape(data):
    codes = [OPCODES[op.name] for op, _, _ in pickletools.genops(data) if op.name in OPCODES]
    runs = [(code, len(list(group))) for code, group in itertools.groupby(codes)]
    return "".join(code * count if count < 4 else "%s*%d" % (code, count) for code, count in runs) or "-"


def write():
    for writer, dumps in sorted(DUMPS.items()):
        for kind in sorted(KINDS):
            for length in LENGTHS:
                for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                    found = shape(dumps(KINDS[kind](length), protocol))
                    print("%d.%d-%s" % (sys.version_info[:2] + (writer,)), protocol, kind, length, found)


def merge(files):
    writers = collections.OrderedDict()
    for line in itertools.chain.from_iterable(open(file) for file in files):
        writer, protocol, rest = line.rstrip("\n").split(" ", 2)
        writers.setdefault(rest, collections.OrderedDict()).setdefault(writer, []).append(protocol)
    for rest, protocols in sorted(writers.items()):
        same = collections.OrderedDict()
        for writer, numbers in protocols.items():
            same.setdefault("".join(numbers), []).append(writer)
        for numbers, names in same.items():
            print(",".join(names), numbers, rest)


if sys.argv[1:2] == ["write"]:
    write()
else:
    merge(sys.argv[2:])
