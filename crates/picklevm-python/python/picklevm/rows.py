"""A file as a row: what programs run that look at many files, on one machine or on a cluster.

A file that cannot be read becomes a row with its error. Nothing here raises for what is in a file, so that one bad file of
many does not end a job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from . import _native

__all__ = ["scan_row", "table_of", "write_parquet"]


def scan_row(path: str | os.PathLike[str], data: bytes | None = None, **options: Any) -> dict[str, Any]:
    """Scan a file, and return what was found as a dict of plain values.

    The keys are ``path``, ``length``, ``verdict`` ("safe", "suspicious", "dangerous" or "unreadable"), ``format``, ``pickles``
    (their number), ``imports`` (a list of names), ``findings`` (a list of dicts) and ``error`` (None, or why the file could not
    be read). The file is read from ``path`` unless ``data`` has its bytes. ``options`` are those of :func:`picklevm.scan`.
    """
    name = os.fspath(path)
    row: dict[str, Any] = {
        "path": name,
        "length": None if data is None else len(data),
        "verdict": "unreadable",
        "format": None,
        "pickles": 0,
        "imports": [],
        "findings": [],
        "error": None,
    }
    try:
        if data is None:
            row["length"] = os.stat(name).st_size
        report = _native.scan(name if data is None else data, name=name, **options)
    except Exception as error:
        row["error"] = f"{type(error).__name__}: {error}"
        return row
    row["verdict"] = report.verdict
    row["format"] = report.format
    row["pickles"] = report.pickle_count
    row["imports"] = sorted(report.imports)
    row["findings"] = [
        {
            "verdict": finding.verdict,
            "rule": finding.rule,
            "name": finding.name,
            "offset": finding.offset,
            "reason": finding.reason,
            "member": " / ".join(finding.member),
        }
        for finding in report.findings
    ]
    return row


def table_of(path_or_bytes: Any, at: str | None = None, index: bool = False) -> _native.Table:
    """Return the table of a file at a path, or the only one if there is no path.

    ValueError if there is none, or several and no path.
    """
    tables = _native.tables(path_or_bytes, index=index)
    if at is not None:
        if at not in tables:
            raise ValueError(f"there is no table at {at!r}; there are {sorted(tables)}")
        return tables[at]
    if len(tables) != 1:
        raise ValueError(f"expected one table, found {len(tables)}: {sorted(tables)}")
    return next(iter(tables.values()))


def write_parquet(paths: Iterable[str | os.PathLike[str]], out: str | os.PathLike[str]) -> tuple[int, list[dict[str, str]]]:
    """Write the tables of some files as one Parquet file; return how many rows, and a dict for each file left out.

    The dict has the keys ``path`` and ``error``. A file is left out if it cannot be read, has no table or several, or one with
    other columns than the first. One table is in memory at a time. If no file has a table, nothing is written. Needs pyarrow.
    """
    import pyarrow
    import pyarrow.parquet

    count, errors, writer = 0, [], None
    try:
        for path in paths:
            try:
                table = pyarrow.table(table_of(path))
                if writer and not table.schema.equals(writer.schema):
                    raise ValueError(f"its columns are not those of the first table: {table.schema.names}")
            except Exception as error:
                errors.append({"path": os.fspath(path), "error": f"{type(error).__name__}: {error}"})
                continue
            writer = writer or pyarrow.parquet.ParquetWriter(os.fspath(out), table.schema)
            writer.write_table(table)
            count += table.num_rows
    finally:
        if writer:
            writer.close()
    return count, errors
