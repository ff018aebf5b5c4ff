"""What a switch says of its ports right now, for whoever has changed one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeVar

from agents.ports import Sweep
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

T = TypeVar("T", bound=IntEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSeen:
    """One port in one sweep; None where the switch did not say."""

    admin: AdminStatus | None = None
    oper: OperStatus | None = None
    speed_mbps: int | None = None
    duplex: Duplex | None = None

    @property
    def up(self) -> bool:
        """Whether frames pass."""
        return self.oper is OperStatus.UP

    def __str__(self) -> str:
        """Like ``up, 1000 Mb/s, full``."""
        words = ["nobody knows" if self.oper is None else self.oper.label]
        if self.up and self.speed_mbps:
            words.append(f"{self.speed_mbps} Mb/s")
        if self.up and self.duplex is not None and self.duplex.label is not None:
            words.append(self.duplex.label)
        if self.admin is AdminStatus.DOWN:
            words.append("shut")
        return ", ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One sweep that was asked for after the look was ordered, never a kept one."""

    asked_ns: int
    """Monotonic time of its first request."""
    ports: Mapping[str, PortSeen]
    """By port key; only those that the switch still had."""


class LookError(Exception):
    """A switch that does not answer or is not known; one sentence."""


class Eyes(Protocol):
    """Who can look (:class:`agents.poller.Poller`)."""

    async def look(self, switch: str) -> Look:
        """Sweep it now; raises :class:`LookError`."""
        ...

    def reported(self, switch: str) -> frozenset[str] | None:
        """The ports of its last inventory sweep; None before the first."""
        ...

    def means(self, switch: str, text: str) -> str | None:
        """The port key that a text in school.yaml means there; None: none, or more than one."""
        ...

    def identity(self, switch: str) -> str:
        """Who it said it was then: name and kind, one line."""
        ...

    def own_ports(self, switch: str) -> frozenset[str]:
        """Ports behind which the switch has seen this gateway, as far as is known."""
        ...


def look_of(sweep: Sweep) -> Look:
    """The sweep of ``PORT_STATE`` as a look."""
    columns = {column.metric.name: list(column) for column in sweep.columns}
    nothing = [None] * len(sweep.rows)
    admins, opers, speeds, duplexes = (
        columns.get(name, nothing) for name in ("admin", "oper", "speed_mbps", "duplex")
    )
    return Look(
        asked_ns=sweep.sent_ns,
        ports={
            row: PortSeen(
                admin=_code(AdminStatus, admin),
                oper=_code(OperStatus, oper),
                speed_mbps=speed if isinstance(speed, int) and speed > 0 else None,
                duplex=_code(Duplex, duplex),
            )
            for row, admin, oper, speed, duplex in zip(
                sweep.rows, admins, opers, speeds, duplexes, strict=True
            )
            if oper is not None
        },
    )


def names_of(inventory: Sweep) -> dict[str, str]:
    """Every name, description or alias that is one port's alone -> its key."""
    meant: dict[str, set[str]] = {}
    for column in inventory.columns:
        if column.metric.name in {"if_name", "if_descr", "if_alias"}:
            for row, text in zip(inventory.rows, column, strict=True):
                if isinstance(text, str) and text:
                    meant.setdefault(text, set()).add(row)
    return {text: keys.pop() for text, keys in meant.items() if len(keys) == 1}


def _code(kind: type[T], value: object) -> T | None:
    return next((one for one in kind if one == value), None)
