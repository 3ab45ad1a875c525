#!/usr/bin/env python3
"""The test suites of cloudpickle, dill, joblib and zodbpickle with picklevm.pickle under them, beside `_pickle`.

usage: library_suites.py FOLDER [NAME...]

Run it with a Python in which picklevm, pytest, NumPy and the libraries that are named are installed. The sources are downloaded from
PyPI, in the installed versions, into FOLDER. Each suite runs twice: with the functions and classes of `pickle` as they are, and with those of
picklevm.pickle in their places, in child processes too. (zodbpickle has a `_pickle` of its own: there both stand in for it.) A line
for each library says how many tests pass with `_pickle`, and how many of these with ours. It ends with 1 if those are fewer.
"""
import argparse
import importlib.metadata
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree
from pathlib import Path

#: What each process of a run imports first. The variable names the module whose functions and classes are used.
SITE = '''
import importlib, os, sys
name = os.environ.get("PICKLE_UNDER_TEST")
if name:
    import pickle
    module = importlib.import_module(name)
    names = "dump", "dumps", "load", "loads", "Pickler", "Unpickler"
    if os.environ.get("PICKLE_LIBRARY") == "zodbpickle":
        import types
        inner = sys.modules["zodbpickle._pickle"] = types.ModuleType("zodbpickle._pickle")
        vars(inner).update({name: getattr(module, name) for name in names})
        vars(inner).update({name: getattr(pickle, name) for name in ("PickleError", "PicklingError", "UnpicklingError")})
        import zodbpickle
        zodbpickle._pickle = inner
    elif name != "_pickle":
        for name in names:
            setattr(pickle, name, getattr(module, name))
'''
#: Where in the sources the tests are, and what pytest is told besides.
SUITES = {
    # From 3.0 on its source distributions have no tests: 2.2.1, on Python up to 3.11. Its tests import a package of their own.
    "cloudpickle": (["tests/cloudpickle_test.py", "tests/cloudpickle_file_test.py"], []),
    "dill": (["dill/tests"], []),
    # The rest of joblib's tests is about caches, logs and how work is scheduled.
    "joblib": ([f"joblib/test/test_{part}.py" for part in ("numpy_pickle", "numpy_pickle_compat", "numpy_pickle_utils", "hashing", "cloudpickle_wrapper", "memmapping", "memory", "store_backends")], []),
    "zodbpickle": (["src/zodbpickle/tests/pickle_3_tests.py"], ["-o", "python_files=*_tests.py", "-k", "CPickler or CPers or CDump or CLoad or CDispatch or CChain or InMemory or (PickleTests and not Py)"]),
}


def sources(folder, name):
    """The folder with the sources of the installed version."""
    version = importlib.metadata.version(name)
    unpacked = folder / f"{name}-{version}"
    if not unpacked.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, f"{name}=={version}"]
        subprocess.run(command, check=True)
        with tarfile.open(folder / f"{name}-{version}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return unpacked


def run(folder, source, name, module):
    """The outcome of each test of a suite; of dill's, which are programs, of each file."""
    site, report = folder / "site", folder / f"{name}-{module}.xml"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(SITE)
    report.unlink(missing_ok=True)
    paths = os.pathsep.join([str(site), str(source / "tests" / "cloudpickle_testpkg")])
    environment = {**os.environ, "PICKLE_UNDER_TEST": module, "PICKLE_LIBRARY": name, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    with open(folder / f"{name}-{module}.log", "w") as log:
        def python(*arguments, cwd=source):
            return subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT).returncode

        if name == "dill":
            files = sorted((source / "dill" / "tests").glob("test_*.py"))
            return {file.name: "failure" if python(file.name, cwd=file.parent) else "passed" for file in files}
        tests, options = SUITES[name]
        # The installed library is tested: its sources may have parts that are not built.
        python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", f"--junitxml={report}", "-W", "ignore", *options, *tests)
    outcomes = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        # What a library marks as failing now and then is none of the failures.
        kinds = {child.get("type") if child.get("type") == "pytest.xfail" else child.tag for child in case} & {"failure", "error", "skipped", "pytest.xfail"}
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = kinds.pop() if kinds else "passed"
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[*SUITES, []])
    args = parser.parse_args()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    failed = False
    for name in args.names or SUITES:
        source = sources(folder, name)
        theirs, ours = (run(folder, source, name, module) for module in ("_pickle", "picklevm.pickle"))
        passed = [test for test, outcome in theirs.items() if outcome == "passed"]
        missed = [test for test in passed if ours.get(test) not in ("passed", "pytest.xfail")]
        print(f"{name} {importlib.metadata.version(name)}, Python {sys.version.split()[0]}: {len(passed)} of {len(theirs)} pass with _pickle, {len(passed) - len(missed)} of these with picklevm.pickle", flush=True)
        for test in missed:
            print(f"  {ours.get(test, 'not run')}: {test}")
        failed |= bool(missed) or not passed
    return failed


if __name__ == "__main__":
    sys.exit(main())
