"""What switches a fleet shall have, and the file that says so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from firmware_sims import control
from firmware_sims.switch.model import Neighbour
from firmware_sims.switch.vendors import Vendor
from firmware_sims.ups import unit
from firmware_sims.ups.unit import KIND, UpsPlan

MOST_SOCKETS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One switch to be made."""

    name: str
    vendor: Vendor
    ports: int = 24
    """1G sockets."""
    uplinks: int = 2
    """10G sockets."""
    virtual: bool = True
    community: str = "public"
    location: str = ""
    set: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Port name -> what is changed at the start, as in a control line."""
    neighbours: tuple[Neighbour, ...] = ()
    traps: str = ""
    """``host:port`` that its traps go to."""
    syslog: str = ""
    console: str = ""
    """The dialect its console speaks, where the fleet has consoles; empty: as the fleet says."""
    vlans: tuple[int, ...] = ()
    """Beside VLAN 1; empty: those a simulated switch is delivered with."""
    wire: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Port name -> cable and partner at the start, as in a control line."""


def alike(
    *,
    count: int,
    vendors: Sequence[Vendor],
    ports: int,
    uplinks: int,
    virtual: bool,
    community: str,
) -> list[Plan]:
    """``count`` switches called sw1, sw2, ..., of ``vendors`` in turn."""
    return [
        Plan(
            name=f"sw{number + 1}",
            vendor=vendors[number % len(vendors)],
            ports=ports,
            uplinks=uplinks,
            virtual=virtual,
            community=community,
        )
        for number in range(count)
    ]


def write(plans: Sequence[Plan], others: Sequence[Mapping[str, object]] = ()) -> str:
    """``plans`` as the text :func:`read` takes; ``others``: entries of other kinds after them."""
    return json.dumps(
        [
            *(
                {
                    **asdict(plan),
                    "neighbours": [{**asdict(n), "mac": n.mac.hex()} for n in plan.neighbours],
                }
                for plan in plans
            ),
            *others,
        ],
        ensure_ascii=False,
    )


def read(path: Path) -> list[Plan | UpsPlan]:
    """What a fleet file lists; raises ValueError naming the file and the place, or OSError."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [_entry(number, entry) for number, entry in enumerate(_list(entries), start=1)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _entry(number: int, entry: object) -> Plan | UpsPlan:
    if not isinstance(entry, dict) or "kind" not in entry:
        return _plan(number, entry)
    if entry["kind"] != KIND:
        raise ValueError(
            f"entry {number}: no kind is called {entry['kind']!r}: leave it out for a switch, or "
            f"write {KIND}"
        )
    try:
        return unit.read(entry)
    except ValueError as error:
        raise ValueError(f"ups {number}: {error}") from None


_DEFAULTS: Mapping[str, object] = {
    "ports": 24,
    "uplinks": 2,
    "virtual": True,
    "community": "public",
    "location": "",
    "traps": "",
    "syslog": "",
    "console": "",
}
_MOST_VLAN = 4094


def vendor(name: str) -> Vendor:
    """The make called ``name``; raises ValueError listing the makes."""
    if name not in list(Vendor):
        raise ValueError(f"no vendor is called {name!r}: use one of {', '.join(Vendor)}")
    return Vendor(name)


def _plan(number: int, entry: object) -> Plan:
    where = f"switch {number}"
    given = control.mapping(entry, where)
    known = tuple(Plan.__dataclass_fields__)
    try:
        control.refuse_others(given, *known)
        whole = {**_DEFAULTS, **given}
        settings = control.mapping(given.get("set", {}), "set")
        wires = control.mapping(given.get("wire", {}), "wire")
        return Plan(
            name=control.text(given, "name"),
            vendor=vendor(control.text(given, "vendor")),
            ports=int(control.number(whole["ports"], "ports", 1, MOST_SOCKETS)),
            uplinks=int(control.number(whole["uplinks"], "uplinks", 0, MOST_SOCKETS)),
            virtual=control.flag(whole["virtual"], "virtual"),
            community=control.text(whole, "community"),
            location=control.text(whole, "location"),
            traps=control.text(whole, "traps"),
            syslog=control.text(whole, "syslog"),
            console=control.text(whole, "console"),
            vlans=tuple(
                int(control.number(vlan, "vlans", 1, _MOST_VLAN))
                for vlan in _list(given.get("vlans", []))
            ),
            wire={port: control.mapping(changes, port) for port, changes in wires.items()},
            set={port: control.mapping(changes, port) for port, changes in settings.items()},
            neighbours=tuple(_neighbour(heard) for heard in _list(given.get("neighbours", []))),
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _neighbour(entry: object) -> Neighbour:
    given = control.mapping(entry, "a neighbour")
    return Neighbour(
        port=control.text(given, "port"),
        name=control.text(given, "name"),
        remote_port=control.text(given, "remote_port"),
        mac=bytes.fromhex(control.text(given, "mac")),
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise control.CommandError(f"a list belongs here, not {str(value)[:60]!r}")
    return value
