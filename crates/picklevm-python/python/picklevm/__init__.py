"""Python pickles on a machine written in Rust: load them safely, look into them, scan them, take data out of them.

- ``loads``, ``load``, ``SafeUnpickler``: load pickles that do nothing but what is allowed; ``install`` and ``restricted`` make
  ``pickle.load`` do so.
- ``open``, ``graph``, ``dis``: what a file holds, without importing or calling anything.
- ``view``: a page that shows a file, also in a notebook.
- ``scan``: what a pickle would import and call, and whether that is safe.
- ``arrays``, ``tables``, ``tensors``, ``convert``: data for NumPy, pyarrow, Polars and files.
- ``picklevm.pickle``: the functions and classes of the standard library's ``pickle``.
- ``picklevm.spark``, ``picklevm.rows``: many files, on a cluster too.
"""

from . import _buffer
from ._errors import LimitError, NotAllowedError
from ._hook import install, restricted, uninstall
from ._native import (
    Array,
    File,
    Finding,
    Graph,
    Member,
    Node,
    Pickle,
    Report,
    Table,
    View,
    __version__,
    arrays,
    convert,
    dis,
    graph,
    open,
    scan,
    tables,
    tensors,
    view,
)
from ._safe import PRESETS, Limits, SafeUnpickler, load, loads

__all__ = [
    "PRESETS",
    "Array",
    "File",
    "Finding",
    "Graph",
    "LimitError",
    "Limits",
    "Member",
    "Node",
    "NotAllowedError",
    "Pickle",
    "Report",
    "SafeUnpickler",
    "Table",
    "View",
    "__version__",
    "arrays",
    "convert",
    "dis",
    "graph",
    "install",
    "load",
    "loads",
    "open",
    "restricted",
    "scan",
    "tables",
    "tensors",
    "uninstall",
    "view",
]
