"""Depth, endless reductions, exceptions at every call, and references."""

import gc
import io
import itertools
import sys
import tracemalloc
import weakref

import pytest
from objects import Plain, everything

from picklevm import pickle

DEPTH = 1_000_000


def nested(depth, wrap):
    value = None
    for _ in range(depth):
        value = wrap(value)
    return value


def take_apart(value, next):
    """Counts the levels while freeing them one by one: CPython's own destructors recurse for some types."""
    depth = 0
    while value is not None:
        value = next(value)
        depth += 1
    return depth


@pytest.mark.parametrize(
    "wrap, next",
    [(lambda v: [v], lambda v: v.pop()), (lambda v: {1: v}, lambda v: v.pop(1)), (lambda v: (v,), lambda v: v[0])],
    ids=["list", "dict", "tuple"],
)
def test_a_million_levels_are_written_and_read(wrap, next):
    data = pickle.dumps(nested(DEPTH, wrap))
    assert take_apart(pickle.loads(data), next) == DEPTH


def test_linked_instances_are_written_and_read():
    depth = 100_000
    data = pickle.dumps(nested(depth, lambda v: Plain(next=v)))
    assert take_apart(pickle.loads(data), lambda v: v.__dict__.pop("next")) == depth


class EndlessArguments:
    def __reduce__(self):
        return EndlessArguments, (self,)


class EndlessState:
    def __reduce__(self):
        return EndlessState, (), EndlessState()


class EndlessNew:
    def __reduce__(self):
        return EndlessNew, (EndlessNew(),)


@pytest.mark.parametrize("cls", [EndlessArguments, EndlessState, EndlessNew])
def test_an_endless_reduce_is_a_recursion_error(cls):
    with pytest.raises(RecursionError):
        pickle.dumps(cls())


class Boom(Exception):
    pass


class Fuse:
    """Raises at the nth call."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self, result=None):
        self.left -= 1
        if self.left == 0:
            raise Boom
        return result


fuse = Fuse(0)


class Fragile:
    """Calls the fuse wherever a pickler or an unpickler calls Python code."""

    def __init__(self, *args):
        fuse()
        self.parts = list(args)

    def __reduce_ex__(self, protocol):
        fuse()
        return Fragile, (1,), {"x": 1}, self.items(), self.pairs(), None

    def items(self):
        for n in range(3):
            yield fuse(n)

    def pairs(self):
        for n in range(3):
            yield fuse((n, n))

    def __setstate__(self, state):
        fuse()

    def append(self, item):
        fuse()

    def __setitem__(self, key, value):
        fuse()

    def __hash__(self):
        return fuse(1)

    def __eq__(self, other):
        return fuse(True)


class FragileFile(io.BytesIO):
    def read(self, *args):
        fuse()
        return super().read(*args)

    def readline(self, *args):
        fuse()
        return super().readline(*args)

    def readinto(self, memory):
        fuse()
        return super().readinto(memory)

    def write(self, data):
        fuse()
        return super().write(data)


class FragilePickler(pickle.Pickler):
    def persistent_id(self, object):
        return fuse("id" if object == "persistent" else None)

    def reducer_override(self, object):
        return fuse(NotImplemented)


class FragileUnpickler(pickle.Unpickler):
    def persistent_load(self, pid):
        return fuse(pid)

    def find_class(self, module, name):
        fuse()
        return super().find_class(module, name)


@pytest.mark.parametrize("protocol", range(6))
def test_an_exception_at_every_call_is_raised(protocol):
    global fuse

    def round_trip():
        file = FragileFile()
        FragilePickler(file, protocol).dump([Fragile(), {Fragile(): 1}, "persistent", (Fragile(), b"x" * 100000)])
        file.seek(0)
        return FragileUnpickler(file).load()

    for calls in itertools.count(1):
        fuse = Fuse(calls)
        try:
            round_trip()
        except Boom:
            continue
        break
    assert calls > 30


def test_loads_and_dumps_leave_nothing_behind():
    objects = [object for object in everything() if not isinstance(object, Exception)]

    def work():
        for object in objects:
            for protocol in (0, 2, 5):
                try:
                    data = pickle.dumps(object, protocol)
                except Exception:
                    continue
                pickle.loads(data)
                pickle.Unpickler(io.BytesIO(data)).load()
                for bad in (data[:-1], data[: len(data) // 2]):
                    with pytest.raises(Exception):
                        pickle.loads(bad)

    # References are counted by debug builds of Python alone.
    counters = [sys.getallocatedblocks, getattr(sys, "gettotalrefcount", lambda: 0)]

    def growth():
        gc.collect()
        before = [count() for count in counters]
        for _ in range(3):
            work()
        gc.collect()
        return [count() - start for count, start in zip(counters, before)]

    work()
    # The interpreter's own caches grow now and then; what is left behind is left each time.
    rounds = [growth() for _ in range(4)]
    assert all(min(column) < 200 for column in zip(*rounds)), rounds


def test_a_hundred_thousand_loads_take_no_memory():
    data = pickle.dumps([{"a": n, "b": Plain(c=[n])} for n in range(5)])
    for _ in range(1000):
        pickle.loads(data)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    blocks = sys.getallocatedblocks()
    for _ in range(100_000):
        pickle.loads(data)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000
    assert sys.getallocatedblocks() - blocks < 200


def test_an_object_dies_with_the_last_reference():
    value = pickle.loads(pickle.dumps(Plain(a=1)))
    reference = weakref.ref(value)
    del value
    assert reference() is None


def test_a_pickler_in_a_cycle_is_collected():
    class Node(pickle.Pickler):
        pass

    node = Node(io.BytesIO())
    node.me = node
    node.dump([node.__class__.__name__])
    reference = weakref.ref(node)
    del node
    gc.collect()
    assert reference() is None


def test_a_length_that_is_only_claimed_takes_no_memory():
    for data in (b"B\xff\xff\xff\x7f", b"\x8e\xff\xff\xff\xff\xff\0\0\0", b"\x8b\xff\xff\xff\x7f", b"X\xff\xff\xff\x7f"):
        for load in (pickle.loads, lambda data: pickle.load(io.BytesIO(data))):
            with pytest.raises(pickle.UnpicklingError, match="truncated"):
                load(data)
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(b"Nr\xff\xff\xff\x7f0.")
