#!/usr/bin/env python3
"""Holds `picklevm show` against ast.literal_eval. Run with Python 3.13.

usage: read_back.py PROGRAM DIR

For every DIR/*.pkl that Python loads to plain data without sharing: what PROGRAM shows evaluates to the same object.
Prints how many were compared, and how many were not the same. Exit status 1 if any.
"""
import ast, math, pickle, subprocess, sys, warnings
from pathlib import Path

ATOMS = (type(None), bool, int, float, str, bytes)

def is_plain(value, seen, levels=150):
    """Whether literal_eval can make the value: plain data, no NaN, nothing shared, not too deep for its parser."""
    kind = type(value)
    if kind in ATOMS: return value == value
    if kind is complex: return math.isfinite(value.real) and math.isfinite(value.imag)
    if kind not in (list, tuple, dict, set) or levels == 0: return False
    if value != () and (id(value) in seen or seen.add(id(value))): return False
    items = [x for kv in value.items() for x in kv] if kind is dict else value
    return all(is_plain(x, seen, levels - 1) for x in items)

def same(a, b):
    """Whether two values are equal, types and signs of zero too."""
    if type(a) is not type(b): return False
    if type(a) is float: return a == b and math.copysign(1, a) == math.copysign(1, b)
    if type(a) in (list, tuple): return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict: return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    return a == b

def main(program, directory):
    warnings.simplefilter("ignore")
    compared = different = 0
    for path in sorted(Path(directory).glob("*.pkl")):
        try: value = pickle.loads(path.read_bytes())
        except Exception: continue
        if not is_plain(value, set()): continue
        shown = subprocess.run([program, "show", "--full", path], capture_output=True)
        compared += 1
        try: ok = shown.returncode == 0 and same(ast.literal_eval(shown.stdout.decode()), value)
        except (ValueError, SyntaxError) as e: ok = False
        if not ok:
            different += 1
            print(path.name, shown.stdout[:200], shown.stderr[:200], file=sys.stderr)
    print(compared, different)
    return 1 if different else 0

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
