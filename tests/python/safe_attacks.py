#!/usr/bin/env python3
"""Every attack through picklevm.loads with each preset in a jailed Python, and ordinary pickles beside pickle.load.

usage: safe_attacks.py [--generated COUNT] [--seed SEED] [--every N] [--made FOLDER]

Run it with a Python in which picklevm, and what libraries there are of the presets, are installed. It needs no network.

Each file is loaded with little memory and time in a process in which an audit hook stops whatever runs programs or
code, changes files, or reaches the network, and writes that down: the marker. (Compiling without running is none.) A pickle that is refused may not have imported
anything either. The attacks are those of tests/scan/attacks, opened as a pickle and by the program that reads such files
(torch, joblib, NumPy, pandas) in a block of picklevm.restricted; and COUNT (2,500) that are made up as in generated_attacks.py,
in which functions that may only be named write the marker when they are called.

Ordinary files (tests/scan/ordinary, and those of FOLDER, which tests/scan/ordinary.py writes) are loaded with the preset of their
library and without: both must give the same. What the installed libraries cannot load themselves does not count.

It ends with 1 if a marker was written, a process crashed or ran out of memory or time in picklevm, or less than 99 % of the ordinary files
of a preset load equally.
"""
import argparse
import collections
import contextlib
import importlib
import io
import json
import os
import pickle
import random
import resource
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SCAN = os.path.join(os.path.dirname(HERE), "scan")
sys.path.insert(0, SCAN)
sys.dont_write_bytecode = True

LOADED, REFUSED, FAILED, MARKED, EXHAUSTED, CRASHED = "loaded", "refused", "failed", "MARKED", "EXHAUSTED", "CRASHED"
DIFFERENT, SKIPPED = "different", "skipped"
CODES = [LOADED, REFUSED, FAILED, DIFFERENT, SKIPPED, MARKED, EXHAUSTED]
LIBRARIES = ["numpy", "pandas", "scipy.stats", "sklearn.ensemble", "sklearn.linear_model", "joblib", "torch", "pyarrow"]
PRESET_OF = {"stdlib": "stdlib", "numpy": "numpy", "pandas": "pandas", "torch": "torch", "sklearn": "scikit-learn", "scipy": "scikit-learn", "joblib": "scikit-learn"}
#: What an audit hook is told of before it happens.
EVENTS = ("os.", "subprocess.", "shutil.", "socket.", "ctypes.", "pty.", "webbrowser.", "urllib.", "ftplib.", "smtplib.", "poplib.", "imaplib.",
          "nntplib.", "telnetlib.", "sqlite3.", "syslog.", "tempfile.", "mmap.", "msvcrt.", "winreg.", "code.__new__", "function.__new__", "signal.", "resource.", "setopencodehook", "sys.set")
HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.putenv", "os.fwalk", "os.listxattr", "sys.setswitchinterval")


class Stopped(BaseException):
    """The audit hook stopped it."""


def is_import():
    frame = sys._getframe(2)
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def watch(marks):
    """Stops what an attack would do, from now on in this process."""
    def hook(event, args):
        if not marks.armed or event in HARMLESS:
            return
        if event == "open":
            mode = args[1] if isinstance(args[1], str) else "r"
            writes = any(letter in mode for letter in "wax+") or isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
            if not writes:
                return
        elif event == "exec":
            if is_import():
                return
        elif not event.startswith(EVENTS):
            return
        marks.append(event)
        raise Stopped(event)
    sys.addaudithook(hook)


class Marks(list):
    armed = False


def jailed(works, seconds=8, memory=1 << 30):
    """Runs each work(marks) of a list in few processes, and returns what came of each: one of CODES.

    Each has as many seconds of the processor and, beside what the process has, as much memory. The one that takes more ends its
    process, and those after it run in a new one."""
    ends = []
    while len(ends) < len(works):
        ends += in_process(works[len(ends) :], seconds, memory)
    return ends


def in_process(works, seconds, memory):
    """What came of the first works: of all, or of those up to one that ended the process."""
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            null = os.open(os.devnull, os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            marks = Marks()
            watch(marks)
            for work in works:
                # The kernel ends the process where Python does not get to it.
                resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, resource.RLIM_INFINITY))
                signal.alarm(5 * seconds)
                code = FAILED
                try:
                    code = work(marks)
                except MemoryError:
                    code = EXHAUSTED
                except BaseException:
                    code = FAILED
                if marks:
                    code = MARKED
                marks.clear()
                os.write(writer, bytes([CODES.index(code)]))
                if code == EXHAUSTED:
                    # What it took may not be free again.
                    break
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as results:
        ends = [CODES[code] for code in results.read()]
    _, status = os.waitpid(child, 0)
    if len(ends) < len(works) and ends[-1:] != [EXHAUSTED]:
        is_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGKILL, signal.SIGXCPU)
        ends.append(EXHAUSTED if is_killed else CRASHED)
    return ends


