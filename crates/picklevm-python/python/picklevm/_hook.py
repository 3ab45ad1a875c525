"""``pickle.load`` and its like, made to load only what is allowed.

Where pickles are read, it is by one of these: the functions and the class of C, which modules hold under many names; the
class ``pickle._Unpickler``, of which joblib, dill and pandas have subclasses; or a reference that was kept somewhere else. The
first are replaced wherever a module holds them, the second's methods are replaced in the class, and the third are caught by
an audit hook, at least for the names that they look up.
"""

from __future__ import annotations

import _compat_pickle
import _pickle
import io
import pickle
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any, NamedTuple

from . import _native
from ._errors import NotAllowedError
from ._safe import DEFAULT_LIMITS, Limits, _check_decoding, check, policy

__all__ = ["install", "restricted", "uninstall"]


class _Settings(NamedTuple):
    """What may be loaded."""

    policy: Any
    limits: Limits


_program: _Settings | None = None
_block: ContextVar[_Settings | None] = ContextVar("picklevm.restricted", default=None)
_lock = threading.RLock()
#: How many blocks and installations there are.
_users = 0
#: What was replaced: the namespace, the name and what it was.
_replaced: list[tuple[Any, str, Any]] = []
_is_audited = False


def _settings() -> _Settings | None:
    return _block.get() or _program


def _load_checked(settings: _Settings, data: Any, find_class: Any, persistent_load: Any, *options: Any) -> Any:
    _check_decoding(options[1], options[2])
    checked = check(data, settings.policy, settings.limits, persistent_load is not None)
    return checked.load(find_class, persistent_load, *options)


def _load(file, *, fix_imports=True, encoding="ASCII", errors="strict", buffers=None):
    """pickle.load(), for what picklevm.install() or picklevm.restricted() allows."""
    settings = _settings()
    if settings is None:
        return _ORIGINAL["load"](file, fix_imports=fix_imports, encoding=encoding, errors=errors, buffers=buffers)
    data = _native.read_pickle(file, settings.limits.bytes)
    return _load_checked(settings, data, None, None, fix_imports, encoding, errors, buffers)


def _loads(data, /, *, fix_imports=True, encoding="ASCII", errors="strict", buffers=None):
    """pickle.loads(), for what picklevm.install() or picklevm.restricted() allows."""
    settings = _settings()
    if settings is None:
        return _ORIGINAL["loads"](data, fix_imports=fix_imports, encoding=encoding, errors=errors, buffers=buffers)
    return _load_checked(settings, data, None, None, fix_imports, encoding, errors, buffers)


class Unpickler(_native.Unpickler):
    """pickle.Unpickler, for what picklevm.install() or picklevm.restricted() allows where load() is called."""

    def __init__(self, file, *, fix_imports=True, encoding="ASCII", errors="strict", buffers=None):
        buffers = None if buffers is None else iter(buffers)
        super().__init__(file, fix_imports=fix_imports, encoding=encoding, errors=errors, buffers=buffers)
        self.__file = file
        self.__options = fix_imports, encoding, errors, buffers
        self.__loading = None

    def load(self):
        """Load the next pickle of the file, if it does nothing but what is allowed."""
        settings = _settings()
        if settings is None:
            return super().load()
        persistent_load = getattr(self, "persistent_load", None)
        if persistent_load == getattr(self, "_no_persistent_load", None):
            persistent_load = None
        find_class = self.find_class
        if getattr(find_class, "__func__", None) is Unpickler.find_class:
            find_class = None
        data = _native.read_pickle(self.__file, settings.limits.bytes)
        _check_decoding(self.__options[1], self.__options[2])
        # In its legacy checkpoints persistent ids name classes.
        is_torch = getattr(persistent_load, "__module__", None) == "torch.serialization"
        checked = check(data, settings.policy, settings.limits, persistent_load is not None, is_torch)
        outer, self.__loading = self.__loading, (settings.policy, checked.protocol)
        try:
            return checked.load(find_class, persistent_load, *self.__options)
        finally:
            self.__loading = outer

    def find_class(self, module_name, global_name, /):
        """Import the module and return the attribute with this name, if it is allowed."""
        settings = _settings()
        if self.__loading is not None:
            allowed, protocol = self.__loading
            return allowed.find_class(module_name, global_name, protocol, self.__options[0])
        if settings is not None:
            return settings.policy.find_class(module_name, global_name, 4, self.__options[0])
        return super().find_class(module_name, global_name)


def _load_in_python(self):
    """pickle._Unpickler.load(), for what picklevm.install() or picklevm.restricted() allows."""
    settings = _settings()
    if settings is None or not hasattr(self, "_file_read"):
        return _ORIGINAL["load in Python"](self)
    _check_decoding(self.encoding, self.errors)
    limits = settings.limits
    if type(self).__module__.partition(".")[0] == "joblib":
        # joblib reads the memory of arrays from the file itself, between the opcodes.
        file = self._file_read.__self__
        start = file.tell()
        data = _read_all(file, limits.bytes)
        file.seek(start)
        _native.check_joblib(data, settings.policy, limits.bytes, limits.depth, limits.time)
        return _ORIGINAL["load in Python"](self)
    persistent = type(self).persistent_load is not pickle._Unpickler.persistent_load or "persistent_load" in vars(self)
    read, readline = self._file_read, self._file_readline
    data = _native.read_pickle(_Methods(read, readline), limits.bytes)
    check(data, settings.policy, limits, persistent)
    checked = io.BytesIO(data)
    self._file_read, self._file_readline = checked.read, checked.readline
    try:
        return _ORIGINAL["load in Python"](self)
    finally:
        self._file_read, self._file_readline = read, readline


