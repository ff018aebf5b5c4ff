"""What an agent has begun at a switch and not ended: on disk before the switch is told anything.

One small file, written whole (:meth:`tenone.journal.disk.Disk.replace`): the change that is under
way at each switch, what runs until a moment (exam priority), and what a quarantined port was set to
before. Whatever happens to the agent, its next start finds what it has to bring to an end.

A file that is damaged is never guessed at: nothing is changed any more, until a person has looked
at the switches and removed it.
"""

import asyncio
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from agents.pending_json import (
    change_from,
    change_json,
    seen_from,
    seen_json,
    settings_from,
    settings_json,
)
from agents.port_look import PortSeen
from drivers.cli.dialect import Change, Line, PortSettings
from tenone.journal.disk import Disk
from tenone.vocabulary.intents import Intent

FILE_NAME = "repairs-pending"
FIRST_LINE = "tenone-repairs 1"


class Phase(StrEnum):
    """How far a change has got, as far as is known."""

    PREPARING = "preparing"
    """Nothing that runs has been touched."""
    APPLYING = "applying"
    """Any of its lines may have been taken."""
    APPLIED = "applied"
    """All of them were."""
    PROVED = "proved"
    """It helped; it is to be confirmed and saved."""
    UNDOING = "undoing"
    """It is on its way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """One change that has begun and not ended."""

    action: str
    intent: Intent
    switch: str
    port: str
    """The port key as it is polled; empty where it concerns the switch."""
    change: Change
    measure: tuple[Line, ...] = ()
    """The cable test that was approved along with it, for when it does not help."""
    phase: Phase = Phase.PREPARING
    contract_mbps: float = 0.0
    hold_seconds: float
    until_ms: int | None = None
    """When it ends by itself, epoch."""
    room: str | None = None
    """Where the link leads to."""
    before: Mapping[str, PortSeen] = field(default_factory=dict)
    """What was seen of the port and of those that carry links, by port key."""
    applied_ms: int | None = None
    """Wall time of the last line of ``apply``, for switches that go back by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A change that ends by itself."""

    action: str
    intent: Intent
    switch: str
    port: str
    before: PortSettings
    after: PortSettings
    until_ms: int
    saved: bool = False
    """The switch's configuration was saved meanwhile, with it in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it."""

    pending: Mapping[str, Pending] = field(default_factory=dict)
    """By switch: there is never more than one."""
    windows: tuple[Window, ...] = ()
    isolated: Mapping[tuple[str, str], PortSettings] = field(default_factory=dict)
    """(switch, port) in quarantine, and its settings before."""


class DamagedError(Exception):
    """A file that is there and cannot be believed; one sentence."""


class PendingBook:
    """The file. ``standing`` is what is on disk, or about to be.

    Entering one raises ``OSError``; a damaged file is told by :attr:`damage`.
    """

    def __init__(self, folder: Path, *, disk: Disk) -> None:
        self._disk = disk
        self._path = folder / FILE_NAME
        self._lock = asyncio.Lock()
        disk.make_folder(folder)
        self.damage = ""
        """Why nothing may be changed; empty: it may."""
        self.standing = Standing()
        if FILE_NAME in disk.names(folder):
            try:
                self.standing = parse(disk.read(self._path))
            except DamagedError as error:
                self.damage = (
                    f"{self._path} {error}: look at the switches' ports, then remove the file and "
                    "start the agent again"
                )

    def of(self, switch: str) -> Pending | None:
        """What is under way at a switch."""
        return self.standing.pending.get(switch)

    def windows(self, switch: str) -> tuple[Window, ...]:
        """What ends by itself there, the first one first."""
        found = [one for one in self.standing.windows if one.switch == switch]
        return tuple(sorted(found, key=lambda one: one.until_ms))

    def isolated(self, switch: str, port: str) -> PortSettings | None:
        """What a port in quarantine was set to before."""
        return self.standing.isolated.get((switch, port))

    async def put(self, pending: Pending) -> None:
        """Keep it durably; raises ``OSError``, and is then believed all the same."""
        async with self._lock:
            now = self.standing
            await self._write(replace(now, pending={**now.pending, pending.switch: pending}))

    async def end(
        self,
        pending: Pending,
        *,
        window: Window | None = None,
        isolate: PortSettings | None = None,
        release: bool = False,
        saved: bool = False,
    ) -> None:
        """Take it out, and in the same write put in what follows of it. Raises ``OSError``."""
        async with self._lock:
            now = self.standing
            left = {name: one for name, one in now.pending.items() if name != pending.switch}
            windows = tuple(
                replace(one, saved=one.saved or (saved and one.switch == pending.switch))
                for one in now.windows
            )
            place = (pending.switch, pending.port)
            isolated = {
                key: one for key, one in now.isolated.items() if key != place or not release
            }
            if isolate is not None:
                isolated.setdefault(place, isolate)
            if window is not None:
                windows = (*windows, window)
            await self._write(Standing(pending=left, windows=windows, isolated=isolated))

    async def close_window(self, window: Window) -> None:
        """It is over. Raises ``OSError``."""
        async with self._lock:
            now = self.standing
            left = tuple(one for one in now.windows if one.action != window.action)
            await self._write(replace(now, windows=left))

    async def _write(self, standing: Standing) -> None:
        self.standing = standing
        writing = asyncio.ensure_future(
            asyncio.to_thread(self._disk.replace, self._path, rendered(standing))
        )
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.gather(writing, return_exceptions=True)  # not overtaken by the next one
            raise


