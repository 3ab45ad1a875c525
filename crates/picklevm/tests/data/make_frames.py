#!/usr/bin/env python3
"""Generates frames.txt: where CPython's picklers end frames, for pickles whose size passes 64 KiB byte by byte.

    python3.N make_frames.py write [NAME…] > N.txt     once with each Python from 3.6 on
    python3 make_frames.py merge *.txt                 prints frames.txt

An object is `[PAD, *ITEMS]`, where PAD is text whose length grows by one from pickle to pickle. A line is

    WRITERS PROTOCOL NAME TAIL FIRST CUTS

TAIL is the pickle after PAD, without frames: parts in hexadecimal, `HEX*COUNT` for repeated bytes, separated by commas. FIRST
is the first length of PAD. CUTS has the ends of the frames for each length: offsets from the start of TAIL, joined by `/`;
`A~B` if the bytes from A to B are not in a frame; `CUTS*COUNT` for several lengths with the same cuts; separated by commas.
"""
import collections, datetime, decimal, io, itertools, pickle, pickletools, re, sys

FRAME_SIZE_TARGET = 64 * 1024


class Point(object):
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Keywords(object):
    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (1, 2), {"k": 3}


class Setter(object):
    def __reduce__(self):
        return (Setter, (), {"a": 1}, None, None, set_state)


def set_state(target, state):
    pass


for thing in Point, Keywords, Setter, set_state:
    thing.__module__ = "shop"
module = type(sys)("shop")
module.__dict__.update(Point=Point, Keywords=Keywords, Setter=Setter, set_state=set_state)
sys.modules["shop"] = module


def fetched():
    text, tuple_, list_ = "text", ("tuple",), [1]
    return [text, tuple_, list_, text, tuple_, list_, [text], (tuple_,), {text: list_}, list_, 1, text]


def far_fetched():
    texts = ["%d" % n for n in range(300)]
    return [texts, texts[290:], texts[:3], texts[255:257]]


def cycles():
    inner = [1]
    inner.append(inner)
    outer = [2]
    pair = (outer, 3)
    outer.append(pair)
    return [inner, pair, 5]


SMALL = {
    "small_ints": lambda: [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 255],
    "short_ints": lambda: [256, 300, 65535, 1, 2000, 7, 8, 9, 300],
    "ints": lambda: [-1, 70000, -(2 ** 31), 2 ** 31 - 1, 3],
    "longs": lambda: [2 ** 31, -(2 ** 40), 2 ** 70, 1, 2 ** 200],
    "floats": lambda: [0.0, 1.5, -0.0, 2.5, 1e300, 5e-324, float("inf"), 1.25],
    "constants": lambda: [None, True, False, (), None, True, False, (), 1, None],
    "mixed": lambda: [1, 2.5, None, 1, 2, 3, 4, None, "a", 1, 2, 3, 4, 5, "b", b"c", 1],
    "texts": lambda: ["a", "bc", "", "def", "ghijk" * 4, "\xe9"],
    "long_texts": lambda: ["a" * 255, "b" * 256, "c" * 300, "d"],
    "bytes": lambda: [b"a", b"bc", b"defg" * 5, b"x" * 255, b"z" * 256, b"y"],
    "bytearrays": lambda: [bytearray(b"abc"), bytearray(b"xy"), bytearray(b"z")],
    "empty_bytearray": lambda: [bytearray(), 1],
    "tuples": lambda: [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((((),), 1), 2), "z"],
    "lists": lambda: [[], [[]], [[[1]]], [[1, 2, 3, 4], [5, 6, 7, 8]], [1, [2, [3, [4, 5]]]]],
    "dicts": lambda: [{}, {1: 2}, {"a": 1}, {"c": {"d": {"e": 1}}}, {1: 2, 3: 4, 5: 6}, {None: 1.5}],
    "sets": lambda: [{1}, {1, 2, 3}, set(), frozenset(), frozenset([1]), frozenset([1, 2]), 3],
    "instances": lambda: [Point(a=1), Point(b=[1, 2, 3, 4]), Point(), Point(a=Point(a=Point(x="y")))],
    "keywords": lambda: [Keywords(), Keywords()],
    "fetched": fetched,
    "far_fetched": far_fetched,
    "cycles": cycles,
    "globals": lambda: [len, int, len, collections.OrderedDict, collections.deque, decimal.Decimal],
    "reduces": lambda: [datetime.date(2020, 1, 2), datetime.timedelta(1, 2), datetime.date(2020, 1, 3), 1j, 2j],
    "items": lambda: [collections.deque([1, 2, 3]), collections.OrderedDict([(1, 2), ("a", "b")]), collections.deque([1])],
}
if sys.version_info >= (3, 8):
    SMALL["setters"] = lambda: [Setter(), Setter()]
