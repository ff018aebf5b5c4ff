"""Whole sweeps by SNMPv3 from simulated switches: true ones, broken ones, and wrong users."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from drivers.snmp import mib, sweep
from drivers.snmp.chunks import REPLY_BYTES
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    NotInTimeWindow,
    SecurityError,
    SnmpError,
    Timeout,
    UnknownEngine,
    UnknownUser,
    UnsupportedLevel,
    WrongAuthPassword,
    WrongPrivPassword,
)
from drivers.snmp.message import Version
from drivers.snmp.session import Session
from drivers.snmp.switch import Sweep, SwitchReader
from drivers.snmp.target import Target
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from firmware_sims.switch import fleet
from firmware_sims.switch.flaws import flaw
from firmware_sims.switch.plan import alike
from firmware_sims.switch.secured import Trick
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.usm import Engine, V3User
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import Clock, ManualClock, SystemClock

USERS = (
    "both:sha256:password1:aes128:password2",
    "long:sha512:password1:aes256:password2",
    "cisco:sha1:password1:aes256c:password2",
    "old:md5:password1:des:password2",
    "signed:sha384:password1",
    "open",
)
PATIENT, HASTY = 1.0, 0.06


def user(known_as: str, **changes: object) -> User:
    """The reader's side of one of ``USERS``."""
    (text,) = [text for text in USERS if text.split(":")[0] == known_as]
    known = V3User.parse(text)
    fields = {
        "name": known_as,
        "auth": Auth.named(known.auth) if known.auth else None,
        "auth_password": known.auth_password,
        "priv": Priv.named(known.priv) if known.priv else None,
        "priv_password": known.priv_password,
    }
    return User(**{**fields, **changes})  # type: ignore[arg-type] # names are checked by use


@dataclass
class Lab:
    """A simulated switch, its engine, and who asks it."""

    unit: fleet.Unit
    client: SnmpClient

    @property
    def engine(self) -> Engine:
        assert self.unit.engine is not None
        return self.unit.engine

    def target(self, who: User | None, seconds: float = PATIENT) -> Target:
        return Target(
            host=self.unit.endpoint.host,
            port=self.unit.endpoint.port,
            community="public" if who is None else "",
            version=Version.V2C if who is None else Version.V3,
            user=who,
            timeout_seconds=seconds,
            retries=1,
        )

    def reader(self, who: User | None, seconds: float = PATIENT) -> SwitchReader:
        return SwitchReader(self.client, self.target(who, seconds))

    async def session(self, who: User, seconds: float = PATIENT) -> Session:
        return Session(self.client, await self.client.device(self.target(who, seconds)))


Build = Callable[..., Awaitable[Lab]]


@pytest.fixture
async def lab(client: SnmpClient) -> AsyncIterator[Build]:
    fleets: list[Fleet] = []

    async def build(
        misbehave: str | None = None, clock: Clock | None = None, host: str = "127.0.0.1"
    ) -> Lab:
        setting = fleet.Setting(
            clock=clock or SystemClock(),
            misbehave=None if misbehave is None else flaw(misbehave),
            v3_users=tuple(map(V3User.parse, USERS)),
        )
        (plan,) = alike(
            count=1, vendors=[Vendor.HUAWEI], ports=48, uplinks=2, virtual=True, community="public"
        )
        unit = fleet.live(plan, (host, 0), setting)
        serving = Fleet([unit.endpoint])
        await serving.__aenter__()
        fleets.append(serving)
        return Lab(unit, client)

    yield build
    for serving in fleets:
        await serving.__aexit__(None, None, None)


def columns(found: Sweep) -> dict[str, tuple[object, ...]]:
    assert not found.errors
    return {column.metric.name: tuple(column) for column in found.columns}


@pytest.mark.parametrize("name", [text.split(":")[0] for text in USERS])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_every_level_reads_what_v2c_reads(lab: Build, name: str, host: str) -> None:
    here = await lab(clock=ManualClock(), host=host)
    plain, ours = here.reader(None), here.reader(user(name))
    assert (await ours.inventory()).system == (await plain.inventory()).system
    for _ in range(3):
        assert columns(await ours.state()) == columns(await plain.state())
        assert columns(await ours.counters()) == columns(await plain.counters())
    assert here.client.counts.retried == here.client.counts.distrusted == 0
    assert here.client.counts.reports == 1


