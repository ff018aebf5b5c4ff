"""A UDP responder that can misbehave, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from drivers.snmp.ber import Missing, Oid, Tag, Value
from drivers.snmp.client import SnmpClient
from drivers.snmp.message import Message, PduType, VarBind
from tenone.runtime.clock import SystemClock

Store = dict[Oid, tuple[int, Value]]
Handle = Callable[["Responder", bytes, tuple[str, int]], None]


@dataclass
class Responder(asyncio.DatagramProtocol):
    """Answers from ``store`` as RFC 3416 says, unless ``handle`` does something else."""

    store: Store
    handle: Handle | None = None
    port: int = 0
    requests: list[Message] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.requests.append(Message.decode(data))
        if self.handle is None:
            self.send(self.answer(data).encode(), addr)
        else:
            self.handle(self, data, addr)

    def send(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self.transport is not None
        self.transport.sendto(data, addr)

    def answer(self, data: bytes, **changes: object) -> Message:
        request = Message.decode(data)
        fields = {
            "version": request.version,
            "community": request.community,
            "pdu_type": PduType.RESPONSE,
            "request_id": request.request_id,
            "varbinds": tuple(self.look_up(request)),
        }
        return Message(**{**fields, **changes})  # type: ignore[arg-type] # keyword names are checked by use

    def look_up(self, request: Message) -> list[VarBind]:
        if request.pdu_type == PduType.GET:
            absent = (Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE)
            return [
                VarBind(bind.name, *self.store.get(bind.name, absent)) for bind in request.varbinds
            ]
        found = []
        names = [bind.name for bind in request.varbinds]
        for _ in range(request.error_index if request.pdu_type == PduType.GET_BULK else 1):
            for place, name in enumerate(names):
                after = min((oid for oid in self.store if oid > name), default=None)
                if after is None:
                    found.append(VarBind(name, Tag.END_OF_MIB_VIEW, Missing.END_OF_MIB_VIEW))
                else:
                    names[place] = after
                    found.append(VarBind(after, *self.store[after]))
        return found


async def until(fact: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until ``fact`` holds, with a bound."""
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110 - the facts are counters, not events
            await asyncio.sleep(0.005)


Respond = Callable[..., Awaitable[Responder]]


@pytest.fixture
async def respond() -> AsyncIterator[Respond]:
    """``await respond(store, handle)`` starts a responder on a port of the system's choice."""
    started: list[Responder] = []

    async def start(
        store: Store | None = None, handle: Handle | None = None, host: str = "127.0.0.1"
    ) -> Responder:
        loop = asyncio.get_running_loop()
        _, responder = await loop.create_datagram_endpoint(
            lambda: Responder(store or {}, handle), local_addr=(host, 0)
        )
        started.append(responder)
        return responder

    yield start
    for responder in started:
        assert responder.transport is not None
        responder.transport.close()


@pytest.fixture
async def client() -> AsyncIterator[SnmpClient]:
    async with SnmpClient(clock=SystemClock()) as client:
        yield client
