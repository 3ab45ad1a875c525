"""What is written is what `_pickle` writes, byte for byte."""

import _pickle
import collections
import io
import random

import pytest
from objects import everything, random_object

from picklevm import pickle

PROTOCOLS = range(6)


def outcome(dumps, object, protocol):
    """The pickle, or the class of the exception."""
    try:
        return dumps(object, protocol)
    except Exception as error:
        return type(error)


def shape(object, seen=None):
    """What an object is made of, and which of its parts that can change are the same."""
    seen = {} if seen is None else seen
    if object is None or isinstance(object, (int, float, complex, str, bytes, type)) and not hasattr(object, "__dict__"):
        return type(object), repr(object)
    if id(object) in seen:
        return seen[id(object)]
    if not isinstance(object, (tuple, frozenset)):
        seen[id(object)] = len(seen)
    parts = []
    if isinstance(object, (list, tuple, collections.deque)):
        parts = [shape(part, seen) for part in object]
    elif isinstance(object, dict):
        parts = [(shape(key, seen), shape(value, seen)) for key, value in object.items()]
    elif isinstance(object, (set, frozenset, bytearray)) or callable(object):
        parts = [repr(object)]
    names = [*getattr(object, "__slots__", ()), *getattr(object, "__dict__", ())] if not callable(object) else []
    return type(object), parts, [(name, shape(getattr(object, name), seen)) for name in names]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_kind_of_object_is_written_as_by_cpython(protocol):
    for object in everything():
        assert outcome(pickle.dumps, object, protocol) == outcome(_pickle.dumps, object, protocol), repr(object)[:200]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_random_objects_are_written_as_by_cpython(protocol):
    for seed in range(850):
        object = random_object(random.Random(seed * 10 + protocol))
        assert outcome(pickle.dumps, object, protocol) == outcome(_pickle.dumps, object, protocol), seed


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_was_written_is_read_as_by_cpython(protocol):
    for seed in range(200):
        data = outcome(_pickle.dumps, random_object(random.Random(seed)), protocol)
        if isinstance(data, bytes):
            expected = shape(_pickle.loads(data))
            for loads in (pickle.loads, lambda data: pickle.load(io.BytesIO(data))):
                assert shape(loads(data)) == expected, seed


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_names_are_not_renamed_for_python_2_without_fix_imports(protocol):
    for object in (range(3), ValueError("x"), map, zip):
        ours = pickle.dumps(object, protocol, fix_imports=False)
        assert ours == _pickle.dumps(object, protocol, fix_imports=False)
        assert repr(pickle.loads(ours, fix_imports=False)) == repr(object)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_and_long_bytes_among_other_items_are_written_the_same(protocol):
    numbers = [0, 255, 256, 65535, 65536, -1, 2**31, -(2**31), 2**63 - 1, -(2**63), 2**63, 10**30, 0.5, float("nan"), True]
    long = b"x" * 70_000
    for object in (
        numbers * 300,
        [n if n % 7 else str(n) for n in range(5000)],
        list(range(999)), list(range(1000)), list(range(1001)), [0.5] * 30_000,
        long, [long, 1, long, "y" * 70_000, bytearray(long), b"z" * 300, long[:-1]],
    ):
        data = pickle.dumps(object, protocol)
        assert data == _pickle.dumps(object, protocol)
        out = io.BytesIO()
        pickle.dump(object, out, protocol)
        assert out.getvalue() == data


class File:
    """A file that records what it is asked for."""

    def __init__(self, data=b"", methods=("read", "readline", "readinto")):
        # `peek` gives what is in its buffer, fewer bytes than it is asked for.
        self.file = io.BufferedReader(io.BytesIO(data), 4096) if data else io.BytesIO()
        self.calls = []
        for name in methods:
            setattr(self, name, self.recorder(name))

    def recorder(self, name):
        method = getattr(self.file, name)

        def call(*arguments):
            self.calls.append((name, *(len(a) if isinstance(a, (bytes, memoryview)) else a for a in arguments)))
            return method(*arguments)

        return call


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_is_written_to_in_the_calls_of_cpython(protocol):
    objects = [list(range(100_000)), ["x" * 100, b"y" * 70000, "z" * 70000] * 20, [b"y" * 70000], 1]
    for object in objects:
        ours, theirs = File(methods=["write"]), File(methods=["write"])
        pickle.dump(object, ours, protocol)
        _pickle.dump(object, theirs, protocol)
        assert ours.calls == theirs.calls


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_is_read_in_the_calls_of_cpython(protocol):
    for object in ([1, "a", b"b", 2.5, 10**30, {"k": (1, 2)}], list(range(30_000)), ["x" * 300] * 3):
        data = _pickle.dumps(object, protocol)
        ours, theirs = File(data + b"rest", ["read", "readline"]), File(data + b"rest", ["read", "readline"])
        assert pickle.load(ours) == _pickle.load(theirs)
        assert ours.calls == theirs.calls
        assert ours.file.read() == theirs.file.read() == b"rest"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("methods", [[], ["readinto"], ["peek"], ["readinto", "peek"]], ids="+".join)
def test_bytes_are_read_into_memory_in_the_calls_of_cpython(protocol, methods):
    for size in (1, 300, 70_000, 3_000_000):
        for object in (b"x" * size, bytearray(b"x" * size), [b"x" * size, 1, bytearray(b"y" * size), "text"]):
            data = _pickle.dumps(object, protocol)
            ours, theirs = (File(data + b"rest", ["read", "readline", *methods]) for _ in range(2))
            assert pickle.load(ours) == _pickle.load(theirs) == object
            if "peek" in methods or size > 1 << 20:
                # Where less was peeked at than is needed, the rest of it may be read in other pieces; and of a long text, which
                # 3.15 reads in pieces, the first counts the head of its op here.
                assert [name for name, *_ in ours.calls] == [name for name, *_ in theirs.calls]
            else:
                assert ours.calls == theirs.calls
            assert ours.file.read() == theirs.file.read() == b"rest"


def test_what_readinto_returns_is_checked():
    data = _pickle.dumps(b"x" * 70_000, 4)
    for returned in (-1, 10, 10**30, "x", None):
        ends = []
        for load in (pickle.load, _pickle.load):
            file = File(data, ["read", "readline", "readinto"])
            file.readinto = lambda memory: returned
            with pytest.raises(Exception) as caught:
                load(file)
            ends.append(caught.type)
        assert ends[0] == ends[1], returned


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_buffered_file_is_left_after_the_pickle(tmp_path, protocol):
    path = tmp_path / "pickles"
    objects = [[n, str(n) * 100, b"x" * 30000] for n in range(20)]
    path.write_bytes(b"".join(_pickle.dumps(object, protocol) for object in objects) + b"rest")
    with open(path, "rb") as file:
        assert [pickle.load(file) for _ in objects] == objects
        assert file.read() == b"rest"
    with open(path, "rb") as file:
        unpickler = pickle.Unpickler(file)
        assert [unpickler.load() for _ in objects] == objects
        assert file.read() == b"rest"
