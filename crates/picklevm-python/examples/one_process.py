"""Scan and convert a folder of files in one process, to compare clusters with.

usage: one_process.py FOLDER OUT.parquet
"""

import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet

from picklevm.rows import scan_row, table_of


def main(folder: str, out: str) -> None:
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    start = time.perf_counter()
    verdicts = Counter(scan_row(path)["verdict"] for path in files)
    middle = time.perf_counter()
    rows, errors, writer = 0, 0, None
    for path in files:
        try:
            table = pyarrow.table(table_of(path))
        except Exception:
            errors += 1
            continue
        writer = writer or pyarrow.parquet.ParquetWriter(out, table.schema)
        writer.write_table(table)
        rows += table.num_rows
    if writer:
        writer.close()
    end = time.perf_counter()
    print(f"one process: {len(files)} files, {dict(verdicts)}")
    print(f"scan {middle - start:.2f} s, {len(files) / (middle - start):.0f} files/s")
    print(f"convert {end - middle:.2f} s, {len(files) / (end - middle):.0f} files/s, {rows} rows, {errors} files without a table")


if __name__ == "__main__":
    main(*sys.argv[1:])
