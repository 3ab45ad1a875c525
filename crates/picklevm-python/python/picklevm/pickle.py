"""The functions and classes of the standard library's ``pickle``, on picklevm's machine.

They behave like CPython's C implementation, but for two things: nothing recurses, so objects may be nested as deeply as
memory allows, and what is not text or bytes of the standard library's own is raised as the same exception classes.
"""

from pickle import *  # The constants and exceptions.
from pickle import bytes_types, compatible_formats, decode_long, encode_long, format_version, whichmodule

from ._native import DEFAULT_PROTOCOL, HIGHEST_PROTOCOL, Pickler, Unpickler, dump, dumps, load, loads

__all__ = [name for name in globals() if not name.startswith("_")]
