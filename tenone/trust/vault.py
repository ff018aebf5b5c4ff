"""A vault: named secrets in versions, sealed at rest (docs/secrets.md).

Each value is sealed by a data key of its own, bound to its name, its number and the vault it is
in; the data keys are sealed by the key-encryption key, bound to the same. The whole file carries
a code made with the key. So a value put in another's place, one brought in from another vault,
and any changed byte are found. An older whole file is a good one to whoever has only the file:
its :attr:`Vault.generation` is lower, and who remembers the newest one knows
(:mod:`tenone.trust.vault_mark`).

The file is replaced whole, by :mod:`tenone.journal.disk`. Whoever changes a vault does it within
:func:`alone`.
"""

import fcntl
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenone.journal.disk import Disk, OsDisk
from tenone.trust import envelope, vault_file
from tenone.trust.envelope import EnvelopeError, KeyKey, Suite
from tenone.trust.masked import Secret
from tenone.trust.vault_file import Content, Kept, VaultError, Version

MAX_SECRET_BYTES = 65_536
ID_BYTES = 16

__all__ = ["Listed", "Vault", "VaultError", "Versions", "alone"]


@dataclass(frozen=True, slots=True)
class Versions:
    """What a secret is now, and what it shall be next. Numbers name versions."""

    name: str
    current: Secret
    current_number: int
    next: Secret | None = None
    next_number: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """What can be said of a secret without the key."""

    name: str
    current: int
    next: int
    """0: there is none."""
    made: int
    """When the current value was put in, seconds of the epoch."""


