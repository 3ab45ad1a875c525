"""The buffer protocol for arrays, which the stable ABI of CPython 3.10 cannot give.

From 3.12 on a class has it if it has a method ``__buffer__`` (PEP 688), also one that is set after the class was made. Before
that, ``Array.memoryview()`` does the same, and NumPy uses its own array interface on all versions.
"""

import sys

from ._native import Array


def __buffer__(self: Array, flags: int, /) -> memoryview:
    if flags & 1:  # PyBUF_WRITABLE
        raise BufferError("the memory of an array in a pickle is read-only")
    return self._buffer()


if sys.version_info >= (3, 12):
    Array.__buffer__ = __buffer__
