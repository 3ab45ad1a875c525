"""The program that the package installs."""

import os
import pickle
import signal
import subprocess
import sys
import time

import pytest

import picklevm

COMMAND = [sys.executable, "-m", "picklevm"]


def run(*args, **options):
    return subprocess.run([*COMMAND, *map(str, args)], capture_output=True, timeout=60, **options)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))
    return path


def test_the_program_prints_what_the_package_does(path):
    shown = run("show", path)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, b"{'a': 1}\n", b"")
    assert run("dis", path).stdout.decode() == picklevm.dis(path)
    assert run("--version").stdout.startswith(b"picklevm ")
    assert b"Usage" in run("--help").stdout


def test_the_exit_status_is_that_of_the_program(path, tmp_path):
    bad = tmp_path / "bad.pkl"
    bad.write_bytes(b"\x80\x04]K")
    assert run("show", bad).returncode == 1
    assert run("show", tmp_path / "none.pkl").returncode == 2
    assert run("no-such-command", "x").returncode == 2
    bad.write_bytes(b"cos\nsystem\n(S'echo ran'\ntR.")
    assert run("scan", bad).returncode == 1 and run("scan", path).returncode == 0


def test_standard_input_is_read(path):
    assert run("show", input=path.read_bytes()).stdout == b"{'a': 1}\n"
    assert run("show", "-", input=path.read_bytes()).stdout == b"{'a': 1}\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_closed_pipe_is_no_error(tmp_path):
    path = tmp_path / "long.pkl"
    path.write_bytes(pickle.dumps(list(range(300_000))))
    shown = subprocess.Popen([*COMMAND, "show", "--full", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown.stdout.read(10)
    shown.stdout.close()
    assert (shown.wait(60), shown.stderr.read()) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_ends_the_program_at_once():
    shown = subprocess.Popen([*COMMAND, "show", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    shown.stdin.write(b"\x80\x04]")
    shown.stdin.flush()
    time.sleep(1)
    shown.send_signal(signal.SIGINT)
    assert shown.wait(10) == -signal.SIGINT


def test_the_command_is_installed(path):
    command = os.path.join(os.path.dirname(sys.executable), "picklevm" + (".exe" if os.name == "nt" else ""))
    if not os.path.exists(command):
        pytest.skip("not installed beside this Python")
    assert subprocess.run([command, "show", path], capture_output=True).stdout == b"{'a': 1}\n"
