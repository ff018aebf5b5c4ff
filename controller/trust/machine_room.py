"""The room of the machines: opens the authority, keeps its lists fresh, hears of the console.

``tenone enrol`` also works beside a running controller, on the same records. What was done there
is told to the ledger here, within seconds.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from controller.api.services import Health
from controller.house import House, Room
from controller.state.values import rows_of
from controller.store.protocols import NS, StoreError
from controller.trust.acts import UNKNOWN_CONSOLE
from controller.trust.authorities import Authorities
from controller.trust.ca import DAY, CaError
from controller.trust.crl import CrlKeeper
from controller.trust.entries import Entry, LedgerError
from controller.trust.machine_desk import DeskParts, MachineDesk
from controller.trust.machine_records import MachineRecords
from controller.trust.machine_standing import MOST_FINDING, MOST_WORDS, Memory, Word
from controller.trust.registry import MachineState, Registry
from tenone.config.city import City as CityConfig
from tenone.config.own_files import own_files
from tenone.config.secret import SecretError
from tenone.trust.names import MachineKind, MachineName
from tenone.vocabulary.scope import ScopePath

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
PRUNE_SECONDS = 3600.0
HEALTH = "agent-health"
"""The stream in which a gateway says how its certificate is."""


class MachineRoom:
    """See :class:`controller.house.Room`."""

    name = "machines"

    def __init__(self, house: House) -> None:
        self._clock = house.clock
        self._ledger = house.ledger
        self._in_records = house.in_records
        self.registry = Registry(scopes_of(house.config))
        self.memory = Memory(house.clock.wall_ns() / NS)
        self._inbox = house.bus.blocks(HEALTH, limit=MOST_WORDS)
        self._records = MachineRecords(house.records)
        self._config = house.config
        self._trouble = ""
        self._pruned = 0.0
        self._authorities: Authorities | None = None
        self._desk: MachineDesk | None = None
        self._crl: CrlKeeper | None = None
        self.approval_keys: Callable[[], str | None] = lambda: None
        """What a school pins when it is enrolled; the composition hands it over."""

    @property
    def desk(self) -> MachineDesk:
        """What people and machines ask of it; after :meth:`open`."""
        if self._desk is None:
            raise StoreError("the room of the machines is not open yet")
        return self._desk

    # -- the Room protocol

    def open(self) -> None:
        """See the protocol. A damaged authority is said and stops nothing but what needs it."""
        try:
            self._authorities = authorities_of(self._config)
        except CaError as error:  # a secret that is configured and not there, as any other
            raise StoreError(str(error)) from error
        self._crl = CrlKeeper(self._authorities, self._records, self._config.trust.ca.crl_file)
        try:
            if self._authorities.exists():
                self._authorities.reload()
                self._crl.make(self._clock.wall_ns())
        except CaError as error:
            self._trouble = str(error)
            log.error("machines: %s", error)  # noqa: TRY400 - the sentence is all there is to say
        self.registry.restore(self._records.load(self._clock.wall_ns() // NS))
        self._desk = MachineDesk(
            DeskParts(
                city=self._config.id,
                authorities=self._authorities,
                records=self._records,
                registry=self.registry,
                crl=self._crl,
                clock=self._clock,
                ledger=self._ledger,
                in_records=self._in_records,
                scope_of=scopes_of(self._config),
                lifetimes=lifetimes_of(self._config),
                crl_url=crl_url_of(self._config),
                approval_keys=self.approval_keys,
                memory=self.memory,
            )
        )

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        return {"machines": self._run}

    def health(self) -> Health:
        """See the protocol."""
        now = self._clock.wall_ns() / NS
        states = [one.state(now) for one in self.registry.machines()]
        said = ", ".join(
            f"{states.count(state)} {state.value}" for state in MachineState if state in states
        )
        if self._crl is not None and self._crl.lists.made:
            said = f"{said or 'no machine is enrolled'}; revocation list until {self._crl_end()}"
        return Health(
            name=self.name,
            ready=not self._trouble,
            sentence=self._trouble or said or "no machine is enrolled, no authority made yet",
        )

    def close(self) -> None:
        """See the protocol."""

    # -- the task

    async def _run(self) -> None:
        while True:
            self.hear()
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    def hear(self) -> None:
        """Take in what gateways said of their certificates."""
        for arrival in self._inbox.take_now():
            text = rows_of(arrival)[0].get("certificate_finding") if arrival.block.rows else None
            word = Word(
                at=(arrival.received_ns - max(arrival.age_ns, 0)) / NS,
                text=str(text or "")[:MOST_FINDING],
            )
            self.memory.said(arrival.school, word)

    async def look(self) -> None:
        """One round: what other processes changed, the lists' age, the ledger's debts."""
        try:
            await self._look()
        except (CaError, StoreError, LedgerError) as error:
            if str(error) != self._trouble:
                log.error("machines: %s", error)  # noqa: TRY400 - the sentence is all there is to say
            self._trouble = str(error)
        else:
            self._trouble = ""

    async def _look(self) -> None:
        authorities, crl = self._authorities, self._crl
        if authorities is None or crl is None or not authorities.exists():
            return
        changed = await self._in_records(authorities.reload)
        for one in await self._in_records(self._records.untold):
            await self._tell_late(one.act, one.by, one.machine, {"id": one.key[:16]})
            await self._in_records(self._records.mark_told, one)
        gone = False
        for name in await self._in_records(self._records.revoked_machines):
            known = self.registry.find(name)
            if known is None or known.revoked_ns is None:
                stands = await self._in_records(self._records.machine, name)
                why = "" if stands is None else stands.why
                await self._tell_late("machine.revoke", UNKNOWN_CONSOLE, name, {"why": why})
                gone = True
        if (state := await self._in_records(authorities.untold)) is not None:
            trusted = ",".join(one.id for one in authorities.trusted)
            detail = {"issuing": authorities.issuing.id, "trusted": trusted}
            await self._ledger.write(
                Entry(act="authority.change", actor=UNKNOWN_CONSOLE, detail=detail)
            )
            await self._in_records(authorities.mark_told, state)
        now_ns = self._clock.wall_ns()
        if changed or gone or crl.due(now_ns // NS):
            await self._in_records(crl.make, now_ns)
        if self._clock.monotonic_ns() / NS - self._pruned >= PRUNE_SECONDS:
            await self._in_records(self._records.prune, now_ns)
            self._pruned = self._clock.monotonic_ns() / NS

    async def _tell_late(
        self, act: str, by: str, machine: str, detail: Mapping[str, str | int | float | bool | None]
    ) -> None:
        """The ledger first; then it counts here as well, and who cuts sessions hears of it."""
        await self._ledger.write(
            Entry(act=act, actor=by, subject=machine, detail={**detail, "told_late": True})
        )
        fresh = await self._in_records(self._records.machine, machine)
        if fresh is not None:
            self.registry.put(fresh)

    def _crl_end(self) -> str:
        left = 0.0 if self._crl is None else self._crl.lists.until - self._clock.wall_ns() / NS
        return f"{left / DAY:.1f} days from now"


def machine_room(rooms: Iterable[Room]) -> MachineRoom:
    """The one among a controller's rooms."""
    return next(one for one in rooms if isinstance(one, MachineRoom))


