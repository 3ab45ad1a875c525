"""Compare the peak memory of loading with this Python's C pickle. Run with Python 3.13.

usage: memory.py PROGRAM

Prints one row per workload in MiB: the pickle, and the peak resident memory of `PROGRAM graph FILE` (which reads the file,
loads it and writes its graph form) and of `pickle.load` from a file, each minus the memory for an empty list.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Each in its own process: the peak of a child starts at the memory of its parent.
NAMES = "from workloads import WORKLOADS; print(*(name for name, (_, calls) in WORKLOADS.items() if calls == 1))"
DUMP = """
import pickle, sys, workloads
sys.setrecursionlimit(100_000)
value = workloads.WORKLOADS[sys.argv[1]][0]() if sys.argv[1] else []
pickle.dump(value, open(sys.argv[2], "wb"), 5)
"""
LOAD = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"


def python(code, *arguments):
    return [sys.executable, "-c", code, *arguments]


def peak(command):
    """Return the peak memory in MiB."""
    with open(os.devnull, "w") as null:
        child = subprocess.Popen(command, stdout=null, cwd=HERE)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command} ended with {status}")
    return usage.ru_maxrss / 1024


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        def peaks(name):
            path = f"{folder}/{name}.pkl"
            subprocess.run(python(DUMP, name, path), check=True, cwd=HERE)
            size = os.path.getsize(path) / (1 << 20)
            return size, peak([program, "graph", path]), peak(python(LOAD, path))

        _, ours_empty, theirs_empty = peaks("")
        print("| workload | pickle | picklevm | CPython |\n| --- | ---: | ---: | ---: |")
        for name in subprocess.check_output(python(NAMES), text=True, cwd=HERE).split():
            size, ours, theirs = peaks(name)
            print(f"| {name} | {size:.1f} | {ours - ours_empty:.1f} | {theirs - theirs_empty:.1f} |", flush=True)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
