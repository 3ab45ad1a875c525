#!/usr/bin/env python3
"""picklevm.loads beside other ways to load a pickle that is not trusted, as a table for docs/python-package.md.

usage: compare_loaders.py [--generated COUNT] [--seed SEED] [--every N] [--only WORD]

Run it with a Python in which picklevm, NumPy, pandas, scikit-learn, torch, joblib, fickling and skops are installed. Each loader
gets the same bytes: the attacks of tests/scan that are pickles, COUNT (500) that are made up, and the ordinary pickles of
tests/scan that the installed libraries load. Each is loaded in the jail of safe_attacks.py, each attack in a process of its own.
skops loads no pickle, so that attacks say nothing of it: it writes the objects of the ordinary pickles in its own format and loads these,
once with what it trusts by itself and once with all that it finds in them.

An attack did harm if it wrote the marker (it reached a program, code, a file, the network, or a function that may not be called),
crashed Python, or took more than 1 GiB or 8 seconds. An ordinary pickle is loaded if the result equals that of pickle.loads.
"""
import argparse
import collections
import contextlib
import datetime
import importlib
import importlib.metadata
import io
import os
import pickle
import random
import sys

import safe_attacks
from safe_attacks import CRASHED, EXHAUSTED, LOADED, MARKED, PRESET_OF, SCAN, SKIPPED, armed, corpus, jailed, same

#: The function itself, which hooks replace.
LOADS = pickle.loads
#: What a hand-written find_class lets through in projects: the safe names of Python's manual, or modules by their beginning with a
#: list of names that are known to be bad.
MANUAL = {"range", "complex", "set", "frozenset", "slice"}
PREFIXES = ("builtins.", "collections.", "copyreg.", "_codecs.", "datetime.", "decimal.", "fractions.", "uuid.", "functools.", "itertools.", "operator.", "types.",
            "numpy.", "pandas.", "scipy.", "sklearn.", "torch.", "joblib.")
DENIED = {"builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__", "builtins.open", "builtins.input", "builtins.breakpoint", "types.CodeType", "types.FunctionType"}
#: What the name of a loader ends with that is given the objects of the ordinary pickles, in a format of its own.
OF_OBJECTS = ", of objects"


def by_find_class(is_allowed):
    class RestrictedUnpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if is_allowed(module, name):
                return super().find_class(module, name)
            raise pickle.UnpicklingError(f"global '{module}.{name}' is forbidden")
    return RestrictedUnpickler


def loaders():
    """Each loader by its name: a function of the bytes, the preset of the file, and what wraps the Unpickler."""
    import fickling.hook
    import picklevm
    import skops.io
    import torch._weights_only_unpickler as weights_only

    manual = by_find_class(lambda module, name: module == "builtins" and name in MANUAL)
    prefixes = by_find_class(lambda module, name: f"{module}.{name}".startswith(PREFIXES) and f"{module}.{name}" not in DENIED)

    def of_class(base):
        return lambda data, preset, mark: (mark(base) if mark else base)(io.BytesIO(data)).load()

    def hooked(run):
        def load(data, preset, mark):
            run()
            return pickle.loads(data)
        return load

    def safe(data, preset, mark):
        allow = ["torch", "scikit-learn"] if preset is None else [preset]
        return (mark(picklevm.SafeUnpickler) if mark else picklevm.SafeUnpickler)(io.BytesIO(data), allow=allow).load()

    def restricted(data, preset, mark):
        allow = ["torch", "scikit-learn"] if preset is None else [preset]
        with picklevm.restricted(allow=allow):
            return of_class(pickle.Unpickler)(data, preset, mark)

    def in_skops_format(trusts_all):
        def load(data, preset, mark):
            written = skops.io.dumps(LOADS(data))
            return skops.io.loads(written, trusted=skops.io.get_untrusted_types(data=written) if trusts_all else None)
        return load

    version = importlib.metadata.version
    skops_name = f"skops {version('skops')}, the objects in its format"
    return {
        "`pickle.loads`": of_class(pickle.Unpickler),
        "picklevm, preset of the library": safe,
        "`pickle.Unpickler` in `picklevm.restricted()`": restricted,
        "`RestrictedUnpickler` of Python's manual": of_class(manual),
        "`RestrictedUnpickler` by modules": of_class(prefixes),
        f"torch {version('torch')} `weights_only`": lambda data, preset, mark: weights_only.load(io.BytesIO(data)),
        f"fickling {version('fickling')} `always_check_safety`": hooked(fickling.hook.always_check_safety),
        f"fickling {version('fickling')} `activate_safe_ml_environment`": hooked(fickling.hook.activate_safe_ml_environment),
        f"{skops_name}{OF_OBJECTS}": in_skops_format(False),
        f"{skops_name}, all trusted{OF_OBJECTS}": in_skops_format(True),
    }


