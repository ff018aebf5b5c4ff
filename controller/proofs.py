"""The room that carries proofs of loss over a restart: windows in a file, the rest from the store.

Without it every class would be unknown until a thousand packets more had come. The file is written
every few minutes and at the end; what was committed after it is read again from the stored blocks,
so that a controller that is killed forgets no packet. A file that is missing or damaged costs the
proofs and nothing else.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from controller.api.services import Health
from controller.house import House
from controller.state.columns import NEVER
from controller.state.path_file import BadWindowsError, Snapshot, decode, encode
from controller.state.paths import Windows
from controller.store.files import replace_file
from controller.store.protocols import NS, Arrival, StoredBlock
from controller.store.since import read_since

log = logging.getLogger(__name__)

FOLDER: Final = "proofs"
FILE: Final = "loss-windows.bin"
WRITE_SECONDS: Final = 180.0
OLDEST_NS: Final = 14 * 86_400 * NS
"""Packets older than this count no more: no holiday between two lessons is longer, but for the
vacations, after which a path is proved anew."""
AHEAD_NS: Final = 300 * NS
"""How far a file may lie in the future of a clock that was set back."""
MARGIN_NS: Final = 60 * NS
"""Blocks wait at most so long between receipt and commit."""
MOST_BLOCKS: Final = 50_000
"""Read again at a start: twenty minutes of 600 schools."""
STREAMS: Final = ("probe-samples", "probe-burst")


class ProofsRoom:
    """See :class:`controller.house.Room`."""

    name = "proofs"

    def __init__(self, house: House) -> None:
        self._house = house
        self._probes = house.live.probes
        self._file = house.folder / FOLDER / FILE
        self._said = "no windows of before: every path is proved anew"
        self._trouble = ""

    # -- the room

    def open(self) -> None:
        """See the protocol."""
        try:
            snapshot = decode(self._file.read_bytes())
        except FileNotFoundError:
            log.info("%s is not there: every path is proved anew", self._file)
            return
        except (OSError, BadWindowsError) as error:
            self._said = f"{self._file} cannot be used, every path is proved anew: {error}"
            log.error("%s", self._said)  # noqa: TRY400 - the sentence is all there is to say
            return
        self._take(snapshot)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {self.name: self._run} if self._probes.ids else {}

    def health(self) -> Health:
        """See the protocol; proofs that cannot be kept make nothing unready."""
        return Health(name=self.name, ready=True, sentence=self._trouble or self._said)

    def close(self) -> None:
        """See the protocol."""
        if self._probes.ids:
            self._write(self.snapshot())

    # -- writing

    async def _run(self) -> None:
        while True:
            await self._house.clock.sleep(WRITE_SECONDS)
            await self._house.in_records(self._write, self.snapshot())

    def snapshot(self) -> Snapshot:
        """All windows now; on the event loop's thread, or after it has ended."""
        clock = self._house.clock
        windows, chains = self._probes.windows()
        return Snapshot(
            written_ns=clock.wall_ns(),
            paths=self._probes.ids,
            windows=_moved(windows, clock.wall_ns() - clock.monotonic_ns()),
            chains=chains,
        )

    def _write(self, snapshot: Snapshot) -> None:
        """Replace the file as one; what hinders it is said once and again when it changes."""
        try:
            replace_file(self._file, encode(snapshot))
        except OSError as error:
            trouble = f"proofs of loss would not survive a restart: {self._file}: {error.strerror}"
            if trouble != self._trouble:
                log.error("%s", trouble)  # noqa: TRY400 - the disk is to blame, not a line of code
            self._trouble = trouble
        else:
            self._trouble = ""

    # -- taking over

    def _take(self, snapshot: Snapshot) -> None:
        now_ns = self._house.clock.wall_ns()
        if snapshot.written_ns > now_ns + AHEAD_NS:
            self._said = (
                f"{self._file} is of a time to come, every path is proved anew: look at the clock"
            )
            log.error("%s", self._said)
            return
        number = {one: path for path, one in enumerate(self._probes.ids)}
        kept = [number.get(one, -1) for one in snapshot.paths]
        known = np.array(kept, np.int64) >= 0
        fresh = snapshot.windows.heard_ns >= now_ns - OLDEST_NS
        rows = np.flatnonzero(known & fresh)
        begin_ns = snapshot.written_ns - MARGIN_NS
        try:
            since = self._since(begin_ns)
        except sqlite3.Error as error:
            self._said = (
                f"what was stored after {self._file} cannot be read, every path is proved anew"
            )
            log.error("%s: %s", self._said, error)  # noqa: TRY400 - said in full
            return
        if since is None:
            self._said = (
                f"more than {MOST_BLOCKS:,} blocks were stored after {self._file} was written: "
                "every path is proved anew"
            )
            log.error("%s", self._said)
            return
        offset_ns = now_ns - self._house.clock.monotonic_ns()
        paths = np.array(kept, np.int64)[rows]
        self._probes.restore(
            paths, _moved(_rows(snapshot.windows, rows), -offset_ns), snapshot.chains
        )
        in_order = sorted(since, key=lambda one: (one.received_ns, one.position))
        self._probes.catch_up(_arrival(one, offset_ns) for one in in_order)
        ever = snapshot.windows.heard_ns != NEVER
        others, old = int((~known).sum()), int((known & ever & ~fresh).sum())
        self._said = (
            f"{len(rows)} windows taken over and {len(since)} blocks after them; left out: "
            f"{others} of links that another target witnesses now, {old} not probed for 14 days"
        )
        log.info("%s", self._said)

    def _since(self, from_ns: int) -> list[StoredBlock] | None:
        """What was stored since; None: too much."""
        found: list[StoredBlock] = []
        for one in read_since(self._house.folder / "blocks", from_ns, STREAMS):
            if len(found) == MOST_BLOCKS:
                return None
            found.append(one)
        return found


def _moved(windows: Windows, by_ns: int) -> Windows:
    """Times by another clock; NEVER stays."""
    heard_ns = windows.heard_ns
    return replace(windows, heard_ns=np.where(heard_ns == NEVER, NEVER, heard_ns + by_ns))


def _rows(windows: Windows, rows: np.ndarray) -> Windows:
    return Windows(
        lost=windows.lost[rows],
        next=windows.next[rows],
        filled=windows.filled[rows],
        run=windows.run[rows],
        heard_ns=windows.heard_ns[rows],
    )


def _arrival(stored: StoredBlock, offset_ns: int) -> Arrival:
    return Arrival(
        block=stored.block,
        layout=stored.layout,
        school=stored.school,
        district=stored.district,
        received_ns=stored.received_ns,
        age_ns=stored.age_ns,
        monotonic_ns=stored.received_ns - offset_ns,
    )
