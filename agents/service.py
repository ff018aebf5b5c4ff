"""One school's agent, put together: switches, boards, journal, uplink, all supervised."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from agents.birth_counter import BirthCounter
from agents.boards import BoardTable
from agents.checkpoints import Checkpoints, seal_key
from agents.class_time import class_time
from agents.commands import Code, CommandFailed, Commands, Verb
from agents.egress import Guard
from agents.egress_told import EGRESS_LAYOUT, EgressTold
from agents.gateway import RECEIVE_MAXIMUM, Gateway
from agents.health import Health, agent_version
from agents.hint_ports import HintPorts, senders
from agents.hints import Hints
from agents.ledger_heads import LedgerHeads
from agents.local_accounts import gateway_client_id, local_accounts
from agents.local_broker import LocalBroker
from agents.lock import FolderLock
from agents.origin import Origin, clock_quality
from agents.passport import Passport
from agents.polled import Polled
from agents.poller import Poller, PollError
from agents.probing import Probing
from agents.quarantine import Quarantine
from agents.repairing import AfterChanges, make_configurations, make_repairs, verbs_of
from agents.repairs import Repairs
from agents.uplink import Uplink, UplinkSettings
from agents.uplink_told import UplinkTold
from agents.vault_watch import VaultWatch
from drivers.cli.console import Consoles
from drivers.snmp.client import SnmpClient
from drivers.wire.embedded import EmbeddedBroker
from drivers.wire.endpoint import endpoint_of
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint
from drivers.wire.sparkplug.edge import EdgeSession
from drivers.wire.topics import NodeId
from tenone.blocks.block import Block, Draft
from tenone.config import School
from tenone.config.own_files import own_files
from tenone.journal.disk import Disk, OsDisk
from tenone.journal.journal import Journal, JournalError
from tenone.journal.keeper import JournalKeeper
from tenone.runtime.clock import Clock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.scope import DeviceKind
from tenone.vocabulary.states import ClockQuality

log = logging.getLogger(__name__)

DRAIN_SECONDS = 1.0
"""How long a stop waits for receipts; what has none by then is sent by the next start."""
LOOK_SECONDS = 1.0
SESSION_EXPIRY_SECONDS = 7 * 24 * 3600
"""How long an external school broker keeps what boards say while the agent is away."""
CORE_TASKS = ("journal", "uplink", "local broker")
"""What must still run while everything else is being stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Where a started agent is."""

    school: str
    journal_id: bytes
    local_broker: EmbeddedBroker | None

    def as_json(self) -> dict[str, object]:
        """The line ``--ready-json`` prints."""
        broker = self.local_broker
        return {
            "ready": True,
            "school": self.school,
            "journal": self.journal_id.hex(),
            "local_broker": None
            if broker is None
            else {"host": broker.host, "port": broker.port, "port_311": broker.port_311},
        }


class Agent:
    """``async with Agent(school, clock=SystemClock()) as agent:`` runs until the block ends.

    The end is orderly: inputs stop, what is kept gets a moment for its receipts, the node says
    goodbye, the journal is closed. ``on_kept`` witnesses what the journal keeps. ``guard`` is the
    one that this process asks about what it sends; its refusals are told.

    ``consoles`` are where switches are logged in to; unsaid, a child process. ``quality`` says how
    well the machine's clock is set.

    Entering raises ``LockedError``, ``JournalError``, ``SealKeyError``, ``SecretError``,
    ``EndpointError``, ``IdentityError``, ``KeySetError`` or ``BadTarget``.
    """

    def __init__(
        self,
        school: School,
        *,
        clock: Clock,
        disk: Disk | None = None,
        uplink_settings: UplinkSettings | None = None,
        on_kept: Callable[[Sequence[Block]], None] | None = None,
        verbs: Mapping[str, Verb] | None = None,
        guard: Guard | None = None,
        consoles: Consoles | None = None,
        quality: Callable[[], ClockQuality] = clock_quality,
    ) -> None:
        self.school = school
        self.tasks = Supervisor(clock)
        self._clock = clock
        self._disk = disk or OsDisk()
        self._settings = uplink_settings
        self._on_kept = on_kept
        self._guard = guard
        self._verbs = dict(verbs or {})
        """More that the city may ask for."""
        self._consoles = consoles
        self.repairs: Repairs | None = None
        """None where no switch has a ``cli``."""
        self._origin = Origin(
            school=school.id, boot_id=secrets.token_bytes(16), clock=clock, quality=quality
        )
        self._stack = AsyncExitStack()
        self._local: LocalBroker | None = None
        self._gateway: Gateway | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.tasks.close()
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in [task.name for task in self.tasks.health]:
            if name not in CORE_TASKS:
                await self.tasks.stop(name)
        if self._gateway is not None:
            try:
                await self._gateway.close()
            except JournalError:
                # Nothing of it was acknowledged: the broker delivers it again after the start.
                log.exception("the boards' last words could not be kept")
        try:
            await self.checkpoints.tell()
        except JournalError:
            log.exception("the last checkpoint could not be kept; the next start signs the rest")
        for _ in range(20):
            if self.uplink.is_drained or not self.uplink.is_online:
                break
            await self._clock.sleep(DRAIN_SECONDS / 20)
        await self.tasks.stop("uplink")
        await self.tasks.close()
        await self._stack.aclose()

    async def ready(self) -> Ready:
        """Wait until the school's devices can connect."""
        if self._local is not None and self._gateway is not None:
            await self._gateway.listening.wait()
        return Ready(
            school=self.school.id,
            journal_id=self.keeper.journal.journal_id,
            local_broker=None if self._local is None else self._local.broker,
        )

    async def failed(self) -> str:
        """Wait until the agent can do nothing but be started again; returns why."""
        while not self.keeper.journal.broken:
            await self._clock.sleep(LOOK_SECONDS)
        return self.keeper.journal.broken

    async def _start(self) -> None:
        outbox = self.school.outbox
        self.passport = Passport(self.school, clock=self._clock)
        await self.passport.check()
        self._stack.enter_context(FolderLock(outbox.path))
        self.vault = VaultWatch(self.school, clock=self._clock, disk=self._disk)
        await asyncio.to_thread(self.vault.look)
        journal = await asyncio.to_thread(
            Journal.open,
            outbox.path,
            clock=self._clock,
            agent=self.school.id,
            boot_id=self._origin.boot_id,
            limit_bytes=outbox.limit_bytes,
            disk=self._disk,
        )
        key = await asyncio.to_thread(
            seal_key, outbox.path, self._disk, own_files(self.school.vault)
        )
        self.keeper = JournalKeeper(journal, on_kept=self._kept)
        self._stack.push_async_callback(self.keeper.close)
        probing = Probing(
            self.school.probes,
            origin=self._origin,
            keep=self._keep,
            in_class=class_time(self.school),
        )
        self._stack.callback(probing.close)
        self.poller = await self._make_poller()
        self._make_repairs()
        self._verbs |= verbs_of(self.repairs, self.school, origin=self._origin, disk=self._disk)
        self.configurations = make_configurations(
            self.repairs, self.school, origin=self._origin, keep=self._keep, disk=self._disk
        )
        if self.configurations is not None:
            self._verbs |= self.configurations.verbs
        heads = LedgerHeads(outbox.path, disk=self._disk, clock=self._clock)
        self._verbs |= heads.verbs
        self.uplink = self._make_uplink(probing)
        self.checkpoints = Checkpoints(
            origin=self._origin, keep=self.uplink.keep, journal=journal, key=key
        )
        hints = self._make_hints()
        self._make_gateway()
        health = Health(
            origin=self._origin,
            keep=self.uplink.keep,
            stock=journal,
            refusals=None if self._gateway is None else self._gateway.quarantine,
            hints=hints,
            care=self.passport,
            repairs=self.repairs,
            ledger=heads,
            vault=self.vault,
        )
        self._start_tasks(probing, health)

    def _make_repairs(self) -> None:
        self.repairs = make_repairs(
            self.school,
            consoles=self._consoles,
            eyes=self.poller,
            origin=self._origin,
            keep=self._keep,
            disk=self._disk,
            table=lambda: None if self._gateway is None else self._gateway.table,
        )
        if self.repairs is not None:
            self._stack.push_async_callback(self.repairs.close)
            self._polled.login_finding = self.repairs.sessions.finding

    def _start_tasks(self, probing: Probing, health: Health) -> None:
        self.tasks.start("journal", self.keeper.run)
        self.tasks.start("vault", self.vault.run)
        self.tasks.start("commands", self.uplink.commands.run)
        self.tasks.start("health", health.run)
        self.tasks.start("checkpoints", self.checkpoints.run)
        if self.passport.renewer is not None:
            self.tasks.start("certificate", self.passport.renewer.run)
        trouble = UplinkTold(origin=self._origin, keep=self.uplink.keep)
        self.uplink.on_trouble = trouble.note
        self.tasks.start("uplink troubles", trouble.run)
        if self._guard is not None:
            told = EgressTold(self._guard, origin=self._origin, keep=self.uplink.keep)
            self.tasks.start("egress", told.run)
        self.poller.start(self.tasks)
        probing.start(self.tasks)
        if self.repairs is not None:
            self.repairs.start(self.tasks)
        if self.configurations is not None:
            self.tasks.start("configurations", self.configurations.run)
            after = AfterChanges(self.configurations)
            self.tasks.start("configurations after changes", after.run)
            if self.repairs is not None:
                self.repairs.steps.heard = after.heard
        if self._gateway is not None:
            self._gateway.start(self.tasks)
        self.tasks.start("uplink", self.uplink.run)

    def _kept(self, blocks: Sequence[Block]) -> None:
        self.checkpoints.note(blocks)
        if self._on_kept is not None:
            self._on_kept(blocks)

    async def _make_poller(self) -> Poller:
        client = await self._stack.enter_async_context(SnmpClient(clock=self._clock))
        self._polled = Polled(self.school, client, origin=self._origin, disk=self._disk)
        return self._polled.poller(self._keep)

    def _make_hints(self) -> Hints | None:
        school = self.school
        if school.traps is None and school.syslog is None:
            return None
        hints = Hints(
            clock=self._clock, look=self.poller.poll_now, sources=dict.fromkeys(senders(school), ())
        )
        ports = HintPorts(school, hints, clock=self._clock)
        self._stack.callback(ports.close)
        self.tasks.start("hints", hints.run)
        self.tasks.start("hint ports", ports.run)
        return hints

    # -- boards --------------------------------------------------------------------------

    def _make_gateway(self) -> None:
        boards = [one.serial for one in self.school.devices if one.kind is DeviceKind.BOARD]
        if not boards:
            return
        config = self.school.local_broker
        if config.embedded:
            broker = EmbeddedBroker(host=config.host, port=config.port)
            self._stack.callback(broker.stop)
            self._local = LocalBroker(broker, clock=self._clock)
            self.tasks.start("local broker", self._local.run)
        accounts = local_accounts(self.school, clock=self._clock)
        if accounts is not None:
            self.tasks.start("local accounts", accounts.run)
        endpoint = endpoint_of(config)
        self._gateway = Gateway(
            table=BoardTable(boards),
            quarantine=Quarantine(self.school.outbox.path / "quarantine", disk=self._disk),
            origin=self._origin,
            keep=self.uplink.keep,
            make_port=lambda: self._local_port(endpoint),
            broker_up=None if self._local is None else self._local.up,
        )

    def _local_port(self, endpoint: Endpoint) -> MqttPort:
        return MqttPort(
            endpoint=endpoint,
            client_id=gateway_client_id(self.school.id),
            clean_start=False,
            session_expiry_seconds=SESSION_EXPIRY_SECONDS,
            receive_maximum=RECEIVE_MAXIMUM,
        )

    # -- uplink --------------------------------------------------------------------------

    async def _keep(self, drafts: Sequence[Draft]) -> list[Block]:
        """For rooms whose verbs the uplink is made with, and that keep through it."""
        return await self.uplink.keep(drafts)

    def _make_uplink(self, probing: Probing) -> Uplink:
        school = self.school
        counter = BirthCounter(school.outbox.path, disk=self._disk)
        return Uplink(
            session=EdgeSession(
                node=NodeId(school.school.district, school.id),
                host_id=school.uplink.host_id,
                last_bd_seq=counter.last(),
            ),
            birth_counter=counter,
            keeper=self.keeper,
            clock=self._clock,
            version=agent_version(),
            boot_id=self._origin.boot_id,
            make_port=lambda plan: self.passport.took(
                MqttPort(
                    endpoint=self.passport.endpoint,
                    client_id=f"tenone-node-{school.id}",
                    will=plan.will,
                    clean_start=plan.clean_start,
                    session_expiry_seconds=plan.session_expiry_seconds,
                    acknowledge_on_arrival=True,
                )
            ),
            commands=Commands(
                {"Poll": self._poll_now, **probing.verbs, **self._verbs}, clock=self._clock
            ),
            streams=(*probing.layouts, *([] if self._guard is None else [EGRESS_LAYOUT])),
            settings=self._settings,
        )

    async def _poll_now(self, arguments: Mapping[str, object]) -> str:
        """The verb ``Poll``: sweep the state of ``switch`` at once."""
        switch = arguments.get("switch")
        if not isinstance(switch, str):
            raise CommandFailed(Code.BAD_ARGUMENTS, "name the switch: {'switch': 'core'}")
        try:
            await self.poller.poll_now(switch)
        except PollError as error:
            raise CommandFailed(Code.FAILED, str(error)) from error
        return f"{switch} answered"
