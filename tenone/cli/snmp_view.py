"""How one switch is shown: the JSON of CONTRACT.md, and tables that fit the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.snmp import mib, truth
from drivers.snmp.faults import AgentFault, Finding, notes
from drivers.snmp.reading import Reading
from drivers.snmp.switch import Inventory, Sweep
from tenone.blocks.columns import Column, Value
from tenone.cli import snmp_body
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

Json = dict[str, Any]
WIDE = 120
MIDDLING = 76
"""Terminal columns from which more of a port is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One reading of one switch."""

    label: str
    inventory: Inventory
    state: Sweep
    counters: Sweep
    narrow: frozenset[tuple[str, str]]
    body: tuple[Reading, ...] = ()
    """Sensors, optics, PoE, UPS and chassis."""
    body_errors: tuple[str, ...] = ()


def as_json(snapshot: Snapshot) -> Json:
    """The object CONTRACT.md names; unknown is null, never 0."""
    system = snapshot.inventory.system
    ports, findings = _ports(snapshot)
    body = snmp_body.sections(snapshot.body)
    return {
        "system": {
            "descr": system.descr,
            "object_id": system.object_id,
            "name": system.name,
            "uptime_seconds": None if system.uptime_ticks is None else system.uptime_ticks / 100,
            "vendor": system.vendor,
            "model": system.model,
            "version": system.version,
            "serial": system.serial,
        },
        "ports": ports,
        "neighbours": [
            {
                "local_port": one.local_port,
                "remote_name": one.remote_name,
                "remote_port": one.remote_port,
                "remote_mac": one.remote_mac,
                "protocol": one.protocol,
            }
            for one in snapshot.inventory.neighbours
        ],
        "sensors": body.get("sensors", []),
        "optics": body.get("optics", []),
        "poe": body.get("poe", []),
        "ups": snmp_body.ups_json(body.get("ups", [])),
        "chassis": body.get("chassis", []),
        "notes": _notes(snapshot, findings),
    }


def _rows(sweep: Sweep) -> dict[str, dict[str, Value | None]]:
    """Port key -> column name -> value."""
    columns: Sequence[Column] = sweep.columns
    values = {column.metric.name: list(column) for column in columns}
    return {
        key: {name: held[row] for name, held in values.items()}
        for row, key in enumerate(sweep.rows)
    }


def _ports(snapshot: Snapshot) -> tuple[list[Json], list[Finding]]:
    states, counters = _rows(snapshot.state), _rows(snapshot.counters)
    findings: list[Finding] = []
    ports = []
    for port in snapshot.inventory.ports:
        state, counter = states.get(port.key, {}), counters.get(port.key, {})
        changed = state.get("last_change_ticks")
        ticks = int(changed) if isinstance(changed, int) else None
        seconds, in_future = truth.seconds_since(ticks, snapshot.state.uptime_ticks)
        if in_future:
            findings.append(
                Finding(
                    fault=AgentFault.LAST_CHANGE_IN_FUTURE,
                    oid=(*mib.IF_LAST_CHANGE, port.if_index),
                    raw=f"{ticks} with sysUpTime {snapshot.state.uptime_ticks}",
                    port=port.key,
                )
            )
        ports.append(
            {
                "if_index": port.if_index,
                "name": port.name,
                "descr": port.descr,
                "alias": port.alias,
                "type": None if port.type is None else mib.IF_TYPES.get(port.type, str(port.type)),
                "mac": port.mac,
                "admin": _label(AdminStatus, state.get("admin")),
                "oper": _label(OperStatus, state.get("oper")),
                "speed_mbps": state.get("speed_mbps"),
                "duplex": _label(Duplex, state.get("duplex")),
                "mtu": port.mtu,
                **{name: counter.get(name) for name in _SHOWN_COUNTERS},
                "last_change_seconds": seconds,
            }
        )
    return ports, findings


_SHOWN_COUNTERS = (
    "in_octets",
    "out_octets",
    "in_errors",
    "out_errors",
    "in_discards",
    "out_discards",
)


def _label(kind: type[AdminStatus | OperStatus | Duplex], value: Value | None) -> str | None:
    return kind(value).label if isinstance(value, int) else None


def _notes(snapshot: Snapshot, more: Sequence[Finding]) -> list[str]:
    sweeps = (snapshot.inventory, snapshot.state, snapshot.counters)
    findings = [finding for sweep in sweeps for finding in sweep.findings]
    said = notes([*findings, *more])
    narrow = {port for port, metric in snapshot.narrow if metric in {"in_octets", "out_octets"}}
    if narrow:
        said.append(
            f"{len(narrow)} of {len(snapshot.counters.rows)} ports count octets in 32 bits only: "
            "at 1 Gb/s such a counter starts over every 34 s."
        )
    errors = dict.fromkeys(error for sweep in sweeps for error in sweep.errors)
    errors |= dict.fromkeys(snapshot.body_errors)
    return said + [f"Not all could be read: {error}." for error in errors]


# -- for people ------------------------------------------------------------------------


def render(snapshot: Snapshot, console: Console | None = None) -> None:
    """Print tables as wide as the terminal allows."""
    console = console or Console(highlight=False)
    shown = as_json(snapshot)
    _render_system(snapshot, shown, console)
    if shown["ports"]:
        console.print(_port_table(shown["ports"], console.width))
    else:
        console.print("It names no ports.")
    if shown["neighbours"]:
        table = _table("Neighbours", "Local port", "Name", "Remote port", "MAC")
        for one in shown["neighbours"]:
            table.add_row(
                *(
                    _text(one[name])
                    for name in ("local_port", "remote_name", "remote_port", "remote_mac")
                )
            )
        console.print(table)
    snmp_body.render(shown, console, _table, _text)
    if shown["notes"]:
        console.print(Text("Notes", style="bold"))
        for note in shown["notes"]:
            console.print(Text("- ").append(_text(note)))


def _render_system(snapshot: Snapshot, shown: Json, console: Console) -> None:
    system = shown["system"]
    console.print(Text(_clean(system["name"] or snapshot.label), style="bold"))
    uptime = system["uptime_seconds"]
    up = sum(port["oper"] == "up" for port in shown["ports"])
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    makers = (system["vendor"], system["model"], system["version"])
    rows = (
        ("Address", snapshot.label),
        ("Device", " ".join(part for part in makers if part)),
        ("Serial", system["serial"]),
        ("Describes itself as", " ".join((system["descr"] or "").split())),
        ("Up for", None if uptime is None else _duration(uptime)),
        ("Ports", f"{up} up of {len(shown['ports'])}"),
    )
    for name, value in rows:
        if value:
            grid.add_row(name, _text(value))
    console.print(grid)


_RIGHT = frozenset(
    {"Speed", "MTU", "In", "Out", "Errors", "Discards", "Since", "Value", "W", "Limit W"}
    | {"Rx dBm", "Tx dBm", "Bias mA", "°C", "V", "Class"}
)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        right = column in _RIGHT
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _port_table(ports: Sequence[Json], width: int) -> Table:
    names = ["Port", "State", "Speed"]
    if width >= MIDDLING:
        names += ["Duplex", "Since", "Errors", "Alias"]
    if width >= WIDE:
        names[-1:] = ["Discards", "In", "Out", "MTU", "Alias"]
    table = _table("Ports", *names)
    longest = max(len(port["name"] or port["descr"] or "") for port in ports)
    table.columns[0].min_width = min(longest, width // 3)
    for port in ports:
        cells = {
            "Port": _text(port["name"] or port["descr"] or f"#{port['if_index']}"),
            "State": _state(port),
            "Speed": Text(_speed(port["speed_mbps"])),
            "Duplex": Text(port["duplex"] or "?", style="yellow" * (port["duplex"] == "half")),
            "Since": Text(_duration(port["last_change_seconds"])),
            "Errors": _pair(port["in_errors"], port["out_errors"], "red"),
            "Discards": _pair(port["in_discards"], port["out_discards"], "yellow"),
            "In": Text(_bytes(port["in_octets"])),
            "Out": Text(_bytes(port["out_octets"])),
            "MTU": Text("?" if port["mtu"] is None else str(port["mtu"])),
            "Alias": _text(port["alias"] if port["alias"] != port["name"] else ""),
        }
        table.add_row(*(cells[name] for name in names))
    return table


def _state(port: Json) -> Text:
    if port["admin"] == "down":
        return Text("off", style="dim")
    styles = {"up": "green", "down": "red", None: "yellow"}
    return Text(port["oper"] or "?", style=styles.get(port["oper"], "yellow"))


def _pair(received: int | None, sent: int | None, style: str) -> Text:
    if received is None and sent is None:
        return Text("?")
    shown = "/".join("?" if value is None else str(value) for value in (received, sent))
    return Text("0" if shown == "0/0" else shown, style=style if (received or sent) else "")


def _speed(mbps: int | None) -> str:
    if mbps is None:
        return "?"
    return f"{mbps / 1000:g}G" if mbps >= 1000 else f"{mbps}M"  # noqa: PLR2004 - Mb/s in a Gb/s


def _bytes(count: int | None) -> str:
    if count is None:
        return "?"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000:  # noqa: PLR2004 - decimal units, as links are sold in
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.4g} PB"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2]) or "0 s"


def _clean(text: str) -> str:
    """Text of a device without what a terminal might obey."""
    return "".join(letter if letter.isprintable() else "\N{MIDDLE DOT}" for letter in text)


def _text(value: str | None) -> Text:
    return Text(_clean(value)) if value else Text("")
