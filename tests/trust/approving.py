"""Approvals for tests: a key, a document, and what changes it."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenone.blocks.seal import key_id
from tenone.trust.approval import (
    LIFE_MS,
    Approval,
    Pins,
    Risk,
    SignedApproval,
    plan_hash,
    state_hash,
)

LINES = ("interface GE1/0/1", " speed auto", " negotiation auto")
STATE = {"GE1/0/1 speed": "100", "GE1/0/1 duplex": "full"}
NOW_MS = 1_790_000_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PINS = Pins(PUBLIC)


def approval(**changed: Any) -> Approval:
    """One that is good at :data:`NOW_MS` for the school no1 of the city c."""
    values: dict[str, Any] = {
        "key_id": key_id(PUBLIC),
        "city": "c",
        "school": "no1",
        "action": "a-1",
        "risk": Risk.ORDINARY,
        "intent": "port.renegotiate",
        "parameters": {"port": "GE1/0/1", "reason": "\u6162 \u2014 'slow' \"port\""},
        "plan": plan_hash(LINES),
        "state": state_hash(STATE),
        "requester": "account:li",
        "approvers": ("account:wang",),
        "issued_ms": NOW_MS,
        "expires_ms": NOW_MS + LIFE_MS,
        "nonce": "0123456789abcdef" * 2,
    }
    return Approval(**values | changed)


def signed(**changed: Any) -> SignedApproval:
    """The same, signed."""
    return SignedApproval.sign(approval(**changed), KEY)