RUNS = {
    "run_of_small_ints": lambda: [1] * 40000,
    "run_of_ints": lambda: [300] * 24000,
    "run_of_floats": lambda: [1.5] * 8000,
    "run_of_lists": lambda: [[1, 2, 3, 4, 5] for _ in range(5000)],
    "run_of_dicts": lambda: [{1: 2, 3: 4} for _ in range(6000)],
    "run_of_tuples": lambda: [(1, 2, 3) for _ in range(9000)],
}
LARGE = {
    "large_texts": lambda: ["w" * FRAME_SIZE_TARGET, 1, "v" * (FRAME_SIZE_TARGET - 1), 2, "w" * FRAME_SIZE_TARGET],
    "large_bytes": lambda: [b"u" * FRAME_SIZE_TARGET, 4, b"t" * (FRAME_SIZE_TARGET - 1), b"u" * 70000, b"u" * 70000],
    "large_bytearrays": lambda: [bytearray(FRAME_SIZE_TARGET), 4, bytearray(FRAME_SIZE_TARGET)],
}


def pickled(writer, value, protocol):
    if writer == "c":
        return pickle.dumps(value, protocol)
    out = io.BytesIO()
    pickle._Pickler(out, protocol).dump(value)
    return out.getvalue()


def without_frames(data):
    """Returns the pickle without FRAME, and the start and end of each frame in it."""
    bare, frames, position = [], [], 0
    ops = [(op.name, arg, offset) for op, arg, offset in pickletools.genops(data)]
    ends = [offset for _, _, offset in ops[1:]] + [len(data)]
    for (name, arg, offset), end in zip(ops, ends):
        if name == "FRAME":
            frames.append((position, position + arg))
        else:
            bare.append(data[offset:end])
            position += end - offset
    return b"".join(bare), frames


def shortened(parts):
    """Joins parts by commas, repeated ones as PART*COUNT."""
    out = []
    for part, group in itertools.groupby(parts):
        count = len(list(group))
        out.append(part if count == 1 else "%s*%d" % (part, count))
    return ",".join(out)


def tail_text(tail):
    """Returns bytes in hexadecimal, with long repetitions shortened."""
    out, at = [], 0
    for match in re.finditer(rb"(?s)(.{1,18}?)\1{15,}", tail):
        if match.start() > at:
            out.append(tail[at:match.start()].hex())
        out.append("%s*%d" % (match[1].hex(), len(match[0]) // len(match[1])))
        at = match.end()
    if at < len(tail):
        out.append(tail[at:].hex())
    return ",".join(out)


def cuts(frames, start, end):
    out, position = [], 2
    for begin, stop in frames + [(end, end)]:
        if begin > position:
            out.append("%d~%d" % (position - start, begin - start))
        elif position > 2:
            out.append("%d" % (begin - start))
        position = stop
    return "/".join(out)


def write(names):
    version = "%d.%d" % sys.version_info[:2]
    for name, make in list(SMALL.items()) + list(RUNS.items()) + list(LARGE.items()):
        if names and name not in names:
            continue
        for protocol in range(4, pickle.HIGHEST_PROTOCOL + 1):
            for writer in "c", "py":
                head = len(b"\x80\x04]\x94(X....")
                length = len(without_frames(pickled(writer, [""] + make(), protocol))[0])
                if name in SMALL:
                    pads = range(FRAME_SIZE_TARGET - min(length, 130) - 8, FRAME_SIZE_TARGET + 2)
                elif name in RUNS:
                    pads = range(FRAME_SIZE_TARGET - 40, FRAME_SIZE_TARGET - 24)
                else:
                    pads = range(FRAME_SIZE_TARGET - 30, FRAME_SIZE_TARGET + 2)
                found, tails = [], set()
                for pad in pads:
                    bare, frames = without_frames(pickled(writer, ["x" * pad] + make(), protocol))
                    start = head + pad + 1
                    assert bare[start - 1:start] == b"\x94" and bare[2:6] == b"]\x94(X", name
                    tails.add(bare[start:])
                    found.append(cuts(frames, start, len(bare)))
                (tail,) = tails
                print("%s-%s" % (version, writer), protocol, name, tail_text(tail), pads[0], shortened(found))


def merge(files):
    lines = collections.OrderedDict()
    for file in files:
        for line in open(file):
            writer, rest = line.rstrip("\n").split(" ", 1)
            lines.setdefault(rest, []).append(writer)
    for rest, writers in sorted(lines.items(), key=lambda item: item[0].split(" ")[1::-1]):
        print(",".join(writers), rest)


if sys.argv[1:2] == ["write"]:
    write(sys.argv[2:])
else:
    merge(sys.argv[2:])
