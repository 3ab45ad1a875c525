"""Python pickles on a machine written in Rust.

``loads``, ``load`` and ``SafeUnpickler`` load pickles that do nothing but what is allowed; ``install`` and
``restricted`` make ``pickle.load`` do so. ``picklevm.pickle`` has the functions and classes of the standard library's ``pickle``.
"""

from ._errors import LimitError, NotAllowedError
from ._hook import install, restricted, uninstall
from ._native import __version__
from ._safe import PRESETS, Limits, SafeUnpickler, load, loads

__all__ = [
    "PRESETS",
    "LimitError",
    "Limits",
    "NotAllowedError",
    "SafeUnpickler",
    "__version__",
    "install",
    "load",
    "loads",
    "restricted",
    "uninstall",
]
