"""Traps from pysnmp's and net-snmp's senders, and from nobody in their right mind."""

import asyncio
import importlib
import random
import shutil
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp import mib, traps
from drivers.snmp.endpoint import Address
from drivers.snmp.traps import SNMP_TRAP_OID, TrapEngine, hint_of
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from firmware_sims.switch import notify
from tenone.vocabulary.hints import Hint, HintKind, Refusal
from tests.snmp.conftest import until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pysnmp's use of pysmi, not ours
    hlapi: Any = importlib.import_module("pysnmp.hlapi.v3arch.asyncio")

# pysnmp's sender uses what pysmi has renamed; ours sends nothing.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

USERS = (
    User(
        name="trap",
        auth=Auth.SHA256,
        auth_password="authentic1",
        priv=Priv.AES128,
        priv_password="encrypted1",
    ),
    User(name="plain"),
    User(name="pinned", engine_id=bytes.fromhex("8000000001020304")),
)
DOWN = notify.LinkEvent(if_index=7, name="GE0/0/7", up=False, uptime_ticks=500)


@dataclass
class Receiver(asyncio.DatagramProtocol):
    """A socket in front of an engine."""

    heard: list[Hint | Refusal | None] = field(default_factory=list)
    datagrams: list[bytes] = field(default_factory=list)
    port: int = 0
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        self.engine = TrapEngine(
            communities=["public", "other"], users=USERS, send=transport.sendto
        )

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.datagrams.append(data)
        self.heard.append(self.engine.take(data, addr))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    loop = asyncio.get_running_loop()
    transport, receiver = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
    yield receiver
    transport.close()


async def send(
    receiver: Receiver, who: object, kind: str = "trap", trap: str = "1.3.6.1.6.3.1.1.5.3"
) -> object:
    """By pysnmp's own sender; returns its error, which is None for an inform that was answered."""
    engine = hlapi.SnmpEngine()
    what = hlapi.NotificationType(hlapi.ObjectIdentity(trap)).add_varbinds(
        ("1.3.6.1.2.1.2.2.1.1.7", hlapi.Integer32(7))
    )
    to = await hlapi.UdpTransportTarget.create(("127.0.0.1", receiver.port), timeout=2, retries=1)
    before = len(receiver.heard)
    error, *_ = await hlapi.send_notification(engine, who, to, hlapi.ContextData(), kind, what)
    await until(lambda: len(receiver.heard) > before)
    engine.close_dispatcher()
    return error


V3 = hlapi.UsmUserData(
    "trap",
    "authentic1",
    "encrypted1",
    authProtocol=hlapi.USM_AUTH_HMAC192_SHA256,
    privProtocol=hlapi.USM_PRIV_CFB128_AES,
)
community, user = hlapi.CommunityData, hlapi.UsmUserData
V1, V2C = community("public", mpModel=0), community("other")
LINK_DOWN = Hint(HintKind.LINK_DOWN, "#7")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "kind"),
    [(V1, "trap"), (V2C, "trap"), (community("public"), "inform"), (V3, "trap"), (V3, "inform")],
)
async def test_every_version_is_heard_and_informs_are_answered(
    receiver: Receiver, who: object, kind: str
) -> None:
    assert await send(receiver, who, kind) is None
    assert receiver.heard[-1] == LINK_DOWN
    assert set(receiver.heard) <= {LINK_DOWN, None}, "asking for the engine id is no fault"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (community("guess"), Refusal.COMMUNITY),
        (user("nobody"), Refusal.USER),
        (user("pinned"), Refusal.USER),
        (user("trap"), Refusal.PROOF),
        (
            user("trap", "authentic1", authProtocol=hlapi.USM_AUTH_HMAC192_SHA256),
            Refusal.PROOF,
        ),
        (
            user(
                "trap",
                "authentic2",
                "encrypted1",
                authProtocol=hlapi.USM_AUTH_HMAC192_SHA256,
                privProtocol=hlapi.USM_PRIV_CFB128_AES,
            ),
            Refusal.PROOF,
        ),
    ],
)
async def test_who_is_not_believed(receiver: Receiver, who: object, refusal: Refusal) -> None:
    await send(receiver, who)
    assert receiver.heard == [refusal]


@pytest.mark.parametrize(
    ("trap", "hint"),
    [
        ("1.3.6.1.6.3.1.1.5.1", Hint(HintKind.STARTED)),
        ("1.3.6.1.6.3.1.1.5.2", Hint(HintKind.STARTED)),
        ("1.3.6.1.6.3.1.1.5.4", Hint(HintKind.LINK_UP, "#7")),
        ("1.3.6.1.6.3.1.1.5.5", Hint(HintKind.INTRUDER)),
        ("1.3.6.1.2.1.33.2.1", Hint(HintKind.POWER)),
        ("1.3.6.1.2.1.33.2.0.3", Hint(HintKind.POWER)),
        ("1.3.6.1.4.1.2011.5.25.1", Hint(HintKind.OTHER)),
    ],
)
def test_what_is_said(trap: str, hint: Hint) -> None:
    oid = tuple(map(int, trap.split(".")))
    assert hint_of([((*mib.IF_INDEX, 7), 7), (SNMP_TRAP_OID, oid)]) == hint