def authorities_of(config: CityConfig) -> Authorities:
    """The city's authorities, not yet read; raises :class:`CaError`."""
    keeping = config.trust.ca
    try:
        passphrase = None if keeping.passphrase is None else keeping.passphrase.reveal()
    except SecretError as error:
        raise CaError(f"trust.ca.passphrase: {error}") from error
    sealed = None if passphrase is None else passphrase.encode()
    return Authorities(keeping.path, config.id, sealed, own_files(config.vault))


def lifetimes_of(config: CityConfig) -> Mapping[MachineKind, int]:
    """How long certificates are valid, seconds."""
    keeping = config.trust.ca
    return {
        MachineKind.AGENT: round(keeping.agent_days * DAY),
        MachineKind.DEVICE: round(keeping.device_days * DAY),
        MachineKind.SERVER: round(keeping.server_days * DAY),
        MachineKind.SERVICE: round(keeping.server_days * DAY),
    }


def crl_url_of(config: CityConfig) -> str | None:
    """Where certificates say their authority's list is; its id follows."""
    url = config.trust.ca.url
    return None if url is None else f"{url}/api/v1/crl"


def scopes_of(config: CityConfig) -> Callable[[MachineName], ScopePath | None]:
    """Where machines belong: schools by the configuration, the rest to the city."""
    schools = {one.id: one.scope for one in config.schools}

    def scope_of(name: MachineName) -> ScopePath | None:
        if name.school is None:
            return ScopePath((config.city.id,))
        return schools.get(name.school)

    return scope_of
