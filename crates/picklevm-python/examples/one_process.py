"""Scan and convert a folder of files in one process, to compare clusters with.

usage: one_process.py FOLDER OUT.parquet
"""

import sys
import time
from collections import Counter
from pathlib import Path

from many_files import report

from picklevm.rows import scan_row, write_parquet


def main(folder: str, out: str) -> None:
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    start = time.perf_counter()
    verdicts = Counter(scan_row(path)["verdict"] for path in files)
    middle = time.perf_counter()
    rows, errors = write_parquet(files, out)
    report("one process", verdicts, rows, errors, (start, middle, time.perf_counter()))


if __name__ == "__main__":
    main(*sys.argv[1:])
