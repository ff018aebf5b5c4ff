"""Passwords: what is refused, and how one is kept (argon2id, RFC 9106).

The rules are those of NIST SP 800-63B-4 section 3.1.1.2: a length, a list of what is commonly used
or expected, no composition rules, no expiry.
"""

import re
import secrets
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

LEAST = 12
MOST = 256
"""Characters; what hashing costs must not be the typist's to choose."""
_TRIED_FIRST = (
    "password passwort passw0rd p@ssword p@ssw0rd pass qwerty qwertyuiop qwertyuiopasdf "
    "asdfghjkl zxcvbnm qazwsx qazwsxedc 1qaz2wsx 1qaz2wsx3edc zaq12wsx abc abcdef abcdefgh "
    "admin administrator root toor login welcome letmein iloveyou monkey dragon football "
    "baseball sunshine princess superman batman master shadow michael jordan trustno changeme "
    "changeit secret default system manager operator viewer approver maintainer teacher "
    "student school guest test testing user tenone network switch huawei cisco h3c ruijie "
    "zhongguo woaini woaiwo nihao beijing shanghai guangzhou shenzhen "
    "correcthorsebatterystaple "
)
COMMON = frozenset(_TRIED_FIRST.split())
"""Compared after digits and signs at both ends are gone."""
LONGEST_RUN = 4
"""A pattern of so few characters that repeats is no password."""

_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


class WeakPasswordError(ValueError):
    """A password that is not taken; one sentence for whoever chose it."""


def normal(password: str) -> str:
    """The same characters for the same keys, whatever the keyboard sent (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, *known: str) -> None:
    """Refuse what guessers try first; ``known``: words such as the account's name."""
    text = normal(password)
    if len(text) < LEAST:
        raise WeakPasswordError(f"A password has at least {LEAST} characters; a sentence is good.")
    if len(text) > MOST:
        raise WeakPasswordError(f"A password has at most {MOST} characters.")
    plain = text.casefold()
    bare = _EDGES.sub("", plain)
    if plain in COMMON or bare in COMMON or not bare or _is_pattern(plain):
        raise WeakPasswordError("This password is one of those that are tried first: use another.")
    for word in known:
        if len(word) >= LONGEST_RUN and word.casefold() in plain:
            raise WeakPasswordError("The password has the account's name in it: use another.")


def _is_pattern(text: str) -> bool:
    """``abababababab``, ``111111111111``, ``abcdefghijkl``."""
    for length in range(1, LONGEST_RUN + 1):
        if (text[:length] * (len(text) // length + 1))[: len(text)] == text:
            return True
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1


class Hashing:
    """argon2id: 64 MiB, 3 passes, 4 lanes; some 175 ms. Calls block; use a thread."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """``hasher``: a cheap one, in tests alone."""
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """What is kept."""
        return self._hasher.hash(normal(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the one; None (nobody has that name) costs the same time."""
        try:
            self._hasher.verify(kept or self._nobody, normal(password)[: MOST + 1])
        except (Argon2Error, InvalidHashError):
            return False
        return kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)
