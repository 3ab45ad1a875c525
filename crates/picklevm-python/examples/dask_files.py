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
from many_files import report

from picklevm.rows import scan_row, write_parquet


def convert(paths: list, out: str) -> list[tuple[int, list[dict]]]:
    return [write_parquet(paths, f"{out}/{Path(paths[0]).stem}.parquet")]


def main(folder: str, out: str, workers: str) -> None:
    files = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())
    Path(out).mkdir(parents=True, exist_ok=True)
    with LocalCluster(n_workers=int(workers), threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        # Some partitions for each worker: a partition is what one task holds.
        paths = dask.bag.from_sequence(files, npartitions=int(workers) * 4)
        start = time.perf_counter()
        verdicts = Counter(row["verdict"] for row in paths.map(scan_row).compute())
        middle = time.perf_counter()
        done = paths.map_partitions(convert, out).compute()
        end = time.perf_counter()
    errors = [error for _, errors in done for error in errors]
    report(f"dask, {workers} workers", verdicts, sum(rows for rows, _ in done), errors, (start, middle, end))


if __name__ == "__main__":
    main(*sys.argv[1:])
