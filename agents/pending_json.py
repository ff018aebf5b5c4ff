"""Changes, settings and what was seen of a port, to JSON and back. No I/O.

Reading raises KeyError, TypeError or ValueError for what was not written here.
"""

from collections.abc import Mapping
from typing import Any

from agents.port_look import PortSeen
from drivers.cli.dialect import Ask, Change, Line, PortMode, PortSettings
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

GROUPS = ("prepare", "apply", "confirm", "undo", "keep")


def settings_json(settings: PortSettings) -> dict[str, Any]:
    """One port's settings."""
    return {
        "enabled": settings.enabled,
        "negotiation": settings.negotiation,
        "speed_mbps": settings.speed_mbps,
        "duplex": None if settings.duplex is None else int(settings.duplex),
        "mode": settings.mode.value,
        "access_vlan": settings.access_vlan,
        "poe": settings.poe,
        "trust": settings.trust,
        "other": list(settings.other),
    }


def settings_from(found: Any) -> PortSettings:
    """The opposite of :func:`settings_json`."""
    values: Mapping[str, Any] = found
    duplex = values["duplex"]
    return PortSettings(
        enabled=values["enabled"],
        negotiation=values["negotiation"],
        speed_mbps=values["speed_mbps"],
        duplex=None if duplex is None else Duplex(duplex),
        mode=PortMode(values["mode"]),
        access_vlan=values["access_vlan"],
        poe=values["poe"],
        trust=values["trust"],
        other=tuple(values["other"]),
    )


def change_json(change: Change, measure: tuple[Line, ...]) -> dict[str, Any]:
    """A change, and the test that may follow it."""
    return {
        "intent": change.intent.value,
        "port": change.port,
        "before": None if change.before is None else settings_json(change.before),
        "after": None if change.after is None else settings_json(change.after),
        "revert_seconds": change.revert_seconds,
        **{group: [_line_json(one) for one in getattr(change, group)] for group in GROUPS},
        "measure": [_line_json(one) for one in measure],
    }


def change_from(found: Any) -> tuple[Change, tuple[Line, ...]]:
    """The opposite of :func:`change_json`."""
    values: Mapping[str, Any] = found
    before, after = values["before"], values["after"]
    change = Change(
        intent=Intent(values["intent"]),
        port=values["port"],
        before=None if before is None else settings_from(before),
        after=None if after is None else settings_from(after),
        revert_seconds=values["revert_seconds"],
        **{group: tuple(map(_line_from, values[group])) for group in GROUPS},
    )
    return change, tuple(map(_line_from, values["measure"]))


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "text": line.text,
        "asks": [[ask.pattern, ask.answer] for ask in line.asks],
        "seconds": line.seconds,
        "optional": line.optional,
        "pause": line.pause,
    }


def _line_from(found: Mapping[str, Any]) -> Line:
    asks = tuple(Ask(pattern, answer) for pattern, answer in found["asks"])
    return Line(
        found["text"],
        asks,
        seconds=found["seconds"],
        optional=found["optional"],
        pause=found["pause"],
    )


def seen_json(seen: PortSeen) -> list[int | None]:
    """Admin, oper, speed, duplex."""
    return [seen.admin, seen.oper, seen.speed_mbps, seen.duplex]


def seen_from(found: Any) -> PortSeen:
    """The opposite of :func:`seen_json`."""
    admin, oper, speed, duplex = found
    return PortSeen(
        admin=None if admin is None else AdminStatus(admin),
        oper=None if oper is None else OperStatus(oper),
        speed_mbps=speed,
        duplex=None if duplex is None else Duplex(duplex),
    )