def _read_all(file: Any, most: int) -> bytes:
    """Read a file to its end, or a little more than most bytes. A file may make room for as many as it is asked for."""
    parts, left = [], most + 1
    while left > 0:
        part = file.read(min(left, 1 << 20))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class _Methods(NamedTuple):
    """The methods of a file."""

    read: Any
    readline: Any


def _find_class_in_python(self, module, name):
    """pickle._Unpickler.find_class(), for what picklevm.install() or picklevm.restricted() allows."""
    settings = _settings()
    if settings is None:
        return _ORIGINAL["find_class in Python"](self, module, name)
    return settings.policy.find_class(module, name, self.proto, self.fix_imports)


#: What is replaced. None of it is a name of this module, where it would be replaced as well.
_ORIGINAL = {
    "load": _pickle.load,
    "loads": _pickle.loads,
    "Unpickler": _pickle.Unpickler,
    "load in Python": pickle._Unpickler.load,
    "find_class in Python": pickle._Unpickler.find_class,
}
_REPLACEMENTS = {"load": _load, "loads": _loads, "Unpickler": Unpickler}
_load.__name__ = _load.__qualname__ = "load"
_loads.__name__ = _loads.__qualname__ = "loads"


def _replace(namespace: Any, name: str, value: Any) -> None:
    _replaced.append((namespace, name, vars(namespace)[name]))
    setattr(namespace, name, value)


def _patch() -> None:
    """Replace the functions wherever a module holds them."""
    by_id = {id(_ORIGINAL[name]): value for name, value in _REPLACEMENTS.items()}
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or module.__name__.partition(".")[0] == "picklevm":
            continue
        for name, value in list(vars(module).items()):
            replacement = by_id.get(id(value))
            if replacement is not None:
                _replace(module, name, replacement)
    _replace(pickle._Unpickler, "load", _load_in_python)
    _replace(pickle._Unpickler, "find_class", _find_class_in_python)
    reduction = sys.modules.get("multiprocessing.reduction")
    if reduction is not None and vars(reduction.ForkingPickler).get("loads") is _ORIGINAL["loads"]:
        _replace(reduction.ForkingPickler, "loads", staticmethod(_loads))


def _unpatch() -> None:
    while _replaced:
        namespace, name, original = _replaced.pop()
        setattr(namespace, name, original)


def _enter() -> None:
    global _users
    with _lock:
        if _users == 0:
            _patch()
        _users += 1


def _leave() -> None:
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            _unpatch()


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event != "pickle.find_class":
        return
    settings = _settings()
    if settings is None:
        return
    # A loader that was not replaced: its arguments and states are not checked, only names can be.
    names = [args]
    if args in _compat_pickle.NAME_MAPPING:
        names.append(_compat_pickle.NAME_MAPPING[args])
    elif args[0] in _compat_pickle.IMPORT_MAPPING:
        names.append((_compat_pickle.IMPORT_MAPPING[args[0]], args[1]))
    if not any(settings.policy.allows_alone(module, name) for module, name in names):
        raise NotAllowedError(f"{args[0]}.{args[1]} is not allowed to a loader that picklevm could not replace")


def _watch(audit: bool) -> None:
    global _is_audited
    with _lock:
        if audit and not _is_audited:
            sys.addaudithook(_audit)
            _is_audited = True


def install(
    *, allow: Iterable[Any] | str = (), limits: Limits = DEFAULT_LIMITS, audit: bool = True
) -> None:
    """Make pickle.load(), pickle.loads() and pickle.Unpickler load only what is allowed, in the whole program.

    The arguments allow and limits are those of loads(). A second call replaces what the first one allowed. What a module got by
    "from pickle import loads" is replaced too, and subclasses of pickle._Unpickler, such as joblib's, are checked. With
    audit, an audit hook refuses names to loaders that could not be replaced (subclasses of the C class that were made
    before, references in C); it stays in the process, and does nothing after uninstall().
    """
    global _program
    settings = _Settings(policy(allow), limits)
    _watch(audit)
    with _lock:
        if _program is None:
            _enter()
        _program = settings


def uninstall() -> None:
    """Undo install(). Without one, do nothing."""
    global _program
    with _lock:
        if _program is not None:
            _program = None
            _leave()


@contextmanager
def restricted(
    *, allow: Iterable[Any] | str = (), limits: Limits = DEFAULT_LIMITS, audit: bool = True
) -> Iterator[None]:
    """A block in which pickle.load(), pickle.loads() and pickle.Unpickler load only what is allowed.

        with picklevm.restricted(allow=["numpy"]):
            frame = joblib.load(path)

    The arguments are those of install(). It holds for the thread and the asyncio task that enter the block, and not for threads
    that are started in it: those need install().
    """
    settings = _Settings(policy(allow), limits)
    _watch(audit)
    _enter()
    token = _block.set(settings)
    try:
        yield
    finally:
        _block.reset(token)
        _leave()
