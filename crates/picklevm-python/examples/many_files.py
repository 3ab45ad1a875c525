"""Make a folder of files as a model hub has them: frames, a few attacks and broken files.

usage: many_files.py FOLDER [COUNT]

Needs NumPy and pandas. Of every hundred files one is an attack, one is cut off and one is no pickle.
"""

import pickle
import sys
from collections import Counter
from pathlib import Path

import numpy
import pandas


class Attack:
    def __reduce__(self):
        return exec, ("print('this ran')",)


def frame(number: int) -> pandas.DataFrame:
    random = numpy.random.default_rng(number)
    return pandas.DataFrame({
        "id": numpy.arange(200) + number * 200,
        "price": random.random(200),
        "name": [f"item {n}" for n in range(200)],
    })


def main(folder: Path, count: int) -> None:
    for number in range(count):
        data = pickle.dumps(frame(number), 5)
        name, last = f"{number:05}.pkl", number % 100
        if last == 97:
            data = pickle.dumps(Attack())
        elif last == 98:
            data = data[: len(data) // 2]
        elif last == 99:
            data, name = b"<html>no pickle</html>", f"{number:05}.pkl"
        path = folder / f"{number // 1000:02}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def report(name: str, verdicts: Counter, rows: int, errors: list, times: tuple[float, float, float]) -> None:
    """Print what a program did with the files: it scanned them from the first to the second time, and converted them then."""
    files, (start, middle, end) = sum(verdicts.values()), times
    print(f"{name}: {files} files, {dict(verdicts)}")
    print(f"scan {middle - start:.2f} s, {files / (middle - start):.0f} files/s")
    print(f"convert {end - middle:.2f} s, {files / (end - middle):.0f} files/s, {rows} rows, {len(errors)} files without a table")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
