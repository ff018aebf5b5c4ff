"""The product's consoles at Debian's sshd: plans forth and back on real ports, and sessions cut."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.sessions import HOST_KEYS, Sessions
from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import Console, ConsoleLogin
from drivers.cli.dialect import Change, PortSettings
from drivers.cli.dialects.registry import dialect
from drivers.cli.errors import SessionLostError
from drivers.cli.hostkeys import HostKeyStore
from drivers.cli.plans import back, plan
from drivers.cli.settings import same
from drivers.snmp.faults import AccessFinding
from tenone.config import School
from tenone.config.secret import SecretRef, VaultPlace
from tenone.config.switch_cli import SwitchCli
from tenone.runtime.clock import SystemClock
from tenone.trust.envelope import KeyKey
from tenone.trust.files import write_whole
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault
from tenone.vocabulary.intents import Dialect, Intent
from tests.lab.daemons import ADMIN, PASSWORD
from tests.lab.faults import Fault, heal, inject
from tests.lab.space import missing
from tests.lab.switch import SwitchLab, until

absent = missing()
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(absent is not None, reason=str(absent)),
    pytest.mark.xdist_group("honest lab"),
]
LINUX = dialect(Dialect.LINUX)
CURES = {
    Fault.FORCED_100: Intent.RESTORE_NEGOTIATION,
    Fault.HALF_DUPLEX: Intent.RESTORE_NEGOTIATION,
    Fault.ADMIN_DOWN: Intent.ENABLE_PORT,
    Fault.STUCK: Intent.BOUNCE_PORT,
    Fault.BAD_PAIR: Intent.BOUNCE_PORT,
}

DELAYS = (-1.0, 0.0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.2)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwitchLab]:
    with SwitchLab(tmp_path_factory.mktemp("lab")) as made:
        until(lambda: all(made.truth.now(port).good for port in made.ports), "good links")
        yield made


@asynccontextmanager
async def consoles(
    lab: SwitchLab, folder: Path
) -> AsyncIterator[tuple[ChildConsoles, ConsoleLogin]]:
    store = HostKeyStore(folder / "known_hosts")
    key = lab.host_key()
    store.pin(lab.address, 22, key, key.fingerprint)
    made = ChildConsoles()
    try:
        yield made, ConsoleLogin(
            host=lab.address, port=22, dialect=Dialect.LINUX, username=ADMIN,
            password=Secret(PASSWORD), host_keys=store.path,
        )  # fmt: skip
    finally:
        await made.close()


async def settings(console: Console, port: str) -> PortSettings:
    return LINUX.read_port(port, await console.run(LINUX.show_port(port)))


async def test_a_plan_cures_what_can_be_cured(lab: SwitchLab, tmp_path: Path) -> None:
    ports = dict(zip(Fault, lab.ports, strict=False))
    for fault, port in ports.items():
        inject(lab, fault, port)
    async with consoles(lab, tmp_path) as (made, login):
        await asyncio.gather(*(_cured(lab, made, login, *one) for one in ports.items()))
    heal(lab, *ports.values())


async def _cured(
    lab: SwitchLab, made: ChildConsoles, login: ConsoleLogin, fault: Fault, port: str
) -> None:
    console = await made.open(login)
    before = await settings(console, port)
    change = plan(LINUX, CURES[fault], port, before)
    await console.run(change.apply)
    after = await settings(console, port)
    assert change.after is not None
    assert same(after, change.after)
    speed = 1000 if fault.curable else 100
    await asyncio.to_thread(
        until, lambda: lab.truth.now(port).speed == speed, f"{fault}: a link at {speed}"
    )
    # And back, as if it had not helped.
    await console.run(back(LINUX, port, after, before))
    assert same(await settings(console, port), before)
    await console.close()


async def test_cut_at_any_moment_it_is_before_or_after(lab: SwitchLab, tmp_path: Path) -> None:
    """Its processes are killed right before the line is typed, or a moment after."""
    port = lab.ports[0]
    found: dict[str, int] = {"before": 0, "after": 0}
    longest, lost = 0.0, 0
    async with consoles(lab, tmp_path) as (made, login):
        for number in range(24):
            lab.set(port, "speed 100 duplex full autoneg off")
            until(lambda: lab.truth.now(port).forced == 100, "forced")
            console = await made.open(login)
            before = await settings(console, port)
            change = plan(LINUX, Intent.RESTORE_NEGOTIATION, port, before)
            cut = await _cut_during(lab, console, change, DELAYS[number % len(DELAYS)])
            began = time.monotonic()
            kernel = _kernel(lab, port)
            assert kernel in {(True, False, 100), (True, True, None)}, kernel
            found["before" if kernel == (True, False, 100) else "after"] += 1
            again = await made.open(login)
            now = await settings(again, port)
            assert same(now, before) or (change.after is not None and same(now, change.after))
            await again.run(back(LINUX, port, now, before))
            assert same(await settings(again, port), before)
            longest = max(longest, time.monotonic() - began)
            await again.close()
            lost += cut
    assert all(found.values()), f"the cuts met one side only: {found}"
    assert lost, "not one session was cut before its answer"
    print(f"\ncuts: {found}, {lost} before the answer; known again after {longest:.2f} s at most")
    heal(lab, port)


async def _cut_during(lab: SwitchLab, console: Console, change: Change, after: float) -> bool:
    """Type the change and kill the session's processes in the middle; whether it was lost."""
    processes = lab.sessions()
    typing: asyncio.Task[list[str]] | None = None
    if after >= 0:
        typing = asyncio.create_task(console.run(change.apply))
        await asyncio.sleep(after)
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    try:
        await (typing or console.run(change.apply))
    except SessionLostError:
        return True
    finally:
        await console.close()
    return False


