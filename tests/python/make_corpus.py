#!/usr/bin/env python3
"""Writes tests/data/corpus. Run with Python 3.13, from the root of the repository:

    python3.13 tests/python/make_corpus.py PYTHON2.7

Each VERSION-WRITER-pPROTOCOL.pkl holds the pickles of objects.py by one Python and pickler at one protocol, one after the
other; VERSION-WRITER-pPROTOCOL.graph has their names and graph forms, by oracle.py, in the same order.
"""
import os, re, subprocess, sys, tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "data" / "corpus"
LARGEST = 5_000                                    # bytes of a pickle
LARGE = {("3.13-c-p4", "frames")}                  # except for these
NAME = re.compile(r"(?P<bundle>[\d.]+-\w+-p\d)-(?P<object>\w+)\.pkl")

sys.path.insert(0, str(HERE))
import oracle

def main(python2):
    sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(100_000)
    bundles = {}
    with tempfile.TemporaryDirectory() as tmp:
        for python in (sys.executable, python2):
            subprocess.run([python, HERE / "generate.py", tmp, "--random", "10"], check=True,
                           env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"})
        for path in sorted(Path(tmp).glob("*.pkl")):
            bundle, name = NAME.fullmatch(path.name).group("bundle", "object")
            if "-py-" in bundle and bundle != "2.7-py-p0": continue    # the same but for memo indices
            data = path.read_bytes()
            if len(data) <= LARGEST or (bundle, name) in LARGE:
                bundles.setdefault(bundle, []).append((name, data))
    OUT.mkdir(parents=True, exist_ok=True)
    for bundle, pickles in bundles.items():
        (OUT / (bundle + ".pkl")).write_bytes(b"".join(data for _, data in pickles))
        forms = (f"# {name}\n{oracle.graph_text(data)}" for name, data in pickles)
        (OUT / (bundle + ".graph")).write_text("".join(forms))

if __name__ == "__main__":
    main(*sys.argv[1:])
