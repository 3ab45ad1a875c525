"""Make a folder of files as a model hub has them: frames, arrays, records, a few attacks and broken files.

usage: many_files.py FOLDER [COUNT]

Needs NumPy and pandas. Of every hundred files one is an attack, one is cut off and one is no pickle.
"""

import pickle
import sys
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