def _kernel(lab: SwitchLab, port: str) -> tuple[bool, bool, int | None]:
    """Open, negotiating, forced speed: by ethtool and ip, once nothing is under way any more."""
    # One that was killed may stay a zombie until somebody reaps it: it types nothing any more.
    running = "ps -o stat= -C ethtool | grep -v Z || true"
    until(lambda: not lab.switch.run("sh", "-c", running).strip(), "quiet")
    said = lab.switch.run("ethtool", port)
    negotiates = "Auto-negotiation: on" in said
    flags = lab.switch.run("ip", "-o", "link", "show", "dev", port).split("<")[1].split(">")[0]
    speed = int(said.split("Speed: ")[1].split("Mb/s")[0]) if not negotiates else None
    return "UP" in flags.split(","), negotiates, speed


async def test_the_password_is_replaced(lab: SwitchLab, tmp_path: Path) -> None:
    """By the vault's next version, at a real sshd that counts the wrong ones."""
    first, second = PASSWORD, "lab password 2"
    key = KeyKey.fresh()
    write_whole(tmp_path / "key", key.text.encode())
    vault = Vault.create(tmp_path / "vault", key)
    vault.put("cli", Secret(first), now=0)
    place = VaultPlace(tmp_path / "vault", SecretRef("file", str(tmp_path / "key")))
    cli = SwitchCli(
        dialect=Dialect.LINUX, username=ADMIN, password=SecretRef("vault", "cli", place)
    )
    school = School.model_validate({
        "school": {"id": "no1", "name": "No. 1", "district": "d", "city": "c"},
        "uplink": {"broker": {"host": "192.0.2.9"}},
        "switches": [{"name": "core", "host": lab.address, "cli": cli,
                      "snmp": {"community": "env:NOTHING"}}],
        "outbox": {"path": str(tmp_path / "outbox")},
    })  # fmt: skip
    (tmp_path / "outbox").mkdir()
    host_key = lab.host_key()
    HostKeyStore(tmp_path / "outbox" / HOST_KEYS).pin(
        lab.address, 22, host_key, host_key.fingerprint
    )
    log = lab.folder / "sshd.log"
    before = log.read_text().count("Failed password")

    def wrong() -> int:
        return log.read_text().count("Failed password") - before

    async def used(sessions: Sessions) -> AccessFinding | None:
        async with sessions.hold("core", fresh=True) as console:
            assert await console.run(LINUX.show_port(lab.ports[0]))
        finding = sessions.finding("core")
        if finding is None:
            return None
        assert isinstance(finding.fault, AccessFinding)
        return finding.fault

    table: list[tuple[str, AccessFinding | None, int]] = []

    async def fresh(*rows: str) -> None:
        """An agent's sessions, whose connections end with them."""
        sessions = Sessions(school, ChildConsoles(), clock=SystemClock())
        try:
            for what in rows:
                fault = await used(sessions)
                table.append((what, fault, wrong()))
        finally:
            await sessions.close()

    try:
        await fresh("one password")
        vault.put("cli", Secret(second), now=0, following=True)
        await fresh("a next one in the vault")
        lab.files.set_password(second)
        await fresh("set on the switch", "used again")
        await fresh("agent restarted")
        vault.promote("cli")
        await fresh("promoted")
    finally:
        lab.files.set_password(first)
    print()
    for what, fault, count in table:
        said = "-" if fault is None else fault.code
        print(f"{what:26} {said:20} wrong passwords at sshd {count}")
    assert [fault for _, fault, _ in table] == [
        None, AccessFinding.OLD_LOGIN, *[AccessFinding.NEW_LOGIN] * 3, None
    ]  # fmt: skip
    assert [count for *_, count in table] == [0, 0, 1, 1, 1, 1]
