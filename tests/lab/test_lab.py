"""The honest lab by itself: what Debian's daemons say is what the wire knows."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from netmiko.exceptions import NetmikoBaseException

from drivers.cli.hostkeys import HostKeyChangedError, HostKeyStore
from drivers.cli.ssh import Login, LoginError, log_in, offered_key
from drivers.snmp.message import Version
from drivers.snmp.neighbour import Neighbour
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from tenone.trust.masked import Secret
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus
from tests.lab.copper import NEGOTIATION_SECONDS
from tests.lab.daemons import ADMIN, PASSWORD, V3_AUTH, V3_PRIVACY, V3_USER
from tests.lab.eyes import Eyes, Seen
from tests.lab.faults import Fault, heal, inject
from tests.lab.space import missing
from tests.lab.switch import SwitchLab, until

absent = missing()
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(absent is not None, reason=str(absent)),
    pytest.mark.xdist_group("honest lab"),  # one lab for all of them
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwitchLab]:
    with SwitchLab(tmp_path_factory.mktemp("lab")) as made:
        until(lambda: all(made.truth.now(port).good for port in made.ports), "good links")
        yield made


def login(lab: SwitchLab, password: str = PASSWORD) -> Login:
    return Login(host=lab.address, username=ADMIN, password=Secret(password), device_type="linux")


@pytest.fixture
def pinned(lab: SwitchLab, tmp_path: Path) -> HostKeyStore:
    store = HostKeyStore(tmp_path / "known_hosts")
    store.pin(lab.address, 22, offered_key(lab.address), lab.host_key().fingerprint)
    return store


EXPECTED = {
    Fault.FORCED_100: Seen(AdminStatus.UP, OperStatus.UP, 100, Duplex.FULL),
    Fault.HALF_DUPLEX: Seen(AdminStatus.UP, OperStatus.UP, 100, Duplex.HALF),
    Fault.ADMIN_DOWN: Seen(AdminStatus.DOWN, OperStatus.DOWN, None, None),
    Fault.STUCK: Seen(AdminStatus.UP, OperStatus.UP, 100, Duplex.FULL),
    Fault.BAD_PAIR: Seen(AdminStatus.UP, OperStatus.UP, 100, Duplex.FULL),
}
"""A port that is down may show any speed: net-snmp shows the last one, or none."""


@pytest.mark.slow
async def test_five_faults_as_debians_snmpd_tells_them(lab: SwitchLab) -> None:
    faulty = dict(zip(Fault, lab.ports, strict=False))
    sound = lab.ports[len(faulty) :]
    assert sound, "one port at least stays as it is"

    def all_there(seen: dict[str, Seen]) -> bool:
        return all(
            seen[port] == EXPECTED[fault]
            or (fault is Fault.ADMIN_DOWN and seen[port].admin == AdminStatus.DOWN
                and seen[port].oper == OperStatus.DOWN)
            for fault, port in faulty.items()
        )  # fmt: skip

    async with Eyes(lab) as eyes:
        await eyes.until(lambda seen: all(seen[port].good for port in lab.ports), "good ports")
        begin = time.monotonic()
        for fault, port in faulty.items():
            inject(lab, fault, port)
        seen = await eyes.until(all_there, "the five faults")
        assert all(seen[port].good for port in sound)
        heal(lab, *faulty.values())
        await eyes.until(lambda seen: all(seen[port].good for port in lab.ports), "good again")
    spoilt = {one.port for one in lab.truth.moments() if one.mono >= begin and not one.good}
    assert spoilt == set(faulty.values())


async def test_neighbours_are_told_by_a_real_lldpd(lab: SwitchLab) -> None:
    async with Eyes(lab) as eyes, asyncio.timeout(15):
        heard: dict[str, Neighbour] = {}
        while set(heard) < set(lab.ports):
            heard = {one.local_port: one for one in await eyes.neighbours()}
            await asyncio.sleep(0.2)
    for port in lab.ports:
        assert heard[port].remote_name == "class-boards"
        assert heard[port].port_descr == f"b{port[1:]}"


async def test_version_3_is_spoken_too(lab: SwitchLab) -> None:
    user = User(
        name=V3_USER, auth=Auth.SHA1, auth_password=V3_AUTH, priv=Priv.AES128,
        priv_password=V3_PRIVACY,
    )  # fmt: skip
    async with Eyes(lab, community="", version=Version.V3, user=user) as eyes:
        assert (await eyes.ports())[lab.ports[0]].admin == AdminStatus.UP


def test_a_login_with_the_pinned_key_sets_a_port(lab: SwitchLab, pinned: HostKeyStore) -> None:
    port = lab.ports[1]
    console = log_in(login(lab), pinned)
    try:
        assert console.send_command("id -u").strip() == "0"
        assert not console.send_command(
            f"ethtool -s {port} speed 100 duplex full autoneg off"
        ).strip()
        until(lambda: lab.truth.now(port).forced == 100, "the wire sees what was set")
        assert not console.send_command(f"ethtool -s {port} autoneg on").strip()
        until(lambda: lab.truth.now(port).autoneg, "the wire sees that it negotiates again")
    finally:
        leaving = time.monotonic()
        console.disconnect()
    assert time.monotonic() - leaving < 5, "leaving does not wait for a prompt that has gone"


def test_who_has_not_the_password_or_another_key_is_not_let_in(
    lab: SwitchLab, pinned: HostKeyStore, tmp_path: Path
) -> None:
    with pytest.raises(LoginError, match="does not let"):
        log_in(login(lab, "wrong"), pinned)
    text = pinned.path.read_text()
    other = tmp_path / "other"
    other.write_text(text.rstrip("\n")[:-8] + "AAAAAAA=\n")
    with pytest.raises(HostKeyChangedError):
        log_in(login(lab), HostKeyStore(other))


def test_a_session_that_is_cut_leaves_the_port_before_or_after(
    lab: SwitchLab, pinned: HostKeyStore
) -> None:
    port = lab.ports[2]
    before = lab.truth.now(port).setting
    console = log_in(login(lab), pinned)
    try:
        console.write_channel(f"sleep 0.1; ethtool -s {port} speed 100 duplex full autoneg off\n")
        killed = lab.cut_sessions()
        assert killed >= 1
        with pytest.raises((NetmikoBaseException, OSError, EOFError)):
            console.send_command("id -u", read_timeout=2)
    finally:
        console.disconnect()
    assert lab.truth.now(port).setting in {before, (True, False, 100)}
    heal(lab, port)


@pytest.mark.slow
def test_the_shortest_bounce_is_not_overlooked(lab: SwitchLab) -> None:
    port = lab.ports[3]
    begin = time.monotonic()
    lab.switch.script(f"ip -batch - <<END\nlink set {port} down\nlink set {port} up\nEND\n")
    until(lambda: any(not one.up for one in lab.truth.moments(port) if one.mono > begin), "down")
    until(lambda: lab.truth.now(port).good, "up again")
    down, *_, good = [one for one in lab.truth.moments(port) if one.mono > begin]
    assert good.mono - down.mono >= NEGOTIATION_SECONDS


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with SwitchLab(tmp_path, ports=1) as made:
        outside = made.outside
        inside = {made.switch.pid, made.boards.pid, made.wire_pid}
        assert Path("/sys/class/net", outside).exists()
    assert not Path("/sys/class/net", outside).exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in inside)
    passwd = Path("/etc/passwd").read_text(encoding="utf-8")
    assert f"{ADMIN}:" not in passwd, "the account was the namespace's own"
