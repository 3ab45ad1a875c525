#!/usr/bin/env python3
"""The scanner beside picklescan, fickling and modelaudit over tests/scan, as a table for docs/scan.md.

usage: compare_scanners.py PROGRAM FOLDER [--every N] [--seconds S]

Makes a virtual environment in FOLDER and installs the other scanners there, if it has none. Each file is scanned in a process of its
own, for S seconds at the most (20). Prints, for each scanner, how many attacks it calls harmless, how many ordinary files not, and for
how many files it fails or does not end in time; these count neither as harmless nor as an alarm. `--every N` takes every Nth file.
"""
import argparse, datetime, importlib.metadata, json, os, subprocess, sys, time

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
        result = scan_model_directory_or_file(path, timeout=60)
        if any(issue.severity.name in ("WARNING", "CRITICAL") for issue in result.issues):
            return FOUND
        return HARMLESS if result.success else FAILED
    return scan


def apart(scan, path, seconds):
    """What a scanner says of a file, in a process of its own."""
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        try:
            os._exit(scan(path))
        except BaseException:
            os._exit(FAILED)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else FAILED
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return FAILED


def main(program, every, seconds):
    def corpus(folder):
        rows = json.load(open(os.path.join(HERE, folder, "index.json")))
        return [os.path.join(HERE, folder, row["file"]) for row in rows][::every]
    attacks, ordinary = corpus("attacks"), corpus("ordinary")
    print(f"{len(attacks)} attacks and {len(ordinary)} ordinary files, {datetime.date.today()}:\n")
    print("| scanner | attacks called harmless | ordinary files called otherwise | no answer |\n| --- | --- | --- | --- |")
    for name, make in (("picklevm", lambda: picklevm(program)), ("picklescan", picklescan), ("fickling", fickling), ("modelaudit", modelaudit)):
        scan = make()
        version = "" if name == "picklevm" else " " + importlib.metadata.version(name)
        of_attacks = [apart(scan, path, seconds) for path in attacks]
        of_ordinary = [apart(scan, path, seconds) for path in ordinary]
        failed = of_attacks.count(FAILED) + of_ordinary.count(FAILED)
        print(f"| {name}{version} | {of_attacks.count(HARMLESS)} | {of_ordinary.count(FOUND)} | {failed} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program"); parser.add_argument("folder"); parser.add_argument("--every", type=int, default=1); parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    python = os.path.join(args.folder, "bin", "python")
    if os.path.realpath(sys.prefix) != os.path.realpath(args.folder):
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", args.folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])
    main(os.path.abspath(args.program), args.every, args.seconds)
