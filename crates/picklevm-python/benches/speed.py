"""Compares the speed of picklevm.pickle with `_pickle` in one interleaved run.

usage: python speed.py [ROUNDS] [NAME...]

Prints a line for each kind of data: the medians of the CPU times of loads and dumps at protocol 4, and how many times that of
`_pickle` ours is. Garbage collection is off. Build the wheel in release mode before.
"""

import _pickle
import collections
import gc
import random
import statistics
import sys
import time

from picklevm import pickle


class Record:
    def __init__(self, n):
        self.id, self.name, self.price, self.tags = n, f"name {n}", n * 0.5, ["a", "b"]


def tree(depth):
    return [tree(depth - 1), {"left": depth, "right": (depth, str(depth))}, tree(depth - 1)] if depth else None


def workloads():
    rng = random.Random(1)
    return {
        "1M small ints": [rng.randrange(256) for _ in range(1_000_000)],
        "300k ints": [rng.getrandbits(rng.choice((8, 16, 31, 60))) for _ in range(300_000)],
        "300k floats": [rng.random() for _ in range(300_000)],
        "100k dicts of 8": [{f"key{k}": n * k for k in range(8)} for n in range(100_000)],
        "300k strings": [f"text number {n}" for n in range(300_000)],
        "100k non-ASCII": [f"naïve €{n}" for n in range(100_000)],
        "100k instances": [Record(n) for n in range(100_000)],
        "nested trees": tree(15),
        "200k tuples": [(n, str(n), None) for n in range(200_000)],
        "20 MB bytes": rng.randbytes(20_000_000),
        "50k bytes": [rng.randbytes(20) for _ in range(50_000)],
        "small dict": {"id": 1, "name": "Alice", "tags": ["a", "b"], "ok": True},
        "small int": 42,
    }


def cpu(function, argument, count):
    start = time.process_time()
    for _ in range(count):
        function(argument)
    return (time.process_time() - start) / count


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    chosen = sys.argv[2:]
    gc.disable()
    print(f"{'':18} {'loads ms':>10} {'ratio':>6} {'dumps ms':>10} {'ratio':>6}")
    for name, value in workloads().items():
        if chosen and not any(word in name for word in chosen):
            continue
        data = _pickle.dumps(value, 4)
        assert pickle.dumps(value, 4) == data
        once = cpu(_pickle.loads, data, 1)
        count = max(1, int(0.02 / max(once, 1e-7)))
        times = collections.defaultdict(list)
        for _ in range(rounds):
            for kind, argument in (("loads", data), ("dumps", value)):
                for module in (pickle, _pickle):
                    times[kind, module].append(cpu(getattr(module, kind), argument, count))
        line = f"{name:18}"
        for kind in ("loads", "dumps"):
            ours, theirs = (statistics.median(times[kind, module]) for module in (pickle, _pickle))
            line += f" {ours * 1e3:10.4f} {ours / theirs:6.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
