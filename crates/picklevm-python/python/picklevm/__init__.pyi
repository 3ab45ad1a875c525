from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pickle import UnpicklingError
from typing import Any, Protocol

from typing_extensions import Buffer

from . import pickle as pickle

__version__: str
PRESETS: tuple[str, ...]

class _Readable(Protocol):
    def read(self, n: int, /) -> Any: ...
    def readline(self) -> Any: ...

_Allow = Iterable[str | type | Callable[..., Any]] | str
_PersistentLoad = Callable[[Any], Any] | None

class Limits:
    nodes: int
    bytes: int
    depth: int
    time: float | None
    def __init__(
        self, nodes: int = 20_000_000, bytes: int = 1 << 30, depth: int = 1000, time: float | None = 60.0
    ) -> None: ...

class NotAllowedError(UnpicklingError):
    name: str | None
    use: str | None
    offset: int | None
    allow: list[str]
    findings: list[tuple[int, str, str | None]]

class LimitError(UnpicklingError): ...

def loads(
    data: Buffer,
    /,
    *,
    allow: _Allow = (),
    limits: Limits = ...,
    persistent_load: _PersistentLoad = None,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any: ...
def load(
    file: _Readable,
    *,
    allow: _Allow = (),
    limits: Limits = ...,
    persistent_load: _PersistentLoad = None,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any: ...

class SafeUnpickler:
    persistent_load: Callable[[Any], Any]
    def __init__(
        self,
        file: _Readable,
        *,
        allow: _Allow = (),
        limits: Limits = ...,
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: Iterable[Any] | None = None,
    ) -> None: ...
    def load(self) -> Any: ...
    def find_class(self, module_name: str, global_name: str, /) -> Any: ...

def install(*, allow: _Allow = (), limits: Limits = ..., audit: bool = True) -> None: ...
def uninstall() -> None: ...
def restricted(*, allow: _Allow = (), limits: Limits = ...) -> AbstractContextManager[None]: ...
