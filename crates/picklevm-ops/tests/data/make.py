#!/usr/bin/env python3.13
"""Writes what the crate takes from CPython; run with Python 3.13.

usage: python3.13 crates/picklevm-ops/tests/data/make.py

tests/data/pickletools.json   the data of pickletools.opcodes, held against the table by tests/table.rs
src/repr/printable.rs         the code points that repr() escapes
"""
import json
import pickletools
import sys
import unicodedata
from pathlib import Path

CRATE = Path(__file__).resolve().parent.parent.parent


def opcodes():
    for op in pickletools.opcodes:
        yield {
            "code": ord(op.code),
            "name": op.name,
            "arg": op.arg.name if op.arg else None,
            "stack_before": [x.name for x in op.stack_before],
            "stack_after": [x.name for x in op.stack_after],
            "proto": op.proto,
            "doc": op.doc.split("\n", 1)[0],
        }


def unprintable():
    start = None
    for code in range(0x110001):
        escaped = code < 0x110000 and not chr(code).isprintable()
        if escaped and start is None:
            start = code
        if not escaped and start is not None:
            yield start, code - 1
            start = None


def rows(cells, width=116):
    row = "   "
    for cell in cells:
        if len(row) + len(cell) + 2 > width:
            yield row
            row = "   "
        row += f" {cell},"
    yield row


def main():
    if sys.version_info[:2] != (3, 13):
        sys.exit("run this with Python 3.13")
    lines = ",\n".join(json.dumps(op) for op in opcodes())
    (CRATE / "tests/data/pickletools.json").write_text(f"[\n{lines}\n]\n")
    ranges = [f"(0x{a:x}, 0x{z:x})" for a, z in unprintable()]
    head = [
        "//! The code points that Python escapes in `repr`. Made by `tests/data/make.py`: do not edit.",
        "",
        f"/// First and last of each range that `str.isprintable` refuses (Python 3.13, Unicode {unicodedata.unidata_version}).",
        "#[rustfmt::skip]",
        f"pub(super) const UNPRINTABLE: [(u32, u32); {len(ranges)}] = [",
    ]
    (CRATE / "src/repr/printable.rs").write_text("\n".join([*head, *rows(ranges), "];", ""]))


if __name__ == "__main__":
    main()
