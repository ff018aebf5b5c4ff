"""The room of the city's broker: its access lists, and an end to sessions that must not go on.

Plain Mosquitto lets a session live on whose certificate was revoked or ran out (TRUST.md, fact 3).
Here it is cut: on revocation at once, on expiry within a second by the controller's clock.
"""

import asyncio
import itertools
import logging
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from os import kill
from typing import Protocol

from controller.api.services import Health
from controller.house import House, Room
from controller.store.protocols import StoreError
from controller.trust.brokers_desired import Account, Wanted, desired, node_client_id
from controller.trust.brokers_sessions import (
    MQTT5,
    Began,
    Cuts,
    Sessions,
    Takeovers,
    read_line,
)
from controller.trust.entries import Entry, LedgerError
from controller.trust.machine_room import machine_room
from controller.trust.machine_standing import Cut, CutState
from controller.trust.registry import Machine, MachineState, MachineWatch
from drivers.wire.dynsec import CommandRefusedError
from drivers.wire.dynsec_keeper import DynsecKeeper, Repair
from drivers.wire.dynsec_plan import Command, Desired, end_together, kick, strip_client, told
from drivers.wire.dynsec_values import DynsecError
from drivers.wire.endpoint import EndpointError, endpoint_of
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import Endpoint, MqttError
from drivers.wire.sparkplug.events import NodeBorn
from drivers.wire.topics import NodeId
from tenone.config.brokers import CityControl
from tenone.trust.credentials import CredentialsError, read_credentials
from tenone.trust.masked import Secret
from tenone.trust.names import MachineKind

log = logging.getLogger(__name__)

BOOT_ID = "Agent/Boot Id"
EXPIRY_SECONDS = 1.0
RELOAD_SECONDS = 10.0
CUT_BATCH = 25
_NS = 1_000_000_000


