"""Checks shelves between picklevm and the Pythons of the machine.

usage: check_shelf.py PROGRAM

Shelves that the program writes are read and changed by Python 2.7, 3.8 and 3.13, and read again by the program. Then 200
writers are killed, and what a finished one confirmed must still be there. Run it with Python 3.13.
"""
import os
import random
import shelve
import shutil
import signal
import subprocess
import sys
import tempfile
import time

P = sys.argv[1]
def run(*a, **k): return subprocess.run([P, *a], capture_output=True, text=True, **k)
d = tempfile.mkdtemp()
bad = 0
def ok(cond, what):
    global bad
    if not cond: bad += 1; print("FAILED", what)
# ours, changed by each Python, read by us
pys = {"2.7": ("2.7.18", "python2.7"), "3.8": ("3.8.18", "python3.8"), "3.13": ("3.13.0", "python3.13")}
for backend in ("dumb", "sqlite3"):
    for name, (env, exe) in pys.items():
        if backend == "sqlite3" and name != "3.13": continue
        path = f"{d}/{backend}-{name}"
        for i in range(50):
            r = run("shelf", path, "set", f"k{i}", f"[{i}, '{'x' * (i * 37)}']", "--protocol", "2", "--create", backend)
            ok(r.returncode == 0, (backend, name, "set", r.stderr))
        code = ("import shelve\ns=shelve.open(%r)\nassert len(s)==50, len(s)\n"
                "assert all(s['k%%d'%%i][0]==i and len(s['k%%d'%%i][1])==i*37 for i in range(50))\n"
                "s['k3']=['changed']; del s['k4']; s['new']={'a':1}\ns.close()\n") % path
        r = subprocess.run([exe, "-c", code], env={**os.environ, "PYENV_VERSION": env}, capture_output=True, text=True)
        ok(r.returncode == 0, (backend, name, "python", r.stderr[-300:]))
        ok(run("shelf", path, "get", "k3").stdout == "['changed']\n", (backend, name, "k3"))
        ok("k4" not in run("shelf", path).stdout.split(), (backend, name, "k4"))
        ok(run("shelf", path, "get", "new").stdout == "{'a': 1}\n", (backend, name, "new"))
# kills: what a finished `set` confirmed stays
for backend in ("dumb", "sqlite3"):
    path = f"{d}/kill-{backend}"; confirmed = {}
    rnd = random.Random(1)
    run("shelf", path, "set", "k0", "[0]", "--create", backend)
    confirmed["k0"] = "[0]"
    for i in range(100):
        key = f"k{rnd.randrange(10)}"; value = f"[{i}, '{'y' * rnd.randrange(3000)}']"
        p = subprocess.Popen([P, "shelf", path, "set", key, value], stderr=subprocess.DEVNULL)
        time.sleep(rnd.random() * 0.03)
        p.send_signal(signal.SIGKILL); code = p.wait()
        got = run("shelf", path, "get", key).stdout.strip()
        if code == 0: confirmed[key] = value
        else:
            # It was stopped before or after its write: the value is the old or the new one.
            ok(got in (value, confirmed.get(key, "")), (backend, i, key, got[:50]))
            if got: confirmed[key] = got
        s = shelve.open(path, "r")
        for k, v in confirmed.items():
            if k in s or v: ok(k in s and repr(s[k]) == repr(eval(v)), (backend, i, "python reads", k))
        s.close()
shutil.rmtree(d)
print(f"{bad} failed")
sys.exit(bad > 0)
