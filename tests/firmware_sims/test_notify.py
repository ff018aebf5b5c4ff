"""Notifications as net-snmp's and pysnmp's decoders read them; informs until answered."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pyasn1.codec.ber import decoder
from pysnmp.proto import api

from firmware_sims.switch import notify
from firmware_sims.switch.fleet import Setting, Unit, live
from firmware_sims.switch.model import Switch
from firmware_sims.switch.notify import Destinations, LinkEvent, StartEvent
from firmware_sims.switch.plan import Plan
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import SystemClock

V2C = api.PROTOCOL_MODULES[1]
DOWN = LinkEvent(if_index=7, name="GE0/0/7", up=False, uptime_ticks=500)


@pytest.mark.parametrize("inform", [False, True])
def test_a_trap_is_one_to_pysnmp(inform: bool) -> None:
    data = notify.trap(DOWN, community="c", number=9, inform=inform)
    message, rest = decoder.decode(data, asn1Spec=V2C.Message())
    assert not rest
    assert bytes(V2C.apiMessage.get_community(message)) == b"c"
    pdu = V2C.apiMessage.get_pdu(message)
    assert type(pdu).__name__ == ("InformRequestPDU" if inform else "SNMPv2TrapPDU")
    bound = {str(name): str(value) for name, value in V2C.apiPDU.get_varbinds(pdu)}
    assert bound["1.3.6.1.6.3.1.1.4.1.0"] == "1.3.6.1.6.3.1.1.5.3"
    assert bound["1.3.6.1.2.1.2.2.1.1.7"] == "7"
    assert bound["1.3.6.1.2.1.31.1.1.1.1.7"] == "GE0/0/7"


def test_a_start_is_a_cold_start() -> None:
    data = notify.trap(StartEvent(3), community="c", number=1)
    message, _ = decoder.decode(data, asn1Spec=V2C.Message())
    bound = V2C.apiPDU.get_varbinds(V2C.apiMessage.get_pdu(message))
    assert [str(value) for _, value in bound] == ["3", "1.3.6.1.6.3.1.1.5.1"]


@pytest.mark.parametrize("vendor", Vendor)
def test_log_lines(vendor: Vendor) -> None:
    line = notify.syslog_line(vendor, "sw1", DOWN)
    assert line.startswith(b"<188>sw1 ")
    assert b"GE0/0/7" in line
    assert b"down" in line.lower()


@pytest.mark.parametrize("text", ["", "host:162", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000"])
def test_what_is_no_destination(text: str) -> None:
    with pytest.raises(ValueError, match="no address to send to"):
        notify.destination(text)


@asynccontextmanager
async def serving(to: Destinations) -> AsyncIterator[tuple[Unit, Switch]]:
    setting = Setting(clock=SystemClock(), to=to)
    unit = live(Plan(name="sw1", vendor=Vendor.HUAWEI, ports=4), ("127.0.0.1", 0), setting)
    async with Fleet(unit.parts):
        assert unit.switch is not None
        yield unit, unit.switch


def sink() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    sock.bind(("127.0.0.1", 0))
    return sock


async def receive(sock: socket.socket) -> bytes:
    async with asyncio.timeout(10):
        return await asyncio.get_running_loop().sock_recv(sock, 2_000)


async def test_what_happens_to_ports_is_told() -> None:
    with sink() as traps, sink() as lines:
        to = Destinations(traps=traps.getsockname(), syslog=lines.getsockname())
        async with serving(to) as (unit, switch):
            port = unit.ports[0]
            switch.set_port(port, {"oper": "down"})
            assert "turned into DOWN" in (await receive(lines)).decode()
            first = await receive(traps)
            switch.set_port(port, {"alias": "nothing to tell"})
            switch.set_port(port, {"oper": "up"})
            assert "turned into UP" in (await receive(lines)).decode()
            second = await receive(traps)
            switch.set_port(port, {"speed_mbps": 100})
            told = [(await receive(lines)).decode() for _ in range(2)]
            switch.reboot(0.05)
            while b"restarted" not in (line := await receive(lines)):
                pass
    assert [b"\x05\x03" in first, b"\x05\x04" in second] == [True, True]
    assert ["DOWN" in told[0], "UP" in told[1]] == [True, True], "a new negotiation"
    assert line.startswith(b"<188>sw1 ")


async def test_a_silent_switch_says_nothing() -> None:
    with sink() as lines:
        async with serving(Destinations(syslog=lines.getsockname())) as (unit, switch):
            switch.silent = True
            switch.set_port(unit.ports[0], {"oper": "down"})
            switch.silent = False
            switch.set_port(unit.ports[0], {"oper": "up"})
            assert b"UP" in await receive(lines)


async def test_an_inform_is_told_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "INFORM_SECONDS", 0.05)
    with sink() as sock:
        to = Destinations(traps=sock.getsockname(), inform=True)
        async with serving(to) as (unit, switch):
            assert unit.notifier is not None
            switch.set_port(unit.ports[0], {"oper": "down"})
            heard = [await receive(sock) for _ in range(notify.INFORM_TRIES)]
            assert len(set(heard)) == 1, "the same again"
            switch.set_port(unit.ports[0], {"oper": "up"})
            data, peer = await asyncio.get_running_loop().sock_recvfrom(sock, 2_000)
            answer = data.replace(bytes((notify.INFORM,)), bytes((notify.RESPONSE,)), 1)
            await asyncio.get_running_loop().sock_sendto(sock, answer, peer)
            async with asyncio.timeout(10):
                while not unit.notifier.answers:  # noqa: ASYNC110 - a counter, not an event
                    await asyncio.sleep(0.01)
            assert not unit.notifier._waiting