@contextlib.contextmanager
def armed(marks):
    marks.armed = True
    try:
        yield
    finally:
        marks.armed = False


def refusing(load, by_program=False):
    """What comes of a load that picklevm watches. A refused pickle has imported nothing; a program that reads it may have."""
    import picklevm

    def work(marks):
        before = set(sys.modules)
        try:
            with armed(marks):
                load()
        except (picklevm.NotAllowedError, picklevm.LimitError):
            imported = {name for name in set(sys.modules) - before if name.partition(".")[0] not in READERS}
            return MARKED if imported and not by_program else REFUSED
        return LOADED
    return work


#: Modules of the programs that read files, which import more of their own when they do.
READERS = ("torch", "joblib", "numpy", "pandas", "zipfile", "gzip", "bz2", "lzma", "tarfile", "zstandard", "compression", "lz4", "xz", "mmap", "pathlib", "encodings", "picklevm", "sympy", "mpmath", "scipy", "sklearn", "_bz2", "_lzma", "zlib", "dill", "traceback", "_colorize", "linecache", "tokenize")


def opened(path):
    """How the program that such files are for loads one, or None if it is a pickle or the program is not installed."""
    import importlib.util

    ending = path.rsplit(".", 1)[-1]
    has = lambda name: importlib.util.find_spec(name) is not None
    if ending in ("pt", "pth", "bin") and has("torch"):
        import torch
        return lambda: torch.load(path, weights_only=False)
    if ending in ("joblib", "z", "gz", "bz2", "xz", "lzma") and has("joblib"):
        import joblib
        return lambda: joblib.load(path)
    if ending in ("npy", "npz") and has("numpy"):
        import numpy
        def load():
            loaded = numpy.load(path, allow_pickle=True)
            return {name: loaded[name] for name in loaded.files} if ending == "npz" else loaded
        return load
    if ending in ("zip", "tar", "zst") and has("pandas"):
        import pandas
        return lambda: pandas.read_pickle(path)
    return None


def corpus(folder):
    rows = json.load(open(os.path.join(folder, "index.json")))
    return [(os.path.join(folder, row["file"]), row) for row in rows]


def table(counts):
    names = [LOADED, REFUSED, FAILED, MARKED, EXHAUSTED, CRASHED]
    print("| | " + " | ".join(names) + " |\n|" + " --- |" * (len(names) + 1))
    for name, row in counts.items():
        print(f"| {name} | " + " | ".join(str(row[column]) for column in names) + " |", flush=True)


def restricted_load(read, preset):
    import picklevm

    def load():
        with picklevm.restricted(allow=[preset]):
            read()
    return load


def unwatched(load):
    def work(marks):
        with armed(marks):
            load()
        return LOADED
    return work


def tally(counts, wrong, where, columns, ends, harm=(MARKED, EXHAUSTED, CRASHED)):
    """Counts what came of a file, and notes what must not be."""
    for column, end in zip(columns, ends):
        counts[column][end] += 1
        if end in harm:
            wrong.append((end, column, where))


def run_attacks(presets, every):
    """The attacks of tests/scan; returns what is wrong."""
    import picklevm

    counts, wrong = collections.defaultdict(collections.Counter), []
    attacks = corpus(os.path.join(SCAN, "attacks"))[::every]
    for path, _ in attacks:
        data = open(path, "rb").read()
        read = opened(path)
        tally(counts, [], path, ["pickle.load"], jailed([unwatched(read or (lambda: pickle.loads(data)))]))
        loads = lambda preset: refusing(lambda: picklevm.loads(data, allow=[preset]))
        tally(counts, wrong, path, [f"loads, {preset}" for preset in presets], jailed([loads(preset) for preset in presets]))
        if read is not None:
            columns = [f"its program in restricted(), {preset}" for preset in presets]
            # What the program itself does not survive, such as data whose decompression never ends, is its own.
            tally(counts, wrong, path, columns, jailed([refusing(restricted_load(read, preset), True) for preset in presets]), (MARKED, CRASHED))
    print(f"\n{len(attacks)} attacks of tests/scan:\n")
    table(counts)
    return wrong


class Marker:
    """A function that may be named and not called."""

    def __init__(self, marks):
        self.marks = marks

    def __call__(self, *args, **kwargs):
        self.marks.append("called")


def marking(base, marks, data, **options):
    """An unpickler that finds markers in place of functions."""
    import generated_attacks

    class Marking(base):
        def find_class(self, module, name):
            return Marker(marks) if f"{module} {name}" in generated_attacks.MARKERS else super().find_class(module, name)
    return Marking(io.BytesIO(data), **options)


