"""Which machines count now: what brokers and approvals ask, answered from memory.

Whoever cuts live sessions (the broker's part) takes :class:`MachineWatch`: a revoked certificate
and an expired one do nothing to a session that stands (TRUST.md, fact 3).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from tenone.trust.names import MachineName
from tenone.vocabulary.scope import ScopePath


class MachineState(StrEnum):
    """How a machine stands."""

    INVITED = "invited"
    """There is or was a token; it never came."""
    ACTIVE = "active"
    EXPIRED = "expired"
    """Its certificate ended unrenewed: it must be enrolled again."""
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate of a machine."""

    serial: str
    """Hex."""
    authority: str
    key: str
    """SHA-256 of its public key, hex."""
    issued_ns: int
    not_before: int
    not_after: int
    """Seconds of the epoch, as in the certificate."""
    revoked_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine and its certificates, oldest first."""

    name: str
    scope: ScopePath
    certificates: tuple[Certificate, ...] = ()
    invited_ns: int = 0
    enrolled_ns: int | None = None
    revoked_ns: int | None = None
    why: str = ""

    @property
    def newest(self) -> Certificate | None:
        """Its newest certificate."""
        return self.certificates[-1] if self.certificates else None

    @property
    def valid_until(self) -> int | None:
        """Until when one of its certificates counts; None: none does, whatever the time."""
        if self.revoked_ns is not None:
            return None
        return max((one.not_after for one in self.certificates if not one.revoked_ns), default=None)

    def state(self, now: float) -> MachineState:
        """How it stands at ``now``, seconds of the epoch."""
        if self.revoked_ns is not None:
            return MachineState.REVOKED
        until = self.valid_until
        if until is not None and until > now:
            return MachineState.ACTIVE
        return MachineState.INVITED if self.enrolled_ns is None else MachineState.EXPIRED

    @property
    def parsed(self) -> MachineName:
        """Its name in parts."""
        return MachineName.parse(self.name)


Listener = Callable[[Machine], None]
"""Told on the event loop's thread; must be quick and must not raise."""


class MachineWatch(Protocol):
    """What the keeper of a broker's sessions needs to know."""

    def machines(self) -> Sequence[Machine]:
        """All of them."""
        ...

    def valid_until(self, machine: str) -> int | None:
        """Until when (seconds of the epoch) ``agent:no3`` may be connected; None: not at all."""
        ...

    def on_revoked(self, listener: Listener) -> None:
        """Hear of every revocation, after it is durable."""
        ...

    def on_changed(self, listener: Listener) -> None:
        """Hear of every enrolment and renewal, before its answer leaves."""
        ...


class Registry:
    """See :class:`MachineWatch`."""

    def __init__(self, scope_of: Callable[[MachineName], ScopePath | None] | None = None) -> None:
        """``scope_of``: where a machine belongs today; the records say where it did when invited.

        Without it, or where it knows nothing, what the records say stands.
        """
        self._scope_of = scope_of
        self._machines: dict[str, Machine] = {}
        self._revoked: list[Listener] = []
        self._changed: list[Listener] = []

    def restore(self, machines: Iterable[Machine]) -> None:
        """Begin with what the records hold; nobody is told."""
        self._machines = {one.name: self._placed(one) for one in machines}

    def find(self, name: str) -> Machine | None:
        """One machine."""
        return self._machines.get(name)

    def machines(self) -> Sequence[Machine]:
        """See the protocol."""
        return list(self._machines.values())

    def valid_until(self, machine: str) -> int | None:
        """See the protocol."""
        found = self._machines.get(machine)
        return None if found is None else found.valid_until

    def on_revoked(self, listener: Listener) -> None:
        """See the protocol."""
        self._revoked.append(listener)

    def on_changed(self, listener: Listener) -> None:
        """See the protocol."""
        self._changed.append(listener)

    def put(self, machine: Machine) -> None:
        """Take in how a machine stands now, and tell who listens."""
        machine = self._placed(machine)
        before = self._machines.get(machine.name)
        if before == machine:
            return
        self._machines[machine.name] = machine
        was_revoked = before is not None and before.revoked_ns is not None
        if machine.revoked_ns is not None and not was_revoked:
            for listener in self._revoked:
                listener(machine)
        elif machine.revoked_ns is None:
            for listener in self._changed:
                listener(machine)

    def issued(self, name: str, scope: ScopePath, one: Certificate, *, renewed: bool) -> Machine:
        """A certificate was issued to a machine; returns how it stands."""
        found = self._machines.get(name)
        if found is None:
            found = Machine(name=name, scope=scope, invited_ns=one.issued_ns)
        kept = tuple(each for each in found.certificates if each.not_after > one.not_before)
        if not renewed:
            found = replace(found, enrolled_ns=one.issued_ns, revoked_ns=None, why="")
            kept = tuple(
                replace(each, revoked_ns=each.revoked_ns or one.issued_ns) for each in kept
            )
        found = replace(found, certificates=(*kept, one))
        self.put(found)
        return self._machines[name]

    def _placed(self, machine: Machine) -> Machine:
        """A school that moved to another district has its machines kept by that district."""
        scope = None if self._scope_of is None else self._scope_of(machine.parsed)
        return machine if scope in {None, machine.scope} else replace(machine, scope=scope)
