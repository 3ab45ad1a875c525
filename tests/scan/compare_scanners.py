#!/usr/bin/env python3
"""The scanner beside picklescan and fickling over tests/scan: how many attacks each calls harmless, and how many ordinary files not.

usage: compare_scanners.py PROGRAM [--install FOLDER]

Needs picklescan and fickling in this Python; --install makes a virtual environment in FOLDER, installs them there and runs in it. An
attack counts as missed where the tool finds nothing; an error of the tool counts as found. An ordinary file counts as an alarm
where the tool finds something, or fails.
"""
import json, os, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))


def by_picklevm(program):
    def run(paths):
        out = subprocess.run([program, "scan", "--json", *paths], capture_output=True, text=True).stdout
        return {row["name"]: row["verdict"] == "safe" for row in map(json.loads, out.splitlines())}
    return run


def by_picklescan(paths):
    from picklescan.scanner import scan_file_path
    found = {}
    for path in paths:
        try:
            result = scan_file_path(path)
            found[path] = not result.scan_err and not result.issues_count
        except Exception:
            found[path] = False
    return found


def by_fickling(paths):
    from fickling.analysis import check_safety
    from fickling.fickle import Pickled
    found = {}
    for path in paths:
        try:
            with open(path, "rb") as file:
                found[path] = str(check_safety(Pickled.load(file)).severity.name) == "LIKELY_SAFE"
        except BaseException:
            found[path] = False
    return found


def main(program):
    corpora = {name: [os.path.join(HERE, name, row["file"]) for row in json.load(open(os.path.join(HERE, name, "index.json")))] for name in ("attacks", "ordinary")}
    print("| scanner | attacks called harmless | ordinary files not called harmless |\n| --- | --- | --- |")
    for name, tool in (("picklevm", by_picklevm(program)), ("picklescan", by_picklescan), ("fickling", by_fickling)):
        attacks, ordinary = tool(corpora["attacks"]), tool(corpora["ordinary"])
        print(f"| {name} | {sum(attacks.values())} of {len(attacks)} | {sum(not safe for safe in ordinary.values())} of {len(ordinary)} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[2] == "--install":
        python = os.path.join(sys.argv[3], "bin", "python")
        subprocess.run([sys.executable, "-m", "venv", sys.argv[3]], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "picklescan", "fickling"], check=True)
        os.execv(python, [python, __file__, sys.argv[1]])
    if len(sys.argv) != 2: sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]))
