"""picklevm.install() and picklevm.restricted(): what goes through them, and what cannot go around."""

import _pickle
import asyncio
import collections
import io
import multiprocessing
import multiprocessing.reduction
import os
import pickle
import shelve
import subprocess
import sys
import textwrap
import threading
from pickle import loads as loads_of_this_module

import picklevm
import pytest

SYSTEM = b"cos\nsystem\n(S'touch marker'\ntR."
ORDERED = pickle.dumps(collections.OrderedDict(a=1))
ORIGINAL = _pickle.load, _pickle.loads, _pickle.Unpickler, pickle._Unpickler.load, pickle._Unpickler.find_class


def now():
    return pickle.load, pickle.loads, pickle.Unpickler, pickle._Unpickler.load, pickle._Unpickler.find_class


LOADERS = {
    "loads": lambda data: pickle.loads(data),
    "load": lambda data: pickle.load(io.BytesIO(data)),
    "Unpickler": lambda data: pickle.Unpickler(io.BytesIO(data)).load(),
    "_pickle.loads": lambda data: _pickle.loads(data),
    "_pickle.load": lambda data: _pickle.load(io.BytesIO(data)),
    "_pickle.Unpickler": lambda data: _pickle.Unpickler(io.BytesIO(data)).load(),
    "_loads": lambda data: pickle._loads(data),
    "_load": lambda data: pickle._load(io.BytesIO(data)),
    "_Unpickler": lambda data: pickle._Unpickler(io.BytesIO(data)).load(),
    "from pickle import loads": lambda data: loads_of_this_module(data),
    "subclass": lambda data: type("Mine", (pickle.Unpickler,), {})(io.BytesIO(data)).load(),
    "subclass of _Unpickler": lambda data: type("Mine", (pickle._Unpickler,), {})(io.BytesIO(data)).load(),
    "multiprocessing": lambda data: multiprocessing.reduction.ForkingPickler.loads(data),
}


@pytest.mark.parametrize("loader", LOADERS)
def test_every_way_of_loading_goes_through_a_block(loader):
    load = LOADERS[loader]
    with picklevm.restricted(allow=["stdlib"]):
        assert load(ORDERED) == {"a": 1}
        with pytest.raises(picklevm.NotAllowedError):
            load(SYSTEM)
        with pytest.raises(picklevm.NotAllowedError):
            load(b"cbuiltins\nbytes\n(I1000000000000\ntR.")
    assert now() == ORIGINAL
    assert loads_of_this_module is ORIGINAL[1]
    assert load(ORDERED) == {"a": 1}


def test_blocks_nest_and_the_inner_one_counts():
    with picklevm.restricted(allow=["stdlib"]):
        with picklevm.restricted():
            with pytest.raises(picklevm.NotAllowedError):
                pickle.loads(ORDERED)
        assert pickle.loads(ORDERED) == {"a": 1}


def test_a_block_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), picklevm.restricted():
        raise ZeroDivisionError
    assert now() == ORIGINAL


def test_a_block_holds_for_its_thread_and_its_task_alone():
    outside = []
    with picklevm.restricted():
        thread = threading.Thread(target=lambda: outside.append(pickle.loads(ORDERED)))
        thread.start()
        thread.join()
    if not getattr(sys.flags, "thread_inherit_context", False):
        assert outside == [{"a": 1}]

    async def inside(started, done):
        with picklevm.restricted():
            started.set()
            await done.wait()
            with pytest.raises(picklevm.NotAllowedError):
                pickle.loads(ORDERED)

    async def both():
        started, done = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(inside(started, done))
        await started.wait()
        assert pickle.loads(ORDERED) == {"a": 1}
        done.set()
        await task

    asyncio.run(both())


def test_a_class_that_was_made_in_a_block_loads_as_before_after_it():
    with picklevm.restricted():
        class Mine(pickle.Unpickler):
            pass

        with pytest.raises(picklevm.NotAllowedError):
            Mine(io.BytesIO(ORDERED)).load()
    assert Mine(io.BytesIO(ORDERED)).load() == {"a": 1}


def test_a_subclass_has_its_hooks():
    class Mine(pickle.Unpickler):
        pass

    with picklevm.restricted(allow=["stdlib"]):
        class Hooked(pickle.Unpickler):
            def find_class(self, module, name):
                return super().find_class(module.replace("old", "collections"), name)

        file = io.BytesIO(b"\x80\x02ccollections\nOrderedDict\n)RX\x01\x00\x00\x00aQ\x86.")
        unpickler = Hooked(file)
        unpickler.persistent_load = lambda pid: ("loaded", pid)
        assert unpickler.load() == (collections.OrderedDict(), ("loaded", "a"))
        with pytest.raises(picklevm.NotAllowedError):
            Hooked(io.BytesIO(b"P1\n.")).load()

        class InPython(pickle._Unpickler):
            def persistent_load(self, pid):
                return ("loaded", pid)

        assert InPython(io.BytesIO(b"P1\n.")).load() == ("loaded", "1")
        with pytest.raises(picklevm.NotAllowedError):
            pickle._Unpickler(io.BytesIO(b"P1\n.")).load()


def test_files_are_left_right_after_the_pickle():
    for name in ("load", "_load"):
        file = io.BytesIO(ORDERED + pickle.dumps(2) + b"rest")
        with picklevm.restricted(allow=["stdlib"]):
            assert getattr(pickle, name)(file) == {"a": 1}
            assert pickle.load(file) == 2
        assert file.read() == b"rest"


