"""What a machine is handed when it is enrolled or renewed, and how it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass


class MachineError(Exception):
    """Refused; ``status`` is HTTP's, ``code`` for programs, the message for people."""

    def __init__(self, status: int, code: str, message: str, *, retry_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_seconds = retry_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What a machine gets."""

    machine: str
    chain: str
    """PEM: its certificate and those up to below the root."""
    bundle: str
    """PEM: the roots to trust."""
    crl: str
    """PEM."""
    renew_after: float
    not_after: int
    approval_keys: str | None = None
    """The canonical text of the city's approval keys."""

    def as_json(self) -> Mapping[str, object]:
        """The answer to enrolment and renewal."""
        return {
            "machine": self.machine,
            "certificate": self.chain,
            "ca": self.bundle,
            "crl": self.crl,
            "renew_after": self.renew_after,
            "not_after": self.not_after,
            "approval_keys": self.approval_keys,
        }
