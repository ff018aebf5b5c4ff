"""What a school's agent polls: each device with the readers that its kind has."""

from collections.abc import Callable

from agents.credentials import Proofs, rotating
from agents.origin import Origin
from agents.own_addresses import own_addresses
from agents.poller import Cadence, Poller, SwitchPoller
from agents.ports import Keep
from agents.snmp_target import snmp_credentials
from agents.switch import INVENTORY_BUDGETS, Kind, Switch
from agents.tables import Together
from drivers.snmp.chassis import BUDGET_SECONDS as CHASSIS_SECONDS
from drivers.snmp.chassis import ChassisReader
from drivers.snmp.client import SnmpClient
from drivers.snmp.faults import Finding
from drivers.snmp.health import LEARN_BUDGET_SECONDS, READ_BUDGET_SECONDS, HealthReader
from drivers.snmp.portless import PortlessReader
from drivers.snmp.reading import TableReader
from drivers.snmp.surroundings import KnownStations, SurroundingsReader
from drivers.snmp.switch import SwitchReader
from tenone.config import School
from tenone.config import Switch as SwitchConfig
from tenone.journal.disk import Disk
from tenone.vocabulary.scope import DeviceKind

PATIENCE = 1.5
"""The reader keeps its budget itself; a sweep that takes this much longer is cancelled."""
FIRST_SHARE = 0.8
"""Of the time between a walk's budget and its cancelling, what may go before the walk."""


class Polled:
    """Makes the poller. Raises ``BadTarget`` and ``SecretError``."""

    def __init__(self, school: School, client: SnmpClient, *, origin: Origin, disk: Disk) -> None:
        self._school = school
        self._client = client
        self._origin = origin
        self._proofs = Proofs(school.outbox.path, disk=disk)
        self._own = own_addresses()
        self._surroundings: dict[str, SurroundingsReader] = {}
        self.login_finding: Callable[[str], Finding | None] = lambda _: None
        """What is found about the way to a switch's command line."""

    def poller(self, keep: Keep) -> Poller:
        """All switches, and the other devices that are polled."""
        polling = self._school.polling
        cadence = Cadence(
            state_seconds=polling.state_seconds,
            counters_seconds=polling.counters_seconds,
            inventory_seconds=polling.inventory_seconds,
            health_seconds=polling.health_seconds,
            jitter_ratio=polling.jitter_ratio,
        )
        devices = self._school.devices
        polled = [(one, DeviceKind.SWITCH) for one in self._school.switches]
        polled += [(one.polled, one.kind) for one in devices if one.polled is not None]
        return Poller(
            [
                SwitchPoller(
                    self._switch(config, kind),
                    clock=self._origin.clock,
                    keep=keep,
                    cadence=cadence,
                )
                for config, kind in polled
            ],
            own_ports=self.own_ports,
        )

    def own_ports(self, switch: str) -> frozenset[str]:
        """Ports of a switch behind which it has learnt this gateway."""
        found = self._surroundings.get(switch)
        return frozenset() if found is None else found.own_ports

    def _switch(self, config: SwitchConfig, kind: DeviceKind) -> Switch:
        polling = self._school.polling
        budget_seconds = polling.sweep_budget_seconds
        walk_seconds = INVENTORY_BUDGETS * budget_seconds
        make = SwitchReader if kind is DeviceKind.SWITCH else PortlessReader
        credentials = snmp_credentials(config, polling)
        reader = make(
            self._client,
            credentials.current,
            sweep_seconds=budget_seconds,
            inventory_seconds=walk_seconds,
        )
        # Of two readings on end the first leaves the second its time: what is cancelled tells
        # nothing of what it has read.
        first_seconds = FIRST_SHARE * (PATIENCE - 1) * walk_seconds
        around: list[TableReader] = [
            ChassisReader(reader, budget_seconds=min(CHASSIS_SECONDS, first_seconds))
        ]
        if kind is not DeviceKind.UPS:
            # Which stations' rows may leave the school: those of devices it lists (decision 0010).
            keeps = KnownStations(frozenset(one.mac for one in self._school.devices if one.mac))
            surroundings = self._surroundings[config.name] = SurroundingsReader(
                reader,
                name=config.name,
                keeps=keeps,
                seconds=walk_seconds,
                own=self._own,
            )
            around.append(surroundings)
        return Switch(
            config.name,
            reader=rotating(reader, credentials, self._proofs, name=f"{kind}/{config.name}"),
            origin=self._origin,
            budget_seconds=PATIENCE * budget_seconds,
            kind=kind,
            more=lambda: None if config.cli is None else self.login_finding(config.name),
            tables={
                Kind.HEALTH: HealthReader(
                    reader,
                    learn_budget_seconds=min(LEARN_BUDGET_SECONDS, walk_seconds),
                    read_budget_seconds=min(READ_BUDGET_SECONDS, first_seconds),
                ),
                Kind.SURROUNDINGS: Together(around),
            },
        )
