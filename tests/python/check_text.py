#!/usr/bin/env python3
"""What `picklevm` prints of pickles is read back: as tagged JSON byte for byte, in Python syntax to an equal value.

usage: check_text.py PROGRAM DIR... [--every N]

For the files VERSION-WRITER-pN-NAME.pkl of folders, as the script of a conformance corpus names them:
  json  `show --json FILE | from-json -p N -w WRITER` writes the file again
  edit  `show --full FILE | edit EMPTY --set =@-` makes a pickle with the graph of the file, or else one of which `diff` says
        nothing: objects of the standard library are written as CPython 3.13 does
Prints `FOLDER CHECK ok/total`, for `edit` also how many graphs are equal, then what failed. The status is 1 if anything failed.
"""
import argparse, re, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NAME = re.compile(r"(?P<writer>\d+\.\d+-(?:c|py))-p(?P<protocol>\d)-")


def run(program, *args, stdin=b""):
    done = subprocess.run([program, *args], input=stdin, capture_output=True)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def check_json(program, path, name, _):
    code, shown, error = run(program, "show", "--json", "--all", path)
    if code:
        return error
    code, again, error = run(program, "from-json", "-p", name["protocol"], "-w", name["writer"], stdin=shown)
    return error or None if code else None if again == path.read_bytes() else "other bytes"


def check_edit(program, path, name, folder):
    protocol = int(name["protocol"])
    empty, out = folder / f"empty-{path.name}", folder / path.name
    # Below protocol 2 nothing says which it is but an opcode of protocol 1.
    empty.write_bytes([b"N.", b"]."][protocol] if protocol < 2 else b"\x80%cN." % protocol)
    python2 = ["--python2"] if b"$bytestr" in run(program, "show", "--json", path)[1] else []
    code, shown, error = run(program, "show", "--full", path)
    if code:
        return error
    code, _, error = run(program, "edit", empty, "--set", "=@-", "-o", out, *python2, stdin=shown)
    if code:
        return error
    try:
        if run(program, "graph", path)[1] == run(program, "graph", out)[1]:
            return True
        code, difference, error = run(program, "diff", path, out)
        # The NaN of Python 2 has other bits than the one that Python writes.
        lines = [line for line in difference.decode().splitlines() if not line.endswith(": nan -> nan")]
        return (error or lines[0][:200]) if code and (error or lines) else None
    finally:
        out.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    failed = False
    for folder in args.folders:
        files = [(path, NAME.match(path.name)) for path in sorted(folder.glob("*.pkl"))]
        files = [row for row in files if row[1]][::args.every]
        for check in (check_json, check_edit):
            with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor() as pool:
                results = list(pool.map(lambda row: check(args.program, *row, Path(scratch)), files))
            wrong = [(path, why) for (path, _), why in zip(files, results) if why not in (None, True)]
            same = f", {results.count(True)} equal graphs" if check is check_edit else ""
            print(f"{folder} {check.__name__[6:]} {len(files) - len(wrong)}/{len(files)}{same}", flush=True)
            for path, why in wrong[:10]:
                print(f"  {path.name}: {why}")
            failed = failed or bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
