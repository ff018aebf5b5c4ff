"""Real SSH: netmiko, which is not ours, at every dialect; cuts, hangs, the log, many at once."""

import asyncio
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from netmiko import ConnectHandler, NetmikoAuthenticationException

from firmware_sims.switch.agent import Agent
from firmware_sims.switch.console.front import ConsoleFront, Consoles, Login
from firmware_sims.switch.console.keys import SimKey
from firmware_sims.switch.console.offer import DIALECTS, Offer, misbehave
from firmware_sims.switch.heart import Heart
from firmware_sims.switch.mib import ModelTree
from firmware_sims.switch.model import Switch
from firmware_sims.switch.vendors import Vendor
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.intents import Dialect
from tenone.vocabulary.states import OperStatus

NETMIKO: Mapping[Dialect, tuple[str, list[str]]] = {
    Dialect.HUAWEI_VRP5: (
        "huawei",
        ["system-view", "interface GigabitEthernet0/0/1", "undo negotiation auto", "speed 100"],
    ),
    Dialect.HUAWEI_VRP8: (
        "huawei_vrpv8",
        ["system-view", "interface GE1/0/1", "undo negotiation auto", "speed 100", "commit"],
    ),
    Dialect.COMWARE: (
        "hp_comware",
        ["system-view", "interface GigabitEthernet1/0/1", "speed 100", "duplex full"],
    ),
    Dialect.RUIJIE: (
        "ruijie_os",
        ["configure terminal", "interface GigabitEthernet 0/1", "speed 100", "duplex full"],
    ),
    Dialect.ZTE: (
        "zte_zxros",
        ["configure terminal", "interface gei-0/1/1/1", "speed 100", "duplex full"],
    ),
    Dialect.CISCO_IOS: (
        "cisco_ios",
        ["configure terminal", "interface GigabitEthernet1/0/1", "speed 100", "duplex full"],
    ),
}
PROMPT = r"[>#\]]\s*$"
IF_HIGH_SPEED = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15)
IF_OPER = (1, 3, 6, 1, 2, 1, 2, 2, 1, 8)
VENDORS = {dialect: vendor for vendor, dialect in DIALECTS.items()}


def made(dialect: Dialect, **options: Any) -> ConsoleFront:
    switch = Switch(name="sw1", vendor=VENDORS[dialect], clock=SystemClock(), ports=2, uplinks=1)
    switch.wiring.negotiation_seconds = 0.05
    return ConsoleFront(switch, dialect, **options)


def netmiko(front: ConsoleFront, lines: list[str]) -> list[str]:
    """Log in, type lines, log out: what each printed."""
    kind, _ = NETMIKO[front.dialect]
    there = ConnectHandler(
        device_type=kind,
        host=front.host,
        port=front.port,
        username=front.login.user,
        password=front.login.password,
        secret=front.login.enable,
    )
    if front.login.enable:
        there.enable()
    printed = [str(there.send_command(line, expect_string=PROMPT)) for line in lines]
    # Its own disconnect looks for seconds what mode it is in.
    assert there.remote_conn_pre is not None
    there.remote_conn_pre.close()
    return printed


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - the fact is on the other side of a socket
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("dialect", NETMIKO)
async def test_netmiko_logs_in_and_snmp_shows_what_it_did(dialect: Dialect, v2c: Any) -> None:
    ios = dialect is Dialect.CISCO_IOS
    front = made(dialect, login=Login(enable="second" if ios else ""))
    tree = ModelTree(front.switch)
    agent = Agent(tree, community="public", begin=tree.begin)
    port = front.switch.sockets[0]

    def ask(column: tuple[int, ...]) -> int:
        reply = agent.answer(v2c.request("Get", [(*column, port.if_index)]))
        assert reply is not None
        return int(v2c.reply(reply)[2][0][2])

    assert (ask(IF_OPER), ask(IF_HIGH_SPEED)) == (1, 1000)
    _, lines = NETMIKO[dialect]
    async with Consoles([front]):
        printed = await asyncio.to_thread(netmiko, front, lines)
        await until(lambda: ask(IF_OPER) == 1)
        assert ask(IF_HIGH_SPEED) == 100
        await until(lambda: front.connected == 0)
    assert not any("rror" in one or "% " in one for one in printed)
    assert [one for one in front.lines if one in lines] == lines
    assert front.sessions == front.logins == 1
    assert "second" not in front.lines
    assert {one.session for one in front.heard} == {1}


