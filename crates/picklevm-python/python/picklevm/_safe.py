"""Safe loading: what is not allowed is not imported, called or given a state."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import _native

__all__ = ["PRESETS", "Limits", "SafeUnpickler", "load", "loads"]

#: The presets of ``allow``: parts of the scanner's policy, arguments and states checked.
PRESETS = ("plain", "stdlib", "numpy", "pandas", "torch", "scikit-learn")


@dataclass(frozen=True)
class Limits:
    """What a pickle may take. The defaults are for a service that does not know who sent it.

    nodes    values that it makes
    bytes    its length, and about how much memory what it makes takes
    depth    containers and objects that lie in one another
    time     seconds for checking and loading it; None for no limit. A single call is not interrupted.
    """

    nodes: int = 20_000_000
    bytes: int = 1 << 30
    depth: int = 1000
    time: float | None = 60.0

    def __post_init__(self) -> None:
        for name in ("nodes", "bytes", "depth"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"Limits.{name} must be an integer that is not negative, not {value!r}")
            # More than a machine has is no limit.
            object.__setattr__(self, name, min(value, (1 << 32) - 1 if name == "depth" else (1 << 63) - 1))


DEFAULT_LIMITS = Limits()


def _entry(entry: Any) -> str:
    """Return an entry of allow as text."""
    if isinstance(entry, str):
        return entry
    module, name = getattr(entry, "__module__", None), getattr(entry, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError(f"allow takes names, 'module.*', presets, classes and functions, not {entry!r}")
    if "<" in name:
        raise ValueError(f"pickles cannot name {module}.{name}, so that it cannot be allowed")
    return f"{module}.{name}"


@lru_cache(maxsize=64)
def _compiled(entries: tuple[str, ...]) -> Any:
    presets, names, modules = [], [], []
    for entry in entries:
        if entry in PRESETS:
            presets.append(entry)
        elif entry.endswith(".*") and all(part.isidentifier() for part in entry[:-2].split(".")):
            modules.append(entry[:-2])
        elif "." in entry and all(part.isidentifier() for part in entry.split(".")):
            names.append(entry)
        else:
            known = ", ".join(f'"{preset}"' for preset in PRESETS)
            raise ValueError(f'{entry!r} is neither a name ("module.Name"), nor "module.*", nor a preset: {known}')
    return _native.Policy(presets, names, modules)


def policy(allow: Iterable[Any] | str) -> Any:
    """Return the policy of a list of what is allowed."""
    if isinstance(allow, str):
        allow = (allow,)
    return _compiled(tuple(map(_entry, allow)))


#: Encodings in which what looks like a name in ASCII is that name.
_ENCODINGS = {"ascii", "utf-8", "latin-1", "iso8859-1"}
_ERRORS = {"strict", "replace", "surrogateescape", "surrogatepass", "backslashreplace"}


@lru_cache(maxsize=64)
def _check_decoding(encoding: str, errors: str) -> None:
    if encoding != "bytes" and codecs.lookup(encoding).name not in _ENCODINGS and not (
        codecs.lookup(encoding).name.startswith(("cp125", "iso8859-", "koi8"))
    ):
        raise ValueError(f"encoding must be one that extends ASCII byte by byte, or 'bytes', not {encoding!r}")
    if errors not in _ERRORS:
        raise ValueError(f"errors must keep every byte that was checked, which {errors!r} is not known to do")


def check(data: Any, policy: Any, limits: Limits, has_persistent_load: bool, is_torch: bool = False) -> Any:
    """Return a pickle that may be loaded, or raise."""
    if type(data) is not bytes:
        # Nobody may change it after it was checked.
        view = memoryview(data)
        if view.nbytes > limits.bytes:
            from ._errors import LimitError

            raise LimitError(f"the pickle has {view.nbytes} bytes, more than {limits.bytes} (Limits.bytes)")
        data = view.tobytes()
    return _native.Checked(
        data, policy, limits.nodes, limits.bytes, limits.depth, limits.time, has_persistent_load, is_torch
    )


def loads(
    data: Any,
    /,
    *,
    allow: Iterable[Any] | str = (),
    limits: Limits = DEFAULT_LIMITS,
    persistent_load: Callable[[Any], Any] | None = None,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any:
    """Load a pickle from bytes, if it does nothing but what is allowed.

    The whole pickle is checked before anything of it runs. Plain data are always allowed; what else, allow says:

        "stdlib"                a preset: the names of Python's standard library that the scanner knows to be harmless, on
                                arguments and states that are. The others are "numpy", "pandas", "torch" and "scikit-learn",
                                each with what these are built on.
        "shop.models.Order"     a name, or the class or function itself: whatever it is given
        "shop.*"                all classes and functions of a module and those below it, but for what these imported and
                                for names that are known to be dangerous

    Raises NotAllowedError for what is not allowed, with the name, its use, where it is, and what to add to allow; LimitError for
    what takes more than limits; and what pickle.loads raises for a pickle that is broken. The other arguments are those
    of pickle.loads, and persistent_load, without which persistent ids are refused.
    """
    _check_decoding(encoding, errors)
    pickle = check(data, policy(allow), limits, persistent_load is not None)
    return pickle.load(None, persistent_load, fix_imports, encoding, errors, buffers)


def load(file: Any, *, allow: Iterable[Any] | str = (), limits: Limits = DEFAULT_LIMITS, **options: Any) -> Any:
    """Load one pickle from a file, if it does nothing but what is allowed. The arguments are those of loads().

    The file needs the methods read() and readline(). It is left right after the pickle, which is read before it is checked.
    """
    policy(allow)  # What is wrong with it is said before anything is read.
    return loads(_native.read_pickle(file, limits.bytes), allow=allow, limits=limits, **options)


class SafeUnpickler:
    """Loads the pickles of a file, if they do nothing but what is allowed. See loads().

    It is used as pickle.Unpickler is. A subclass may override find_class(), which is asked for names that are allowed and for no
    others, and persistent_load(), which may also be set on an instance. Each pickle stands alone: one that refers to the memo of
    an earlier one is refused.
    """

    def __init__(
        self,
        file: Any,
        *,
        allow: Iterable[Any] | str = (),
        limits: Limits = DEFAULT_LIMITS,
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: Iterable[Any] | None = None,
    ) -> None:
        _check_decoding(encoding, errors)
        self._policy = policy(allow)
        self._file = file
        self._limits = limits
        self._decoding = fix_imports, encoding, errors
        self._buffers = None if buffers is None else iter(buffers)
        self._protocol = 0

    def load(self) -> Any:
        """Load the next pickle of the file."""
        persistent_load = getattr(self, "persistent_load", None)
        find_class = self.find_class
        if getattr(find_class, "__func__", None) is SafeUnpickler.find_class:
            find_class = None
        data = _native.read_pickle(self._file, self._limits.bytes)
        pickle = check(data, self._policy, self._limits, persistent_load is not None)
        self._protocol = pickle.protocol
        return pickle.load(find_class, persistent_load, *self._decoding, self._buffers)

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Import the module and return the attribute with this name, if it is allowed."""
        return self._policy.find_class(module_name, global_name, self._protocol, self._decoding[0])
