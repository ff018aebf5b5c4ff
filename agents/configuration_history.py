"""Every configuration a switch has had, in a git repository of this gateway's own.

``<folder>/history.git`` is bare; a branch a switch holds one file, ``<switch>.cfg``, whose secrets
are masked, and ``accepted/<switch>`` points to the one that was last found right: after a change
through TenOne, or when a person said so. The secrets stand in ``secrets-<switch>``, sealed
(:mod:`tenone.trust.envelope`), those of older versions too, so that each can be restored whole.
They are written first: a commit whose secrets are lost can not come to be.

git writes objects and references through to the disk (core.fsync), so what is told survives a power
cut. Nothing of the account's own git settings counts here. Methods block; they are for a thread.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.cli.care.masks import UnknownSecretError, mask, unmask
from tenone.config import School, SecretError
from tenone.config.own_files import own_files
from tenone.config.secret import vault_key
from tenone.journal.disk import Disk
from tenone.trust.envelope import EnvelopeError, KeyKey, Suite, seal, unseal
from tenone.trust.files import KeyFileError

REPOSITORY = "history.git"
WHO = "TenOne <tenone@localhost>"
GIT_SECONDS = 30.0
MOST_VERSIONS = 1000
_SUITE = Suite.AES
_SALT = b"tenone configurations"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class HistoryError(Exception):
    """A configuration cannot be kept or found; one sentence."""


@dataclass(frozen=True, slots=True)
class Version:
    """One configuration that was kept."""

    commit: str
    at: int
    """Seconds of the epoch."""
    why: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of keeping one."""

    hash: str
    """SHA-256 (hex) of the masked lines."""
    accepted: str
    """That of the accepted one."""
    before: tuple[str, ...]
    """The accepted lines, masked."""
    lines: tuple[str, ...]
    """The lines found, masked."""


def hash_of(lines: Sequence[str]) -> str:
    """Names a configuration, whose secrets are masked."""
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


class History:
    """See the module. Raises :class:`HistoryError` where git or the folder cannot be used."""

    def __init__(self, folder: Path, *, key: KeyKey, disk: Disk) -> None:
        self._folder = folder
        self._repository = folder / REPOSITORY
        self._disk = disk
        self._names_key = key.derive(_SUITE, "configuration masks", _SALT, 32)
        self._seal_key = _seal_key(key)
        try:
            disk.make_folder(folder)
            folder.chmod(0o700)
        except OSError as error:
            raise HistoryError(f"{folder}: {error.strerror}") from error
        if not (self._repository / "HEAD").exists():
            self._git("init", "--quiet", "--bare", str(self._repository), inside=False)

    def keep(
        self, switch: str, lines: Sequence[str], *, at: int, why: str, accept: bool = False
    ) -> Kept:
        """Keep what was found; the first one of a switch is accepted.

        The same again makes no new version. Raises :class:`HistoryError`.
        """
        hidden = mask(lines, self._names_key)
        self._keep_secrets(switch, hidden.secrets)
        newest = self._lines(f"refs/heads/{switch}", switch)
        if newest != hidden.lines:
            self._commit(switch, hidden.lines, at=at, why=why)
        accepted = self._lines(f"refs/accepted/{switch}", switch)
        if accept or accepted is None:
            self._accept(switch)
            accepted = hidden.lines
        return Kept(hash_of(hidden.lines), hash_of(accepted), accepted, hidden.lines)

    def accept(self, switch: str, found: str) -> None:
        """Say that the newest one is right, if it is the one called ``found`` (its hash)."""
        newest = self._lines(f"refs/heads/{switch}", switch)
        if newest is None or hash_of(newest) != found:
            raise HistoryError(f"{switch} was found changed again meanwhile: look at it anew")
        self._accept(switch)

    def versions(self, switch: str) -> list[Version]:
        """Newest first."""
        if self._rev(f"refs/heads/{switch}") is None:
            return []
        accepted = self._rev(f"refs/accepted/{switch}")
        said = self._git(
            "log",
            f"--max-count={MOST_VERSIONS}",
            "--format=%H%x00%ct%x00%s",
            f"refs/heads/{switch}",
        )
        found = (line.split("\0", 2) for line in said.splitlines())
        return [Version(commit, int(at), why, commit == accepted) for commit, at, why in found]

    def lines(self, switch: str, commit: str | None = None) -> tuple[str, ...]:
        """One version, its secrets masked; the newest where no ``commit`` is named."""
        if commit is not None and not _COMMIT.fullmatch(commit):
            raise HistoryError(f"{commit[:40]!r} names no version: see the list of versions")
        if (
            commit is not None
            and self._git_ok("merge-base", "--is-ancestor", commit, f"refs/heads/{switch}") is False
        ):
            raise HistoryError(f"{switch} has no version {commit}")
        found = self._lines(commit or f"refs/heads/{switch}", switch)
        if found is None:
            raise HistoryError(f"nothing has been kept of {switch} yet")
        return found

    def accepted(self, switch: str) -> tuple[str, ...]:
        """The one that was last found right, masked."""
        found = self._lines(f"refs/accepted/{switch}", switch)
        if found is None:
            raise HistoryError(f"nothing has been kept of {switch} yet")
        return found

    def restore(self, switch: str, commit: str | None = None) -> tuple[str, ...]:
        """One version whole, with its secrets: to be typed in or copied by a person."""
        try:
            return unmask(self.lines(switch, commit), self._secrets(switch))
        except UnknownSecretError as error:
            raise HistoryError(f"{switch}: {error}") from error

    def hidden(self, line: str) -> str:
        """One line as it may be shown."""
        return "\n".join(mask([line], self._names_key).lines)

    # -- git

    def _commit(self, switch: str, lines: Sequence[str], *, at: int, why: str) -> None:
        text = "".join(f"{line}\n" for line in lines)
        blob = self._git("hash-object", "-w", "--stdin", text=text).strip()
        entry = f"100644 blob {blob}\t{switch}.cfg\n"
        tree = self._git("mktree", text=entry).strip()
        parent = self._rev(f"refs/heads/{switch}")
        parents = () if parent is None else ("-p", parent)
        said = "".join(why.split("\0")).strip() or "found"
        commit = self._git("commit-tree", tree, *parents, text=said, at=at).strip()
        self._git("update-ref", f"refs/heads/{switch}", commit, parent or "")

    def _accept(self, switch: str) -> None:
        commit = self._rev(f"refs/heads/{switch}")
        if commit is not None:
            self._git("update-ref", f"refs/accepted/{switch}", commit)

    def _rev(self, name: str) -> str | None:
        said = self._git_ok("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return said.strip() if isinstance(said, str) else None

    def _lines(self, name: str, switch: str) -> tuple[str, ...] | None:
        if self._rev(name) is None:
            return None
        said = self._git("cat-file", "blob", f"{name}:{switch}.cfg")
        return tuple(said.removesuffix("\n").split("\n"))

    def _git_ok(self, *arguments: str) -> str | bool:
        """The answer; False where git says no."""
        try:
            return self._git(*arguments)
        except _SaidNoError:
            return False

    def _git(self, *arguments: str, text: str = "", at: int = 0, inside: bool = True) -> str:
        place = ("--git-dir", str(self._repository)) if inside else ()
        settings = ("-c", "core.fsync=committed,reference", "-c", "gc.auto=0")
        try:
            done = subprocess.run(  # noqa: S603 - no shell; every name is a slug of the school
                ("git", *settings, *place, *arguments),  # noqa: S607 - the gateway's own git
                input=text.encode("utf-8", "surrogateescape"),
                capture_output=True,
                check=False,
                timeout=GIT_SECONDS,
                env=_environment(self._folder, at),
            )
        except FileNotFoundError:
            raise HistoryError(
                "git is not installed, and the history of configurations is kept by it: "
                "install git on this gateway"
            ) from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HistoryError(f"git did not do it: {type(error).__name__}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise _SaidNoError(f"git {arguments[0]}: {said[-1] if said else done.returncode}")
        return done.stdout.decode("utf-8", "surrogateescape")

    # -- secrets

    def _file(self, switch: str) -> Path:
        return self._folder / f"secrets-{switch}"

    def _secrets(self, switch: str) -> dict[str, str]:
        file = self._file(switch)
        try:
            sealed = self._disk.read(file)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise HistoryError(f"{file}: {error.strerror}") from error
        try:
            opened = unseal(_SUITE, self._seal_key, sealed, switch.encode())
            known = json.loads(opened)
        except (EnvelopeError, ValueError) as error:
            raise HistoryError(f"{file}: it does not open: {error}") from error
        return {str(name): str(value) for name, value in known.items()}

    def _keep_secrets(self, switch: str, found: Mapping[str, str]) -> None:
        known = self._secrets(switch)
        if found.items() <= known.items():
            return
        text = json.dumps(known | dict(found), sort_keys=True).encode("utf-8", "surrogatepass")
        try:
            sealed = seal(_SUITE, self._seal_key, text, switch.encode())
            self._disk.replace(self._file(switch), sealed)
        except OSError as error:
            raise HistoryError(f"{self._file(switch)}: {error.strerror}") from error


class _SaidNoError(HistoryError):
    """git ended with an error."""


def _environment(folder: Path, at: int) -> dict[str, str]:
    name, _, address = WHO.partition(" <")
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", name),
            ("EMAIL", address.rstrip(">")),
            ("DATE", f"@{at} +0000"),
        )
    }
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C.UTF-8",
        **who,
    }


