"""Compare zodbpickle's noload with picklevm's on the persistent references of ZODB records.

    pip install ZODB
    cargo build --release -p picklevm --example zodb_references
    python benches/noload_zodb.py target/release/examples/zodb_references

Creates a storage of mappings, BTrees and instances, compares the references that both find, and prints nanoseconds of
CPU time per record. Exits with status 1 if the references differ or picklevm is not 20 times as fast.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from io import BytesIO

import transaction
import ZODB
from BTrees.OOBTree import OOBTree
from persistent.list import PersistentList
from persistent.mapping import PersistentMapping
from ZODB.MappingStorage import MappingStorage
from ZODB.serialize import referencesf
from zodbpickle import pickle


def storage():
    """Return a storage of a few thousand typical records."""
    storage = MappingStorage()
    root = ZODB.DB(storage).open().root()
    root["users"] = users = OOBTree()
    for n in range(1500):
        users[f"user{n:05}"] = user = PersistentMapping()
        user.update(name=f"User {n}", mail=f"user{n}@example.org", visits=n, scores=[n * 1.5, n * 2.5], tags=("a", "b"))
        user["items"] = PersistentList([PersistentMapping(title=f"item {m}") for m in range(3)])
        user["friends"] = [users[f"user{m:05}"] for m in range(max(0, n - 5), n)]
    transaction.commit()
    return storage


def noload(record):
    """Do what referencesf does, without creating a list of object ids."""
    found = []
    unpickler = pickle.Unpickler(BytesIO(record))
    unpickler.persistent_load = found.append
    unpickler.noload()
    unpickler.noload()
    return found


def spent(who):
    """Return CPU time in nanoseconds."""
    usage = resource.getrusage(who)
    return (usage.ru_utime + usage.ru_stime) * 1e9


def main(program):
    records = [transaction_record.data for txn in storage().iterator() for transaction_record in txn]
    with tempfile.NamedTemporaryFile(suffix=".records") as file:
        for record in records:
            file.write(len(record).to_bytes(4, "big") + record)
        file.flush()
        found = subprocess.run([program, file.name], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        expected = [" ".join(oid.hex() for oid in referencesf(record)) for record in records]
        if found != expected:
            sys.exit("the references differ")
        ours, theirs = [], []
        for _ in range(5):
            start = spent(resource.RUSAGE_CHILDREN)
            subprocess.run([program, file.name, "20"], check=True)
            ours.append((spent(resource.RUSAGE_CHILDREN) - start) / len(records) / 20)
            start = spent(resource.RUSAGE_SELF)
            for record in records:
                noload(record)
            theirs.append((spent(resource.RUSAGE_SELF) - start) / len(records))
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    size = sum(map(len, records)) / len(records)
    references = sum(len(line.split()) for line in expected)
    print(f"{len(records)} records of {size:.0f} bytes, {references} references, the same from both")
    print(f"zodbpickle {theirs:.0f} ns a record, picklevm {ours:.0f} ns: {theirs / ours:.1f} times")
    sys.exit(0 if theirs >= 20 * ours else 1)


if __name__ == "__main__":
    main(sys.argv[1])
