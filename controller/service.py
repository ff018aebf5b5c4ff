"""The controller without its web side: ingest, store, state, records, composed and run."""

import asyncio
import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from controller.api.services import ActionReply, Health, IngestFigures
from controller.ingest.commands import NO_ANSWER, CommandDesk
from controller.ingest.decode import Decoder
from controller.ingest.link import HostLink, PortMaker
from controller.ingest.pipeline import Ingest
from controller.ingest.receipts import ReceiptBook
from controller.plan import CityPlan, plan_of
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.blocks import SqliteBlockStore
from controller.store.influx import InfluxExport, InfluxTarget
from controller.store.protocols import LinkChange, StoreError
from controller.store.quarantine import Quarantine
from controller.store.records import PortFacts, SqlRecords
from controller.views import Binding
from drivers.wire.commands import CommandState
from drivers.wire.endpoint import endpoint_of
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint
from drivers.wire.sparkplug.host import HostSession
from drivers.wire.sparkplug.messages import ConnectPlan
from drivers.wire.topics import NodeId
from tenone.config.city import City as CityConfig
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor, TaskHealth

log = logging.getLogger(__name__)

JUDGE_SECONDS = 0.25
"""After a change, judge at most so often."""
IDLE_JUDGE_SECONDS = 1.0
"""Without one, so often: silence and staleness come by themselves."""
CARE_SECONDS = 600.0
"""How often retention and pruning are looked after."""
DRAIN_SECONDS = 8.0
"""How long a stop waits for what has arrived to be committed."""
POLL_DEADLINE_SECONDS = 10.0
MAX_UNKEPT = 100_000
"""Changes held while the records cannot be written; beyond it the oldest are given up, loudly."""
HOST_STATE_FILE = "host-state.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the records know at the start."""

    changes: list[LinkChange]
    bindings: dict[str, Binding]
    ports: list[tuple[tuple[str, str], list[PortFacts]]]


