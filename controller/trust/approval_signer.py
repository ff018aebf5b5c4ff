"""The city's approval keys: one file, its current Ed25519 key and the next one.

The file is readable for the controller alone. Rotation makes the next key current and a fresh one
next; schools hear of it by a key set that the old key signs (:mod:`tenone.trust.approval_keys`),
which is kept here until the rotation after it.
"""

import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenone.blocks.seal import key_id
from tenone.trust.approval import LIFE_MS, Approval, Risk, SignedApproval
from tenone.trust.approval_keys import KeySet, SignedKeySet
from tenone.trust.files import KeyFileError, read_private, write_whole

FILE_NAME = "approval-keys.json"


class ApprovalSigner:
    """Makes the keys where there are none. Raises :class:`tenone.trust.files.KeyFileError`."""

    def __init__(self, folder: Path, city: str) -> None:
        self._path = folder / FILE_NAME
        self._city = city
        self._announced: SignedKeySet | None = None
        if self._path.exists():
            self._read()
        else:
            self._number = 1
            self._current = Ed25519PrivateKey.generate()
            self._next = Ed25519PrivateKey.generate()
            self._write()

    @property
    def keys(self) -> KeySet:
        """What a school pins when it is enrolled."""
        return KeySet(
            city=self._city,
            number=self._number,
            current=_public(self._current),
            next=_public(self._next),
        )

    @property
    def announcement(self) -> SignedKeySet | None:
        """The key set of the last rotation, for schools that have not heard of it."""
        return self._announced

    def rotate(self) -> SignedKeySet:
        """Change keys; returns what schools are to be told."""
        old = self._current
        self._current, self._next = self._next, Ed25519PrivateKey.generate()
        self._number += 1
        self._announced = SignedKeySet.sign(self.keys, old)
        self._write()
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
        """An approval that is good from now on; raises :class:`tenone.trust.approval.Refused`."""
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

    def _read(self) -> None:
        try:
            body = json.loads(read_private(self._path))
            self._number = int(body["number"])
            self._current = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(body["current"]))
            self._next = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(body["next"]))
            told = body["announced"]
            if told is not None:
                self._announced = SignedKeySet(
                    told["text"], told["by"], bytes.fromhex(told["signature"])
                )
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
        write_whole(self._path, json.dumps(body).encode())


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
