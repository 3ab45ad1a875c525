"""Pickles the objects that crates/picklevm/tests/it/serde/cpython.rs has as Rust types, one after another, at the given protocol.

    for protocol in 0 1 2 3 4 5; do
        python3.13 tests/python/typed_writer.py $protocol > tests/data/serde/written/p$protocol.pkl
    done
"""
import enum, pickle, sys, types

geometry = types.ModuleType("geometry")
sys.modules["geometry"] = geometry

class Point:
    pass

class Span(tuple):
    def __new__(cls, low, high): return tuple.__new__(cls, (low, high))
    def __getnewargs__(self): return tuple(self)

class Circle:
    pass

class Nothing:
    pass

class Meters(float): pass
class Count(int): pass
class Label(str): pass

class Color(enum.Enum):
    RED = 1
    GREEN = 2
    def __reduce_ex__(self, protocol): return getattr, (Color, self.name)

for cls in (Point, Span, Circle, Nothing, Meters, Count, Label, Color):
    cls.__module__ = "geometry"
    setattr(geometry, cls.__name__, cls)

def point(x, y):
    made = Point()
    made.x, made.y = x, y
    return made

def circle(center):
    made = Circle()
    made.center = center
    return made

def things():
    yield None
    yield [True, False, 0, -1, 255, 65536, 2 ** 63, -2 ** 127, 2 ** 128 - 1]
    yield (1.5, float("inf"), -0.0)
    yield ["text", "", "a", "a", "\u20ac", b"bytes", b"", b"x", b"x"]
    yield [{"id": n, "name": "n%d" % n, "tags": [n, n + 1]} for n in range(3)]
    yield ["Empty", {"Circle": 1.5}, {"Rect": (1, 2)}, {"Named": {"name": "N"}}, "Empty"]
    yield {1: "one", 2: "two"}
    yield [point(1.0, 2.0), point(3.0, 4.0)]
    yield [Span(1, 2), Span(3, 4)]
    yield [circle(point(0.5, 1.5)), Nothing(), Nothing()]
    yield (Meters(1.5), Count(7), Count(-1 << 70), Label("text"))
    yield [Color.RED, Color.GREEN, Color.RED]
    shared = [1, 2]
    yield [shared, shared]

if __name__ == "__main__":
    for thing in things():
        pickle.dump(thing, sys.stdout.buffer, int(sys.argv[1]))