class Controller:
    """``async with Controller(config, clock=clock) as running:`` starts it and stops it.

    Raises :class:`StoreError` and :class:`drivers.wire.endpoint.EndpointError` at the start.
    ``endpoint`` overrides the configured broker (the embedded one has its own port).
    """

    def __init__(
        self,
        config: CityConfig,
        *,
        clock: Clock,
        endpoint: Endpoint | None = None,
        make_port: PortMaker | None = None,
    ) -> None:
        self._clock = clock
        self._folder = Path(config.store.path)
        self.plan: CityPlan = plan_of(config)
        self.store = SqliteBlockStore(
            self._folder / "blocks", retention_days=max(1, round(config.store.retention_days))
        )
        self.quarantine = Quarantine(self._folder / "quarantine.db")
        self.records = SqlRecords(config.records.url)
        self._numbering = Numbering(self.plan)
        self.live = LiveState(self._numbering, now_ns=clock.monotonic_ns())
        self._commit_thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._records_thread = ThreadPoolExecutor(1, thread_name_prefix="records")
        self._book = ReceiptBook()
        self._desk = CommandDesk(clock)
        self.ingest = Ingest(
            commit=self.store.commit,
            quarantine=self.quarantine,
            live=self.live,
            book=self._book,
            clock=clock,
            executor=self._commit_thread,
            on_applied=self._changed,
        )
        self._supervisor = Supervisor(clock)
        self._unkept: list[LinkChange] = []
        self._unkept_ports: list[tuple[str, str, list[PortFacts]]] = []
        self._wake = asyncio.Event()
        self._to_keep = asyncio.Event()
        self._records_trouble = ""
        if make_port is None:
            where = endpoint or endpoint_of(config.broker)
            make_port = port_maker(where, f"tenone-{config.broker.host_id}")
        self._make_port = make_port
        self._host_id = config.broker.host_id
        self._influx = config.store.influx
        self.export: InfluxExport | None = None
        self.city: LiveCity
        self.link: HostLink

    async def start(self) -> None:
        """Open what is kept, learn from it, start all tasks."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._commit_thread, self._open_store)
        known = await loop.run_in_executor(self._records_thread, self._open_records)
        self.live.restore(known.changes, known.ports)
        self.city = LiveCity(self.live, self._clock, bindings=known.bindings)
        self.link = HostLink(
            session=HostSession(host_id=self._host_id, last_state_ms=self._last_state_ms()),
            decoder=Decoder({school.id: school for school in self.plan.schools}, self._clock),
            ingest=self.ingest,
            book=self._book,
            desk=self._desk,
            make_port=self._make_port,
            clock=self._clock,
            keep_state=self._keep_state,
        )
        self.city.judge()
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "commit": self.ingest.run,
            "host": self.link.run,
            "judge": self._judge,
            "records": self._keep_records,
            "care": self._care,
        }
        if self._influx is not None:
            self.export = InfluxExport(
                source=self.store,
                target=InfluxTarget(self._influx),
                cursor_file=self._folder / "export.json",
                city=self.plan.id,
                clock=self._clock,
            )
            tasks["export"] = self.export.run
        for name, work in tasks.items():
            self._supervisor.start(name, work)

    def _open_store(self) -> None:
        self.store.start()
        self.quarantine.start()

    def _open_records(self) -> "_Known":
        self.records.start()
        now_ns = self._clock.wall_ns()
        for done in self.records.load(self.plan, now_ns):
            if done.opened or done.closed:
                log.info("records: %s: %d opened, %d closed", done.table, done.opened, done.closed)
        return _Known(
            changes=list(self.records.last_changes().values()),
            bindings=self.records.bindings(now_ns),
            ports=list(self.records.ports_of(now_ns).items()),
        )

    async def stop(self) -> None:
        """Drain what has arrived, say the last receipts, leave the broker, close the files."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self.ingest.drained()
                await self.link.leave()
        except TimeoutError:
            log.warning("not all that arrived could be committed; its agents will send it again")
        await self._supervisor.close()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._commit_thread, self.store.close)
        await loop.run_in_executor(self._commit_thread, self.quarantine.close)
        self._collect(self.city.judge())
        try:
            await self._write_records()
        except StoreError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say
        await loop.run_in_executor(self._records_thread, self.records.close)
        if self.export is not None:
            self.export.close()
        self._commit_thread.shutdown()
        self._records_thread.shutdown()

    # -- tasks

    def _changed(self) -> None:
        self._wake.set()

    async def _judge(self) -> None:
        while True:
            self._collect(self.city.judge())
            await self._clock.sleep(JUDGE_SECONDS)
            if self.live.dirty or self.city.behind or self.live.touched_boards:
                continue
            await self._sleep_until_changed(IDLE_JUDGE_SECONDS - JUDGE_SECONDS)

    async def _sleep_until_changed(self, seconds: float) -> None:
        self._wake.clear()
        waking = asyncio.ensure_future(self._wake.wait())
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({waking, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waking, sleeping):
                task.cancel()
            await asyncio.gather(waking, sleeping, return_exceptions=True)

    def _collect(self, changes: Sequence[LinkChange]) -> None:
        self._unkept += changes
        self._unkept_ports += self.live.inventories
        self.live.inventories.clear()
        if len(self._unkept) > MAX_UNKEPT:
            lost = len(self._unkept) - MAX_UNKEPT
            del self._unkept[:lost]
            log.error("%d changes of links are given up: the records cannot be written", lost)
        if self._unkept or self._unkept_ports:
            self._to_keep.set()

    async def _keep_records(self) -> None:
        while True:
            await self._to_keep.wait()
            self._to_keep.clear()
            await self._write_records()

    async def _write_records(self) -> None:
        """What cannot be written stays for the next time; raises :class:`StoreError`."""
        loop = asyncio.get_running_loop()
        changes, self._unkept = self._unkept, []
        ports, self._unkept_ports = self._unkept_ports, []
        try:
            await loop.run_in_executor(self._records_thread, self.records.append_changes, changes)
            changes = []
            while ports:
                school, switch, facts = ports[0]
                now_ns = self._clock.wall_ns()
                await loop.run_in_executor(
                    self._records_thread, self.records.learn_ports, school, switch, facts, now_ns
                )
                del ports[0]
            self._records_trouble = ""
        except StoreError as error:
            self._records_trouble = str(error)
            self._unkept = changes + self._unkept
            self._unkept_ports = ports + self._unkept_ports
            self._to_keep.set()
            raise

    async def _care(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now_ns = self._clock.wall_ns()
            await loop.run_in_executor(self._commit_thread, self.store.retain, now_ns)
            await loop.run_in_executor(self._records_thread, self.records.prune, now_ns)
            await self._clock.sleep(CARE_SECONDS)

    # -- the host's STATE over restarts

    def _last_state_ms(self) -> int:
        try:
            return int(json.loads((self._folder / HOST_STATE_FILE).read_bytes())["state_ms"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not readable (%s); starting without it", HOST_STATE_FILE, error)
            return 0

    def _keep_state(self, state_ms: int) -> None:
        path = self._folder / HOST_STATE_FILE
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            with fresh.open("wb") as file:
                file.write(json.dumps({"state_ms": state_ms}).encode())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            log.warning("the host's state cannot be kept: %s", error)

    # -- for the web side

    async def poll_now(self, school: str, switch: str | None) -> ActionReply:
        """See :class:`controller.api.services.Actions`."""
        scope = self.city.scope_of_school(school)
        if scope is None:
            return ActionReply(
                state="failed", code="unknown-school", message=f"There is no school {school!r}."
            )
        node = NodeId(scope.parts[1], scope.parts[2])
        if node not in self.link.nodes:
            return ActionReply(
                state="failed",
                code="agent-silent",
                message=f"The agent of {school} is not connected, so it cannot be asked.",
            )
        names = [one.name for one in self.plan.switches if one.school == school]
        if switch is not None and switch not in names:
            return ActionReply(
                state="failed",
                code="unknown-switch",
                message=f"School {school} has no switch {switch!r}.",
            )
        asked = names if switch is None else [switch]
        replies = await asyncio.gather(
            *(
                self._desk.ask(
                    node, "Poll", {"switch": name}, deadline_seconds=POLL_DEADLINE_SECONDS
                )
                for name in asked
            )
        )
        worst = max(replies, key=lambda reply: reply.state is CommandState.FAILED)
        code = {0: "", NO_ANSWER: "no-answer"}.get(worst.code, f"agent-{worst.code}")
        message = "; ".join(reply.message for reply in replies if reply.state is worst.state)
        return ActionReply(state=worst.state.value, code=code, message=message)

    def figures(self) -> IngestFigures:
        """Counters for /metrics."""
        totals = self.ingest.figures
        return IngestFigures(
            samples_total=totals.samples,
            blocks_total=totals.blocks,
            duplicates_total=totals.duplicates,
            refused_total=totals.refused,
            base_skipped_total=totals.base_skipped,
            receipts_total=totals.receipts,
            lag_seconds=totals.lag_seconds,
        )

    def health(self) -> list[Callable[[], Health]]:
        """Sources for /readyz."""
        return [
            self._broker_health,
            self._store_health,
            self._records_health,
            self._task_health,
            self._evidence_health,
            self._export_health,
        ]

    @property
    def tasks(self) -> list[TaskHealth]:
        """What the supervisor knows."""
        return self._supervisor.health

    def _broker_health(self) -> Health:
        trouble = self.link.trouble
        return Health(
            name="broker",
            ready=not trouble,
            sentence=trouble or f"connected, {len(self.link.nodes)} agents online",
        )

    def _store_health(self) -> Health:
        trouble = self.ingest.figures.trouble
        usage = self.store.usage()
        kept = (
            f"blocks are committed: {usage.files} files, {usage.bytes / 1e6:.1f} MB, "
            f"since {usage.oldest_day or 'today'}"
        )
        return Health(name="store", ready=not trouble, sentence=trouble or kept)

    def _evidence_health(self) -> Health:
        """What is wrong with what comes in; it hinders nothing here."""
        totals = self.ingest.figures
        told = (
            f"{totals.refused} refused, {totals.conflicts} conflicts, {totals.breaks} chain "
            f"breaks, {totals.base_skipped} never came, "
            f"{self.live.unplanned_total} not in the configuration"
        )
        return Health(name="evidence", ready=True, sentence=told)

    def _export_health(self) -> Health:
        """A server that is away is no reason to call the controller unready."""
        if self.export is None:
            return Health(name="export", ready=True, sentence="none is configured")
        figures = self.export.figures
        told = f"{figures.blocks} blocks exported, {figures.refused} refused"
        return Health(name="export", ready=True, sentence=figures.trouble or told)

    def _records_health(self) -> Health:
        trouble = self._records_trouble
        return Health(name="records", ready=not trouble, sentence=trouble or "records are kept")

    def _task_health(self) -> Health:
        down = [one for one in self._supervisor.health if not one.running]
        said = "; ".join(f"{one.name}: {one.last_error or 'not running'}" for one in down)
        return Health(name="tasks", ready=not down, sentence=said or "all tasks run")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


def port_maker(endpoint: Endpoint, client_id: str) -> PortMaker:
    """Makes the MQTT ports of a host session."""

    def make(plan: ConnectPlan) -> MqttPort:
        return MqttPort(
            endpoint=endpoint,
            client_id=client_id,
            will=plan.will,
            clean_start=plan.clean_start,
            session_expiry_seconds=plan.session_expiry_seconds,
            receive_maximum=1000,
            acknowledge_on_arrival=True,
        )

    return make