class Typist:
    """asyncssh's own client with a shell, for what netmiko would paper over."""

    def __init__(self, connection: Any, process: Any) -> None:
        self.connection = connection
        self.process = process

    @classmethod
    async def at(cls, front: ConsoleFront) -> "Typist":
        connection = await asyncssh.connect(
            front.host,
            front.port,
            known_hosts=asyncssh.import_known_hosts(front.known_hosts()),
            username=front.login.user,
            password=front.login.password,
            config=None,
            client_keys=None,
            agent_path=None,
        )
        there = cls(connection, await connection.create_process(term_type="vt100"))
        await there.until(">")
        return there

    async def until(self, end: str) -> str:
        async with asyncio.timeout(20):
            return str(await self.process.stdout.readuntil(end))

    async def type(self, line: str, end: str = ">") -> str:
        self.process.stdin.write(line + "\n")
        return await self.until(end)

    async def gone(self) -> None:
        async with asyncio.timeout(20):
            await self.connection.wait_closed()


async def test_sessions_echo_edit_and_page() -> None:
    front = made(Dialect.HUAWEI_VRP5)
    async with Consoles([front]):
        one, two = await Typist.at(front), await Typist.at(front)
        assert front.connected == 2
        assert await one.type("disq\bplay versionn\x7f") == (
            "disq\b \bplay versionn\b \b\r\n"
            + "\r\n".join(front.switch.style.descr.strip().splitlines())
            + "\r\n<sw1>"
        )
        front.switch.lines = tuple(f"line {n}" for n in range(40))
        assert "line 0" in await two.type("display current-configuration", "More ----")
        two.process.stdin.write(" ")
        assert "line 39" in await two.until("More ----")
        two.process.stdin.write("q")
        await two.until("<sw1>")
        one.process.stdin.write("system-view\r\n")
        await one.until("[sw1]")
        one.process.stdin.write("\x1a")
        await one.until("<sw1>")
        one.process.stdin.write("never sent\x03")
        await one.until("<sw1>")
        await one.type("quit", "\r\n")
        await one.gone()
        two.connection.close()
        await two.gone()
        await until(lambda: front.connected == 0)
    assert [(h.session, h.line) for h in front.heard][:2] == [
        (1, "display version"),
        (2, "display current-configuration"),
    ]
    assert "never sent" not in front.lines


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("cut", [{"cut_after": 3}, {"cut_on": "shutdown"}])
async def test_a_cut_before_or_after_a_line_took_effect(
    before: bool,
    cut: dict[str, Any],
) -> None:
    front = made(Dialect.HUAWEI_VRP5)
    misbehave(front, {**cut, "cut_before_effect": before})
    async with Consoles([front]):
        there = await Typist.at(front)
        await there.type("system-view", "]")
        await there.type("interface GigabitEthernet0/0/1", "]")
        there.process.stdin.write("shutdown\n")
        await there.gone()
        assert front.switch.sockets[0].admin.label == ("up" if before else "down")
        again = await Typist.at(front)
        await again.type("display interface brief")
        again.connection.close()
        await again.gone()
    assert [one.took_effect for one in front.heard] == [True, True, not before, True]


async def test_a_cut_session_loses_its_candidate() -> None:
    front = made(Dialect.HUAWEI_VRP8)
    misbehave(front, {"cut_on": "commit"})
    async with Consoles([front]):
        there = await Typist.at(front)
        for line in ("system-view", "interface GE1/0/1", "shutdown"):
            await there.type(line, "]")
        assert len(front.switch.store.candidates) == 1
        there.process.stdin.write("commit\n")
        await there.gone()
        await until(lambda: not front.switch.store.candidates)
    assert front.switch.sockets[0].oper is OperStatus.UP


