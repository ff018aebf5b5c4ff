"""The controller without its web side: ingest, store, state, records, composed and run."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from controller.api.services import Health, IngestFigures
from controller.asking import Asking
from controller.bus import Bus
from controller.configurations.room import ConfigurationsRoom
from controller.enforcement.room import EnforcementRoom
from controller.evidence.room import EvidenceRoom
from controller.host_state import HostState
from controller.house import House, Room
from controller.incidents.desk import IncidentDesk
from controller.incidents.make import office
from controller.incidents.office import Office
from controller.incidents.room import IncidentRoom
from controller.ingest.commands import CommandDesk
from controller.ingest.decode import Decoder
from controller.ingest.link import HostLink, PortMaker, port_maker
from controller.ingest.pipeline import Ingest
from controller.ingest.receipts import ReceiptBook
from controller.keeping import Keeping
from controller.minutes.room import MinutesRoom
from controller.plan import CityPlan, plan_of
from controller.rooms import all_rooms
from controller.state.city import LiveCity
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.blocks import SqliteBlockStore
from controller.store.influx import InfluxExport, InfluxTarget
from controller.store.protocols import Arrival, LinkChange, StoreError
from controller.store.quarantine import PASSED, Quarantine
from controller.store.records import PortFacts, SqlRecords
from controller.threads import Thread
from controller.topology.room import TopologyRoom
from controller.trust.ledger_house import LedgerHouse
from controller.views import Binding
from drivers.wire.endpoint import endpoint_of
from drivers.wire.mqtt_values import Endpoint
from drivers.wire.sparkplug.host import HostSession
from tenone.config.city import City as CityConfig
from tenone.config.own_files import own_files
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor, TaskHealth

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Room)

JUDGE_SECONDS = 0.25
"""After a change, judge at most so often."""
IDLE_JUDGE_SECONDS = 1.0
"""Without one, so often: silence and staleness come by themselves."""
CARE_SECONDS = 600.0
"""How often retention and pruning are looked after."""
DRAIN_SECONDS = 8.0
"""How long a stop waits for what has arrived to be committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the records know at the start."""

    changes: list[LinkChange]
    bindings: dict[str, Binding]
    ports: list[tuple[tuple[str, str], list[PortFacts]]]


class _Showing:
    """What ingest feeds: live state first, then the rooms."""

    def __init__(self, live: LiveState, bus: Bus) -> None:
        self._live = live
        self._bus = bus

    def apply(self, arrival: Arrival) -> None:
        self._live.apply(arrival)
        self._bus.block(arrival)

    def agent_born(self, school: str, version: str, *, now_ns: int) -> None:
        self._live.agent_born(school, version, now_ns=now_ns)
        self._bus.agent(school, online=True)

    def agent_died(self, school: str) -> None:
        self._live.agent_died(school)
        self._bus.agent(school, online=False)

    def agent_heard(self, school: str, *, now_ns: int, offset_seconds: float) -> None:
        self._live.agent_heard(school, now_ns=now_ns, offset_seconds=offset_seconds)


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
        self._config = config
        self._clock = clock
        self._folder = Path(config.store.path)
        self.plan: CityPlan = plan_of(config)
        self.store = SqliteBlockStore(
            self._folder / "blocks", retention_days=max(1, round(config.store.retention_days))
        )
        self.quarantine = Quarantine(self._folder / "quarantine.db")
        self.records = SqlRecords(config.records.url)
        self.audit = LedgerHouse(config, clock)
        self.ledger = self.audit.ledger
        self._numbering = Numbering(self.plan)
        self.live = LiveState(self._numbering, now_ns=clock.monotonic_ns())
        self.bus = Bus()
        self._in_store = Thread("commit")
        self._in_records = Thread("records")
        self._keeping = Keeping(self.records, self._in_records, clock)
        self._book = ReceiptBook()
        self._desk = CommandDesk(clock)
        self._wake = asyncio.Event()
        self.ingest = Ingest(
            commit=self.store.commit,
            quarantine=self.quarantine,
            live=_Showing(self.live, self.bus),
            book=self._book,
            clock=clock,
            executor=self._in_store.executor,
            on_applied=self._wake.set,
            passing=self.store,
            on_passed=self.audit.passed,
        )
        self._supervisor = Supervisor(clock)
        if make_port is None:
            where = endpoint or endpoint_of(config.broker)
            make_port = port_maker(where, f"tenone-{config.broker.host_id}")
        self._make_port = make_port
        self.export: InfluxExport | None = None
        self.rooms: Mapping[str, Room] = {}
        self.city: LiveCity
        self.link: HostLink
        self.asking: Asking
        self.office: Office

    async def start(self) -> None:
        """Open what is kept, learn from it, start all tasks."""
        await self.audit.start(self._supervisor)
        await self._in_store(self._open_store)
        known = await self._in_records(self._open_records)
        self.live.restore(known.changes, known.ports)
        self.city = LiveCity(self.live, self._clock, bindings=known.bindings)
        host_state = HostState(self._folder)
        host_id = self._config.broker.host_id
        self.link = HostLink(
            session=HostSession(host_id=host_id, last_state_ms=host_state.last_ms()),
            decoder=Decoder({school.id: school for school in self.plan.schools}, self._clock),
            ingest=self.ingest,
            book=self._book,
            desk=self._desk,
            make_port=self._make_port,
            clock=self._clock,
            keep_state=host_state.keep,
        )
        self.asking = Asking(
            plan=self.plan,
            desk=self._desk,
            link=self.link,
            scope_of_school=self.city.scope_of_school,
        )
        self.audit.witnesses.asker = self.asking
        await self._open_rooms()
        self.incidents.recheck = self.asking.poll_now
        self._judge_now()
        for name, work in self._tasks().items():
            self._supervisor.start(name, work)

    def _tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        tasks: dict[str, Callable[[], Awaitable[None]]] = {
            "commit": self.ingest.run,
            "host": self.link.run,
            "judge": self._judge,
            "records": self._keeping.run,
            "care": self._care,
        }
        influx = self._config.store.influx
        if influx is not None:
            self.export = InfluxExport(
                source=self.store,
                target=InfluxTarget(influx),
                cursor_file=self._folder / "export.json",
                city=self.plan.id,
                clock=self._clock,
            )
            tasks["export"] = self.export.run
        for room in self.rooms.values():
            tasks |= room.tasks()
        return tasks | dict(self.audit.tasks())

    async def _open_rooms(self) -> None:
        house = House(
            config=self._config,
            plan=self.plan,
            clock=self._clock,
            folder=self._folder,
            live=self.live,
            city=self.city,
            store=self.store,
            records=self.records,
            bus=self.bus,
            in_records=self._in_records,
            ledger=self.ledger,
            notes=self.ledger,
            files=own_files(self._config.vault),
        )
        self.office = office(house)
        rooms = all_rooms(house, self.asking, self.link)
        self.rooms = {room.name: room for room in rooms}
        for room in rooms:
            await self._in_records(room.open)

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
        await self.audit.stopping()
        await self._supervisor.close()
        await self.ledger.close()
        await self._in_store(self.store.close)
        await self._in_store(self.quarantine.close)
        self._judge_now()
        try:
            await self._keeping.write()
        except StoreError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say
        for room in self.rooms.values():
            await self._in_records(room.close)
        await self._in_records(self.records.close)
        if self.export is not None:
            self.export.close()
        self._in_store.end()
        self._in_records.end()

    # -- tasks

    def _judge_now(self) -> None:
        changes = self.city.judge()
        self._keeping.take(changes, self.live.marks.inventories)
        self.live.marks.inventories.clear()
        self.bus.changed(changes)
        self.bus.flapped(self.live.marks.flaps)
        self.live.marks.flaps.clear()

    async def _judge(self) -> None:
        while True:
            self._judge_now()
            await self._clock.sleep(JUDGE_SECONDS)
            if self.live.marks.dirty or self.city.behind or self.live.marks.boards:
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

    async def _care(self) -> None:
        while True:
            now_ns = self._clock.wall_ns()
            await self._in_store(self.store.retain, now_ns)
            await self._in_records(self.records.prune, now_ns)
            await self._clock.sleep(CARE_SECONDS)

    # -- for the web side

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
            self._keeping.health,
            self._task_health,
            self._evidence_health,
            self._export_health,
            *self.audit.health(),
            *(room.health for room in self.rooms.values()),
        ]

    @property
    def incidents(self) -> IncidentRoom:
        """The room of incidents."""
        return self._room(IncidentRoom)

    @property
    def incident_desk(self) -> IncidentDesk:
        """What people ask of incidents."""
        return IncidentDesk(self.incidents, self._in_records)

    @property
    def minutes(self) -> MinutesRoom:
        """The room that counts class-minutes."""
        return self._room(MinutesRoom)

    @property
    def configurations(self) -> ConfigurationsRoom:
        """The room of switches' configurations."""
        return self._room(ConfigurationsRoom)

    @property
    def evidence(self) -> EvidenceRoom:
        """The room of sealed evidence."""
        return self._room(EvidenceRoom)

    @property
    def enforcement(self) -> EnforcementRoom:
        """The room of repairs."""
        return self._room(EnforcementRoom)

    @property
    def topology(self) -> TopologyRoom:
        """The room that knows the cables."""
        return self._room(TopologyRoom)

    def _room(self, kind: type[R]) -> R:
        return next(room for room in self.rooms.values() if isinstance(room, kind))

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
        trouble = self.ingest.figures.trouble or "; ".join(self.store.unread.values())
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
            f"{self.quarantine.totals.get(PASSED, 0)} unreadable blocks passed in all, "
            f"{self.live.marks.unplanned_total} not in the configuration"
        )
        return Health(name="evidence", ready=True, sentence=told)

    def _export_health(self) -> Health:
        """A server that is away is no reason to call the controller unready."""
        if self.export is None:
            return Health(name="export", ready=True, sentence="none is configured")
        figures = self.export.figures
        told = f"{figures.blocks} blocks exported, {figures.refused} refused"
        return Health(name="export", ready=True, sentence=figures.trouble or told)

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
