"""SNMPv1: no GETBULK, no Counter64, one absent name spoils an answer; IPv6 under every version."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from drivers.snmp import mib
from drivers.snmp.ber import Missing
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import BadTarget
from drivers.snmp.message import Version
from drivers.snmp.portplan import COUNTER_OBJECTS
from drivers.snmp.session import Session
from drivers.snmp.switch import Sweep, SwitchReader
from drivers.snmp.target import Target, resolve
from drivers.snmp.v3.user import User
from firmware_sims.switch import fleet
from firmware_sims.switch.flaws import flaw
from firmware_sims.switch.plan import alike
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import ManualClock, SystemClock

Start = Callable[..., Awaitable[fleet.Unit]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    fleets: list[Fleet] = []

    async def build(
        vendor: Vendor, misbehave: str | None = None, host: str = "127.0.0.1", max_reply: int = 1472
    ) -> fleet.Unit:
        (plan,) = alike(
            count=1, vendors=[vendor], ports=24, uplinks=2, virtual=True, community="public"
        )
        broken = None if misbehave is None else flaw(misbehave)
        setting = fleet.Setting(clock=ManualClock(), misbehave=broken, max_reply=max_reply)
        unit = fleet.live(plan, (host, 0), setting)
        serving = Fleet([unit.endpoint])
        await serving.__aenter__()
        fleets.append(serving)
        return unit

    yield build
    for serving in fleets:
        await serving.__aexit__(None, None, None)


def reader(client: SnmpClient, unit: fleet.Unit, version: Version) -> SwitchReader:
    return SwitchReader(client, target(unit, version))


def target(unit: fleet.Unit, version: Version, host: str | None = None) -> Target:
    return Target(
        host=host or unit.endpoint.host,
        port=unit.endpoint.port,
        community="public",
        version=version,
        timeout_seconds=1.0,
    )


def columns(sweep: Sweep) -> dict[str, tuple[object, ...]]:
    assert not sweep.errors
    return {column.metric.name: tuple(column) for column in sweep.columns}


@pytest.mark.parametrize("vendor", [Vendor.HUAWEI, Vendor.ZTE, Vendor.RUIJIE])
@pytest.mark.parametrize("max_reply", [1472, 484])
async def test_v1_says_what_v2c_says_in_32_bits(
    client: SnmpClient, start: Start, vendor: Vendor, max_reply: int
) -> None:
    """Some of these vendors lack duplex rows, so probes meet absences."""
    unit = await start(vendor, max_reply=max_reply)
    old, new = reader(client, unit, Version.V1), reader(client, unit, Version.V2C)
    mine, theirs = await old.inventory(), await new.inventory()
    assert (mine.rows, mine.system, mine.ports) == (theirs.rows, theirs.system, theirs.ports)
    narrow = wide = {}
    for _ in range(3):
        assert columns(await old.state()) == columns(await new.state())
        narrow, wide = columns(await old.counters()), columns(await new.counters())
    wide_objects = {name for name, (_, twin) in COUNTER_OBJECTS.items() if twin is not None}
    counted = {name for _, name in old.narrow_counters}
    assert {"in_octets", "out_octets", "in_unicast", "out_unicast"} <= counted <= wide_objects
    for name in narrow:
        if name == "narrow_counters":
            continue
        for small, big in zip(narrow[name], wide[name], strict=True):
            if name not in wide_objects:
                assert small == big
            elif small is not None:
                assert isinstance(big, int)
                assert small == big % 2**32
    assert client.counts.retried == 0


async def test_a_settled_sweep_by_v1_asks_no_more_than_by_v2c(
    client: SnmpClient, start: Start
) -> None:
    unit = await start(Vendor.RUIJIE)
    old, new = reader(client, unit, Version.V1), reader(client, unit, Version.V2C)
    sent = {}
    for which in (old, new):
        for _ in range(2):
            await which.state()
            await which.counters()
        before = client.counts.sent
        await which.state()
        await which.counters()
        sent[which] = client.counts.sent - before
    assert sent[old] <= sent[new]


async def test_rows_that_vanish_are_absent_and_the_others_stay(
    client: SnmpClient, start: Start
) -> None:
    unit = await start(Vendor.HUAWEI)
    which = reader(client, unit, Version.V1)
    before = await which.state()
    await which.state()
    assert unit.switch is not None
    unit.switch.reboot(0, renumber=True)
    after = await which.state()
    assert after.rebooted
    assert after.rows != before.rows
    assert speeds(after) == speeds(before)


def speeds(sweep: Sweep) -> dict[str, object]:
    return dict(zip(sweep.rows, columns(sweep)["speed_mbps"], strict=True))


async def test_a_get_of_names_that_are_not_there(client: SnmpClient, start: Start) -> None:
    unit = await start(Vendor.HUAWEI)
    session = Session(client, await client.device(target(unit, Version.V1)))
    nowhere = (1, 3, 6, 1, 2, 1, 99, 1, 0)
    names = [nowhere, mib.SYS_NAME, (*nowhere, 1), mib.SYS_UPTIME, (*nowhere, 2)]
    found = await session.get(names)
    assert [bind.name for bind in found] == names
    missing = [bind.value is Missing.NO_SUCH_INSTANCE for bind in found]
    assert missing == [True, False, True, False, True]
    (only,) = await session.get([nowhere])
    assert only.value is Missing.NO_SUCH_INSTANCE
    walk = await session.walk((1, 3, 6, 1, 2, 1, 1))
    assert walk.error is None
    assert len(walk.varbinds) >= 5
    # To the very end of the tree, where v1 answers noSuchName.
    assert (await session.walk((1, 3, 6, 1, 6))).error is None
    assert (await session.walk((2, 100))).varbinds == ()


@pytest.mark.parametrize("broken", ["same-oid", "cycle", "no-varbinds", "wrong-name"])
async def test_walks_by_v1_end_on_broken_agents(
    client: SnmpClient, start: Start, broken: str
) -> None:
    unit = await start(Vendor.HUAWEI, broken)
    session = Session(client, await client.device(target(unit, Version.V1)))
    walk = await session.walk(mib.IF_DESCR, client.budget(5, 200))
    assert walk.error is not None or broken == "wrong-name"


async def test_a_v1_answer_is_not_one_to_v2c(client: SnmpClient, start: Start) -> None:
    unit = await start(Vendor.HUAWEI)
    await reader(client, unit, Version.V1).state()
    await reader(client, unit, Version.V2C).state()
    assert client.counts.wrong_community == client.counts.stray == 0


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
async def test_ipv6(client: SnmpClient, start: Start, version: Version) -> None:
    unit = await start(Vendor.HUAWEI, host="::1")
    which = reader(client, unit, version)
    assert which.target.label == f"[::1]:{unit.endpoint.port}"
    assert len((await which.inventory()).rows) == 27
    for _ in range(2):
        assert set(columns(await which.state())["oper"]) == {1}
        await which.counters()
    assert client.counts.foreign == 0


def link_local() -> str | None:
    """A link-local address of this machine with its scope, if there is one."""
    table = Path("/proc/net/if_inet6")
    for line in table.read_text().splitlines() if table.exists() else []:
        address, _, _, scope, _, name = line.split()
        if scope == "20":
            groups = [address[start : start + 4] for start in range(0, 32, 4)]
            return f"{':'.join(groups)}%{name}"
    return None


async def test_a_link_local_address_keeps_its_scope(start: Start) -> None:
    host = link_local()
    if host is None:
        pytest.skip("this machine has no link-local address")
    unit = await start(Vendor.HUAWEI, host=host)
    async with SnmpClient(clock=SystemClock()) as client:
        which = SwitchReader(client, target(unit, Version.V2C, host))
        assert len((await which.state()).rows) == 27
        assert client.counts.foreign == 0


async def test_a_target_is_of_one_version() -> None:
    for version, user in ((Version.V3, None), (Version.V2C, User(name="bob"))):
        with pytest.raises(BadTarget, match="SNMPv3 asks for one"):
            await resolve(Target(host="127.0.0.1", version=version, user=user))
