"""dis_all.py FILE: pickletools.dis of every pickle in a file, one after the other."""
import os, pickletools, sys

with open(sys.argv[1], "rb") as f:
    while f.tell() < os.fstat(f.fileno()).st_size:
        pickletools.dis(f)
