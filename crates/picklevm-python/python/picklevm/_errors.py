"""The exceptions of safe loading."""

from __future__ import annotations

from pickle import UnpicklingError

__all__ = ["LimitError", "NotAllowedError"]

_USES = {
    "imports": "import",
    "calls": "call",
    "constructs": "construct",
    "hands": "hand over",
    "makes": "state",
    "sets": "state",
    "puts": "items",
}


class NotAllowedError(UnpicklingError):
    """A pickle does what is not allowed. Nothing of it was run.

    name     what it is about, such as "os.system"; None if it is about no name
    use      what is done with it: "import", "call", "construct", "state", "items"; None if it is none of these
    offset   where in the pickle, in bytes; None if that is not known
    allow    what would have to be added to allow, a list; empty if nothing would help
    findings all of it: a list of (offset, what is done, name)
    """

    def __init__(self, message: str, rows: list[tuple[int, str, str | None, str | None]] = ()) -> None:
        self.findings = [(offset, what, name) for offset, what, name, _ in rows]
        self.allow: list[str] = []
        for _, _, name, preset in rows:
            entry = preset or name
            is_name = preset or all(part.isidentifier() for part in (entry or "").split("."))
            if entry and is_name and entry not in self.allow:
                self.allow.append(entry)
        self.offset, self.name, self.use = None, None, None
        if rows:
            self.offset, what, self.name, _ = rows[0]
            self.use = _USES.get(what.split(" ", 1)[0])
            message = self._describe()
        # What stands in a pickle does not write into logs as it likes.
        super().__init__("".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in message))

    def _describe(self) -> str:
        shown = [f"offset {offset}: {what}".replace("\n", "\\n") for offset, what, _ in self.findings[:5]]
        more = len(self.findings) - len(shown)
        if more:
            shown.append(f"and {more} more")
        text = shown[0] if len(shown) == 1 else "the pickle is refused:\n  " + "\n  ".join(shown)
        if self.allow:
            entries = ", ".join(f'"{entry}"' for entry in self.allow[:10])
            text += f"\nIf you trust the pickle to do this, add to allow: {entries}"
        return text

    def __reduce__(self):
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls, args, state):
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class LimitError(UnpicklingError):
    """A pickle takes more than a limit allows."""
