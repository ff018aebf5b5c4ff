"""A secret in memory that does not print, format, pickle or serialise itself by accident.

Python has no memory that nobody else can read; what this stops is the leak that happens by
itself: a log line, an f-string, a dataclass's repr, a dump of an object. Whoever needs the text
says so with :meth:`Secret.use`, and that word can be searched for.
"""

import hmac
from typing import NoReturn, Self, SupportsIndex

MASK = "***"


class Secret:
    """A text that must not be shown."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, text: "str | Secret") -> "Secret":
        """``text`` itself where it is masked already."""
        return text if isinstance(text, Secret) else cls(text)

    def use(self) -> str:
        """The text, for the one place where it goes out to whom it is meant for."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is not pickled: hand the reference on, not what it stands for")


def bare(text: str | Secret) -> str:
    """The text of something that may be masked, for the place where it goes out."""
    return text.use() if isinstance(text, Secret) else text
