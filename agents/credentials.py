"""Replacing a switch's credential without losing sight of it and without being locked out.

A secret of the vault may have a next version. Then the agent tries that one: with a single
request without repetition, first at once, then after 1, 2, 4 ... 60 minutes, and once whenever the
switch stops answering the old one, for that is what it looks like when somebody has just set the
new one. As long as it is not taken, the old one is used. Once it has been answered, that is proved
for good: it is written down and only the new one is used, over restarts too.
"""

import json
import logging
from dataclasses import replace
from pathlib import Path

from agents.ports import SwitchReader as ReaderPort
from agents.snmp_target import Credentials
from drivers.snmp import mib
from drivers.snmp.errors import SnmpError
from drivers.snmp.faults import AccessFinding, Finding
from drivers.snmp.switch import Inventory, Sweep, SwitchReader
from drivers.snmp.target import Target
from tenone.journal.disk import Disk

log = logging.getLogger(__name__)

FILE = "credentials.json"
FIRST_WAIT_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 3600.0
LEAST_WAIT_SECONDS = 10.0
"""Also where the old one stops being answered; it doubles each time, up to 32 times as long: a
switch on a bad line is not to see a wrong credential in every other sweep."""
MOST_DOUBLINGS = 5


class Proofs:
    """Which next credentials have worked, by device: versions' numbers, never what they are."""

    def __init__(self, folder: Path, *, disk: Disk, file: str = FILE) -> None:
        self._path = folder / file
        self._disk = disk
        self._marks = self._read()

    def has(self, name: str, mark: str) -> bool:
        """Whether the credential ``mark`` of device ``name`` has worked."""
        return self._marks.get(name) == mark

    def add(self, name: str, mark: str) -> None:
        """Write it down. A disk that does not take it is said; the next start proves it anew."""
        self._marks[name] = mark
        text = json.dumps(self._marks, sort_keys=True) + "\n"
        try:
            self._disk.replace(self._path, text.encode())
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror or error)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._disk.read(self._path))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read, new credentials are proved anew: %s", self._path, error)
            return {}
        pairs = found.items() if isinstance(found, dict) else ()
        return {str(name): str(mark) for name, mark in pairs}


class Trials:
    """When the next credential may be tried. Times are monotonic, in nanoseconds."""

    def __init__(self) -> None:
        self.count = 0
        self._due_ns: int | None = None
        """None: at once."""
        self._last_ns = 0
        self._hastened = 0
        self._wait_seconds = FIRST_WAIT_SECONDS

    def is_due(self, now_ns: int) -> bool:
        """Whether one may be made now."""
        return self._due_ns is None or now_ns >= self._due_ns

    def made(self, now_ns: int) -> None:
        """One is being made now."""
        self.count += 1
        self._last_ns = now_ns
        self._due_ns = now_ns + round(self._wait_seconds * 1e9)
        self._wait_seconds = min(2 * self._wait_seconds, LONGEST_WAIT_SECONDS)

    def hasten(self, now_ns: int) -> None:
        """There is reason to try earlier."""
        if self._due_ns is not None:
            seconds = LEAST_WAIT_SECONDS * 2 ** min(self._hastened, MOST_DOUBLINGS)
            due_ns = max(now_ns, self._last_ns + round(seconds * 1e9))
            if due_ns < self._due_ns:
                self._due_ns = due_ns
                self._hastened += 1


class RotatingReader:
    """A reader of one device that has two credentials. As :class:`SwitchReader` for its polls."""

    def __init__(
        self, reader: SwitchReader, following: Target, mark: str, proofs: Proofs, *, name: str
    ) -> None:
        self._reader = reader
        self._following = following
        self._mark = mark
        self._proofs = proofs
        self._name = name
        self._answered = False
        """Whether the old one was answered last."""
        self.trials = Trials()
        self.is_proved = proofs.has(name, mark)
        if self.is_proved:
            self._reader.target = following

    async def inventory(self) -> Inventory:
        """See :class:`SwitchReader`."""
        await self._try_next()
        try:
            return await self._reader.inventory()
        except SnmpError:
            if not await self._after_silence():
                raise
            return await self._reader.inventory()

    async def state(self) -> Sweep:
        """See :class:`SwitchReader`; says which credential is in use."""
        await self._try_next()
        try:
            sweep = await self._reader.state()
        except SnmpError:
            if not await self._after_silence():
                raise
            sweep = await self._reader.state()
        self._answered = not self.is_proved
        fault = AccessFinding.NEW_CREDENTIAL if self.is_proved else AccessFinding.OLD_CREDENTIAL
        return replace(
            sweep, findings=(*sweep.findings, Finding(fault=fault, oid=(), raw=self._mark))
        )

    async def counters(self) -> Sweep:
        """See :class:`SwitchReader`."""
        return await self._reader.counters()

    async def _after_silence(self) -> bool:
        """The old one was not answered: try the next one, once. Whether it works."""
        if self.is_proved:
            return False
        if self._answered:
            self._answered = False
            self.trials.hasten(self._now_ns())
        return await self._try_next()

    async def _try_next(self) -> bool:
        """Try the next credential if it is time; whether it has just been proved."""
        if self.is_proved or not self.trials.is_due(self._now_ns()):
            return False
        self.trials.made(self._now_ns())
        client = self._reader.client
        trial = SwitchReader(client, replace(self._following, retries=0))
        try:
            session = await trial.session()
            await session.get([mib.SYS_UPTIME], client.budget(2 * self._following.timeout_seconds))
        except SnmpError as error:
            log.info("%s: the next credential (%s) is not taken: %s", self._name, self._mark, error)
            return False
        finally:
            trial.close()
        self.is_proved = True
        self._proofs.add(self._name, self._mark)
        self._reader.target = self._following
        self._reader.close()  # what it asks from now on, it asks with the new one
        log.info("%s: the next credential (%s) works and is used", self._name, self._mark)
        return True

    def _now_ns(self) -> int:
        return self._reader.client.clock.monotonic_ns()


def rotating(
    reader: SwitchReader, credentials: Credentials, proofs: Proofs, *, name: str
) -> ReaderPort:
    """``reader`` itself where there is no next credential."""
    if credentials.following is None:
        return reader
    return RotatingReader(reader, credentials.following, credentials.mark, proofs, name=name)
