#!/usr/bin/env python3.13
"""Generates writers.txt: the pickles of CPython's picklers, for every pickler version and protocol.

usage: make_writers.py DIR > writers.txt

DIR contains a folder for each version (3.6 to 3.15) with files VERSION-WRITER-pN-NAME.pkl, written by
tests/python/generate.py and reentrant.py. A line is WRITER PROTOCOL NAME HEX.
"""
import pathlib, re, sys

NAMES = """batches_subclass booleans bytearrays bytes_quotes complexes cycle_dict_subclass cycle_frozenset cycle_list_subclass
cycle_method cycle_object cycle_reduce cycle_set cycle_tuple cycle_tuple_long globals_nested instance_newargs_ex instance_slots
int_edges reduce_setter sets shared text_surrogates text_unicode""".split()

for path in sorted(pathlib.Path(sys.argv[1]).glob("3.*/*.pkl")):
    m = re.fullmatch(r"(3\.\d+-(?:c|py))-p(\d)-(\w+)", path.stem)
    if m and (m[3] in NAMES or m[3].startswith("reentrant_")) and path.stat().st_size < 600:
        print(*m.groups(), path.read_bytes().hex())