async def test_hang_slow_refuse_silent_and_restart() -> None:
    front = made(Dialect.COMWARE)
    async with Consoles([front]):
        there = await Typist.at(front)
        misbehave(front, {"hang": True})
        there.process.stdin.write("system-view\n")
        await until(lambda: front.lines == ["system-view"])
        assert not front.heard[0].took_effect
        misbehave(front, {"hang": False, "answer_seconds": 0.2})
        begun = time.monotonic()
        await there.type("display version")
        assert time.monotonic() - begun >= 0.2
        misbehave(front, {"refuse": True, "answer_seconds": 0})
        with pytest.raises((OSError, asyncssh.Error)):
            await Typist.at(front)
        misbehave(front, {"refuse": False})
        front.switch.silent = True
        with pytest.raises((OSError, asyncssh.Error)):
            await Typist.at(front)
        front.switch.silent = False
        front.switch.reboot(0)
        there.process.stdin.write("display version\n")
        await there.gone()
        third = await Typist.at(front)
        misbehave(front, {"cut": True})
        await third.gone()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"hang": 1}, "'hang' must be true or false"),
        ({"cut_after": 0}, "'cut_after' must be a number from 1"),
        ({"cut_on": 3}, "'cut_on' must be text"),
        ({"explode": True}, "'explode' is not known"),
    ],
)
def test_misbehaviour_that_is_none(options: dict[str, Any], complaint: str) -> None:
    front = made(Dialect.ZTE)
    with pytest.raises(ValueError, match=complaint):
        misbehave(front, {"refuse": True, **options})
    assert not front.misbehave.refuse
    asyncio.run(front.close())


async def test_a_wrong_password_and_another_host_key() -> None:
    front = made(Dialect.HUAWEI_VRP5, key=SimKey("a"))
    assert front.key.public == SimKey("a").public != SimKey("b").public
    assert front.known_hosts() == f"[127.0.0.1]:{front.port} {SimKey('a').public}"
    assert SimKey("a").known_hosts("10.0.0.1", 22) == f"10.0.0.1 {SimKey('a').public}"
    async with Consoles([front]):
        front.login = Login(password="other")
        with pytest.raises(NetmikoAuthenticationException):
            await asyncio.to_thread(
                ConnectHandler, device_type="huawei", host=front.host, port=front.port,
                username="tenone", password="wrong",
            )  # fmt: skip
        front.key = SimKey("b")
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            await Typist.at(front)
    assert (front.logins, front.sessions) == (0, 0)


async def test_a_switch_wakes_when_a_trial_is_over() -> None:
    """Nobody asks: the heart lets the timer run, and the link change is told."""
    switch = Switch(name="sw1", vendor=Vendor.HUAWEI_CE, clock=SystemClock(), ports=1)
    switch.wiring.negotiation_seconds = 0.02
    told: list[bool] = []
    switch.on_link = lambda _, *, up: told.append(up)
    heart = Heart(switch)
    heart.attach()
    before = switch.wiring.running()
    switch.configure(switch.sockets[0].name, {"shutdown": True})
    switch.store.try_for(0.02, before, "ann")
    await until(lambda: told == [False, True])
    heart.close()


def test_an_offer_gives_every_make_its_own_dialect() -> None:
    for vendor, dialect in DIALECTS.items():
        switch = Switch(name="sw1", vendor=vendor, clock=SystemClock(), ports=1)
        front = Offer(seed=3).front(switch)
        assert front.dialect is dialect
        assert front.ready()["host_key"] == SimKey("3/sw1").known_hosts(front.host, front.port)
        asyncio.run(front.close())
    switch = Switch(name="sw2", vendor=Vendor.HUAWEI, clock=SystemClock(), ports=1)
    front = Offer().front(switch, "huawei-vrp8")
    assert front.dialect is Dialect.HUAWEI_VRP8
    asyncio.run(front.close())
    with pytest.raises(ValueError, match="no simulated switch speaks 'linux'"):
        Offer(speaks="linux").front(switch)


@pytest.mark.slow
async def test_two_hundred_switches_in_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    def resident_mb() -> float:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize() / 2**20

    offer = Offer()
    before_mb, begun = resident_mb(), time.monotonic()
    switches = [
        Switch(name=f"sw{n}", vendor=list(DIALECTS)[n % len(DIALECTS)], clock=SystemClock())
        for n in range(200)
    ]
    fronts = [offer.front(switch) for switch in switches]
    async with Consoles(fronts):
        started = time.monotonic() - begun
        grown_mb = resident_mb() - before_mb
        huawei = [front for front in fronts if front.dialect is Dialect.HUAWEI_VRP5][:10]
        typists = await asyncio.gather(*(Typist.at(front) for front in huawei))
        for typist, front in zip(typists, huawei, strict=True):
            assert f"<{front.switch.name}>" in await typist.type("display this")
            typist.connection.close()
        for typist in typists:
            await typist.gone()
    with capsys.disabled():
        print(f"\n200 consoles: {started:.2f} s to start, {grown_mb:.0f} MB more")
    assert len({front.port for front in fronts}) == 200
    assert grown_mb < 120
