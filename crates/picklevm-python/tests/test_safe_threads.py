"""Loading on several threads at once, and after a fork."""

import collections
import os
import pickle
import sys
import threading
import time

import picklevm
import pytest

RECORDS = [collections.OrderedDict(number=i, name=f"name {i}", parts=[i, (i, None)], tags={"a", i}) for i in range(300)]
GOOD = [pickle.dumps(RECORDS, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
BAD = [b"cos\nsystem\n(S'touch marker'\ntR.", pickle.dumps([1] * 100)[:-1], b"cbuiltins\nbytes\n(I1000000000000\ntR."]


def work(seconds, errors, counts):
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            for data in GOOD:
                assert picklevm.loads(data, allow=["stdlib"]) == RECORDS
            for data in BAD:
                with pytest.raises(pickle.UnpicklingError):
                    picklevm.loads(data, allow=["stdlib"])
            with picklevm.restricted(allow=["stdlib"]):
                assert pickle.loads(GOOD[4]) == RECORDS
                with pytest.raises(picklevm.NotAllowedError):
                    pickle.loads(BAD[0])
            counts.append(1)
    except BaseException as error:
        errors.append(error)
        raise


def test_eight_threads_load_at_once():
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    original, errors, counts = pickle.loads, [], []
    try:
        threads = [threading.Thread(target=work, args=(2, errors, counts)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(old)
    assert not errors and len(counts) >= 8
    assert pickle.loads is original


def test_a_scan_lets_other_threads_run():
    data = pickle.dumps([(i, str(i)) for i in range(300_000)])
    policy = picklevm._safe.policy(())
    ticks, running = [], threading.Event()

    def tick():
        running.set()
        while running.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0)

    thread = threading.Thread(target=tick)
    thread.start()
    running.wait()
    start = time.perf_counter()
    picklevm._native.Checked(data, policy, 10**9, 10**9, 1000, None, False, False)
    end = time.perf_counter()
    running.clear()
    thread.join()
    # The checked pickle is some ten milliseconds of work; a thread that waits for the GIL would tick a few times at most.
    assert sum(start < at < end for at in ticks) > 20


def test_a_child_of_a_fork_loads_while_threads_do():
    errors, counts = [], []
    threads = [threading.Thread(target=work, args=(1.5, errors, counts)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if picklevm.loads(GOOD[5], allow=["stdlib"]) == RECORDS else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for thread in threads:
        thread.join()
    assert not errors
