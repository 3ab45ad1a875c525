#!/usr/bin/env python3
"""The scanner beside picklescan, fickling and modelaudit over tests/scan, as a table for docs/scan.md.

usage: compare_scanners.py PROGRAM FOLDER [--every N] [--seconds S] [--minutes M] [--only NAME]

Makes a virtual environment in FOLDER and installs the other scanners there, if it has none. A scanner runs in a process of its own,
which is started again if it ends, or after S seconds with a file (60), and has 3 GiB of memory. Prints, for each scanner, how many
attacks it calls harmless, how many ordinary files not, and for how many files it fails or does not end in time; these count neither as
harmless nor as an alarm. The files are taken in a random order that is always the same: every Nth of them, or as many as are done in M
minutes.
"""
import argparse, datetime, importlib.metadata, json, os, random, resource, select, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["picklescan", "fickling", "modelaudit"]
HARMLESS, FOUND, FAILED = 0, 1, 2


def picklevm(program):
    def scan(path):
        code = subprocess.run([program, "scan", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        return {0: HARMLESS, 1: FOUND, 3: FOUND}.get(code, FAILED)
    return scan


def picklescan():
    from picklescan.scanner import scan_file_path
    def scan(path):
        result = scan_file_path(path)
        return FAILED if result.scan_err and not result.issues_count else FOUND if result.issues_count else HARMLESS
    return scan


def fickling():
    from fickling.analysis import check_safety
    from fickling.fickle import Pickled
    def scan(path):
        with open(path, "rb") as file:
            return HARMLESS if check_safety(Pickled.load(file)).severity.name == "LIKELY_SAFE" else FOUND
    return scan


def modelaudit():
    os.environ.update(PROMPTFOO_DISABLE_TELEMETRY="1", NO_ANALYTICS="1", DO_NOT_TRACK="1")
    from modelaudit.core import scan_model_directory_or_file
    def scan(path):
        result = scan_model_directory_or_file(path, timeout=50)
        if any(issue.severity.name in ("WARNING", "CRITICAL") for issue in result.issues):
            return FOUND
        return HARMLESS if result.success else FAILED
    return scan


class Apart:
    """A scanner in a process of its own, forked when what it imports is there: one process for as many files as it survives."""
    def __init__(self, scan, seconds):
        self.scan, self.seconds, self.child = scan, seconds, None

    def start(self):
        paths, verdicts = os.pipe(), os.pipe()
        self.child = os.fork()
        if self.child:
            os.close(paths[0]), os.close(verdicts[1])
            self.paths, self.verdicts = paths[1], verdicts[0]
            return
        os.close(paths[1]), os.close(verdicts[0])
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        while path := os.read(paths[0], 4096).decode():
            try:
                verdict = self.scan(path)
            except BaseException:
                verdict = FAILED
            os.write(verdicts[1], bytes([verdict]))
        os._exit(0)

    def stop(self):
        os.close(self.paths), os.close(self.verdicts)
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)
        self.child = None

    def __call__(self, path):
        if not self.child:
            self.start()
        os.write(self.paths, path.encode())
        ready = select.select([self.verdicts], [], [], self.seconds)[0]
        verdict = ready and os.read(self.verdicts, 1)
        if not verdict:
            self.stop()
            return FAILED
        return verdict[0]


def main(program, every, seconds, minutes, only):
    files = [(kind, os.path.join(HERE, kind, row["file"])) for kind in ("attacks", "ordinary") for row in json.load(open(os.path.join(HERE, kind, "index.json")))]
    random.Random(7).shuffle(files)
    files = files[::every]
    print(f"{datetime.date.today()}:\n")
    print("| scanner | attacks | called harmless | ordinary files | called otherwise | no answer |\n| --- | --- | --- | --- | --- | --- |")
    for name, make in (("picklevm", lambda: picklevm(program)), ("picklescan", picklescan), ("fickling", fickling), ("modelaudit", modelaudit)):
        if only and name != only:
            continue
        scan = Apart(make(), seconds)
        version = "" if name == "picklevm" else " " + importlib.metadata.version(name)
        end = time.monotonic() + minutes * 60
        done = [(kind, scan(path)) for kind, path in files if time.monotonic() < end]
        attacks, ordinary = ([verdict for of, verdict in done if of == kind] for kind in ("attacks", "ordinary"))
        failed = attacks.count(FAILED) + ordinary.count(FAILED)
        print(f"| {name}{version} | {len(attacks)} | {attacks.count(HARMLESS)} | {len(ordinary)} | {ordinary.count(FOUND)} | {failed} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program"); parser.add_argument("folder"); parser.add_argument("--every", type=int, default=1); parser.add_argument("--seconds", type=float, default=60); parser.add_argument("--minutes", type=float, default=1e9); parser.add_argument("--only")
    args = parser.parse_args()
    python = os.path.join(args.folder, "bin", "python")
    if os.path.realpath(sys.prefix) != os.path.realpath(args.folder):
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", args.folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])
    main(os.path.abspath(args.program), args.every, args.seconds, args.minutes, args.only)
