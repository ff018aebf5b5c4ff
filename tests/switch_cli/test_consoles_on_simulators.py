"""The product's consoles over SSH at every simulated switch: forth, back, cut after each line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.console import Console, ConsoleLogin
from drivers.cli.dialect import Line, PortSettings
from drivers.cli.dialects.registry import DIALECTS
from drivers.cli.errors import LineRefusedError, LoginError, SessionLostError
from drivers.cli.settings import same
from firmware_sims.switch.console.front import ConsoleFront, Consoles, Login
from firmware_sims.switch.console.offer import DIALECTS as SPOKEN_BY
from firmware_sims.switch.model import Switch
from tenone.runtime.clock import SystemClock
from tenone.trust.masked import Secret
from tenone.vocabulary.intents import Dialect

NAMES = sorted(SPOKEN_BY.values())
ENABLE = "canary-second-password"


@asynccontextmanager
async def served(
    name: Dialect, folder: Path, *, enable: str = ""
) -> AsyncIterator[tuple[ConsoleFront, ConsoleLogin]]:
    vendor = next(vendor for vendor, spoken in SPOKEN_BY.items() if spoken is name)
    switch = Switch(name=f"SW-{name.value}", vendor=vendor, clock=SystemClock(), ports=4)
    front = ConsoleFront(switch, name, login=Login(enable=enable))
    host_keys = folder / f"known_hosts.{name.value}"
    host_keys.write_text(front.known_hosts() + "\n")
    async with Consoles([front]):
        yield front, ConsoleLogin(
            host=front.host, port=front.port, dialect=name, username=front.login.user,
            password=Secret(front.login.password), host_keys=host_keys,
            enable=Secret(enable) if enable else None,
        )  # fmt: skip


async def settings(console: Console, name: Dialect, port: str) -> PortSettings:
    dialect = DIALECTS[name]
    return dialect.read_port(port, await console.run(dialect.show_port(port)))


async def forth_and_back(made: ChildConsoles, name: Dialect, folder: Path) -> None:
    dialect = DIALECTS[name]
    async with served(name, folder) as (front, login):
        port = front.switch.sockets[1].name
        console = await made.open(login)
        before = await settings(console, name, port)
        shut = replace(before, enabled=False)
        await console.run(dialect.set_port(port, before, shut))
        assert same(await settings(console, name, port), shut)
        with pytest.raises(LineRefusedError) as refused:
            await console.run([Line("no such thing at all")])
        assert refused.value.number == 0
        await console.run(dialect.leave)
        await console.run(dialect.set_port(port, shut, before))
        whole = await console.run(dialect.show_configuration())
        assert len(whole[-1].splitlines()) > 10
        assert await console.run(dialect.save())
        assert same(await settings(console, name, port), before)
        await console.close()
        again = await made.open(login)
        assert front.logins == 1, "the session was kept"
        assert same(await settings(again, name, port), before)
        await again.close()


async def test_every_dialect_at_once(tmp_path: Path) -> None:
    made = ChildConsoles()
    try:
        await asyncio.gather(*(forth_and_back(made, name, tmp_path) for name in NAMES))
    finally:
        await made.close()


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
async def test_cut_after_each_line(tmp_path: Path, late: bool) -> None:
    """Whichever line was lost, it is named, and the next login finds a port that can be read."""
    made = ChildConsoles()
    try:
        await asyncio.gather(*(_cut(made, name, tmp_path, late=late) for name in NAMES))
    finally:
        await made.close()


async def _cut(made: ChildConsoles, name: Dialect, folder: Path, *, late: bool) -> None:
    dialect = DIALECTS[name]
    async with served(name, folder) as (front, login):
        port = front.switch.sockets[1].name
        first = await made.open(login)
        before = await settings(first, name, port)
        await first.close()
        shut = replace(before, enabled=False)
        there, back = dialect.set_port(port, before, shut), dialect.set_port(port, shut, before)
        for number in range(len(there)):
            console = await made.open(login)
            front.misbehave.cut_before_effect = not late
            front.misbehave.cut_on = there[number].text
            with pytest.raises(SessionLostError) as lost:
                await console.run(there)
            assert lost.value.number == number
            await console.close()
            console = await made.open(login)
            found = await settings(console, name, port)
            assert same(found, before) or same(found, shut)
            if same(found, shut):
                await console.run(back)
                assert same(await settings(console, name, port), before)
            await console.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", [Dialect.CISCO_IOS, Dialect.RUIJIE, Dialect.ZTE])
async def test_the_second_password(tmp_path: Path, name: Dialect) -> None:
    made = ChildConsoles()
    try:
        async with served(name, tmp_path, enable=ENABLE) as (front, login):
            console = await made.open(login)
            port = front.switch.sockets[1].name
            await console.run(DIALECTS[name].show_configuration())
            assert (await settings(console, name, port)).enabled
            if name is Dialect.RUIJIE:
                return  # netmiko asks itself there, and waits ten seconds for a prompt
            with pytest.raises(LoginError) as refused:
                await made.open(replace(login, enable=Secret("canary-wrong")))
            assert "canary" not in str(refused.value)
    finally:
        await made.close()
