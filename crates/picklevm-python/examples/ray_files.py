"""Scan and convert a folder of files with Ray on a local cluster.

usage: ray_files.py FOLDER OUT WORKERS

Needs ray and pyarrow. A task takes some files; only paths and rows of reports travel. Set RAY_worker_niceness=0 where other programs
run too: by default Ray's workers give way to all of them.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import ray
from many_files import report

from picklevm.rows import scan_row, write_parquet


@ray.remote
def scan(paths: list[str]) -> list[dict]:
    return [scan_row(path) for path in paths]


@ray.remote
def convert(paths: list[str], out: str) -> tuple[int, list[dict]]:
    return write_parquet(paths, f"{out}/{Path(paths[0]).stem}.parquet")


def main(folder: str, out: str, workers: str) -> None:
    files = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())
    Path(out).mkdir(parents=True, exist_ok=True)
    # Only paths and rows go through the object store.
    ray.init(num_cpus=int(workers), object_store_memory=200_000_000, include_dashboard=False, log_to_driver=False)
    parts = [files[at : at + 250] for at in range(0, len(files), 250)]
    ray.get([scan.remote([]) for _ in range(int(workers))])  # The first worker takes seconds to start.
    start = time.perf_counter()
    verdicts = Counter(row["verdict"] for part in ray.get([scan.remote(part) for part in parts]) for row in part)
    middle = time.perf_counter()
    done = ray.get([convert.remote(part, out) for part in parts])
    end = time.perf_counter()
    ray.shutdown()
    errors = [error for _, errors in done for error in errors]
    report(f"ray, {workers} workers", verdicts, sum(rows for rows, _ in done), errors, (start, middle, end))


if __name__ == "__main__":
    main(*sys.argv[1:])