async def test_a_steady_sweep_goes_the_quick_way(
    lab: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    here = await lab(clock=clock)
    reader = here.reader(user("both"))
    for _ in range(2):
        await reader.state()
        await reader.counters()
        clock.advance(0.05)
    datagrams: list[bytes] = []
    take = here.client._inbox.take

    def noted(data: bytes, *rest: object) -> None:
        datagrams.append(data)
        take(data, *rest)  # type: ignore[arg-type] # as called

    monkeypatch.setattr(here.client._inbox, "take", noted)
    whole = 0
    read = sweep.read

    def counted(*arguments: object) -> None:
        nonlocal whole
        whole += 1
        read(*arguments)  # type: ignore[arg-type] # as called

    monkeypatch.setattr(sweep, "read", counted)
    sent = here.client.counts.sent
    await reader.state()
    await reader.counters()
    assert here.client.counts.sent - sent >= 15
    assert whole <= 2  # a counter that has grown by one octet
    assert max(map(len, datagrams)) <= REPLY_BYTES


@pytest.mark.parametrize("change", ["reboot", "ahead", "back", "replaced"])
async def test_what_befalls_the_engine_is_mended_unseen(lab: Build, change: str) -> None:
    clock = ManualClock()
    here = await lab(clock=clock)
    reader = here.reader(user("both"))
    here.engine.jump(50_000)
    before = columns(await reader.state())
    match change:
        case "reboot":
            here.engine.reboot()
        case "ahead":
            here.engine.jump(1_000_000)
        case "back":
            here.engine.jump(-40_000)
        case _:
            here.engine.rename("spare part")
    assert columns(await reader.state()) == before
    assert columns(await reader.counters())
    assert here.client.counts.failed == here.client.counts.retried == 0
    assert 2 <= here.client.counts.reports <= 4


async def test_answers_behind_the_clock_are_asked_for_again(lab: Build) -> None:
    here = await lab("v3-stale-time")
    here.engine.jump(50_000)
    reader = here.reader(user("both"))
    assert columns(await reader.state()) == columns(await here.reader(None).state())
    assert here.client.counts.reports > 2


@pytest.mark.parametrize(
    ("who", "kind", "said"),
    [
        (user("both", name="nobody"), UnknownUser, "knows no SNMPv3 user 'nobody'"),
        (user("both", auth_password="not the one"), WrongAuthPassword, "auth password is wrong"),
        (user("both", auth=Auth.SHA1), WrongAuthPassword, "another protocol than sha1"),
        (user("both", priv_password="not the one"), WrongPrivPassword, "priv password is wrong"),
        (user("old", priv_password="not the one"), WrongPrivPassword, "another protocol than des"),
        (user("both", priv=Priv.AES256), WrongPrivPassword, "another protocol than aes256"),
        (
            user("signed", priv=Priv.AES128, priv_password="password2"),
            UnsupportedLevel,
            "does not let 'signed' ask by authPriv",
        ),
        (user("both", context="vlan-1"), SecurityError, "no SNMPv3 context 'vlan-1'"),
        (user("both", engine_id=b"12345"), UnknownEngine, "not the 3132333435 it was pinned to"),
    ],
)
@pytest.mark.parametrize("reports", [True, False])
async def test_a_wrong_user_is_told_what_is_wrong(
    lab: Build, who: User, kind: type[SecurityError], said: str, *, reports: bool
) -> None:
    """At once where the agent reports; where it keeps silent, what can be known is found out."""
    here = await lab(None if reports else "v3-no-report")
    reader = here.reader(who, PATIENT if reports else HASTY)
    if not reports and kind is UnsupportedLevel:
        # All that shows is that what is signed alone is answered.
        kind, said = WrongPrivPassword, "cannot decrypt"
    silent = not reports and kind not in {WrongPrivPassword, UnknownEngine}
    for _ in range(2):
        with pytest.raises(Timeout if silent else kind) as caught:
            await reader.state()
        assert ("did not answer within" if silent else said) in str(caught.value)
        assert "password1" not in str(caught.value)


@pytest.mark.parametrize(
    ("trick", "kind", "said"),
    [
        (Trick.WRONG_DIGEST, Timeout, "the digest of a message is wrong"),
        (Trick.DOWNGRADE, Timeout, "less security than it was asked with"),
        (Trick.PLAIN, Timeout, "did not answer"),
        (Trick.OTHER_CONTEXT, Timeout, "another context"),
        (Trick.REPORT_STORM, NotInTimeWindow, "does not keep its time"),
        (Trick.NEVER_IN_TIME, NotInTimeWindow, "does not keep its time"),
        (Trick.NEW_ENGINE, UnknownEngine, "engine id is another one"),
        (Trick.VALUE_REPORT, SecurityError, "rejected an SNMPv3 message"),
    ],
)
async def test_broken_engines_give_no_value_and_no_endless_asking(
    lab: Build, trick: Trick, kind: type[SnmpError], said: str
) -> None:
    here = await lab(trick)
    session = await here.session(user("both"), HASTY)
    with pytest.raises(kind) as caught:
        await session.get([mib.SYS_NAME, mib.SYS_UPTIME])
    assert said in str(caught.value)
    await asyncio.sleep(0.05)  # what still comes must find nobody
    counts = here.client.counts
    assert counts.answered == 0
    assert counts.sent <= 8
    if trick is Trick.PLAIN:
        assert counts.wrong_community >= 2


async def test_a_v2c_reader_does_not_believe_v3_and_the_other_way_round(lab: Build) -> None:
    here = await lab()
    session = await here.session(user("open"))
    assert (await session.get([mib.SYS_NAME]))[0].value
    plain = Session(here.client, await here.client.device(here.target(None)))
    assert (await plain.get([mib.SYS_NAME]))[0].value
    assert here.client.counts.wrong_community == 0
    assert here.client.counts.distrusted == 0


async def test_switches_of_one_user_do_the_slow_part_once(lab: Build) -> None:
    from drivers.snmp.v3.keys import password_to_key  # noqa: PLC0415 - its cache is looked at

    here = await lab()
    who = user("both")
    before = password_to_key.cache_info().misses
    for _ in range(10):
        await (await here.session(who)).get([mib.SYS_NAME])
    assert password_to_key.cache_info().misses - before <= 2
