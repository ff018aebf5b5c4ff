"""A password of a command line is replaced: never blind, never hammered, over restarts too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.console_credentials import logins_of
from agents.sessions import PROOFS, Sessions, patience
from drivers.cli.console import ConsoleLogin
from drivers.cli.errors import AccessDeniedError, LoginError
from drivers.snmp.faults import AccessFinding
from tenone.config.secret import SecretRef, VaultPlace
from tenone.trust.envelope import KeyKey
from tenone.trust.files import write_whole
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault
from tenone.vocabulary.intents import Dialect
from tests.agents.repair_bench import SimConsole, SimConsoles, SimSchool, drive

OLD, NEW = "canary-old-password", "canary-new-password"
HOUR = 3600.0
LOCKS_AFTER, LOCKS_WITHIN = 3, 300.0
"""Huawei's local accounts: so many wrong passwords within so many seconds."""


class Doors(SimConsoles):
    """A switch that takes one password, counts the wrong ones and locks the account."""

    def __init__(self, school: SimSchool, password: str) -> None:
        super().__init__(school)
        self.takes = password
        self.away = False
        self.wrong: list[float] = []
        self.tried: list[str] = []

    async def open(self, login: ConsoleLogin) -> SimConsole:
        if self.away:
            raise LoginError("core does not answer")
        self.tried.append(login.password.use())
        now = self._school.clock.seconds
        recent = [at for at in self.wrong if now - at < LOCKS_WITHIN]
        assert len(recent) < LOCKS_AFTER, "the account is locked"
        if login.password.use() != self.takes:
            self.wrong.append(now)
            raise AccessDeniedError("core does not let 'tenone' in")
        self.wrong.clear()
        return await super().open(login)


@pytest.fixture
def sim(tmp_path: Path) -> SimSchool:
    return SimSchool(tmp_path, Dialect.HUAWEI_VRP5)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    key = KeyKey.fresh()
    write_whole(tmp_path / "key", key.text.encode())
    made = Vault.create(tmp_path / "v", key)
    made.put("cli", Secret(OLD), now=0)
    return made


def sessions(sim: SimSchool, doors: Doors) -> Sessions:
    """As an agent that has just started makes them."""
    place = VaultPlace(sim.folder / "v", SecretRef("file", str(sim.folder / "key")))
    switch = sim.config.switches[0]
    assert switch.cli is not None
    cli = switch.cli.model_copy(update={"password": SecretRef("vault", "cli", place)})
    fresh = switch.model_copy(update={"cli": cli})
    config = sim.config.model_copy(update={"switches": (fresh,)})
    return Sessions(config, doors, clock=sim.clock)


async def held(sim: SimSchool, found: Sessions) -> None:
    async def once() -> None:
        async with found.hold("core", fresh=True):
            pass

    await drive(sim.clock, once())


def told(found: Sessions) -> object:
    finding = found.finding("core")
    return None if finding is None else (finding.fault, finding.raw)


async def test_replaced(sim: SimSchool, vault: Vault) -> None:
    doors = Doors(sim, OLD)
    found = sessions(sim, doors)
    await held(sim, found)
    assert told(found) is None
    vault.put("cli", Secret(NEW), now=0, following=True)
    sim.clock.pass_on(61)
    assert told(found) == (AccessFinding.OLD_LOGIN, "password=2")
    for _ in range(5):
        await held(sim, found)
    assert set(doors.tried) == {OLD}, "as long as the old one is taken, the next is not tried"
    assert found.masked("core", f"{OLD} {NEW}") == "*** ***"
    doors.takes = NEW  # a person sets it on the switch
    doors.tried.clear()
    await held(sim, found)
    assert doors.tried == [OLD, NEW], "in one go, and the second one counts the first away"
    assert told(found) == (AccessFinding.NEW_LOGIN, "password=2")
    for _ in range(3):
        await held(sim, found)
    again = sessions(sim, doors)
    await held(sim, again)
    assert doors.tried[2:] == [NEW] * 4, "over a restart too"
    text = (sim.folder / "outbox" / PROOFS).read_text()
    assert "canary" not in text
    assert "password=2" in text
    vault.promote("cli")
    sim.clock.pass_on(61)
    await held(sim, again)
    assert told(again) is None
    assert doors.tried[-1] == NEW
    vault.put("cli", Secret("canary-third"), now=0, following=True)
    sim.clock.pass_on(61)
    assert told(again) == (AccessFinding.OLD_LOGIN, "password=3")


async def test_what_is_wrong_is_not_hammered(sim: SimSchool, vault: Vault) -> None:
    """A day in which neither password is right, asked for every five minutes, as repairs do."""
    vault.put("cli", Secret(NEW), now=0, following=True)
    doors = Doors(sim, "something else")
    found = sessions(sim, doors)
    sentences = set()
    for _ in range(24 * 12):
        with pytest.raises(AccessDeniedError) as caught:
            await held(sim, found)
        sentences.add(str(caught.value).partition(" for ")[0])
        sim.clock.pass_on(patience(caught.value, 1.0))
    assert len(doors.wrong) == len(doors.tried)
    print(f"\nwrong passwords in 24 hours: {len(doors.wrong)}")
    assert len(doors.wrong) <= 60
    assert "core took neither the current nor the next password and is left alone" in sentences
    vault.put("cli", Secret(f"{NEW}-2"), now=0, following=True)
    doors.takes = f"{NEW}-2"
    sim.clock.pass_on(LOCKS_WITHIN)
    await held(sim, found)
    assert doors.tried[-1] == f"{NEW}-2", "another next one is tried at once"


async def test_silence_is_no_denial(sim: SimSchool, vault: Vault) -> None:
    vault.put("cli", Secret(NEW), now=0, following=True)
    doors = Doors(sim, OLD)
    doors.away = True
    found = sessions(sim, doors)
    for _ in range(3):
        with pytest.raises(LoginError, match="does not answer"):
            await held(sim, found)
    doors.away = False
    await held(sim, found)
    assert doors.tried == [OLD]


def test_both_secrets(sim: SimSchool, vault: Vault) -> None:
    vault.put("en", Secret("canary-enable"), now=0)
    vault.put("en", Secret("canary-enable-2"), now=0, following=True)
    place = VaultPlace(sim.folder / "v", SecretRef("file", str(sim.folder / "key")))
    reference: Callable[[str], SecretRef] = lambda name: SecretRef("vault", name, place)  # noqa: E731 - short
    switch = sim.config.switches[0]
    assert switch.cli is not None
    cli = switch.cli.model_copy(update={"password": reference("cli"), "enable": reference("en")})
    logins = logins_of(switch.model_copy(update={"cli": cli}), sim.folder / "hosts")
    assert logins.mark == "enable=2"
    assert logins.following is not None
    assert logins.following.password == logins.current.password == Secret(OLD)
    assert logins.following.enable == Secret("canary-enable-2")
    assert "canary" not in repr(logins)
