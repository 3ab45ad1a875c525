"""Python pickles on a machine written in Rust.

``picklevm.pickle`` has the functions and classes of the standard library's ``pickle``.
"""

from ._native import __version__

__all__ = ["__version__"]
