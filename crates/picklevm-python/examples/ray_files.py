"""Scan and convert a folder of files with Ray on a local cluster.

usage: ray_files.py FOLDER OUT WORKERS

Needs ray and pyarrow. A task takes some files; only paths and rows of reports travel.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import ray


@ray.remote
def scan(paths: list[str]) -> list[dict]:
    from picklevm.rows import scan_row

    return [scan_row(path) for path in paths]


@ray.remote
def convert(paths: list[str], out: str) -> tuple[int, int]:
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
    return rows, errors


def main(folder: str, out: str, workers: str) -> None:
    files = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())
    Path(out).mkdir(parents=True, exist_ok=True)
    ray.init(num_cpus=int(workers), include_dashboard=False, log_to_driver=False)
    parts = [files[at : at + 250] for at in range(0, len(files), 250)]
    ray.get([scan.remote([]) for _ in range(int(workers))])  # The first worker takes seconds to start.
    start = time.perf_counter()
    verdicts = Counter(row["verdict"] for part in ray.get([scan.remote(part) for part in parts]) for row in part)
    middle = time.perf_counter()
    done = ray.get([convert.remote(part, out) for part in parts])
    end = time.perf_counter()
    ray.shutdown()
    rows, errors = (sum(part) for part in zip(*done))
    print(f"ray, {workers} workers: {len(files)} files, {dict(verdicts)}")
    print(f"scan {middle - start:.2f} s, {len(files) / (middle - start):.0f} files/s")
    print(f"convert {end - middle:.2f} s, {len(files) / (end - middle):.0f} files/s, {rows} rows, {errors} files without a table")


if __name__ == "__main__":
    main(*sys.argv[1:])
