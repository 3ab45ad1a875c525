"""Scan and convert a folder of files with Dask on a local cluster.

usage: dask_files.py FOLDER OUT WORKERS

Needs dask, distributed and pyarrow. Each partition of files becomes one Parquet file; only paths and rows of reports travel.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import dask.bag
from distributed import Client, LocalCluster


def scan(path: str) -> dict:
    from picklevm.rows import scan_row

    return scan_row(path)


def convert(paths: list, out: str) -> list[tuple[int, int]]:
    """Write the tables of some files as one Parquet file; return how many rows, and files without a table."""
    import pyarrow
    import pyarrow.parquet

    from picklevm.rows import table_of

    rows, errors, writer = 0, 0, None
    for path in paths:
        try:
            table = pyarrow.table(table_of(path))
        except Exception:
            errors += 1
            continue
        writer = writer or pyarrow.parquet.ParquetWriter(f"{out}/{Path(path).stem}.parquet", table.schema)
        writer.write_table(table)
        rows += table.num_rows
    if writer:
        writer.close()
    return [(rows, errors)]


def main(folder: str, out: str, workers: str) -> None:
    files = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())
    Path(out).mkdir(parents=True, exist_ok=True)
    with LocalCluster(n_workers=int(workers), threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        # Some partitions for each worker: a partition is what one task holds.
        paths = dask.bag.from_sequence(files, npartitions=int(workers) * 4)
        start = time.perf_counter()
        verdicts = Counter(row["verdict"] for row in paths.map(scan).compute())
        middle = time.perf_counter()
        done = paths.map_partitions(convert, out).compute()
        end = time.perf_counter()
    rows, errors = (sum(part) for part in zip(*done))
    print(f"dask, {workers} workers: {len(files)} files, {dict(verdicts)}")
    print(f"scan {middle - start:.2f} s, {len(files) / (middle - start):.0f} files/s")
    print(f"convert {end - middle:.2f} s, {len(files) / (end - middle):.0f} files/s, {rows} rows, {errors} files without a table")


if __name__ == "__main__":
    main(*sys.argv[1:])
