"""A city with its real controller and real agents around a real Mosquitto with mutual TLS."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import yaml

from agents.service import Agent
from controller.service import Controller
from controller.trust.brokers import BrokerRoom
from controller.trust.queries import Filter, as_json, found
from controller.trust.registry import Certificate, Machine, Registry
from drivers.wire.access_lists import HOST_ROLE, KEEPER_ROLE, host_role, keeper_role
from drivers.wire.dynsec_values import Client, State
from tenone.config import City, load_city
from tenone.runtime.clock import SystemClock
from tenone.trust.credentials import mark_of
from tenone.trust.masked import Secret
from tenone.vocabulary.scope import ScopePath
from tests.brokers.rig import Authority, Broker, broker_in

HOST, KEEPER = "tenone.host", "tenone.keeper"
PASSWORDS = {HOST: Secret("the-host-s-password"), KEEPER: Secret("the-keeper-s-password")}
NS = 1_000_000_000
BARE = State.of(
    [keeper_role(), host_role("tenone")],
    [
        Client(username=KEEPER, roles=frozenset({KEEPER_ROLE})),
        Client(
            username=HOST,
            roles=frozenset({HOST_ROLE}),
            client_id="tenone-tenone",
            mark=mark_of(HOST, PASSWORDS[HOST]),
        ),
    ],
)
"""What a broker starts with that has lost everything else."""


class Town:
    """``with town_in(...) as town:`` has the broker; ``async with town.controller()`` the rest."""

    def __init__(
        self, folder: Path, broker: Broker, schools: Sequence[str], **control: object
    ) -> None:
        self.folder = folder
        self.broker = broker
        self.schools = schools
        (folder / "secrets").mkdir()
        for name, secret in PASSWORDS.items():
            (folder / "secrets" / name).write_text(secret.use())
        inside = {"host": "127.0.0.1", "port": broker.port}
        self.write(
            "city.yaml",
            {
                "schema_version": 1,
                "city": {"id": "binhai", "name": "Binhai"},
                "districts": [{"id": "east", "name": "East"}],
                "schools": "schools",
                "broker": {**inside, "username": HOST, "password": f"file:secrets/{HOST}"},
                "trust": {
                    "broker": {
                        "port": broker.port,
                        "password": f"file:secrets/{KEEPER}",
                        "check_seconds": 1,
                        **control,
                    },
                    "ca": {"crl_file": str(broker.authority.crl)},
                },
            },
        )
        for school in schools:
            self.school(school, broker.authority)

    def write(self, name: str, values: dict[str, object]) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(values))

    def school(self, school: str, authority: Authority, folder: str = "schools") -> None:
        """A certificate and a school.yaml."""
        authority.issue(school)
        self.write(
            f"{folder}/{school}.yaml",
            {
                "schema_version": 1,
                "school": {"id": school, "name": school, "district": "east", "city": "binhai"},
                "outbox": {"path": f"../outbox-{school}"},
                "uplink": {
                    "broker": {
                        "host": "localhost",
                        "port": self.broker.tls_port,
                        "tls": {
                            "ca": str(self.broker.authority.ca),
                            "certificate": str(authority.folder / f"{school}.pem"),
                            "key": str(authority.folder / f"{school}.key"),
                        },
                    }
                },
            },
        )

    @property
    def config(self) -> City:
        return load_city(self.folder / "city.yaml")

    @contextlib.asynccontextmanager
    async def controller(self) -> AsyncIterator[Controller]:
        async with Controller(self.config, clock=SystemClock()) as running:
            yield running

    @contextlib.asynccontextmanager
    async def agents(self, config: City) -> AsyncIterator[list[Agent]]:
        async with contextlib.AsyncExitStack() as stack:
            clock = SystemClock()
            yield [
                await stack.enter_async_context(Agent(school, clock=clock))
                for school in config.schools
            ]

    def acts(self) -> list[str]:
        """Acts in the ledger, newest first."""
        rows = found(self.config.store.path / "ledger", Filter(), 1000)
        return [str(as_json(row)["act"]) for row in rows]


@contextlib.contextmanager
def town_in(folder: Path, schools: Sequence[str], **control: object) -> Iterator[Town]:
    with broker_in(folder, PASSWORDS, BARE) as broker:
        yield Town(folder, broker, schools, **control)


def room_of(running: Controller) -> BrokerRoom:
    return next(room for room in running.rooms.values() if isinstance(room, BrokerRoom))


def enrol(registry: Registry, school: str, *, until: float, issued: float) -> None:
    """Tell the registry of a machine with one certificate more."""
    before = registry.find(f"agent:{school}")
    one = Certificate(
        serial=os.urandom(8).hex(),
        authority="a",
        key="k",
        issued_ns=round(issued * NS),
        not_before=round(issued),
        not_after=round(until),
    )
    kept = () if before is None else before.certificates
    registry.put(
        Machine(
            name=f"agent:{school}",
            scope=ScopePath.parse(f"binhai/east/{school}"),
            certificates=(*kept, one),
            enrolled_ns=round(issued * NS),
        )
    )