class Vault:
    """One opened vault. :meth:`open` and :meth:`create` make it."""

    def __init__(self, path: Path, content: Content, key: KeyKey, disk: Disk) -> None:
        self.path = path
        self._content = content
        self._key = key
        self._disk = disk

    # -- opening -----------------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: Path, key: KeyKey, *, suite: Suite = Suite.AES, disk: Disk | None = None
    ) -> "Vault":
        """Write an empty vault; raises :class:`VaultError` where a file is there already."""
        if path.exists():
            raise VaultError(f"there is a file {path} already: remove it, or use that vault")
        vault_id = os.urandom(ID_BYTES)
        content = Content(suite, vault_id, key.id(suite, vault_id), generation=1)
        vault = cls(path, content, key, disk or OsDisk())
        vault._write()
        return vault

    @classmethod
    def open(cls, path: Path, key: KeyKey, *, disk: Disk | None = None) -> "Vault":
        """Read a vault and check all of it but the sealed values; raises :class:`VaultError`."""
        disk = disk or OsDisk()
        content, body, code = _read(path, disk)
        if not hmac.compare_digest(key.id(content.suite, content.vault_id), content.key_id):
            raise VaultError(
                f"the vault {path} was sealed with another key (its key is "
                f"{content.key_id.hex()}): give the key that belongs to it"
            )
        if not hmac.compare_digest(key.mac(content.suite, content.vault_id, body), code):
            raise VaultError(
                f"the vault {path} was changed by somebody without its key: bring it back from a "
                "backup, and give the secrets in it new values"
            )
        return cls(path, content, key, disk)

    @staticmethod
    def listing(path: Path, *, disk: Disk | None = None) -> tuple[Listed, ...]:
        """What is in a vault, without its key; raises :class:`VaultError`."""
        content, _, _ = _read(path, disk or OsDisk())
        return tuple(
            Listed(name, kept.current, kept.next, kept.versions[kept.current].made)
            for name, kept in sorted(content.secrets.items())
        )

    @property
    def id(self) -> str:
        """Which vault it is, however often it is changed; hexadecimal."""
        return self._content.vault_id.hex()

    @property
    def generation(self) -> int:
        """How many changes it has seen; 0: made before they were counted."""
        return self._content.generation

    @property
    def suite(self) -> Suite:
        """What it is sealed by."""
        return self._content.suite

    # -- reading -----------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Whether there is a secret of this name."""
        return name in self._content.secrets

    def get(self, name: str) -> Secret:
        """The current value; raises :class:`VaultError`."""
        return self._unsealed(name, self._kept(name).current)

    def versions(self, name: str) -> Versions:
        """Current and next value; raises :class:`VaultError`."""
        kept = self._kept(name)
        following = self._unsealed(name, kept.next) if kept.next else None
        return Versions(name, self.get(name), kept.current, following, kept.next)

    def check(self) -> int:
        """Open every value; returns how many there are. Raises :class:`VaultError`."""
        numbers = [
            (name, number)
            for name, kept in self._content.secrets.items()
            for number in kept.versions
        ]
        for name, number in numbers:
            self._unsealed(name, number)
        return len(numbers)

    # -- changing ----------------------------------------------------------------------------

    def put(self, name: str, value: Secret, *, now: int, following: bool = False) -> int:
        """Keep a value: as the current one, or as the one that shall follow it.

        What was current (or next) before is gone from the file. Returns the version's number.
        ``now`` in seconds of the epoch. Raises :class:`VaultError`.
        """
        if not vault_file.NAME.fullmatch(name):
            raise VaultError(f"{name!r} is no name for a secret: {vault_file.NAME_RULE}")
        octets = value.use().encode()
        if not 0 < len(octets) <= MAX_SECRET_BYTES:
            raise VaultError(f"a secret is 1 to {MAX_SECRET_BYTES} bytes long")
        secrets = self._content.secrets
        if following and name not in secrets:
            raise VaultError(f"there is no secret {name!r} yet that another could follow")
        if name not in secrets and len(secrets) >= vault_file.MAX_SECRETS:
            raise VaultError(f"a vault holds at most {vault_file.MAX_SECRETS} secrets")
        old = secrets.get(name, Kept())
        number = old.newest + 1
        kept = Kept(old.current, old.next, number, dict(old.versions))
        if following:
            kept.versions.pop(kept.next, None)
            kept.next = number
        else:
            kept.versions.pop(kept.current, None)
            kept.current = number
        kept.versions[number] = self._sealed(name, number, octets, now)
        self._change(name, kept)
        return number

    def promote(self, name: str) -> int:
        """The next value becomes the current one; the old one is gone. Raises VaultError."""
        old = self._kept(name)
        if not old.next:
            raise VaultError(f"the secret {name!r} has no next value: give one with 'set --next'")
        kept = Kept(old.next, 0, old.newest, {old.next: old.versions[old.next]})
        self._change(name, kept)
        return kept.current

    def remove(self, name: str) -> None:
        """Take a secret out; raises :class:`VaultError`."""
        self._kept(name)
        self._change(name, None)

    def advance(self, past: int) -> None:
        """Count on from after generation ``past``; no secret is touched. Raises VaultError."""
        self._renew(self._content.secrets, max(past, self._content.generation) + 1)

    def rewrap(self, key: KeyKey) -> None:
        """Seal all data keys with another key-encryption key; no value is touched."""
        old = self._content
        number = old.generation + 1
        fresh = Content(old.suite, old.vault_id, key.id(old.suite, old.vault_id), generation=number)
        for name, kept in old.secrets.items():
            versions = {
                number: Version(
                    self._wrap(key, name, number, self._data_key(name, number)),
                    one.sealed,
                    one.made,
                )
                for number, one in kept.versions.items()
            }
            fresh.secrets[name] = Kept(kept.current, kept.next, kept.newest, versions)
        self._write(fresh, key)
        self._content, self._key = fresh, key

    # -- inside ------------------------------------------------------------------------------

    def _kept(self, name: str) -> Kept:
        kept = self._content.secrets.get(name)
        if kept is None:
            raise VaultError(
                f"the vault {self.path} has no secret {name!r}: add it with 'tenone secret set'"
            )
        return kept

    def _change(self, name: str, kept: Kept | None) -> None:
        old = self._content
        secrets = {**old.secrets}
        if kept is None:
            del secrets[name]
        else:
            secrets[name] = kept
        self._renew(secrets, old.generation + 1)

    def _renew(self, secrets: dict[str, Kept], generation: int) -> None:
        old = self._content
        fresh = Content(old.suite, old.vault_id, old.key_id, secrets, generation)
        self._write(fresh)
        self._content = fresh

    def _sealed(self, name: str, number: int, octets: bytes, now: int) -> Version:
        suite = self._content.suite
        key = envelope.data_key(suite)
        sealed = envelope.seal(suite, key, octets, self._bound("value", name, number))
        return Version(self._wrap(self._key, name, number, key), sealed, now)

    def _unsealed(self, name: str, number: int) -> Secret:
        one = self._content.secrets[name].versions[number]
        key = self._data_key(name, number)
        bound = self._bound("value", name, number)
        try:
            octets = envelope.unseal(self._content.suite, key, one.sealed, bound)
        except EnvelopeError as error:
            raise self._misplaced(name) from error
        return Secret(octets.decode())

    def _data_key(self, name: str, number: int) -> bytes:
        content = self._content
        bound = self._bound("key", name, number)
        wrapped = content.secrets[name].versions[number].wrapped
        try:
            return envelope.unseal(content.suite, self._wrapping(self._key), wrapped, bound)
        except EnvelopeError as error:
            raise self._misplaced(name) from error

    def _wrap(self, key: KeyKey, name: str, number: int, octets: bytes) -> bytes:
        bound = self._bound("key", name, number)
        return envelope.seal(self._content.suite, self._wrapping(key), octets, bound)

    def _wrapping(self, key: KeyKey) -> bytes:
        suite = self._content.suite
        return key.derive(suite, "data keys", self._content.vault_id, suite.key_bytes)

    def _bound(self, what: str, name: str, number: int) -> bytes:
        content = self._content
        said = f"{what}\0{content.suite}\0{name}\0{number}\0"
        return said.encode() + content.vault_id

    def _misplaced(self, name: str) -> VaultError:
        return VaultError(
            f"the secret {name!r} in the vault {self.path} does not open: it was changed, or put "
            "in another's place; give it a new value"
        )

    def _write(self, content: Content | None = None, key: KeyKey | None = None) -> None:
        content, key = content or self._content, key or self._key
        body = vault_file.encode(content)
        code = key.mac(content.suite, content.vault_id, body)
        if len(body) > vault_file.MAX_BYTES:
            raise VaultError(f"the vault would be larger than {vault_file.MAX_BYTES} bytes")
        try:
            self._disk.replace(self.path, vault_file.closed(body, code))
        except OSError as error:
            reason = error.strerror or error
            raise VaultError(f"the vault {self.path} cannot be written ({reason})") from error


def _read(path: Path, disk: Disk) -> tuple[Content, bytes, bytes]:
    try:
        data = disk.read_range(path, 0, vault_file.MAX_BYTES + 1_000)
    except OSError as error:
        raise VaultError(
            f"the vault {path} cannot be read ({error.strerror or error}): "
            "make one with 'tenone secret init'"
        ) from error
    try:
        return vault_file.opened(data)
    except VaultError as error:
        raise VaultError(f"the vault {path} cannot be opened: {error}") from None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold off others who would change the same vault; raises :class:`VaultError`."""
    try:
        fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = error.strerror or error
        raise VaultError(f"the vault {path} cannot be locked ({reason})") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