def attack(load, data):
    import generated_attacks

    def work(marks):
        def mark(base):
            class Marking(base):
                def find_class(self, module, name):
                    found = super().find_class(module, name)
                    return safe_attacks.Marker(marks) if f"{module} {name}" in generated_attacks.MARKERS else found
            return Marking
        with armed(marks):
            load(data, None, mark)
        return LOADED
    return work


def ordinary(load, data, preset):
    def work(marks):
        try:
            expected = LOADS(data)
        except BaseException:
            return SKIPPED
        loaded = load(data, preset, None)
        is_same = same(expected, loaded) or type(expected) is type(loaded) and not same(expected, LOADS(data))
        return LOADED if is_same else safe_attacks.DIFFERENT
    return work


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="", help="the loaders whose name has this in it")
    args = parser.parse_args()
    import generated_attacks
    import picklevm

    for name in safe_attacks.LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for preset in picklevm.PRESETS:
        picklevm.loads(b"N.", allow=["torch", "scikit-learn", preset])
        picklevm.loads(b"N.", allow=[preset])
    names = [f"{module} {name}" for module, name in picklevm._native.Policy(["numpy"], [], []).callable_names()]
    for module in {name.split(" ")[0] for name in names}:
        with contextlib.suppress(BaseException):
            importlib.import_module(module)
    maker = generated_attacks.Maker(random.Random(args.seed), names)
    attacks = [open(path, "rb").read() for path, _ in corpus(os.path.join(SCAN, "attacks"))[:: args.every] if path.endswith(".pkl")]
    made = [maker.pickle() for _ in range(args.generated)]
    files = [(open(path, "rb").read(), PRESET_OF.get(row.get("lib", ""))) for path, row in corpus(os.path.join(SCAN, "ordinary"))[:: args.every] if path.endswith(".pkl")]
    files = [(data, preset) for data, preset in files if preset]
    print(f"{len(attacks)} attacks, {len(made)} made up, {len(files)} ordinary pickles; Python {sys.version.split()[0]}, {datetime.date.today()}:\n")
    print("| loader | attacks that did harm | made up: did harm | ordinary pickles loaded |\n| --- | --- | --- | --- |")
    harm = (MARKED, EXHAUSTED, CRASHED)
    for name, load in loaders().items():
        if args.only not in name:
            continue
        runs_attacks = not name.endswith(OF_OBJECTS)
        of_attacks = [jailed([attack(load, data)])[0] for data in attacks if runs_attacks]
        of_made = [jailed([attack(load, data)])[0] for data in made if runs_attacks]
        of_files = jailed([ordinary(load, data, preset) for data, preset in files], memory=4 << 30)
        harmed = [sum(end in harm for end in ends) if runs_attacks else "-" for ends in (of_attacks, of_made)]
        print(f"| {name.removesuffix(OF_OBJECTS)} | {harmed[0]} | {harmed[1]} | {of_files.count(LOADED)} of {len(of_files) - of_files.count(SKIPPED)} |", flush=True)
        print(f"  {name}: {dict(collections.Counter(of_attacks))} {dict(collections.Counter(of_made))} {dict(collections.Counter(of_files))}", file=sys.stderr)
        for preset in picklevm.PRESETS:
            ends = [end for end, (_, other) in zip(of_files, files) if other == preset and end != SKIPPED]
            print(f"    {preset}: {ends.count(LOADED)} of {len(ends)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
