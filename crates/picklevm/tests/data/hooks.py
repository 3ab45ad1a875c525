"""Generates hooks.txt: CPython's pickles with each hook and option of Pickler, one per line: NAME PICKLE [BUFFER...].

    PYENV_VERSION=3.13.0 python3.13 hooks.py > hooks.txt

Lines `decode-ENCODING-ERRORS` contain an 8-bit string of Python 2 and the result of Python's Unpickler: a pickle, or
`error`. All bytes are in hexadecimal.
"""

import copyreg
import io
import pickle
import sys


class Point:
    """A class of the application; pickled as geometry.Point."""

    def __init__(self, x, y):
        self.x, self.y = x, y


Point.__module__ = "geometry"
sys.modules["geometry"] = type(sys)("geometry")
sys.modules["geometry"].Point = Point


class Row:
    """A row of a table, identified by its id."""

    def __init__(self, pid):
        self.pid = pid


def line(name, *payloads):
    print(name, *(bytes(payload).hex() if not isinstance(payload, str) else payload for payload in payloads))


def persistent(protocol, pid):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.pid if isinstance(value, Row) else None

    out = io.BytesIO()
    Pickler(out, protocol).dump(["before", Row(pid), {"again": Row(pid)}])
    return out.getvalue()


for protocol in range(6):
    line(f"persid-text-{protocol}", persistent(protocol, "row:7"))
    if protocol:
        line(f"persid-tuple-{protocol}", persistent(protocol, ("row", 7)))
        line(f"persid-nested-{protocol}", persistent(protocol, ("row", [7, ("x", b"y")])))

taken = []
payload = [pickle.PickleBuffer(bytearray(b"writable")), pickle.PickleBuffer(b"readonly")]
line("buffers-outside", pickle.dumps(payload, 5, buffer_callback=taken.append), *(b.raw() for b in taken))
line("buffers-inside", pickle.dumps(payload, 5))
taken = []
declined = pickle.dumps(payload, 5, buffer_callback=lambda b: taken.append(b) if b.raw().readonly else True)
line("buffers-first-inside", declined, *(b.raw() for b in taken))

for code in (0x11, 0x1122, 0x11223344):
    copyreg.add_extension("geometry", "Point", code)
    for protocol in range(2, 6):
        line(f"extension-{code:x}-{protocol}", pickle.dumps([Point, Point(1, 2)], protocol))
    copyreg.remove_extension("geometry", "Point", code)


def reduce_point(point):
    return Point, (point.x, point.y)


def move_to(point, state):
    point.x, point.y = state


move_to.__module__ = "geometry"
sys.modules["geometry"].move_to = move_to

for protocol in range(6):
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol)
    pickler.dispatch_table = {Point: reduce_point}
    point = Point(1, 2)
    pickler.dump([point, point])
    line(f"dispatch-{protocol}", out.getvalue())

    class Overriding(pickle.Pickler):
        def reducer_override(self, value):
            return reduce_point(value) if isinstance(value, Point) else NotImplemented

    out = io.BytesIO()
    Overriding(out, protocol).dump([point, point])
    line(f"override-{protocol}", out.getvalue())

    class Several(pickle.Pickler):
        dispatch_table = {Point: reduce_point}

        def persistent_id(self, value):
            return value.pid if isinstance(value, Row) else None

    out = io.BytesIO()
    pickler = Several(out, protocol)
    pickler.dump([point])
    pickler.dump([Row("row:7"), point])
    pickler.clear_memo()
    pickler.dump([point])
    line(f"several-{protocol}", out.getvalue())

    class Setting(pickle.Pickler):
        def reducer_override(self, value):
            if isinstance(value, Point):
                return Point, (0, 0), (value.x, value.y), None, None, move_to
            return NotImplemented

    out = io.BytesIO()
    Setting(out, protocol).dump([point, point])
    line(f"setter-{protocol}", out.getvalue())

    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol)
    shared = ["shared"]
    pickler.dump(shared)
    pickler.dump([shared, shared])
    pickler.dump(Point(1, 2))
    line(f"one-memo-{protocol}", out.getvalue())

for text in (b"plain", b"caf\xe9", b"caf\xc3\xa9", b"\xf0\x9f\x98", b"\xed\xa0\x80\xff", b"a\xed\xb2\x80b"):
    for encoding in ("ASCII", "latin-1", "utf-8", "bytes"):
        for errors in ("strict", "ignore", "replace", "surrogateescape", "surrogatepass", "backslashreplace"):
            string = b"U" + bytes([len(text)]) + text + b"."
            try:
                made = pickle.dumps(pickle.loads(string, encoding=encoding, errors=errors), 3)
            except UnicodeDecodeError:
                made = "error"
            line(f"decode-{encoding}-{errors}", string, made)
