"""Recorded devices against an oracle that is not ours: the five normalisations, the verdicts.

The oracle's conventions are those of its README; nothing here knows a device by name. A
difference is explained only by a finding of the closed list on that very port, which quotes
the object and its raw value.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.snmp.faults import AgentFault, Finding

FIELDS = (
    "if_index",
    "name",
    "descr",
    "alias",
    "admin",
    "oper",
    "speed_mbps",
    "duplex",
    "mtu",
    "in_octets",
    "out_octets",
    "in_errors",
    "out_errors",
)
_THEIRS = {
    "if_index": "ifIndex",
    "name": "ifName",
    "descr": "ifDescr",
    "alias": "ifAlias",
    "admin": "ifAdminStatus",
    "oper": "ifOperStatus",
    "speed_mbps": "speed_mbps",
    "duplex": "ifDuplex",
    "mtu": "ifMtu",
    "in_octets": "ifInOctets",
    "out_octets": "ifOutOctets",
    "in_errors": "ifInErrors",
    "out_errors": "ifOutErrors",
}
_DUPLEX = {"fullDuplex": "full", "halfDuplex": "half", "unknown": None, None: None}
_EXPLAINS = {
    "speed_mbps": frozenset(
        {
            AgentFault.SPEED_SATURATED,
            AgentFault.SPEED_WRAPPED,
            AgentFault.SPEED_IN_MBPS,
            AgentFault.HIGH_SPEED_IMPLAUSIBLE,
            AgentFault.HIGH_SPEED_ZERO,
            AgentFault.SPEEDS_DISAGREE,
            AgentFault.SPEED_BELOW_ONE_MBPS,
        }
    ),
    "duplex": frozenset({AgentFault.HALF_DUPLEX_AT_GIGABIT, AgentFault.DUPLEX_INVALID}),
    "admin": frozenset({AgentFault.ADMIN_INVALID}),
    "oper": frozenset({AgentFault.OPER_INVALID}),
}


def captures() -> Path:
    """The folder of recordings; tests that need it skip where it is not."""
    root = Path(__file__).parents[2]
    return Path(os.environ.get("TENONE_CAPTURES", root.parent / "shared" / "data")) / "snmp"


def devices() -> list[str]:
    """Names of the recorded devices, none where there are no recordings."""
    return sorted(path.stem.removesuffix(".truth") for path in captures().glob("*.truth.json"))


@dataclass
class Tally:
    """The result of one device."""

    ports: int = 0
    equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    evidence: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def line(self, name: str) -> str:
        codes = ", ".join(f"{code} {count}" for code, count in sorted(self.explained.items()))
        return (
            f"{name:28} {self.ports:5} ports {self.equal:6} equal "
            f"{sum(self.explained.values()):4} explained {len(self.wrong):4} wrong  {codes}"
        )


def compare(name: str, shown: Mapping[str, Any], findings: Mapping[str, list[Finding]]) -> Tally:
    """``shown`` is the JSON of ``tenone snmp show``; ``findings`` are by port key."""
    truth = json.loads((captures() / f"{name}.truth.json").read_text())
    columns = {column: place for place, column in enumerate(truth["port_columns"])}
    ours = {port["if_index"]: port for port in shown["ports"]}
    tally = Tally()
    for row in truth["ports"]:
        theirs = {mine: row[columns[his]] for mine, his in _THEIRS.items()}
        port = ours.get(theirs["if_index"])
        if port is None:
            tally.wrong.append(f"{name}: no port {theirs['if_index']}")
            continue
        tally.ports += 1
        for what in FIELDS:
            mine, his = _normal(what, port, theirs)
            if mine == his:
                tally.equal += 1
                continue
            found = [
                finding
                for finding in findings.get(str(port["if_index"]), [])
                if finding.fault in _EXPLAINS.get(what, ())
            ]
            if found:
                tally.explained[found[0].fault.code] += 1
                tally.evidence.setdefault(found[0].fault.code, found[0].evidence)
            else:
                tally.wrong.append(f"{name} port {port['if_index']} {what}: {mine!r} not {his!r}")
    return tally


def _normal(what: str, port: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[Any, Any]:
    mine, his = port[what], theirs[what]
    if what == "speed_mbps":
        return mine, his or None  # 1
    if what == "duplex":
        return mine, _DUPLEX.get(his, his)
    if what == "alias":
        fallback = {_letters(theirs["descr"]), _letters(theirs["name"])}
        if _letters(his) in fallback and not mine:
            return None, None  # 2: nobody has written one
    elif what == "name":
        mine = mine or port["descr"]  # 2
    elif what == "descr":
        mine = mine or port["name"]  # 2
    elif what.startswith(("in_", "out_")):
        return mine or 0, his or 0  # 4
    if isinstance(mine, str) or isinstance(his, str):
        return _letters(mine), _letters(his)  # 5
    return mine, his


def _letters(text: str | None) -> str:
    """Text line by line without blanks at its ends, what a print-out cannot show as dots."""
    shown = "".join(letter if letter.isprintable() else "\n" for letter in text or "")
    return ".".join(line.strip() for line in shown.split("\n")).strip(". ")
