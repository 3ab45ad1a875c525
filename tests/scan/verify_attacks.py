"""Which globals each CPython reader would look up and call in the attacks, with inert stand-ins: nothing is imported or run.
usage: python3.13 verify_attacks.py DIR -> DIR/../attacks-reached.json and a list of dangerous ones that no reader reaches"""
import io, json, os, pickle, resource, signal, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); sys.setrecursionlimit(3000)
d = sys.argv[1]; index = json.load(open(d + "/index.json"))
class Meta(type): pass
def inert(log, label):
    class X(metaclass=Meta):
        def __new__(cls, *a, **k): log.append(["call", label]); return object.__new__(cls)
        def __init__(self, *a, **k): pass
        def __call__(self, *a, **k): log.append(["call", label + "()"]); return inert(log, label + "()")()
        def append(self, x): log.append(["append", label])
        def extend(self, x): log.append(["append", label])
        def add(self, x): log.append(["add", label])
        def __setitem__(self, k, v): log.append(["setitem", label])
        def __setstate__(self, s): log.append(["build", label])
        def __hash__(self): return 1
        @classmethod
        def __class_getitem__(cls, x): return cls
    return X
def mk(base, log):
    class U(base):
        def find_class(self, m, n): log.append(["import", f"{m}.{n}"]); return inert(log, f"{m}.{n}")
        def persistent_load(self, pid): log.append(["persid", repr(pid)[:60]]); return inert(log, "persid")()
        def get_extension(self, code): log.append(["ext", code]); self.append(inert(log, f"ext{code}"))
    return U
out, weak = {}, []
for c in index:
    data = open(f"{d}/{c['file']}", "rb").read()
    if c["class"] in ("container",) or c["file"].startswith(("memo_huge", "attack_in_large", "laughs", "nest_deep")): continue
    res = {}
    for rn, base, kw in (("c-memory", pickle.Unpickler, {}), ("c", pickle.Unpickler, {}), ("py", pickle._Unpickler, {}), ("c-bytes", pickle.Unpickler, {"encoding": "bytes"}), ("c-latin1", pickle.Unpickler, {"encoding": "latin1"})):
        log = []; f = io.BufferedReader(io.BytesIO(data), 1 << 20) if rn == "c-memory" else io.BytesIO(data)
        signal.alarm(5)
        end = "?"
        try:
            while f.tell() < len(data):
                mk(base, log)(f, **kw).load(); end = "complete"
        except BaseException as e: end = f"{type(e).__name__}: {str(e)[:70]}"
        signal.alarm(0)
        res[rn] = {"end": end, "log": log[:12]}
    out[c["file"]] = res
    if c["expect"] == "dangerous" and not any(e[0] in ("call", "import") for r in res.values() for e in r["log"]): weak.append((c["file"], c["class"], {k: v["end"] for k, v in res.items()}))
json.dump(out, open(os.path.join(d, "..", "attacks-reached.json"), "w"), indent=0)
for w in weak: print(w)
print(len(weak), "of", len(out))
