#!/usr/bin/env python3
"""Attacks that are made up: whatever Python does with them, none that runs something is called safe.

usage: generated_attacks.py PROGRAM [COUNT [SEED]]

Writes COUNT pickles of names that the policy allows, combined at random: each way of a pickle to hand a value on (arguments of each
kind of call, by position and by keyword, containers, states, items) times what calls something later (map, partial, iterators).
Some values are functions that may be named and not called. Each pickle is loaded in a Python of its own limits, in which these functions
write a marker. It is an error if the scanner calls a pickle safe and loading it wrote the marker, crashed, or took more than a
second of processor time or a GiB of memory. Prints how many ran to their end, wrote the marker, and were called safe.
"""
import collections, json, os, random, resource, signal, struct, subprocess, sys, tempfile

MARKERS = ["builtins print", "builtins sorted", "builtins max", "builtins repr", "operator add", "math comb"]
REACHING = ["builtins getattr", "functools reduce", "operator attrgetter", "operator methodcaller", "operator getitem", "copyreg __newobj__", "copyreg __newobj_ex__", "copyreg _reconstructor"]
LATER = ["builtins map", "builtins filter", "functools partial", "collections defaultdict", "itertools starmap", "itertools accumulate", "itertools groupby",
         "itertools takewhile", "itertools dropwhile", "itertools filterfalse", "builtins iter", "itertools chain", "itertools cycle", "itertools repeat", "itertools count",
         "itertools product", "itertools permutations", "itertools combinations", "builtins zip", "builtins enumerate", "builtins range", "builtins reversed", "itertools islice", "itertools zip_longest"]
TAKERS = ["builtins list", "builtins tuple", "builtins dict", "builtins set", "builtins frozenset", "collections OrderedDict", "collections Counter", "collections deque",
          "builtins bytes", "builtins bytearray", "builtins str", "builtins int", "time struct_time", "array array", "collections UserList", "collections ChainMap", "types SimpleNamespace"]


def listed(program):
    """Names of the standard library and NumPy that the policy allows to be called or constructed."""
    import tomllib
    policy = tomllib.loads(subprocess.run([program, "scan", "--print-policy"], capture_output=True, text=True, check=True).stdout)
    roots = set(sys.stdlib_module_names) | {"numpy"}
    names = [f"{row['module']} {name}" for row in policy["allow"] if set(row.get("may", [])) & {"call", "construct"} and row["module"].split(".")[0] in roots for name in row["names"]]
    return sorted(set(names))


class Maker:
    def __init__(self, rng, names): self.rng, self.names = rng, names
    def text(self, text): return b"\x8c" + bytes([len(text.encode())]) + text.encode()
    def name(self, name): module, name = name.split(" "); return self.text(module) + self.text(name) + b"\x93"
    def some_name(self):
        pick = self.rng.random()
        pool = MARKERS if pick < .3 else REACHING if pick < .45 else LATER if pick < .75 else TAKERS if pick < .9 else self.names
        return self.name(self.rng.choice(pool))
    def atom(self):
        r = self.rng
        return r.choice([b"N", b"\x88", b"K" + bytes([r.randrange(256)]), b"J" + struct.pack("<i", r.choice([-1, 10**6, -10**9, 2**31 - 1])), b"\x8a\x06\x00\xe4\x0bT\x02\x00", b"G?\xf8" + b"\0" * 6,
                         self.text(r.choice(["abc", "__globals__", "upper", "1e999999999", "x" * 40, "extend", "append", "__class__", "key", "f8", "O", "%s"])), b"C\x03abc", b")", b"]", b"}"])
    def items(self, depth, most=3): return b"".join(self.value(depth - 1) for _ in range(self.rng.randrange(most + 1)))
    def container(self, depth):
        r = self.rng.random()
        if r < .35: return b"](" + self.items(depth) + b"e"
        if r < .7: return b"(" + self.items(depth) + b"t"
        if r < .9: return b"}(" + b"".join(self.atom_key() + self.value(depth - 1) for _ in range(self.rng.randrange(3))) + b"u"
        return b"\x8f(" + self.items(depth, 2) + b"\x90"
    def atom_key(self): return self.text(self.rng.choice(["key", "func", "x", "default", "initial", "maxlen", "append", "extend", "__setstate__", "__len__", "dtype", "shape"]))
    def callee(self):
        pick = self.rng.random()
        return self.name(self.rng.choice(LATER if pick < .35 else TAKERS if pick < .65 else REACHING if pick < .75 else self.names))
    def call(self, depth):
        r, args = self.rng.random(), b"(" + self.items(depth) + b"t"
        f = self.callee()
        if r < .35: return f + args + b"R"
        if r < .5: return f + args + b"\x81"
        if r < .6: return f + args + b"}(" + self.atom_key() + self.value(depth - 1) + b"u\x92"
        if r < .65: return b"(" + f + self.items(depth) + b"o"
        if r < .75: return self.name("copyreg __newobj__") + b"(" + f + self.items(depth) + b"tR"
        if r < .8: return self.name("copyreg __newobj_ex__") + b"(" + f + args + b"}(" + self.atom_key() + self.value(depth - 1) + b"utR"
        if r < .92: return self.name("copyreg _reconstructor") + b"(" + self.callee() + self.name(self.rng.choice(["builtins list", "builtins dict", "builtins set", "builtins tuple", "builtins object", "builtins int", "collections OrderedDict"])) + self.value(depth - 1) + b"tR"
        return self.value(depth - 1) + args + b"R"
    def value(self, depth):
        r = self.rng.random()
        if depth <= 0: return self.atom() if r < .6 else self.some_name()
        if r < .2: return self.atom()
        if r < .35: return self.some_name()
        if r < .5: return self.container(depth)
        value = self.call(depth)
        if self.rng.random() < .15: value += self.value(depth - 1) + b"b"
        if self.rng.random() < .1: value += b"(" + self.items(depth) + (b"e" if self.rng.random() < .5 else b"u")
        return value
    def consumed(self):
        """What calls a function later, in what goes through it."""
        later = self.name(self.rng.choice(LATER)) + b"(" + self.name(self.rng.choice(MARKERS)) + self.rng.choice([b"", self.container(1)]) + self.container(2) + b"t"
        later += self.rng.choice([b"R", b"\x81", b"}\x92"])
        if self.rng.random() < .5: later = self.rng.choice([self.name("copyreg __newobj__") + b"(" + later[:later.index(b"(")] + later[later.index(b"(") + 1:later.rindex(b"t") + 1] + b"R", self.name("itertools chain") + b"(" + later + b"tR", b"](" + later + b"e", b"(" + later + b"t"])
        taker = self.rng.choice(TAKERS + LATER)
        return self.rng.choice([self.name(taker) + b"(" + later + b"tR", self.name(taker) + b"(" + later + b"t\x81", self.name("copyreg _reconstructor") + b"(" + self.name(taker) + self.name(taker) + later + b"tR",
                                self.name("copyreg __newobj_ex__") + b"(" + self.name(taker) + b"(" + later + b"t}tR", self.name(taker) + b")R(" + later + b"e", self.name(taker) + b")R" + later + b"b"])
    def pickle(self): return b"\x80\x04" + (self.consumed() if self.rng.random() < .4 else self.call(4)) + b"."