def run_generated(presets, count, seed):
    """Attacks that are made up; returns what is wrong."""
    import generated_attacks
    import picklevm

    names = set()
    for preset in presets:
        names |= {f"{module} {name}" for module, name in picklevm._native.Policy([preset], [], []).callable_names()}
    roots = set(sys.stdlib_module_names) | {"numpy"}
    names = sorted(name for name in names if name.split(".")[0].split(" ")[0] in roots)
    for module in {name.split(" ")[0] for name in names}:
        with contextlib.suppress(BaseException):
            importlib.import_module(module)
    maker = generated_attacks.Maker(random.Random(seed), names)
    counts, wrong = collections.defaultdict(collections.Counter), []
    for _ in range(count):
        data = maker.pickle()
        plain = lambda marks: unwatched(marking(pickle.Unpickler, marks, data).load)(marks)
        tally(counts, [], "", ["pickle.load"], jailed([plain], seconds=2))
        safe = lambda preset: lambda marks: refusing(marking(picklevm.SafeUnpickler, marks, data, allow=[preset]).load)(marks)
        columns = [f"SafeUnpickler, {preset}" for preset in presets]
        tally(counts, wrong, data.hex(), columns, jailed([safe(preset) for preset in presets], seconds=2))
    print(f"\n{count} attacks that were made up (seed {seed}):\n")
    table(counts)
    return wrong


def same(one, other, depth=0):
    """Whether two objects were loaded alike."""
    with contextlib.suppress(Exception):
        if pickle.dumps(one) == pickle.dumps(other):
            return True
    if type(one) is not type(other) or depth > 50:
        return False
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(same(*pair, depth + 1) for pair in zip(one, other))
    if type(one) is dict:
        return same(list(one.items()), list(other.items()), depth + 1)
    # Objects of other versions may have no repr.
    with contextlib.suppress(Exception):
        if repr(one) == repr(other):
            return True
    # What they are made of: equal objects may share their parts otherwise, which shows in their pickles.
    with contextlib.suppress(Exception):
        return same(one.__reduce_ex__(4), other.__reduce_ex__(4), depth + 1)
    return False


def run_ordinary(folders, every):
    """Ordinary files; returns the presets that load too few of them, and prints those that differ."""
    import picklevm

    counts, missed = collections.defaultdict(collections.Counter), []
    for folder in folders:
        for path, row in corpus(folder)[::every]:
            preset = PRESET_OF.get(row.get("lib", ""))
            if preset is None:
                continue
            data = open(path, "rb").read()
            read = opened(path)

            def work(marks):
                load = read or (lambda: pickle.loads(data))
                try:
                    expected = load()
                except BaseException:
                    return SKIPPED
                try:
                    if read is None:
                        loaded = picklevm.loads(data, allow=[preset])
                    else:
                        with picklevm.restricted(allow=[preset]):
                            loaded = read()
                except (picklevm.NotAllowedError, picklevm.LimitError):
                    return REFUSED
                # Some objects hold what differs each time.
                is_same = same(expected, loaded) or type(expected) is type(loaded) and not same(expected, load())
                return LOADED if is_same else DIFFERENT
            [end] = jailed([work], memory=4 << 30)
            counts[preset][end] += 1
            if end not in (LOADED, SKIPPED):
                missed.append((end, preset, os.path.basename(path)))
    print("\nOrdinary files, with the preset of their library:\n\n| preset | files | equal | refused | different or failed | not loaded by pickle.load |\n| --- | --- | --- | --- | --- | --- |")
    wrong = []
    for preset, row in counts.items():
        counted = sum(row.values()) - row[SKIPPED]
        print(f"| {preset} | {counted} | {row[LOADED]} | {row[REFUSED]} | {counted - row[LOADED] - row[REFUSED]} | {row[SKIPPED]} |")
        if row[LOADED] < 0.99 * counted:
            wrong.append(("too few", preset, row[LOADED], counted))
    for row in missed:
        print(*row)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--made")
    args = parser.parse_args()
    import picklevm

    installed = []
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            installed.append(f"{name} {importlib.import_module(name.partition('.')[0]).__version__}")
            importlib.import_module(name)
    print(f"Python {sys.version.split()[0]}, " + ", ".join(installed))
    presets = list(picklevm.PRESETS)
    for preset in presets:
        picklevm.loads(b"N.", allow=[preset])
    wrong = run_ordinary([os.path.join(SCAN, "ordinary"), *([args.made] if args.made else [])], args.every)
    wrong += run_attacks(presets, args.every)
    wrong += run_generated(presets, args.generated, args.seed)
    print()
    for row in wrong:
        print("WRONG", *row)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
