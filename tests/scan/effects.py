#!/usr/bin/env python3
"""Calls what the policy allows, on what a pickle could give it, and tells what that does beside making an object.

usage: effects.py PROGRAM OUT [PREFIX,PREFIX...]

Each name that may be called, of the modules that begin with a prefix, is called in a child on arguments that the rules for it take: paths,
great numbers, long texts, Python code, networks. OUT gets a line of JSON for each call that opened a file, imported, compiled or ran
code, or took more than a second or a GiB: the name, the arguments, and what happened. Run it in a folder that may be written to.
"""
import datetime, decimal, importlib, ipaddress, json, os, random, resource, signal, subprocess, sys, time, tomllib, warnings
warnings.simplefilter("ignore")
if len(sys.argv) < 3: sys.exit(__doc__)
out = open(sys.argv[2], "a"); only = sys.argv[3] if len(sys.argv) > 3 else ""
policy = tomllib.loads(subprocess.run([sys.argv[1], "scan", "--print-policy"], capture_output=True, text=True, check=True).stdout)
rows = [(row["module"], name, row) for row in policy["allow"] for name in row["names"]]
P = "/nowhere/x.pkl"
net = ipaddress.ip_network("0.0.0.0/0")
VAL = {
 "path": P, "url": "http://127.0.0.1:9/x", "int": 7, "big": 10**10, "mid": 10**9, "neg": -10**9, "none": None, "true": True, "float": 1e300, "text": "abc", "expr": "__import__('os').system('x')", "fmt": "%1000000000d", "dots": "." * 200000, "digits": "1" * 4000, "exp": "1e99999999", "long": 1 << 4_000_000,
 "list": [1, 2, 3], "pathlist": [P, P], "dict": {"a": 1}, "pathdict": {"path": P, "filename": P, "a": P}, "net": net, "range": range(1 << 20), "dec": decimal.Decimal("1e99999"), "date": datetime.date(2020, 1, 1), "bytes": b"abc", "empty": (), "bigs": [10**9, 10**9],
}
ANY = list(VAL)
KIND = {"any": ANY, "rest": ANY, "data": ANY, "items": ["list", "dict", "net", "range", "pathlist", "bigs"], "pairs": ["dict", "pathdict", "list"], "fields": ["list", "dict"], "stored": ANY, "lazy": ANY, "factory": ["none"],
        "atom": ["path", "url", "int", "big", "mid", "neg", "none", "true", "float", "text", "expr", "fmt", "dots", "digits", "exp", "long", "bytes"], "number": ["int", "big", "mid", "neg", "none", "digits", "float"], "rational": ["int", "big", "digits"], "pattern": ["text"], "attribute": ["text"], "sized": ["path", "text", "list", "bytes", "net", "range", "bigs"]}
def values(rule):
    if isinstance(rule, str): return KIND.get(rule, ["none"])
    if "one_of" in rule: return ["#" + rule["one_of"][0]]
    if "either" in rule: return [v for r in rule["either"] for v in values(r)]
    if "rest" in rule: return values(rule["rest"])
    return ["none"]
def shapes(rules, rng):
    seen = set()
    def add(s):
        s = tuple(s)
        if s not in seen: seen.add(s); return [s]
        return []
    res = add(())
    if rules is None: positions, rest = [], ANY
    else:
        positions = [values(r) for r in rules]; rest = None
        if rules and (rules[-1] == "rest" or isinstance(rules[-1], dict) and "rest" in rules[-1]): rest = positions.pop()
    at = lambda i: positions[i] if i < len(positions) else rest
    for v in at(0) or []: res += add((v,))
    most = len(positions) if rest is None else max(len(positions), 5)
    for n in range(2, most + 1):
        for _ in range(14):
            res += add(rng.choice(at(i)) for i in range(n))
    return res
def resolve(mod, name):
    m = importlib.import_module(mod)
    for p in name.split("."): m = getattr(m, p)
    return m