def load(path):
    """Loads a pickle in this process, which ends with 0, or 10 if the marker was written, or 11 if memory or time ran out."""
    import io, pickle
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); resource.setrlimit(resource.RLIMIT_CPU, (1, 2)); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wrote = []
    class Marker:
        def __call__(self, *args, **kwargs): wrote.append(1)
    class Unpickler(pickle._Unpickler if path.endswith("3") else pickle.Unpickler):
        def find_class(self, module, name): return Marker() if f"{module} {name}" in MARKERS else super().find_class(module, name)
    signal.signal(signal.SIGXCPU, lambda *_: os._exit(11))
    code = 0
    try: Unpickler(io.BytesIO(open(path, "rb").read())).load()
    except MemoryError: os._exit(11)
    except BaseException: code = 1
    os._exit(10 if wrote else code)


def main(program, count=2000, seed=1):
    count, seed = int(count), int(seed)
    maker = Maker(random.Random(seed), listed(program))
    try: import numpy
    except ImportError: maker.names = [name for name in maker.names if not name.startswith("numpy")]
    for name in {name.split(" ")[0] for name in maker.names}:
        try: __import__(name)
        except BaseException: pass
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for i in range(count): open(f"{i}.pkl", "wb").write(maker.pickle())
        scan = subprocess.run([program, "scan", "--json", folder], capture_output=True, text=True)
        verdicts = {os.path.basename(row["name"]): row["verdict"] for row in map(json.loads, scan.stdout.splitlines())}
        wrong, ends = [], collections.Counter()
        for i in range(count):
            child = os.fork()
            if not child:
                null = os.open(os.devnull, os.O_RDWR)
                for fd in range(3): os.dup2(null, fd)
                load(f"{i}.pkl")
            _, status = os.waitpid(child, 0)
            end = "crash" if os.WIFSIGNALED(status) else {0: "complete", 1: "error", 10: "marker", 11: "exhausted"}[os.WEXITSTATUS(status)]
            verdict = verdicts.get(f"{i}.pkl", "missing")
            ends[end, verdict] += 1
            if verdict in ("safe", "missing") and end not in ("complete", "error"): wrong.append((i, end))
        for i, end in wrong[:20]:
            print(f"{verdicts.get(f'{i}.pkl', 'missing')} and {end}: {open(f'{i}.pkl', 'rb').read()!r}")
    total = collections.Counter()
    for (end, _), n in ends.items(): total[end] += n
    print(f"{count} pickles, seed {seed}: " + ", ".join(f"{n} {end}" for end, n in sorted(total.items())) + f"; safe {sum(n for (_, verdict), n in ends.items() if verdict == 'safe')}; wrong {len(wrong)}")
    return bool(wrong)


if __name__ == "__main__":
    if len(sys.argv) < 2: sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1]), *sys.argv[2:]))
