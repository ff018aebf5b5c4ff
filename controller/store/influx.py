"""Export of committed blocks to a server with the InfluxDB v2 API.

The block store stays the record; the server is a copy that is fed from it: at least once, in
order of receipt, by a cursor a district that is kept on disk. Some servers say yes before they
have written (VictoriaMetrics holds seconds of data in memory), so the kept cursor lags
``REPLAY_SECONDS`` behind, and after any failure, or a restart of either side, the export goes
back to it. Nothing here touches ingest: another thread, another connection, its own pace.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from controller.store.files import replace_file
from controller.store.lines import LineWriter
from controller.store.protocols import NS, StoredBlock
from tenone.blocks.block import BlockError
from tenone.config.city import Influx
from tenone.config.secret import SecretError
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

BATCH_BLOCKS = 500
REPLAY_SECONDS = 60.0
IDLE_SECONDS = 1.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
TIMEOUT_MS = 30_000
REFUSED_STATUS = frozenset({400, 413, 422})
"""The server will never take this text; everything else may pass with time."""

Cursor = dict[str, tuple[str, int]]
"""District -> (day, position) of the last block the server has taken."""


class ExportError(Exception):
    """The server cannot be reached, or will not take anything now; says why."""


class RefusedLinesError(Exception):
    """The server refuses these lines for good."""


class Source(Protocol):
    """What is used of the block store."""

    def districts(self) -> Sequence[str]:
        """Districts with blocks."""
        ...

    def read_after(
        self, district: str, day: str, position: int, limit: int
    ) -> Sequence[StoredBlock]:
        """The next blocks of a district."""
        ...


class Target(Protocol):
    """A server that takes line protocol."""

    def write(self, lines: str) -> None:
        """Send; raises :class:`ExportError` or :class:`RefusedLinesError`."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class InfluxTarget:
    """A server with the InfluxDB v2 API, by influxdb-client."""

    def __init__(self, config: Influx) -> None:
        try:
            token = "" if config.token is None else config.token.reveal()
        except SecretError as error:
            raise ExportError(f"the token of {config.url}: {error}") from error
        self._url, self._bucket, self._org = config.url, config.bucket, config.org
        self._client = InfluxDBClient(
            url=config.url, token=token, org=config.org, timeout=TIMEOUT_MS, enable_gzip=True
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: str) -> None:
        """See :class:`Target`."""
        try:
            self._api.write(bucket=self._bucket, org=self._org, record=lines)
        except ApiException as error:
            said = f"{error.status} {error.reason}: {str(error.body)[:200]}"
            if error.status in REFUSED_STATUS:
                raise RefusedLinesError(said) from error
            raise ExportError(f"{self._url} answered {said}") from error
        except (HTTPError, OSError) as error:
            raise ExportError(f"{self._url} cannot be reached: {error}") from error

    def close(self) -> None:
        """See :class:`Target`."""
        self._client.close()  # type: ignore[no-untyped-call]  # the package has no types


@dataclass(slots=True)
class ExportFigures:
    """Totals since the start."""

    blocks: int = 0
    refused: int = 0
    """Blocks the server refuses for good; they are skipped and stay in the block store."""
    failures: int = 0
    trouble: str = ""
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=20))


class InfluxExport:
    """One export; :meth:`run` is for a Supervisor."""

    def __init__(
        self, *, source: Source, target: Target, cursor_file: Path, city: str, clock: Clock
    ) -> None:
        self._source = source
        self._target = target
        self._file = cursor_file
        self._writer = LineWriter(city)
        self._clock = clock
        self._kept = self._load()
        self._cursor = dict(self._kept)
        self._taken: deque[tuple[int, Cursor]] = deque()
        self.figures = ExportFigures()

    async def run(self) -> None:
        """Export for ever."""
        loop = asyncio.get_running_loop()
        pause = FIRST_RETRY_SECONDS
        with ThreadPoolExecutor(1, thread_name_prefix="export") as thread:
            while True:
                try:
                    moved = await loop.run_in_executor(thread, self.step)
                except ExportError as error:
                    self.figures.failures += 1
                    self.figures.trouble = str(error)
                    log.warning("export: %s; again in %.0f s", error, pause)
                    self._go_back()
                    await self._clock.sleep(pause)
                    pause = min(2 * pause, LONGEST_RETRY_SECONDS)
                    continue
                self.figures.trouble = ""
                pause = FIRST_RETRY_SECONDS
                if not moved:
                    await self._clock.sleep(IDLE_SECONDS)

    def _go_back(self) -> None:
        """After a failure nobody knows what the server has written of the last minute."""
        self._cursor = dict(self._kept)
        self._taken.clear()

    def step(self) -> bool:
        """Export the next blocks of every district; whether there were any. Blocks."""
        moved = False
        for district in self._source.districts():
            day, position = self._cursor.get(district, ("", 0))
            found = self._source.read_after(district, day, position, BATCH_BLOCKS)
            if found:
                self._send(found)
                self._cursor[district] = (found[-1].day, found[-1].position)
                moved = True
        now_ns = self._clock.monotonic_ns()
        if moved:
            self._taken.append((now_ns, dict(self._cursor)))
        self._keep(now_ns)
        return moved

    def close(self) -> None:
        """Let go of the server."""
        self._target.close()

    def _send(self, blocks: Sequence[StoredBlock]) -> None:
        texts = [self._lines(block) for block in blocks]
        whole = "".join(texts)
        if not whole:
            return
        try:
            self._target.write(whole)
            self.figures.blocks += len(blocks)
        except RefusedLinesError:
            # One block spoils the batch: find it, so that the others are not refused with it.
            for block, text in zip(blocks, texts, strict=True):
                self._send_one(block, text)

    def _send_one(self, block: StoredBlock, text: str) -> None:
        try:
            if text:
                self._target.write(text)
            self.figures.blocks += 1
        except RefusedLinesError as error:
            self.figures.refused += 1
            sentence = f"{block.district} {block.day} row {block.position} is refused: {error}"
            self.figures.recent.append(sentence)
            log.error("export: %s", sentence)  # noqa: TRY400 - said in one line

    def _lines(self, stored: StoredBlock) -> str:
        try:
            return self._writer.lines(
                stored.block, stored.layout, district=stored.district, school=stored.school
            )
        except BlockError as error:
            log.error("export: row %d of %s: %s", stored.position, stored.day, error)  # noqa: TRY400 - said in one line
            return ""

    def _keep(self, now_ns: int) -> None:
        """Move the kept cursor to what was taken long enough ago."""
        settled = None
        while self._taken and now_ns - self._taken[0][0] >= REPLAY_SECONDS * NS:
            settled = self._taken.popleft()[1]
        if settled is None:
            return
        try:
            replace_file(self._file, json.dumps({"format": 1, "cursor": settled}).encode())
        except OSError as error:
            raise ExportError(f"the cursor {self._file} cannot be kept: {error}") from error
        self._kept = settled

    def _load(self) -> Cursor:
        try:
            body = json.loads(self._file.read_bytes())
            return {
                str(district): (str(day), int(position))
                for district, (day, position) in body["cursor"].items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is not readable (%s): exporting all anew", self._file, error)
            return {}