def test_the_port_is_called_by_its_name_where_the_trap_has_it() -> None:
    engine = TrapEngine(communities=["c"], users=(), send=lambda *_: None)
    data = notify.trap(DOWN, community="c", number=1)
    assert engine.take(data, ("10.0.0.1", 5)) == Hint(HintKind.LINK_DOWN, "GE0/0/7")
    engine.close()
    assert hint_of([]) == Hint(HintKind.OTHER)


@pytest.mark.parametrize("name", ["public", "other"])
def test_an_inform_is_answered_under_its_own_community(name: str) -> None:
    sent: list[bytes] = []
    engine = TrapEngine(
        communities=["public", "other"], users=(), send=lambda data, _: sent.append(data)
    )
    engine.take(notify.trap(DOWN, community=name, number=77, inform=True), SOURCE)
    assert [notify.answered(data) for data in sent] == [77]
    assert name.encode() in sent[0]


async def test_net_snmps_own_sender(receiver: Receiver) -> None:
    program = shutil.which("snmptrap")
    if program is None:
        pytest.skip("net-snmp's tools are not installed: sudo apt-get install snmp")
    to = f"127.0.0.1:{receiver.port}"
    what = ["", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"]
    v3 = ["-u", "trap", "-l", "authPriv", "-a", "SHA-256", "-A", "authentic1", "-x", "AES"]
    v3 += ["-X", "encrypted1", "-e", "0x80001f8804deadbeef"]
    for arguments in (
        ["-v", "2c", "-c", "public", to, *what],
        ["-v", "2c", "-c", "public", "-Ci", to, *what],
        ["-v", "3", *v3, to, *what],
        ["-v", "1", "-c", "public", to, "1.3.6.1.4.1.9", "10.0.0.1", "2", "0", "5", *what[2:]],
    ):
        process = await asyncio.create_subprocess_exec(program, *arguments)
        assert await process.wait() == 0, arguments
    await until(lambda: len(receiver.heard) >= 4)
    assert receiver.heard == [LINK_DOWN] * 4


def engine() -> TrapEngine:
    return TrapEngine(communities=["public"], users=USERS, send=lambda *_: None)


ENGINE = engine()
SOURCE = ("10.0.0.1", 162)


@given(st.binary(max_size=600))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert isinstance(ENGINE.take(data, SOURCE), Refusal)


def plain(receiver: Receiver) -> list[bytes]:
    """What the simulator sends; the last is a plain trap."""
    traps = [notify.trap(DOWN, community="public", number=n, inform=n == 2) for n in (2, 3)]
    return [*receiver.datagrams, *traps]


async def corpus(receiver: Receiver) -> list[bytes]:
    """Every version, from pysnmp's sender."""
    for who, kind in ((V1, "trap"), (community("public"), "inform"), (V3, "trap")):
        await send(receiver, who, kind)
    return plain(receiver)


def spoilt(chance: random.Random, good: bytes) -> bytes:
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        match chance.randrange(4):
            case 0:
                data[chance.randrange(len(data))] = chance.randrange(256)
            case 1:
                del data[chance.randrange(len(data)) :]
            case 2:
                place = chance.randrange(len(data) + 1)
                data[place:place] = chance.randbytes(chance.randint(1, 8))
            case _:
                place = chance.randrange(len(data))
                data[place : place + 4] = b"\x84\x7f\xff\xff"
        if not data:
            return b"\x30"
    return bytes(data)


def survive(receiver: Receiver, good: list[bytes], many: int) -> None:
    """After every spoilt message the engine still hears the next good one."""
    chance = random.Random(20261122)
    for number in range(many):
        receiver.engine.take(spoilt(chance, chance.choice(good)), SOURCE)
        if number % 100 == 0:
            receiver.engine.tick(number)
            assert receiver.engine.take(good[-1], SOURCE) == Hint(HintKind.LINK_DOWN, "GE0/0/7")


async def test_spoilt_messages_are_survived(receiver: Receiver) -> None:
    survive(receiver, plain(receiver), 300)


@pytest.mark.slow
async def test_fifty_thousand_spoilt_messages_are_survived(receiver: Receiver) -> None:
    survive(receiver, await corpus(receiver), 50_000)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.slow
async def test_twenty_thousand_traps_leave_nothing_behind(receiver: Receiver) -> None:
    good = await corpus(receiver)
    for number in range(3_000):
        receiver.engine.take(good[number % len(good)], SOURCE)
        receiver.engine.tick(number)
    before = resident_bytes()
    for number in range(20_000):
        receiver.engine.take(good[number % len(good)], SOURCE)
        if number % 20 == 0:
            receiver.engine.tick(3_000 + number / 20)
    grown = resident_bytes() - before
    print(f"20,000 traps: {grown / 1e6:.2f} MB more")
    assert grown < 8_000_000


@pytest.mark.slow
async def test_keys_of_many_engines_are_bounded(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traps, "MAX_ENGINES", 20)
    await send(receiver, V3)
    good = receiver.datagrams[-1]
    own = ENGINE  # any engine: the messages are not authentic
    for number in range(50):
        data = bytearray(good)
        place = data.find(b"\x80\x00")
        data[place + 4 : place + 8] = number.to_bytes(4, "big")
        assert isinstance(own.take(bytes(data), SOURCE), Refusal)
    assert len(own._engines) <= 20
