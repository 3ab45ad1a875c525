"""Checks shelves between picklevm and the Pythons of the machine.

usage: check_shelf.py PROGRAM [--chroot ROOT] [--keys COUNT]

Each Python (2.7, 3.8, 3.13 by pyenv; Debian's with its python3-gdbm; 3.14 and 3.15 in ROOT, as newer_pythons.sh makes it) writes a
shelf on each backend that it has. The program reads it, changes it, and Python reads and changes that; then the other way
round. Shelves of COUNT keys are converted and read. Then 200 writers are killed, and what a finished one confirmed must still
be there. Run it with Python 3.13.
"""
import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--chroot")
parser.add_argument("--keys", type=int, default=100_000)
ARGS = parser.parse_args()
failures, checks = 0, 0

# Runs under every Python: opens a shelf on one backend, and does what the request says.
SHELVE = r'''
# -*- coding: utf-8 -*-
import json, shelve, sys
request = json.loads(sys.stdin.read())
two = sys.version_info[0] == 2
def database(path, flag):
    name = request["backend"]
    if two: import dumbdbm as module
    else: module = __import__("dbm." + name, fromlist=["x"])
    return module.open(path, flag)
def open(path, flag, protocol):
    shelf = shelve.Shelf(database(path, flag), protocol)
    return shelf
def key(k): return k.encode("utf-8") if two else k
def value(n):
    return {"n": n, "list": list(range(n % 7)), "text": u"caf\xe9 " * (n % 200), "tuple": (1.5, None, True), "same": [n] * 3}
do, path = request["do"], request["path"]
if do == "has":
    try: database(path, "n").close(); print("yes")
    except (ImportError, AttributeError): print("no")
elif do == "write":
    s = open(path, "n", request["protocol"])
    # SQLite waits for the disk at each key, unless all are one transaction.
    is_many = request["count"] > 1000 and hasattr(s.dict, "_cx")
    if is_many: s.dict._cx.execute("BEGIN")
    for n in range(request["count"]): s[key(u"kéy %d" % n)] = value(n)
    if is_many: s.dict._cx.execute("COMMIT")
    s.close()
elif do == "read":
    s = open(path, "r" if not two else "c", None)
    expected = dict((key(u"kéy %d" % n), value(n)) for n in range(request["count"]))
    for k, v in request["changed"].items(): expected[key(k)] = v
    for k in request["gone"]: del expected[key(k)]
    assert set(s.keys()) == set(expected), (len(s.keys()), len(expected))
    for k in expected: assert s[k] == expected[k], (k, s[k])
    s.close()
    print("ok")
elif do == "change":
    s = open(path, "w" if not two else "c", None)
    s["by python"] = [2, "new"]
    s[key(u"kéy 3")] = "y" * 3000
    del s[key(u"kéy 4")]
    s.close()
'''


class Python:
    def __init__(self, name, command, env=None, root=""):
        self.name, self.command, self.env, self.root = name, command, env or {}, root
        self.folder = tempfile.mkdtemp(dir=os.path.join(root, "tmp") if root else None)

    def run(self, do, backend, path, **more):
        import json
        path = path[len(self.root):] if self.root else path
        request = {"do": do, "backend": backend, "path": path, **more}
        done = subprocess.run([*self.command, "-c", SHELVE], input=json.dumps(request), capture_output=True, text=True, env={**os.environ, **self.env})
        if done.returncode and do != "has":
            return "failed: " + done.stderr[-400:]
        return done.stdout.strip()


def program(*args):
    return subprocess.run([ARGS.program, *args], capture_output=True, text=True)


def check(condition, *what):
    global failures, checks
    checks += 1
    if not condition:
        failures += 1
        print("FAILED", *what)


def value(n):
    return {"n": n, "list": list(range(n % 7)), "text": "café " * (n % 200), "tuple": (1.5, None, True), "same": [n] * 3}


