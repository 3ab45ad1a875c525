"""Many threads at once, and a fork: the functions release the GIL, and share graphs."""

import os
import pickle
import threading
import time

import pytest

import picklevm

RECORDS = pickle.dumps([{"id": n, "name": f"user {n}", "tags": ["a", "b"]} for n in range(3000)])
ATTACK = b"cos\nsystem\n(S'echo ran'\ntR."


def in_threads(count, work):
    errors = []

    def run(number):
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_8_threads_load_scan_and_open_at_once():
    def work(number):
        for round in range(20):
            graph = picklevm.graph(RECORDS)
            assert graph[f"[{number * 100 + round}].id"] == number * 100 + round
            assert picklevm.scan(RECORDS).verdict == "safe"
            assert picklevm.scan(ATTACK).verdict == "dangerous"
            assert len(picklevm.open(RECORDS).pickles) == 1
            assert picklevm.dis(ATTACK).count("\n") == 7
            assert graph.dumps()[:2] == RECORDS[:2]

    in_threads(8, work)


def test_8_threads_read_and_change_one_graph():
    graph = picklevm.Graph({"all": [], "by": {}})

    def work(number):
        for round in range(200):
            graph.root["all"].append((number, round))
            graph[f"by.t{number}"] = round
            assert graph[f"by.t{number}"] == round
            if round % 20 == 0:
                assert len(pickle.loads(graph.dumps())["all"]) >= round
                assert sum(1 for _ in graph.walk()) > round
                repr(graph)

    in_threads(8, work)
    value = pickle.loads(graph.dumps())
    assert len(value["all"]) == 1600 and set(value["all"]) == {(n, r) for n in range(8) for r in range(200)}
    assert value["by"] == {f"t{n}": 199 for n in range(8)}


def test_other_threads_run_while_a_graph_is_loaded():
    data = pickle.dumps([{"id": n, "name": f"user {n}"} for n in range(300_000)])
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    picklevm.graph(data)
    end = time.perf_counter()
    done.set()
    thread.join()
    during = [at for at in ticks if start < at < end]
    # If the GIL were held there would be none; on a busy machine there are few.
    assert len(during) >= 2, (end - start, len(ticks))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork of Unix")
def test_a_forked_process_goes_on():
    graph = picklevm.graph(RECORDS)
    picklevm.scan(RECORDS)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            graph.append("", {"id": -1})
            ok = picklevm.graph(graph.dumps())["[-1].id"] == -1 and picklevm.scan(ATTACK).verdict == "dangerous"
            status = 0 if ok else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert len(graph.root) == 3000
