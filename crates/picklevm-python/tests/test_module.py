"""The functions and classes, where they are not covered by CPython's own tests."""

import copyreg
import io
import pickle as standard

import pytest
from objects import Plain

from picklevm import pickle


def test_the_exceptions_are_those_of_the_standard_library():
    assert pickle.UnpicklingError is standard.UnpicklingError
    assert pickle.PicklingError is standard.PicklingError
    assert pickle.DEFAULT_PROTOCOL == standard.DEFAULT_PROTOCOL
    assert pickle.HIGHEST_PROTOCOL == standard.HIGHEST_PROTOCOL


@pytest.mark.parametrize(
    "data",
    [
        b"", b".", b"N", b"K", b"(.", b"0.", b"1.", b"2.", b"(2.", b"a.", b"Na.", b"e.", b"]e.", b"}Ns.", b"}(Nu.",
        b"(Nd.", b"h\0.", b"g5\n.", b"gx\n.", b"Npx\n.", b"Np-1\n.", b"Ix\n.", b"I\n.", b"Lx\n.", b"Fx\n.", b"F\n.",
        b"Sx\n.", b"S'\\x\n.", b"S'\\x'\n.", b"V\\u00\n.", b"X\2\0\0\0\xff\xff.", b"\x8c\2\xc3\x28.", b"\x80\x06N.",
        b"\xff.", b"'.", b"Px\n.", b"NQ.", b"\x82\0.", b"\x82\xfe.", b"\x84\0\0\0\x80.", b"\x97.", b"NN\x93.",
        b"cnone\nsuch\n.", b"cbuiltins\nnone\n.", b"c\xff\nx\n.", b"(i\n\n.", b"(ibuiltins\nint\n.", b"NNR.", b"N(R.",
        b"N)\x81.", b"cbuiltins\nint\nN\x81.", b"N)}\x92.", b"NNb.", b"Nb.", b"(l(lb.", b"N(\x90.", b"\x8f(Nu.",
        b"(\x91.", b"((\x91.", b"(o.", b"(No.", b"T\xff\xff\xff\xff.", b"\x8b\xff\xff\xff\xff.",
        b"\x8e\0\0\0\0\0\0\0\x80.", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", b"\x96\0\0\0\0\0\0\0\x80.",
        b"\x95\0\0\0\0\0\0\0\x80.", b"\x95\x05\0\0\0\0\0\0\0N.", b"}]Ns.", b"(]Nd.", b"(]\x91.", b"\x8f(]\x90.",
    ],
)
def test_errors_are_those_of_cpython(data):
    def outcome(load):
        try:
            return load(data)
        except Exception as error:
            return type(error), str(error)

    assert outcome(pickle.loads) == outcome(standard.loads)
    loads = (lambda data: pickle.load(io.BytesIO(data)), lambda data: standard.load(io.BytesIO(data)))
    assert outcome(loads[0]) == outcome(loads[1])


@pytest.mark.parametrize("type", [bytes, bytearray, memoryview, lambda data: memoryview(b"x" + data)[1:]])
def test_pickles_are_read_from_any_buffer(type):
    assert pickle.loads(type(pickle.dumps([1, "a"]))) == [1, "a"]


@pytest.mark.parametrize("data", [None, 1, "N.", [b"N."]])
def test_other_objects_are_refused_as_data(data):
    with pytest.raises(TypeError, match="a bytes-like object is required, not "):
        pickle.loads(data)


def test_find_class_may_be_set_on_an_instance():
    class Unpickler(pickle.Unpickler):
        pass

    unpickler = Unpickler(io.BytesIO(pickle.dumps(Plain)))
    unpickler.find_class = lambda module, name: (module, name)
    assert unpickler.load() == ("objects", "Plain")


def test_a_pickler_keeps_its_memo():
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    shared = ["x"]
    pickler.dump(shared)
    pickler.dump([shared])
    assert len(pickler.memo.copy()) == 3
    file.seek(0)
    unpickler = pickle.Unpickler(file)
    first = unpickler.load()
    assert unpickler.load()[0] is first
    pickler.clear_memo()
    assert pickler.memo.copy() == {}


def test_buffers_are_passed_out_of_band():
    buffers = []
    data = bytearray(b"x" * 100)
    pickled = pickle.dumps([pickle.PickleBuffer(data), pickle.PickleBuffer(b"y")], 5, buffer_callback=buffers.append)
    loaded = pickle.loads(pickled, buffers=buffers)
    assert bytes(loaded[0]) == data and bytes(loaded[1]) == b"y"
    with pytest.raises(pickle.UnpicklingError, match="not enough out-of-band buffers"):
        pickle.loads(pickled, buffers=buffers[:1])
    assert pickle.loads(pickle.dumps(pickle.PickleBuffer(data), 5)) == data


def test_extension_codes_are_written_and_read():
    copyreg.add_extension("objects", "Plain", 240)
    try:
        for protocol in range(2, 6):
            data = pickle.dumps(Plain, protocol)
            assert b"\x82\xf0" in data and pickle.loads(data) is Plain
    finally:
        copyreg.remove_extension("objects", "Plain", 240)


def test_strings_of_python_2_are_decoded_as_asked():
    data = b"U\x02\xc3\xa9."
    assert pickle.loads(data, encoding="bytes") == b"\xc3\xa9"
    assert pickle.loads(data, encoding="utf-8") == "é"
    assert pickle.loads(data, encoding="latin-1") == "Ã©"
    assert pickle.loads(data, errors="replace") == "\ufffd\ufffd"
    with pytest.raises(UnicodeDecodeError):
        pickle.loads(data)
    with pytest.raises(LookupError):
        pickle.loads(data, encoding="none")


def test_a_pickler_that_was_not_initialized_says_so():
    class Pickler(pickle.Pickler):
        def __init__(self):
            pass

    class Unpickler(pickle.Unpickler):
        def __init__(self):
            pass

    with pytest.raises(pickle.PicklingError, match=r"Pickler.__init__\(\) was not called by Pickler.__init__\(\)"):
        Pickler().dump(1)
    with pytest.raises(pickle.UnpicklingError, match=r"Unpickler.__init__\(\) was not called by"):
        Unpickler().load()


def test_hooks_may_use_the_module():
    class Pickler(pickle.Pickler):
        def reducer_override(self, object):
            if isinstance(object, Plain):
                return pickle.loads, (pickle.dumps("replaced"),)
            return NotImplemented

    file = io.BytesIO()
    Pickler(file).dump([Plain()])
    assert pickle.loads(file.getvalue()) == ["replaced"]


def test_a_pickler_cannot_be_used_by_its_own_hooks():
    class Pickler(pickle.Pickler):
        def persistent_id(self, object):
            self.dump(object)

    with pytest.raises(RuntimeError, match="in use"):
        Pickler(io.BytesIO()).dump(1)


def test_what_a_file_raises_is_raised():
    class Bad:
        def read(self, n):
            raise OSError("no")

        readline = write = read

    for call in (lambda: pickle.load(Bad()), lambda: pickle.dump(1, Bad())):
        with pytest.raises(OSError, match="^no$"):
            call()


def test_help_describes_the_functions():
    for function in (pickle.dump, pickle.dumps, pickle.load, pickle.loads, pickle.Pickler, pickle.Unpickler):
        assert function.__doc__