def we_read(path, count, changed, gone, *what):
    """Whether the program finds the keys, and some of the values."""
    keys = program("shelf", path).stdout.splitlines()
    expected = {f"kéy {n}" for n in range(count)} - set(gone) | set(changed)
    check(set(keys) == expected, *what, "keys", len(keys), len(expected))
    for key in [*changed, *(f"kéy {n}" for n in range(0, count, max(1, count // 20)) if f"kéy {n}" not in {*changed, *gone})]:
        got = program("shelf", path, "get", key)
        wanted = changed[key] if key in changed else value(int(key[4:]))
        try:
            fits = ast.literal_eval(got.stdout) == wanted
        except (ValueError, SyntaxError):
            fits = False
        check(fits, *what, "get", key, got.stdout[:100], got.stderr[:200])


BY_PYTHON = {"by python": [2, "new"], "kéy 3": "y" * 3000}


def by_us(path, *what):
    """Changes a shelf by the program; says what is changed then, and what is gone."""
    for key, literal in (("by picklevm", "['x', {'a': 1}]"), ("kéy 5", repr("z" * 4000))):
        check(program("shelf", path, "set", key, literal, "--protocol", "2").returncode == 0, *what, "set", key)
    check(program("shelf", path, "delete", "kéy 6").returncode == 0, *what, "delete")
    return {"by picklevm": ["x", {"a": 1}], "kéy 5": "z" * 4000}, ["kéy 6"]


def exchange(python, backend):
    """Both directions between one Python and the program."""
    what = (python.name, backend)
    path = os.path.join(python.folder, f"their-{backend}")
    protocol = 2 if python.name == "2.7" else None
    # Python writes, the program reads.
    check(python.run("write", backend, path, count=60, protocol=protocol) == "", *what, "writes")
    we_read(path, 60, {}, [], *what, "theirs")
    if backend == "gnu":
        refused = program("shelf", path, "set", "a", "1")
        check(refused.returncode != 0 and "convert" in refused.stderr, *what, "is not written", refused.stderr)
        for to in "dumb", "sqlite3":
            copy = f"{path}-{to}"
            check(program("shelf", path, "convert", copy, "--to", to).returncode == 0, *what, "convert")
            we_read(copy, 60, {}, [], *what, "converted to", to)
        changed, gone = by_us(f"{path}-dumb", *what)
        check(python.run("read", "dumb", f"{path}-dumb", count=60, changed=changed, gone=gone) == "ok", *what, "reads what was converted")
        return
    # The program changes it, Python reads and changes that, the program reads it again.
    changed, gone = by_us(path, *what)
    got = python.run("read", backend, path, count=60, changed=changed, gone=gone)
    check(got == "ok", *what, "reads what we changed", got)
    check(python.run("change", backend, path) == "", *what, "changes what we changed")
    we_read(path, 60, {**changed, **BY_PYTHON}, [*gone, "kéy 4"], *what, "theirs, changed twice")
    # The program writes, Python reads and changes, the program reads.
    path = os.path.join(python.folder, f"our-{backend}")
    for n in range(12):
        check(program("shelf", path, "set", f"kéy {n}", repr(value(n)), "--protocol", "2", "--create", backend).returncode == 0, *what, "creates")
    got = python.run("read", backend, path, count=12, changed={}, gone=[])
    check(got == "ok", *what, "reads ours", got)
    check(python.run("change", backend, path) == "", *what, "changes ours")
    we_read(path, 12, BY_PYTHON, ["kéy 4"], *what, "ours, changed")


def many(python, backend):
    """Many keys: written by Python, changed and converted by the program, read by Python."""
    path = os.path.join(python.folder, f"many-{backend}")
    times = [time.time()]
    check(python.run("write", backend, path, count=ARGS.keys, protocol=None) == "", python.name, backend, "writes many")
    times.append(time.time())
    we_read(path, ARGS.keys, {}, [], python.name, backend, "many")
    changed, gone = by_us(path, python.name, backend, "many")
    times.append(time.time())
    got = python.run("read", backend, path, count=ARGS.keys, changed=changed, gone=gone)
    check(got == "ok", python.name, backend, "reads many", got)
    times.append(time.time())
    to = {"dumb": "sqlite3", "sqlite3": "dumb"}[backend]
    check(program("shelf", path, "convert", f"{path}-{to}", "--to", to).returncode == 0, backend, "many: convert")
    times.append(time.time())
    got = python.run("read", to, f"{path}-{to}", count=ARGS.keys, changed=changed, gone=gone)
    check(got == "ok", python.name, to, "reads many that were converted", got)
    spans = [f"{after - before:.1f}" for before, after in zip(times, times[1:])]
    print(f"{ARGS.keys} keys on {backend}: Python writes {spans[0]} s, 28 commands of ours {spans[1]} s, Python reads {spans[2]} s, converted to {to} in {spans[3]} s")


def kills(python, backend, count=100):
    """Writers that are killed: what a finished `set` confirmed stays."""
    path, confirmed, killed = os.path.join(python.folder, f"kill-{backend}"), {}, 0
    rnd = random.Random(1)
    program("shelf", path, "set", "k0", "[0]", "--create", backend)
    confirmed["k0"] = [0]
    started = time.time()
    program("shelf", path, "set", "k0", "[0]")
    span = 1.2 * (time.time() - started)
    i = 0
    while killed < count and i < 10 * count:
        i += 1
        key, new = f"k{rnd.randrange(10)}", [i, "y" * rnd.randrange(3000)]
        writer = subprocess.Popen([ARGS.program, "shelf", path, "set", key, repr(new)], stderr=subprocess.DEVNULL)
        time.sleep(rnd.random() * span)
        writer.send_signal(signal.SIGKILL)
        is_done = writer.wait() == 0
        killed += not is_done
        got = program("shelf", path, "get", key).stdout
        got = ast.literal_eval(got) if got else None
        # One that was stopped, was stopped before or after its write: the value is the old or the new one.
        check(got == new if is_done else got in (new, confirmed.get(key)), "killed", backend, i, key)
        if got is not None:
            confirmed[key] = got
        if is_done:
            continue
        got = python.run("read", backend, path, count=0, changed=confirmed, gone=[])
        check(got == "ok", "killed", backend, i, "Python reads", got)
    print(f"{i} writers on {backend}, {killed} killed before they ended")
    check(killed == count, "not enough were killed", backend)


pythons = [Python(name, [f"python{name}"], {"PYENV_VERSION": full}) for name, full in (("2.7", "2.7.18"), ("3.8", "3.8.18"), ("3.13", "3.13.0"))]
newest = pythons[-1]
if os.path.exists("/usr/bin/python3"):
    pythons.append(Python("Debian's", ["/usr/bin/python3"]))
if ARGS.chroot:
    root = os.path.realpath(ARGS.chroot)
    pythons += [Python(name, ["chroot", root, f"python{name}"], root=root) for name in ("3.14", "3.15")]
try:
    for python in pythons:
        has = [backend for backend in ("dumb", "sqlite3", "gnu") if not (python.name == "2.7" and backend != "dumb")
               and python.run("has", backend, os.path.join(python.folder, f"has-{backend}")) == "yes"]
        before = failures
        for backend in has:
            exchange(python, backend)
        print(f"{python.name}: {', '.join(has)}: {failures - before} failed")
    for backend in "dumb", "sqlite3":
        many(newest, backend)
        kills(newest, backend)
finally:
    for python in pythons:
        shutil.rmtree(python.folder)
print(f"{checks} checks, {failures} failed")
sys.exit(failures > 0)