def rendered(standing: Standing) -> bytes:
    """The file's bytes: a first line, one line of JSON, its CRC-32."""
    body = json.dumps(
        {
            "pending": [_pending_json(one) for one in standing.pending.values()],
            "windows": [_window_json(one) for one in standing.windows],
            "isolated": [
                {"switch": switch, "port": port, "before": settings_json(one)}
                for (switch, port), one in standing.isolated.items()
            ],
        },
        separators=(",", ":"),
    ).encode("ascii")
    return FIRST_LINE.encode() + b"\n" + body + b"\n%08x\n" % zlib.crc32(body)


def parse(data: bytes) -> Standing:
    """The opposite; raises :class:`DamagedError`."""
    try:
        first, body, checksum, rest = data.split(b"\n")
    except ValueError:
        raise DamagedError("is not whole") from None
    if first != FIRST_LINE.encode():
        raise DamagedError("is of another version of TenOne, or something else")
    if rest or checksum != b"%08x" % zlib.crc32(body):
        raise DamagedError("is damaged")
    try:
        found = json.loads(body)
        pending = [_pending_from(one) for one in found["pending"]]
        return Standing(
            pending={one.switch: one for one in pending},
            windows=tuple(_window_from(one) for one in found["windows"]),
            isolated={
                (one["switch"], one["port"]): settings_from(one["before"])
                for one in found["isolated"]
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"is not understood ({type(error).__name__}: {error})") from error


def _pending_json(one: Pending) -> dict[str, object]:
    return {
        "action": one.action,
        "intent": one.intent.value,
        "switch": one.switch,
        "port": one.port,
        "change": change_json(one.change, one.measure),
        "phase": one.phase.value,
        "contract_mbps": one.contract_mbps,
        "hold_seconds": one.hold_seconds,
        "until_ms": one.until_ms,
        "room": one.room,
        "before": {port: seen_json(seen) for port, seen in one.before.items()},
        "applied_ms": one.applied_ms,
    }


def _pending_from(one: Mapping[str, object]) -> Pending:
    change, measure = change_from(one["change"])
    before, room, until, applied = one["before"], one["room"], one["until_ms"], one["applied_ms"]
    if not isinstance(before, dict):
        raise TypeError("before")
    return Pending(
        action=str(one["action"]),
        intent=Intent(str(one["intent"])),
        switch=str(one["switch"]),
        port=str(one["port"]),
        change=change,
        measure=measure,
        phase=Phase(str(one["phase"])),
        contract_mbps=float(str(one["contract_mbps"])),
        hold_seconds=float(str(one["hold_seconds"])),
        until_ms=until if isinstance(until, int) else None,
        room=room if isinstance(room, str) else None,
        before={port: seen_from(seen) for port, seen in before.items()},
        applied_ms=applied if isinstance(applied, int) else None,
    )


def _window_json(one: Window) -> dict[str, object]:
    return {
        "action": one.action,
        "intent": one.intent.value,
        "switch": one.switch,
        "port": one.port,
        "before": settings_json(one.before),
        "after": settings_json(one.after),
        "until_ms": one.until_ms,
        "saved": one.saved,
    }


def _window_from(one: Mapping[str, object]) -> Window:
    return Window(
        action=str(one["action"]),
        intent=Intent(str(one["intent"])),
        switch=str(one["switch"]),
        port=str(one["port"]),
        before=settings_from(one["before"]),
        after=settings_from(one["after"]),
        until_ms=int(str(one["until_ms"])),
        saved=bool(one["saved"]),
    )