def val(v): return v[1:] if v[0] == "#" else VAL[v]
events = []
armed = False
QUIET = {"object.__getattr__", "sys._getframe", "object.__setattr__", "object.__delattr__", "marshal.loads", "code.__new__", "gc.get_referrers", "builtins.id", "sys._getframemodulename", "pickle.find_class", "array.__new__", "cpython._PySys_ClearAuditHooks", "setopencodehook", "sys.addaudithook", "monitoring.register_callback", "sys.unraisablehook", "sys.excepthook", "os.listdir", "os.scandir", "function.__new__", "time.sleep" }
LIB = tuple({os.path.dirname(os.__file__), sys.prefix, sys.base_prefix})
def hook(event, args):
    if not armed or event in QUIET: return
    if event == "open" and isinstance(args[0], str) and args[0].startswith(LIB): return
    if event == "import": 
        if args[0] in sys.modules: return
        events.append(f"import {args[0]}"); return
    if event in ("exec", "compile"):
        f = getattr(args[0], "co_filename", None) if event == "exec" else args[1]
        if isinstance(f, (str, bytes)) and str(f).startswith(LIB): return
        events.append(f"{event} {str(f)[:60]} {str(args[0])[:60]}"); return
    events.append(f"{event} {str(args)[:80] if event not in ('compile',) else ''}")
sys.addaudithook(hook)
class Late(BaseException): pass
def late(*_): raise Late()
signal.signal(signal.SIGVTALRM, late)
def run(name, fn, cases, label):
    """Forks; a case that kills the child is told and the rest go on in another."""
    global armed
    i = 0; bad = set()
    while i < len(cases):
        if bad & set(cases[i]): i += 1; continue
        r, w = os.pipe(); child = os.fork()
        if not child:
            os.close(r); null = os.open(os.devnull, os.O_RDWR)
            for fd in range(3): os.dup2(null, fd)
            vm = int(open("/proc/self/statm").read().split()[0]) * 4096
            resource.setrlimit(resource.RLIMIT_AS, (vm + (1 << 30),) * 2);  resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(25)
            for j in range(i, len(cases)):
                if bad & set(cases[j]): continue
                os.write(w, f"B{j}\n".encode())
                events.clear(); 
                signal.setitimer(signal.ITIMER_VIRTUAL, 1.0); t = time.process_time(); what = ""; resource.setrlimit(resource.RLIMIT_CPU, (int(t) + 3, 60))
                armed = True
                try: fn(cases[j])
                except Late: what = "SLOW"
                except MemoryError as e: what = "MEMORY" 
                except BaseException as e:
                    if isinstance(e, OSError) and e.errno not in (None, 27): what = f"OSERROR {e!r}"[:100]
                    elif type(e).__name__ == "PanicException": what = "PANIC"
                armed = False; signal.setitimer(signal.ITIMER_VIRTUAL, 0)
                t = time.process_time() - t
                if t > 1 and not what: what = f"TOOK {t:.1f}"
                found = sorted(set(events)) + ([what] if what else [])
                if what and len(cases[j]) == 1: bad.add(cases[j][0])
                if found: os.write(w, ("E" + json.dumps([j, found]) + "\n").encode())
                if resource.getrusage(resource.RUSAGE_SELF).ru_utime > 6: os.write(w, f"N{j}\n".encode()); os._exit(3)
            os._exit(0)
        os.close(w); data = b""
        while True:
            b = os.read(r, 65536)
            if not b: break
            data += b
        os.close(r); _, status = os.waitpid(child, 0)
        last = i
        for line in data.decode(errors="replace").splitlines():
            if line[0] == "B": last = int(line[1:])
            elif line[0] == "E":
                j, found = json.loads(line[1:]); out.write(json.dumps([name, label, str(cases[j])[:120], found]) + "\n")
        if os.WIFSIGNALED(status):
            if len(cases[last]) == 1: bad.add(cases[last][0])
        if os.WIFSIGNALED(status): out.write(json.dumps([name, label, str(cases[last])[:120], [f"KILLED {os.WTERMSIG(status)}"]]) + "\n")
        out.flush()
        i = last + 1
        if status == 0: break
def main():
    rng = random.Random(5)
    n = 0
    for mod, name, r in rows:
        full = f"{mod}.{name}"
        if only and not full.startswith(tuple(only.split(","))): continue
        try: obj = resolve(mod, name)
        except BaseException as e: continue
        n += 1
        may, rules = r.get("may", []), r.get("args")
        if callable(obj) and ("call" in may or "construct" in may and rules is not None):
            run(full, lambda c: obj(*[val(v) for v in c]), shapes(rules, rng), "call")
    print(n, "names")
main()
