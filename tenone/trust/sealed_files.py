"""Files of secrets that TenOne makes itself: sealed where there is a vault, else of mode 0600.

A sealed file is two lines of text::

    tenone-sealed 1
    {one JSON object: suite, wrapped, sealed}

The contents are sealed by a data key of their own, the data key by the key-encryption key that
the vault keeps for this (:mod:`tenone.config.own_files`); both are bound to what the file is, so
that one put in another's place does not open. Another key for the vault touches none of it.

A file that lay there in the clear is sealed when it is read first, in its own place, whole or not
at all. What its blocks on the disk held before is for whoever has the disk: such a key may be
given anew.
"""

import base64
import binascii
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenone.trust import envelope
from tenone.trust.envelope import EnvelopeError, KeyKey, Suite
from tenone.trust.files import KeyFileError, read_private, write_whole

log = logging.getLogger(__name__)

MAGIC = b"tenone-sealed 1\n"
USE = "own files"
_SALT = b"tenone own files"

Opening = Callable[[], tuple[Suite, KeyKey] | None]
"""The key-encryption key and what it seals by; None: nothing is sealed. Raises KeyFileError."""


def _none() -> None:
    return None


class SealedFiles:
    """Reads and writes them. ``opening`` is asked until it has a key; unsaid: no vault.

    ``what`` names a file's content in one or two words of ASCII, the same whenever it is read.
    Methods block and raise :class:`KeyFileError`.
    """

    def __init__(self, opening: Opening = _none) -> None:
        self._opening = opening
        self._key: tuple[Suite, KeyKey] | None = None

    def read(self, path: Path, what: str) -> bytes:
        """The contents; seals a file that is not sealed yet."""
        data = read_private(path)
        if is_sealed(data):
            return self._unsealed(path, what, data)
        if self._own_key() is not None:
            self.write(path, what, data)
            log.info("%s (%s) is sealed from now on", path, what)
        return data

    def write(self, path: Path, what: str, data: bytes) -> None:
        """Replace ``path``; after a power cut it holds the old contents or the new."""
        found = self._own_key()
        write_whole(path, data if found is None else _sealed(*found, what, data))

    @property
    def seals(self) -> bool:
        """Whether what is written is sealed; raises KeyFileError."""
        return self._own_key() is not None

    @contextmanager
    def opened(self, path: Path, what: str) -> Iterator[str]:
        """A path under which a library that takes only paths finds the contents, in memory."""
        data = self.read(path, what)
        try:
            fd = os.memfd_create("tenone", os.MFD_CLOEXEC)
        except OSError as error:
            raise KeyFileError(
                f"there is no memory to open {path} in ({error.strerror})"
            ) from error
        try:
            with os.fdopen(os.dup(fd), "wb") as file:
                file.write(data)
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)

    def _own_key(self) -> tuple[Suite, KeyKey] | None:
        if self._key is None:  # a command may have made one since: that there is none is not kept
            self._key = self._opening()
        return self._key

    def _unsealed(self, path: Path, what: str, data: bytes) -> bytes:
        found = self._own_key()
        if found is None:
            raise KeyFileError(
                f"{path} is sealed by a vault: name that vault in the configuration ('vault')"
            )
        try:
            return _opened(found[1], what, data)
        except EnvelopeError as error:
            raise KeyFileError(
                f"{path} does not open: it was sealed by another vault, changed, or put in "
                "another's place; bring it and the vault back from the same backup"
            ) from error


def is_sealed(data: bytes) -> bool:
    """Whether these are the bytes of a sealed file."""
    return data.startswith(MAGIC)


def _sealed(suite: Suite, key: KeyKey, what: str, data: bytes) -> bytes:
    data_key = envelope.data_key(suite)
    wrapped = envelope.seal(suite, _wrapping(suite, key), data_key, _bound("key", suite, what))
    document = {
        "sealed": base64.b64encode(
            envelope.seal(suite, data_key, data, _bound("value", suite, what))
        ).decode("ascii"),
        "suite": suite.value,
        "wrapped": base64.b64encode(wrapped).decode("ascii"),
    }
    return MAGIC + json.dumps(document, sort_keys=True).encode("ascii") + b"\n"


def _opened(key: KeyKey, what: str, data: bytes) -> bytes:
    try:
        document = json.loads(data.removeprefix(MAGIC))
        suite = Suite(document["suite"])
        wrapped, sealed = (
            base64.b64decode(document[name], validate=True) for name in ("wrapped", "sealed")
        )
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise EnvelopeError("it is not in this version's form") from None
    wrapping = _wrapping(suite, key)
    data_key = envelope.unseal(suite, wrapping, wrapped, _bound("key", suite, what))
    return envelope.unseal(suite, data_key, sealed, _bound("value", suite, what))


def _wrapping(suite: Suite, key: KeyKey) -> bytes:
    return key.derive(suite, USE, _SALT, suite.key_bytes)


def _bound(part: str, suite: Suite, what: str) -> bytes:
    return f"own file {part}\0{suite}\0{what}".encode("ascii")
