"""Time and memory for large pickles: `graph` beside `pickle.load`, `tables` beside `pandas.read_pickle`, `arrays` beside `pickle.load`.

usage: large.py FOLDER [MEGABYTES [ROUNDS [KIND...]]]

Prints the time on the clock, the CPU time, and the peak memory: medians of ROUNDS (1) in which they take turns. KIND is records,
frame or array.
Each measurement is a process of its own; peak memory is that of the process, less that of one that only imports. The files are
made once, in FOLDER. Needs NumPy, pandas and pyarrow, and Linux.
"""

import os
import pickle
import statistics
import struct
import subprocess
import sys
from pathlib import Path

READ = {
    "records: pickle.load": "import pickle; keep = pickle.load(open(path, 'rb'))",
    "records: picklevm.graph": "import picklevm; keep = picklevm.graph(path)",
    "records: picklevm.scan": "import picklevm; keep = picklevm.scan(path)",
    "frame: pandas.read_pickle": "import pandas; keep = pandas.read_pickle(path)",
    "frame: picklevm.tables to pyarrow": "import picklevm, pyarrow; keep = pyarrow.table(picklevm.tables(path)['.'])",
    "array: pickle.load": "import pickle, numpy; keep = pickle.load(open(path, 'rb'))",
    "array: picklevm.arrays to numpy": "import picklevm, numpy; keep = numpy.asarray(picklevm.arrays(path)['.'])",
}

PROGRAM = """
import sys, time
path, statement = sys.argv[1:]
def peak():
    # Not ru_maxrss, which begins with what the parent had.
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
imports, _, work = statement.partition(";")
exec(imports)
before = peak()
start = time.perf_counter(), time.process_time()
exec(work.strip())
print(time.perf_counter() - start[0], time.process_time() - start[1], peak() - before)
"""


def records(path: Path, megabytes: int) -> None:
    """A list of dicts, in the ops that CPython's pickler writes for it but for frames, without the list in memory."""
    row = {"id": 1 << 20, "name": "user 12345678", "score": 0.5, "tags": ["a", "b"], "active": True}
    first = pickle.dumps([row], 4)[11:-2]  # Without PROTO, FRAME, APPEND and STOP.
    # The memo of the first row: keys at 2, 3, 5, 6 and 10, texts of tags at 8 and 9.
    end = b"h\x06]\x94(h\x08h\x09eh\x0a\x88u"
    rows = megabytes * 1_000_000 // 53
    with open(path, "wb") as file:
        file.write(b"\x80\x04" + first[:2] + b"(" + first[2:])
        for number in range(1, rows):
            if number % 1000 == 0:
                file.write(b"e(")
            name = b"user %08d" % number
            file.write(
                b"}\x94(h\x02J" + struct.pack("<i", number) + b"h\x03\x8c" + bytes([len(name)]) + name + b"\x94"
                b"h\x05G" + struct.pack(">d", number / 7) + end
            )
        file.write(b"e.")


def frame(path: Path, megabytes: int) -> None:
    import numpy
    import pandas

    rows = megabytes * 12_500
    columns = {f"c{n}": numpy.random.default_rng(n).random(rows) for n in range(10)}
    pandas.DataFrame(columns).to_pickle(path, protocol=5)


def array(path: Path, megabytes: int) -> None:
    import numpy

    path.write_bytes(pickle.dumps(numpy.random.default_rng(0).random((megabytes * 125, 1000)), 5))


def measured(path: Path, statement: str) -> list[float]:
    """Seconds on the clock, seconds of CPU, and MB of memory."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, path, statement], check=True, capture_output=True, text=True)
    seconds, cpu, kilobytes = map(float, done.stdout.split())
    return [seconds, cpu, kilobytes / 1000]


def main(folder: Path, megabytes: int, rounds: int, kinds: list[str]) -> None:
    for make in (records, frame, array):
        kind = make.__name__
        if kinds and kind not in kinds:
            continue
        path = folder / f"{kind}-{megabytes}.pkl"
        if not path.exists():
            # In a process of its own, which gives its memory back.
            child = os.fork()
            if child == 0:
                make(path, megabytes)
                os._exit(0)
            os.waitpid(child, 0)
        path.read_bytes()  # Into the cache of the system.
        statements = {name: statement for name, statement in READ.items() if name.startswith(kind)}
        results = {name: [] for name in statements}
        for _ in range(rounds):
            for name, statement in statements.items():
                results[name].append(measured(path, statement))
        size = path.stat().st_size / 1e6
        for name, rows in results.items():
            seconds, cpu, memory = map(statistics.median, zip(*rows))
            what = name.partition(": ")[2]
            print(f"{kind} {size:.0f} MB | {what} | {seconds:.2f} s | CPU {cpu:.2f} s | {memory:.0f} MB", flush=True)


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[2:4]]
    main(Path(sys.argv[1]), *(numbers + [1000, 1][len(numbers) :]), sys.argv[4:])
