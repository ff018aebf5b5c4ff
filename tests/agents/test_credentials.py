"""A credential is replaced on a real net-snmp agent: never blind, never hammered, never back."""

import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agents.credentials import LEAST_WAIT_SECONDS, Proofs, RotatingReader, Trials, rotating
from agents.snmp_target import Credentials, snmp_credentials
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.faults import AccessFinding
from drivers.snmp.switch import Sweep, SwitchReader
from drivers.snmp.target import Target
from tenone.cli.processes import free_udp_port
from tenone.config import Polling, Switch
from tenone.config.secret import SecretRef, VaultPlace
from tenone.config.snmp import Snmp
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import SystemClock
from tenone.trust.envelope import KeyKey
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault

SNMPD = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin:/bin")
SNMPGET = shutil.which("snmpget")
OLD, NEW = "canary-old-credential", "canary-new-credential"
BAD_COMMUNITIES = "1.3.6.1.2.1.11.4.0"
"""SNMPv2-MIB snmpInBadCommunityNames: what net-snmp itself counts."""
WRONG_DIGESTS = "1.3.6.1.6.3.15.1.1.5.0"
"""SNMP-USER-BASED-SM-MIB usmStatsWrongDigests."""
BASE = "rocommunity witness 127.0.0.1\n"
NEEDS = pytest.mark.skipif(not SNMPD or not SNMPGET, reason="not installed: snmpd, snmp")


