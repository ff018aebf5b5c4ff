"""Many boards in one process, and the control lines that change them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from firmware_sims import control
from firmware_sims.board.board import Board
from firmware_sims.board.session import PROTOCOLS, Line, Session
from firmware_sims.switch.server import address
from tenone.runtime.clock import Clock
from tenone.vocabulary.scope import slug

LONGEST_SILENCE_SECONDS = 86_400.0


def broker(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``; raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError(f"{text!r} is no broker: write HOST:PORT, such as 127.0.0.1:1883")
    return host.strip("[]"), int(port)


def protocol(text: str) -> str:
    """An MQTT version that is spoken here; raises ValueError."""
    if text not in PROTOCOLS:
        raise ValueError(f"MQTT {text} is not spoken here: use {' or '.join(PROTOCOLS)}")
    return text


def read(path: Path) -> dict[str, str]:
    """A fleet file: a JSON list of ``{"serial": ..., "broker": "HOST:PORT"}``.

    Returns serial -> broker; raises ValueError naming the file, or OSError.
    """
    brokers: dict[str, str] = {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list) or not entries:
            raise control.CommandError("write a list with at least one board")
        for number, entry in enumerate(entries, start=1):
            one = control.mapping(entry, f"board {number}")
            control.refuse_others(one, "serial", "broker")
            serial = slug(control.text(one, "serial"), "serial")
            if serial in brokers:
                raise control.CommandError(f"the serial {serial!r} stands twice")
            brokers[serial] = control.text(one, "broker")
            broker(brokers[serial])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return brokers


def write(brokers: Mapping[str, str]) -> str:
    """Serial -> broker as the text :func:`read` takes."""
    return json.dumps([{"serial": serial, "broker": at} for serial, at in brokers.items()])


def sessions(
    brokers: Mapping[str, str],
    *,
    clock: Clock,
    seed: int,
    interval_seconds: float,
    protocol: str = "5",
    faults_per_hour: float = 0.0,
    events: bool = False,
) -> list[Session]:
    """A session for each serial; call inside a running loop."""
    made = []
    for serial, at in brokers.items():
        host, port = broker(at)
        line = Line(
            host=host,
            port=port,
            interval_seconds=interval_seconds,
            protocol=protocol,
            faults_a_message=faults_per_hour * interval_seconds / 3600,
            events=events,
        )
        made.append(Session(Board(serial, clock=clock, seed=seed), line, clock))
    return made


def reflect(fleet: Iterable[Session], host: str, port: int) -> None:
    """Let every board answer probes: an address each from ``host`` on, all on ``port``.

    With port 0 all answer at ``host``, each at a free port. Raises OSError or ValueError.
    """
    for number, session in enumerate(fleet):
        session.reflect(*address(host, port, number, spread=port != 0))


class Controls:
    """Carries out the control lines of a fleet of boards."""

    def __init__(self, fleet: Iterable[Session]) -> None:
        self._sessions = {session.board.serial: session for session in fleet}

    def handle(self, command: Mapping[str, object]) -> None:
        """One command; raises ValueError with one sentence.

        ``{"board", "set": {...}}`` (:meth:`Board.set`) or ``{"board", "reboot":
        {"silent_seconds", "clock_1970"}}``.
        """
        serial = control.text(command, "board")
        session = self._sessions.get(serial)
        if session is None:
            raise control.CommandError(f"no board here has the serial {serial!r}")
        match sorted(set(command) - {"board"}):
            case ["set"]:
                session.board.set(control.mapping(command["set"], "set"))
            case ["reboot"]:
                options = control.mapping(command["reboot"], "reboot")
                control.refuse_others(options, "silent_seconds", "clock_1970")
                seconds = control.number(
                    options.get("silent_seconds", 5), "silent_seconds", 1, LONGEST_SILENCE_SECONDS
                )
                lost = control.flag(options.get("clock_1970", False), "clock_1970")
                session.board.reboot(silent_seconds=seconds, clock_lost=lost)
            case others:
                raise control.CommandError(
                    f"a command for a board holds set or reboot; "
                    f"this one holds {', '.join(others) or 'nothing'}"
                )
        session.wake()