def test_shelves_go_through_a_block(tmp_path):
    with shelve.open(str(tmp_path / "shelf")) as shelf:
        shelf["a"] = collections.OrderedDict(a=1)
        with picklevm.restricted():
            with pytest.raises(picklevm.NotAllowedError):
                shelf["a"]


def run(code):
    """Run a program of its own, and return what it prints."""
    program = textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_program_is_restricted_until_uninstall():
    assert run(
        """
        import pickle, picklevm, threading
        original = pickle.loads
        date = b"cdatetime\\ndate\\n(I2024\\nI1\\nI2\\ntR."
        def attempt(loads=None):
            try: (loads or pickle.loads)(date)
            except picklevm.NotAllowedError: print("refused")
            else: print("loaded")
        picklevm.install()
        attempt()
        thread = threading.Thread(target=attempt); thread.start(); thread.join()
        picklevm.install(allow=["stdlib"])
        attempt()
        picklevm.uninstall(); picklevm.uninstall()
        attempt()
        print(pickle.loads is original)
        """
    ) == ["refused", "refused", "loaded", "loaded", "True"]


def test_a_reference_that_was_kept_finds_only_harmless_names():
    assert run(
        """
        import pickle, picklevm
        kept, Class = [pickle.loads], type("Mine", (pickle.Unpickler,), {})
        import io
        def attempt(data):
            for load in (kept[0], lambda data: Class(io.BytesIO(data)).load()):
                try: load(data)
                except picklevm.NotAllowedError: print("refused")
                else: print("loaded")
        picklevm.install(allow=["stdlib"])
        attempt(b"cos\\nsystem\\n(S'touch marker'\\ntR.")
        attempt(b"cbuiltins\\ngetattr\\n.")
        attempt(b"ccopyreg\\n__newobj__\\n.")
        attempt(b"cstruct\\nerror\\n.")
        picklevm.uninstall()
        attempt(b"cbuiltins\\ngetattr\\n.")
        """
    ) == ["refused"] * 6 + ["loaded"] * 4


def test_what_multiprocessing_receives_is_checked():
    assert run(
        """
        import multiprocessing, os, picklevm
        def send(connection): connection.send(os.getpid); connection.send([1, 2])
        if __name__ == "__main__":
            context = multiprocessing.get_context("fork")
            ours, theirs = context.Pipe()
            child = context.Process(target=send, args=(theirs,)); child.start()
            picklevm.install()
            try: ours.recv()
            except picklevm.NotAllowedError as error: print(error.name)
            print(*ours.recv())
            child.join()
        """
    ) == ["posix.getpid", "1", "2"]


def test_a_child_after_a_fork_is_restricted():
    with picklevm.restricted():
        child = os.fork()
        if not child:
            try:
                pickle.loads(ORDERED)
            except picklevm.NotAllowedError:
                os._exit(3)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


def test_joblib_goes_through_a_block(tmp_path):
    joblib, numpy = pytest.importorskip("joblib"), pytest.importorskip("numpy")
    value = {"a": numpy.arange(10_000.0).reshape(100, 100), "b": [1, numpy.array(["x"], dtype=object)]}
    for compress in (0, 3, ("gzip", 3), ("lzma", 3)):
        path = tmp_path / f"file{compress}"
        joblib.dump(value, path, compress=compress)
        with picklevm.restricted(allow=["scikit-learn"]):
            loaded = joblib.load(path)
        assert (loaded["a"] == value["a"]).all() and loaded["b"][1][0] == "x"
        with picklevm.restricted(allow=["numpy"]), pytest.raises(picklevm.NotAllowedError):
            joblib.load(path)
    bad = tmp_path / "bad"
    bad.write_bytes(SYSTEM)
    with picklevm.restricted(allow=["scikit-learn"]), pytest.raises(picklevm.NotAllowedError):
        joblib.load(bad)


def test_pandas_goes_through_a_block(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    for name in ("frame.pkl", "frame.pkl.gz"):
        frame.to_pickle(tmp_path / name)
        with picklevm.restricted(allow=["pandas"]):
            assert pandas.read_pickle(tmp_path / name).equals(frame)
        with picklevm.restricted(allow=["numpy"]), pytest.raises(picklevm.NotAllowedError):
            pandas.read_pickle(tmp_path / name)


def test_torch_goes_through_a_block(tmp_path):
    torch = pytest.importorskip("torch")
    value = {"a": torch.arange(6.0).reshape(2, 3), "b": [1]}
    for zipped in (True, False):
        # Legacy checkpoints name the classes of modules by persistent ids.
        torch.save(torch.nn.Linear(2, 3), tmp_path / "module.pt", _use_new_zipfile_serialization=zipped)
        with picklevm.restricted(allow=["torch"]):
            assert type(torch.load(tmp_path / "module.pt", weights_only=False)) is torch.nn.Linear
        torch.save(value, tmp_path / "file.pt", _use_new_zipfile_serialization=zipped)
        with picklevm.restricted(allow=["torch"]):
            loaded = torch.load(tmp_path / "file.pt", weights_only=False)
        assert (loaded["a"] == value["a"]).all()
        with picklevm.restricted(), pytest.raises(picklevm.NotAllowedError):
            torch.load(tmp_path / "file.pt", weights_only=False)