class Skipping(SystemClock):
    """The machine's clock, that can be put forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.ahead_ns


class Agent:
    """A net-snmp agent whose credentials are those of its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_udp_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, lines: str) -> None:
        self.stop()
        conf = self._folder / "snmpd.conf"
        store = self._folder / f"store{time.monotonic_ns()}"
        store.mkdir()
        conf.write_text(
            f"[snmp]\npersistentDir {store}\n[snmpd]\n"
            f"agentaddress udp:127.0.0.1:{self.port}\n{BASE}{lines}"
        )
        assert SNMPD is not None
        self._process = subprocess.Popen(
            [SNMPD, "-f", "-C", "-c", str(conf), "-Lf", str(self._folder / "log")],
            env={"SNMP_PERSISTENT_DIR": str(store), "PATH": "/usr/bin:/bin"},
        )
        deadline = time.monotonic() + 30
        while self.count("1.3.6.1.2.1.1.3.0") is None:
            assert time.monotonic() < deadline

    def count(self, name: str) -> int | None:
        assert SNMPGET is not None
        where = f"127.0.0.1:{self.port}"
        command = [SNMPGET, "-v2c", "-cwitness", "-t0.2", "-r0", "-OqvtU", where, name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        with suppress(ValueError):
            return int(done.stdout)
        return None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent.stop()


@pytest.fixture
def clock() -> Skipping:
    return Skipping()


@pytest.fixture
async def client(clock: Skipping) -> AsyncIterator[SnmpClient]:
    async with SnmpClient(clock=clock) as client:
        yield client


@pytest.fixture
def proofs(tmp_path: Path) -> Proofs:
    return Proofs(tmp_path, disk=OsDisk())


def vaulted(tmp_path: Path) -> Callable[[str], SecretRef]:
    """References into a vault in which every secret has a current and a next value."""
    key = KeyKey.fresh()
    (tmp_path / "key").write_text(key.text)
    (tmp_path / "key").chmod(0o600)
    vault = Vault.create(tmp_path / "vault", key)

    def reference(name: str) -> SecretRef:
        vault.put(name, Secret(OLD), now=0)
        vault.put(name, Secret(NEW), now=0, following=True)
        place = VaultPlace(tmp_path / "vault", SecretRef("file", str(tmp_path / "key")))
        return SecretRef("vault", name, place)

    return reference


def credentials(agent: Agent, snmp: Snmp) -> Credentials:
    switch = Switch(name="core", host="127.0.0.1", port=agent.port, snmp=snmp)
    return snmp_credentials(switch, Polling(timeout_seconds=0.2, retries=1))


def reader(client: SnmpClient, found: Credentials, proofs: Proofs) -> RotatingReader:
    made = rotating(SwitchReader(client, found.current), found, proofs, name="switch/core")
    assert isinstance(made, RotatingReader)
    return made


def access(sweep: Sweep) -> list[object]:
    return [one.fault for one in sweep.findings if isinstance(one.fault, AccessFinding)]


COMMUNITY = "rocommunity {} 127.0.0.1\n"
USER = "createUser u SHA-256 {0} AES {0}\nrouser u priv\n"


@NEEDS
@pytest.mark.slow
@pytest.mark.parametrize("version", ["v2c", "v3"])
async def test_replaced_on_a_real_agent(
    agent: Agent, client: SnmpClient, clock: Skipping, proofs: Proofs, tmp_path: Path, version: str
) -> None:
    reference = vaulted(tmp_path)
    if version == "v2c":
        snmp, lines, counter = Snmp(community=reference("c")), COMMUNITY, BAD_COMMUNITIES
    else:
        auth = {"protocol": "sha256", "password": reference("a")}
        priv = {"protocol": "aes128", "password": reference("p")}
        snmp = Snmp.model_validate({"version": "v3", "user": "u", "auth": auth, "priv": priv})
        lines, counter = USER, WRONG_DIGESTS
    found = credentials(agent, snmp)
    assert found.mark == ("community=2" if version == "v2c" else "auth=2,priv=2")
    agent.start(lines.format(OLD))
    switch = reader(client, found, proofs)
    await switch.inventory()
    assert access(await switch.state()) == [AccessFinding.OLD_CREDENTIAL]
    assert agent.count(counter) == 1, "one try of the next one, without repetition"
    for _ in range(20):
        await switch.state()
    assert agent.count(counter) == 1, "and no other before its time"
    clock.ahead_ns += 61 * 10**9
    assert access(await switch.state()) == [AccessFinding.OLD_CREDENTIAL]
    assert agent.count(counter) == 2
    clock.ahead_ns += round(LEAST_WAIT_SECONDS * 1e9)

    agent.start(lines.format(NEW))  # somebody sets it on the switch
    assert access(await switch.state()) == [AccessFinding.NEW_CREDENTIAL], "not one sweep is lost"
    wrong = agent.count(counter)
    assert wrong is not None
    assert wrong <= 2, "the old one, tried and tried again, before the next one was"
    for _ in range(10):
        await switch.state()
        await switch.inventory()
        await switch.counters()
    assert agent.count(counter) == wrong, "after the proof only the new one is used"
    kept = (tmp_path / "credentials.json").read_text()
    assert found.mark in kept
    assert "canary" not in kept

    again = reader(client, found, Proofs(tmp_path, disk=OsDisk()))  # after a restart
    assert access(await again.state()) == [AccessFinding.NEW_CREDENTIAL]
    assert agent.count(counter) == wrong

    agent.start(lines.format(OLD))  # and never back
    clock.ahead_ns += 7200 * 10**9
    with pytest.raises(SnmpError):
        await again.state()
    assert again.trials.count == 0


@NEEDS
@pytest.mark.slow
async def test_a_switch_that_is_away_is_not_hammered(
    agent: Agent, client: SnmpClient, clock: Skipping, proofs: Proofs, tmp_path: Path
) -> None:
    """A day of sweeps every 10 minutes at one that answers neither."""
    found = credentials(agent, Snmp(community=vaulted(tmp_path)("c")))
    agent.start(COMMUNITY.format("another"))
    found = Credentials(
        Target(host="127.0.0.1", port=agent.port, community=OLD, timeout_seconds=0.02, retries=0),
        Target(host="127.0.0.1", port=agent.port, community=NEW, timeout_seconds=0.02, retries=0),
        "community=2",
    )
    switch = reader(client, found, proofs)
    for _ in range(144):
        with pytest.raises(SnmpError):
            await switch.state()
        clock.ahead_ns += 600 * 10**9
    assert switch.trials.count <= 30
    assert not switch.is_proved


def test_a_day_of_tries() -> None:
    trials = Trials()
    for second in range(86_400):
        if trials.is_due(second * 10**9):
            trials.made(second * 10**9)
    assert trials.count == 29  # 0, 1, 3, 7, 15, 31 and 63 minutes; then every hour
    trials.hasten(86_400 * 10**9)
    assert trials.is_due(86_400 * 10**9)
    trials.made(86_400 * 10**9)
    trials.hasten(86_401 * 10**9)
    assert not trials.is_due(86_401 * 10**9)
    assert trials.is_due((86_400 + 2 * round(LEAST_WAIT_SECONDS)) * 10**9)


def test_a_switch_that_comes_and_goes_is_not_hammered() -> None:
    """A sweep every 10 s, every other one lost for a day: a wrong credential 300 times at most."""
    trials = Trials()
    for second in range(0, 86_400, 10):
        if second % 20:
            trials.hasten(second * 10**9)
        if trials.is_due(second * 10**9):
            trials.made(second * 10**9)
    print(f"\na day on a bad line: {trials.count} tries")
    assert trials.count <= 300


async def test_without_a_next_version_nothing_changes(
    client: SnmpClient, proofs: Proofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMUNITY", "public")
    switch = Switch(name="s", host="127.0.0.1", snmp=Snmp(community=SecretRef("env", "COMMUNITY")))
    found = snmp_credentials(switch, Polling())
    assert (found.following, found.mark) == (None, "")
    plain = SwitchReader(client, found.current)
    assert rotating(plain, found, proofs, name="s") is plain


@pytest.mark.parametrize("content", ["", "[]", "no", '{"switch/core": 7}', "\udcff"])
def test_proofs_that_cannot_be_read_are_made_anew(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "credentials.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    proofs = Proofs(tmp_path, disk=OsDisk())
    assert not proofs.has("switch/core", "community=2")
    proofs.add("switch/core", "community=2")
    assert Proofs(tmp_path, disk=OsDisk()).has("switch/core", "community=2")
    assert not Proofs(tmp_path, disk=OsDisk()).has("switch/core", "community=3")
    (tmp_path / "credentials.json").unlink()
    (tmp_path / "credentials.json.new").mkdir()
    proofs.add("switch/edge", "community=2")
    assert "cannot be written" in caplog.text