class BrokerRoom:
    """See :class:`controller.house.Room`. Does nothing where ``trust.broker`` is not configured."""

    name = "broker accounts"

    def __init__(self, house: House, watch: MachineWatch | None = None) -> None:
        self._house = house
        self._clock = house.clock
        self._watch = watch
        self._control = house.config.trust.broker
        self._sessions = Sessions()
        self._takeovers = Takeovers()
        self._cuts = Cuts()
        self._endings: deque[tuple[tuple[Command, ...], str]] = deque()
        """With the school whose session ends for good; empty: it may come back."""
        self._ending_due = asyncio.Event()
        self._entries: asyncio.Queue[Entry] = asyncio.Queue(maxsize=1000)
        self._passwords: Mapping[str, Secret] = {}
        self._host: Account | None = None
        self._list_written = 0
        self._reload_trouble = ""
        self.keeper: DynsecKeeper | None = None
        self.old_protocols = 0
        """Connections by MQTT 3.1 or 3.1.1 that were cut."""

    # -- the Room protocol

    def open(self) -> None:
        """See the protocol."""
        control = self._control
        if control is None:
            return
        try:
            endpoint = endpoint_of(control.broker)
            self._host = self._host_account()
            if control.passwords is not None:
                self._passwords = read_credentials(control.passwords, self._house.files)
        except (EndpointError, CredentialsError) as error:
            raise StoreError(f"trust.broker: {error}") from error
        self.keeper = DynsecKeeper(
            make_port=lambda: self._port(endpoint, control),
            desired=self._desired,
            clock=self._clock,
            before_repair=self._before_repair,
            on_log=self._log_line if control.watch else None,
            on_connected=self._sessions.connected,
            check_seconds=control.check_seconds,
        )
        if self._watch is not None:
            self._watch.on_revoked(self._revoked)
            self._watch.on_changed(self._changed)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        if self.keeper is None:
            return {}
        return {
            "broker accounts": self.keeper.run,
            "broker sessions": self._expire,
            "broker cuts": self._cut,
            "broker ledger": self._tell,
        }

    def health(self) -> Health:
        """See the protocol."""
        keeper = self.keeper
        if keeper is None:
            told_ = "nobody keeps the broker's access lists: no trust.broker is configured"
            return Health(name=self.name, ready=True, sentence=told_)
        fights = self._takeovers.fighting(self._clock.monotonic_ns() / _NS)
        words = [
            f"{keeper.accounts} accounts as they shall be, {keeper.repairs} repairs",
            f"{len(keeper.foreign)} foreign: {', '.join(keeper.foreign[:3])}"
            if keeper.foreign
            else "",
            f"two programs fight for the id of {', '.join(fights[:3])}" if fights else "",
            f"{self.old_protocols} connections without MQTT 5 were cut"
            if self.old_protocols
            else "",
            self._reload_trouble,
        ]
        said = keeper.trouble or "; ".join(one for one in words if one)
        return Health(name=self.name, ready=not keeper.trouble, sentence=said)

    def close(self) -> None:
        """See the protocol."""

    # -- what shall be

    def _host_account(self) -> Account | None:
        broker = self._house.config.broker
        if broker.username is None or broker.password is None:
            return None
        return Account(
            username=broker.username,
            client_id=f"tenone-{broker.host_id}",
            password=Secret.of(endpoint_of(broker).password or ""),
        )

    def _desired(self) -> Desired:
        control = self._house.config.trust.broker
        if control is None:
            raise DynsecError("no trust.broker is configured")
        schools = self._house.config.schools
        return desired(
            Wanted(
                host_id=self._house.config.broker.host_id,
                schools=[NodeId(one.school.district, one.id) for one in schools],
                keeper=control.username,
                allowed=self._allowed(control),
                host=self._host,
                passwords=self._passwords,
                by_password=control.identity == "password",
                remove_foreign=control.foreign == "remove",
            )
        )

    def _allowed(self, control: CityControl) -> frozenset[str]:
        """Schools whose agent may come in now."""
        now = self._clock.wall_ns() / _NS
        known = {machine.parsed.path[0]: machine.state(now) for machine in self._agents()}
        if control.agents == "enrolled":
            return frozenset(one for one, state in known.items() if state is MachineState.ACTIVE)
        barred = {one for one, state in known.items() if state is MachineState.REVOKED}
        return frozenset(one.id for one in self._house.config.schools) - barred

    def _agents(self) -> list[Machine]:
        if self._watch is None:
            return []
        return [one for one in self._watch.machines() if one.parsed.kind is MachineKind.AGENT]

    async def _before_repair(self, repair: Repair) -> None:
        """The ledger first; raises :class:`DynsecError` where it cannot be written."""
        first = repair.first
        log.warning(
            "broker access control: %d changes%s: %s",
            len(repair.commands),
            "" if first else " were needed",
            told(repair.commands),
        )
        try:
            await self._house.ledger.write(
                Entry(
                    act="broker.reconcile",
                    actor="system",
                    detail={
                        "changes": len(repair.commands),
                        "first": first,
                        "what": told(repair.commands),
                        "foreign": ", ".join(repair.foreign[:10]),
                    },
                )
            )
        except LedgerError as error:
            raise DynsecError(f"the broker's lists stay as they are: {error}") from error

    # -- what must end

    def cut_of(self, machine: Machine) -> Cut | None:
        """See :class:`controller.api.machine_services.MachineSessions`."""
        if machine.revoked_ns is None:
            return None
        keeper, name = self.keeper, machine.parsed
        if keeper is None or name.kind is not MachineKind.AGENT:
            return Cut(state=CutState.UNKNOWN)  # a device is connected to its school's broker
        school = name.path[0]
        done = self._cuts.at(school)
        if done is not None:
            return Cut(state=CutState.CUT, at=done)
        if self._cuts.waits(school) or keeper.trouble:
            return Cut(state=CutState.WAITING, why=keeper.trouble)
        # It was revoked before this process began, and the lists were looked at since.
        return Cut(state=CutState.BARRED)

    def _changed(self, machine: Machine) -> None:
        if machine.parsed.kind is MachineKind.AGENT and machine.enrolled_ns is not None:
            self._cuts.over(machine.parsed.path[0])
        if self.keeper is not None:
            self.keeper.wake()

    def _revoked(self, machine: Machine) -> None:
        if machine.parsed.kind is MachineKind.AGENT:
            school = machine.parsed.path[0]
            self._cuts.asked(school, self._clock.wall_ns() / _NS)
            self._end((strip_client(school),), for_good=school)

    def _end(self, ending: tuple[Command, ...], *, for_good: str = "") -> None:
        self._endings.append((ending, for_good))
        self._ending_due.set()

    async def _cut(self) -> None:
        """Sessions that must end, past every queue; what fails is tried again.

        The account is marked as disabled by the next look, which is not hurried: reading all the
        lists would keep the broker from the next cut.
        """
        while True:
            await self._ending_due.wait()
            self._ending_due.clear()
            together: set[str] = set()
            while self._endings:
                together |= await self._cut_together(together)
                batch = list(itertools.islice(self._endings, CUT_BATCH))
                if not await self._execute([command for one, _ in batch for command in one]):
                    await self._clock.sleep(EXPIRY_SECONDS)
                    continue
                for _, school in batch:
                    self._cuts.done(school, self._clock.wall_ns() / _NS)
                    self._endings.popleft()

    async def _cut_together(self, before: set[str]) -> set[str]:
        """A lost authority: the sessions first, all at once; what they may is taken one by one.

        Who comes back meanwhile is refused by the list of revoked certificates, or loses the roles
        in turn. Where it fails, each is cut in turn as well. Returns who was cut, beside those
        ``before``.
        """
        ending = {str(one[0].arguments["username"]) for one, _ in self._endings if len(one) == 1}
        names = ending - before
        if len(names) <= CUT_BATCH:
            return set()
        await self._execute(end_together(sorted(names)))
        return names

    async def _execute(self, commands: Sequence[Command]) -> bool:
        """Whether it is done; an account that does not exist needs no cutting."""
        keeper = self.keeper
        if keeper is None:
            return True
        try:
            await keeper.execute(commands)
        except CommandRefusedError as error:
            log.warning("%s", error)
            return all("not found" in reason for _, reason in error.refused)
        except (DynsecError, MqttError) as error:
            log.warning("broker access control: %s", error)
            return False
        return True

    async def _expire(self) -> None:
        """Every second, by this clock: whose certificate ran out while it was connected."""
        while True:
            now = self._clock.wall_ns() / _NS
            control = self._control
            if control is not None and control.identity == "certificate":
                machines = {one.parsed.path[0]: one.certificates for one in self._agents()}
                for school in self._sessions.due(machines, now):
                    self._expired(school, now)
            await self._reload_when_new()
            await self._clock.sleep(EXPIRY_SECONDS)

    def _expired(self, school: str, now: float) -> None:
        until = None if self._watch is None else self._watch.valid_until(f"agent:{school}")
        renewed = until is not None and until > now
        log.warning("the certificate %s connected with ran out: its session is cut", school)
        self._end(kick(school) if renewed else (strip_client(school),))
        self._note("session.expire", school, {"renewed": renewed})

    async def _reload_when_new(self) -> None:
        """When the list of revoked certificates was written anew, make the broker read it."""
        control, path = self._control, self._house.config.trust.ca.crl_file
        if control is None or path is None or not (control.reload or control.pid_file):
            return
        try:
            written = path.stat().st_mtime_ns
        except OSError:
            return  # none was made yet
        if written != self._list_written:
            self._list_written = written
            await self._reload(control)

    async def _reload(self, control: CityControl) -> None:
        try:
            if control.pid_file is not None:
                kill(int(control.pid_file.read_text()), signal.SIGHUP)
            else:
                await self._run(control.reload)
        except (OSError, ValueError, TimeoutError) as error:
            self._reload_trouble = f"the broker did not read its revocation list again: {error}"
            log.warning("%s", self._reload_trouble)
        else:
            self._reload_trouble = ""

    @staticmethod
    async def _run(words: Sequence[str]) -> None:
        process = await asyncio.create_subprocess_exec(*words)
        try:
            async with asyncio.timeout(RELOAD_SECONDS):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        if code:
            raise OSError(f"{words[0]} ended with {code}")

    # -- what the broker's log tells

    def _log_line(self, _severity: str, text: str) -> None:
        match read_line(text):
            case Began() as began:
                self._began(began)
            case None:
                pass
            case taken:
                school = taken.client_id.removeprefix(node_client_id(""))
                if self._takeovers.taken(school, self._clock.monotonic_ns() / _NS):
                    self._fight(school, "the broker closed one connection for another")

    def _began(self, began: Began) -> None:
        self._sessions.began(began.username, self._clock.wall_ns() / _NS)
        if began.protocol == MQTT5 or began.username not in self._house.config.school_by_id:
            return
        self.old_protocols += 1
        log.warning("%s connected without MQTT 5: its session is cut", began.username)
        self._note("session.old-protocol", began.username, {"protocol": began.protocol})
        self._end(kick(began.username))

    def heard(self, birth: NodeBorn) -> None:
        """A node was born: two boots in alternation are two agents with one name."""
        school = birth.node.node
        boot = next((one.value for one in birth.metrics if one.name == BOOT_ID), None)
        now = self._clock.monotonic_ns() / _NS
        if isinstance(boot, str) and self._takeovers.born(school, boot, now):
            self._fight(school, "births of two boots alternate")

    def _fight(self, school: str, how: str) -> None:
        log.error("two programs fight for the session of %s: %s", school, how)
        self._note("session.takeover", school, {"seen": how})

    def _note(self, act: str, school: str, detail: Mapping[str, str | int | bool]) -> None:
        """For the ledger, which is written by a task of its own: a cut never waits for it."""
        found = self._house.config.school_by_id.get(school)
        entry = Entry(
            act=act,
            actor="system",
            scope="" if found is None else str(found.scope),
            subject=f"agent:{school}",
            detail=dict(detail),
        )
        if self._entries.full():
            self._entries.get_nowait()
            log.error("the ledger is behind: what happened to a session is in the log alone")
        self._entries.put_nowait(entry)

    async def _tell(self) -> None:
        while True:
            entry = await self._entries.get()
            while True:
                try:
                    await self._house.ledger.write(entry)
                    break
                except LedgerError:
                    await self._clock.sleep(EXPIRY_SECONDS)

    def _port(self, endpoint: Endpoint, control: CityControl) -> MqttPort:
        return MqttPort(endpoint=endpoint, client_id=control.username)


class HearsBirths(Protocol):
    """The controller's connection to its agents."""

    on_born: Callable[[NodeBorn], None]


def broker_room(house: House, rooms: Iterable[Room], link: HearsBirths) -> BrokerRoom:
    """The room, told of machines by theirs and of births by ``link``."""
    room = BrokerRoom(house, machine_room(rooms).registry)
    link.on_born = room.heard
    return room


def broker_room_of(rooms: Iterable[Room]) -> BrokerRoom:
    """The one among a controller's rooms."""
    return next(one for one in rooms if isinstance(one, BrokerRoom))
