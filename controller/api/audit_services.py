"""What the HTTP side asks of the audit ledger's readers."""

from collections.abc import Sequence
from typing import Protocol

from controller.trust.audit_desk import Asked
from controller.trust.chain import Head, Row
from controller.trust.entries import LedgerError
from controller.trust.figures import AuditFigures


class Audit(Protocol):
    """The ledger, for those who may read it."""

    async def read(self, asked: Asked) -> Sequence[Row]:
        """Entries, newest first. Writes that it was read before it reads.

        Raises LedgerError, and :class:`controller.trust.audit_desk.TooOftenError`.
        """
        ...

    async def refused(self, actor: str) -> None:
        """Somebody without leave asked to read. The same errors."""
        ...

    def figures(self) -> AuditFigures | None:
        """For /metrics; None: there is no ledger."""
        ...

    def head(self) -> Head | None:
        """The newest entry's number and hash; None: there is none."""
        ...


class NoAudit:
    """There is no ledger here."""

    async def read(self, _asked: Asked) -> Sequence[Row]:
        """See :class:`Audit`."""
        raise LedgerError("this controller keeps no audit ledger")

    async def refused(self, _actor: str) -> None:
        """See :class:`Audit`."""

    def figures(self) -> AuditFigures | None:
        """See :class:`Audit`."""
        return None

    def head(self) -> Head | None:
        """See :class:`Audit`."""
        return None
