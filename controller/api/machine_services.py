"""What the HTTP side asks of the machines' room; and nothing where there is none."""

from collections.abc import Sequence
from typing import Protocol

from controller.trust.machine_standing import Cut, CutState, Standing, Word
from controller.trust.papers import MachineError, Papers
from controller.trust.registry import Machine
from tenone.trust.enrolment import Renewal, Token
from tenone.trust.names import MachineName
from tenone.vocabulary.scope import ScopePath

NONE = "This controller enrols no machines."


class Machines(Protocol):
    """Enrolment, renewal, revocation. Whoever calls has looked at scope and role.

    Everything raises MachineError; what acts raises LedgerError, CaError and StoreError too.
    """

    def machines(self) -> Sequence[Machine]:
        """All that are or were enrolled, or invited."""
        ...

    def standing(self) -> Standing:
        """Authorities, revocation list, what was refused in the last day."""
        ...

    def word(self, machine: Machine) -> Word | None:
        """What its gateway says is wrong with its certificate; None: nothing, or not heard."""
        ...

    def scope_of(self, text: str) -> tuple[MachineName, ScopePath]:
        """A machine's name, checked, and where it belongs."""
        ...

    async def token(self, text: str, *, by: str, seconds: int) -> tuple[Token, int]:
        """A one-time token, and when it ends, in seconds of the epoch."""
        ...

    async def revoke(self, text: str, *, why: str, by: str) -> Machine:
        """Revoke all of a machine's certificates and tokens."""
        ...

    async def enrol(self, *, token: str | None, csr: str, client: str) -> Papers:
        """A first certificate."""
        ...

    async def renew(self, *, renewal: Renewal, signature: str, client: str) -> Papers:
        """The next certificate."""
        ...

    async def bundle(self) -> bytes:
        """The roots to trust, PEM; with the issuing authority first where it is no root."""
        ...

    def crl(self, authority: str | None) -> bytes | None:
        """A list of revoked certificates, DER; None: the issuing authority's."""
        ...


class NoMachines:
    """A controller without them."""

    def machines(self) -> Sequence[Machine]:
        """See :class:`Machines`."""
        return ()

    def standing(self) -> Standing:
        """See :class:`Machines`."""
        return Standing()

    def word(self, machine: Machine) -> Word | None:  # noqa: ARG002 - see the protocol
        """See :class:`Machines`."""
        return None

    def scope_of(self, text: str) -> tuple[MachineName, ScopePath]:
        """See :class:`Machines`."""
        raise MachineError(404, "none", f"{NONE} ({text[:64]!a})")

    async def token(self, text: str, *, by: str, seconds: int) -> tuple[Token, int]:  # noqa: ARG002 - see the protocol
        """See :class:`Machines`."""
        raise MachineError(404, "none", NONE)

    async def revoke(self, text: str, *, why: str, by: str) -> Machine:  # noqa: ARG002 - see the protocol
        """See :class:`Machines`."""
        raise MachineError(404, "none", NONE)

    async def enrol(self, *, token: str | None, csr: str, client: str) -> Papers:  # noqa: ARG002 - see the protocol
        """See :class:`Machines`."""
        raise MachineError(404, "none", NONE)

    async def renew(self, *, renewal: Renewal, signature: str, client: str) -> Papers:  # noqa: ARG002 - see the protocol
        """See :class:`Machines`."""
        raise MachineError(404, "none", NONE)

    async def bundle(self) -> bytes:
        """See :class:`Machines`."""
        raise MachineError(404, "none", NONE)

    def crl(self, authority: str | None) -> bytes | None:  # noqa: ARG002 - see the protocol
        """See :class:`Machines`."""
        return None


class MachineSessions(Protocol):
    """Who keeps the accounts of the broker that machines are connected to."""

    def cut_of(self, machine: Machine) -> Cut | None:
        """What is known of a revoked machine's session; None: it is not revoked."""
        ...


class NoMachineSessions:
    """Nobody does: whether a session goes on is not known here."""

    def cut_of(self, machine: Machine) -> Cut | None:
        """See :class:`MachineSessions`."""
        return None if machine.revoked_ns is None else Cut(state=CutState.UNKNOWN)
