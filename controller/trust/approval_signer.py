"""The city's approval keys: one file, its current Ed25519 key and the next one.

The file is readable for the controller alone, and sealed where the city has a vault. A command of
the shell may rotate beside a running controller, which reads the file anew. Rotation makes the
next key current and a fresh one next; schools hear of it by a key set that the old key signs
(:mod:`tenone.trust.approval_keys`), which is kept here until the rotation after it.
"""

import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenone.blocks.seal import key_id
from tenone.trust.approval import LIFE_MS, Approval, Risk, SignedApproval
from tenone.trust.approval_keys import KeySet, SignedKeySet
from tenone.trust.files import KeyFileError, locked
from tenone.trust.sealed_files import SealedFiles

FILE_NAME = "approval-keys.json"
WHAT = "approval keys"


class ApprovalSigner:
    """Makes the keys where there are none. Raises :class:`tenone.trust.files.KeyFileError`."""

    def __init__(self, folder: Path, city: str, files: SealedFiles | None = None) -> None:
        self._path = folder / FILE_NAME
        self._city = city
        self._files = files or SealedFiles()
        self._announced: SignedKeySet | None = None
        self._seen: tuple[int, int] = (0, 0)
        if not self._path.exists():
            self._number = 1
            self._current = Ed25519PrivateKey.generate()
            self._next = Ed25519PrivateKey.generate()
            self._write()
        self._read()

    @property
    def keys(self) -> KeySet:
        """What a school pins when it is enrolled. As it is on disk now; raises KeyFileError."""
        self._look()
        return self._keys

    @property
    def _keys(self) -> KeySet:
        return KeySet(
            city=self._city,
            number=self._number,
            current=_public(self._current),
            next=_public(self._next),
        )

    @property
    def announcement(self) -> SignedKeySet | None:
        """The key set of the last rotation, for schools that have not heard of it."""
        self._look()
        return self._announced

    def rotate(self) -> SignedKeySet:
        """Change keys; returns what schools are to be told. Raises KeyFileError."""
        with locked(self._path):
            self._read()
            old = self._current
            self._current, self._next = self._next, Ed25519PrivateKey.generate()
            self._number += 1
            self._announced = SignedKeySet.sign(self._keys, old)
            self._write()
            self._read()
        return self._announced

    def sign(
        self,
        *,
        school: str,
        action: str,
        risk: Risk,
        intent: str,
        parameters: dict[str, str],
        plan: bytes,
        state: bytes,
        requester: str,
        approvers: tuple[str, ...],
        now_ms: int,
    ) -> tuple[Approval, SignedApproval]:
        """An approval that is good from now on.

        Raises :class:`tenone.trust.approval.Refused` and KeyFileError.
        """
        self._look()
        approval = Approval(
            key_id=key_id(_public(self._current)),
            city=self._city,
            school=school,
            action=action,
            risk=risk,
            intent=intent,
            parameters=parameters,
            plan=plan,
            state=state,
            requester=requester,
            approvers=tuple(sorted(approvers)),
            issued_ms=now_ms,
            expires_ms=now_ms + LIFE_MS,
            nonce=secrets.token_hex(16),
        )
        return approval, SignedApproval.sign(approval, self._current)

    def _look(self) -> None:
        """Read what a command of the shell changed."""
        if self._stamp() != self._seen:
            self._read()

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeyFileError(
                f"{self._path} cannot be read ({error.strerror}): bring it back from a backup"
            ) from error
        return status.st_mtime_ns, status.st_ino

    def _read(self) -> None:
        try:
            seen = self._stamp()
            data = self._files.read(self._path, WHAT)
            while (now := self._stamp()) != seen:  # reading sealed it, or a command changed it
                seen, data = now, self._files.read(self._path, WHAT)
            body = json.loads(data)
            self._number = int(body["number"])
            self._current = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(body["current"]))
            self._next = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(body["next"]))
            told = body["announced"]
            self._announced = (
                None
                if told is None
                else SignedKeySet(told["text"], told["by"], bytes.fromhex(told["signature"]))
            )
            self._seen = seen
        except (ValueError, KeyError, TypeError) as error:
            raise KeyFileError(
                f"{self._path} holds no approval keys: bring it back from a backup, or remove it "
                "and enrol every school anew"
            ) from error

    def _write(self) -> None:
        told = self._announced
        body = {
            "number": self._number,
            "current": self._current.private_bytes_raw().hex(),
            "next": self._next.private_bytes_raw().hex(),
            "announced": None
            if told is None
            else {"text": told.text, "by": told.by, "signature": told.signature.hex()},
        }
        self._files.write(self._path, WHAT, json.dumps(body).encode())


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