KEY_FILE = "configuration-key"
KEY_WHAT = "configurations"
FOLDER = "configurations"


def open_history(school: School, disk: Disk) -> History:
    """Of a school: below its outbox, under a key of its own beside it.

    Sealed where the gateway has a vault. Without one it is readable for this account alone: enough
    against a copied history, not against who takes the whole disk. Raises :class:`HistoryError`.
    """
    folder = school.outbox.path / FOLDER
    try:
        key = _own_key(school, school.outbox.path / KEY_FILE, folder)
    except (EnvelopeError, KeyFileError, SecretError) as error:
        raise HistoryError(f"the key of configurations: {error}") from error
    return History(folder, key=key, disk=disk)


def _own_key(school: School, file: Path, folder: Path) -> KeyKey:
    files = own_files(school.vault)
    found = None
    if file.exists():
        found = KeyKey.parse(files.read(file, KEY_WHAT).decode("ascii", "replace"))
    if found is not None and (school.vault is None or _opens(found, folder)):
        return found
    # Earlier the vault's own key did this, and another key for the vault ended it.
    before = None if school.vault is None else vault_key(school.vault.key)
    taken = before is not None and any(folder.glob("secrets-*")) and _opens(before, folder)
    key = before if taken and before is not None else found or KeyKey.fresh()
    files.write(file, KEY_WHAT, f"{key.text}\n".encode("ascii"))
    return key


def _opens(key: KeyKey, folder: Path) -> bool:
    """Whether it is the key of what is sealed in ``folder``; True where nothing is."""
    seal_key = _seal_key(key)
    for file in sorted(folder.glob("secrets-*")):
        try:
            unseal(_SUITE, seal_key, file.read_bytes(), file.name.removeprefix("secrets-").encode())
        except (EnvelopeError, OSError):
            return False
        return True
    return True


def _seal_key(key: KeyKey) -> bytes:
    return key.derive(_SUITE, "configuration secrets", _SALT, _SUITE.key_bytes)
