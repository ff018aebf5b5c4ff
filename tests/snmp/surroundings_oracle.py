"""Links, forwarding database and wireless of recorded devices against the oracle's expectation.

Verdicts as in :mod:`tests.snmp.oracle`: equal; explained by a code of the closed list below,
whose rule is checked on the very row; wrong. Nothing here knows a device by name.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.snmp.neighbour import Neighbour
from drivers.snmp.ports import Port
from drivers.snmp.stations import Station
from tests.snmp.oracle import captures


@dataclass
class Score:
    """Equal, explained by code, wrong."""

    equal: Counter[str] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    evidence: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Score") -> None:
        self.equal += other.equal
        self.explained += other.explained
        for code, said in other.evidence.items():
            self.evidence.setdefault(code, said)
        self.wrong += other.wrong

    def explain(self, code: str, evidence: str) -> None:
        self.explained[code] += 1
        self.evidence.setdefault(code, evidence)

    def line(self, name: str) -> str:
        fields = ", ".join(f"{what} {count}" for what, count in sorted(self.equal.items()))
        codes = ", ".join(f"{code} {count}" for code, count in sorted(self.explained.items()))
        return (
            f"{name:28} {sum(self.equal.values()):6} equal ({fields}) "
            f"{sum(self.explained.values()):4} explained {len(self.wrong):4} wrong  {codes}"
        )


def truth_of(name: str, what: str) -> list[Any]:
    truth = json.loads((captures() / f"{name}.truth.json").read_text())
    rows: list[Any] = truth.get(what, {"rows": []})["rows"]
    return rows


def letters(text: str | None) -> str:
    """Text without what a print-out changes: quotes around it, blanks, unprintables."""
    shown = "".join(one if one.isprintable() else " " for one in (text or "").strip('"'))
    return " ".join(shown.split())


def compare_links(name: str, neighbours: Iterable[Neighbour]) -> Score:
    """Every link the oracle has must be ours, with its remote port, platform and version."""
    score = Score()
    ours: dict[tuple[str, str], list[Neighbour]] = {}
    for one in neighbours:
        ours.setdefault((one.local_port, letters(one.remote_name)), []).append(one)
    for local, kind, host, port, platform, version in truth_of(name, "links"):
        what = f"{name} {local} {host}"
        fitting = [one for one in ours.get((local, letters(host)), ()) if one.protocol == kind]
        best = next((one for one in fitting if _port_is(one, port)), None)
        if best is None:
            score.wrong.append(f"{what}: remote port {port!r} not among {fitting}")
            continue
        score.equal.update(["local_port", "protocol", "remote_hostname", "remote_port"])
        if platform is not None:
            _same(score, f"{what} platform", "remote_platform", best.platform, platform)
        _same(score, f"{what} version", "remote_version", best.remote_descr, version)
    return score


def _same(score: Score, what: str, name: str, mine: str | None, his: str | None) -> None:
    if letters(mine) == letters(his):
        score.equal[name] += 1
    else:
        score.wrong.append(f"{what}: {mine!r} not {his!r}")


def _port_is(one: Neighbour, said: str) -> bool:
    """``port id (address)``: the address is the port's where its id is one, else the chassis'."""
    found = re.fullmatch(r"(.*) \(([0-9a-f]{12})\)", said)
    if found is None:
        return letters(one.port_id) == letters(said)
    port, address = found.groups()
    plain = (one.port_id or "").replace(":", "")
    written = port.replace(":", "").replace(" ", "").lower()
    if written == plain.lower() == address:
        return True
    chassis = (one.remote_mac or one.chassis_id or "").replace(":", "")
    return letters(one.port_id) == letters(port) and chassis == address


def compare_fdb(name: str, stations: Iterable[Station], ports: Iterable[Port]) -> Score:
    """The oracle leaves out addresses on no port and keeps all others."""
    score = Score()
    rows = {tuple(row) for row in truth_of(name, "fdb")}
    if not rows:
        return score
    indexes = {port.if_index for port in ports}
    for one in stations:
        row = (one.if_index, one.vlan, one.mac.replace(":", ""))
        if row in rows:
            rows.remove(row)
            score.equal.update(["port", "vlan", "mac"])
        elif one.if_index not in indexes:
            score.explain("on-no-port", f"{name}: {one}")
        else:
            score.wrong.append(f"{name}: {row} is not in the oracle's forwarding database")
    score.wrong += [f"{name}: {row} was not read" for row in sorted(map(str, rows))]
    return score


NOT_CARRIED = frozenset({"unifi-other", "unifi-rx", "unifi-tx"})
"""Shares of a UniFi radio's time by who uses it: no stream carries them, the total is carried."""


def compare_wireless(name: str, streams: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Score:
    """``streams``: stream -> row -> column -> value."""
    score = Score()
    for kind, type_, index, descr, current in truth_of(name, "wireless"):
        if kind == "utilization" and type_ in NOT_CARRIED:
            score.explain("not-carried", f"{name}: {descr}")
            continue
        mine = _wireless(streams, kind, str(index), descr)
        if mine is not None and abs(mine - current) < 1e-6:
            score.equal[kind] += 1
        else:
            score.wrong.append(f"{name} {descr}: {mine!r} not {current!r}")
    return score


def _wireless(
    streams: Mapping[str, Mapping[str, Mapping[str, Any]]], kind: str, index: str, descr: str
) -> float | None:
    radios, wlans = streams.get("radios", {}), streams.get("wlans", {})
    what, _, name = descr.partition(": ")
    if kind == "ap-count":
        return float(len(streams.get("aps", {})))
    if kind == "clients" and what == "SSID":
        ssid, _, band = name.partition(" (")
        column = {"2.4 GHz)": "wlan_clients_2g", "5 GHz)": "wlan_clients_5g"}
        clients: float | None = wlans.get(ssid, {}).get(column.get(band, "wlan_clients"))
        return clients
    if descr == "Total Clients":
        return sum(float(row["wlan_clients"]) for row in wlans.values())
    radio = radios.get(index) or radios.get(descr.rpartition("(")[2].removesuffix(")"), {})
    channel, is_low = radio["radio_channel"], radio["radio_band"] == "2.4"
    said: dict[str, float | None] = {
        "clients": radio["radio_clients"],
        "power": radio["radio_power_dbm"],
        "utilization": radio["radio_busy_ratio"] * 100,
        "frequency": 2407 + 5 * channel if is_low else 5000 + 5 * channel,
    }
    return said[kind]
