"""Sessions at the switches: one user at a time, kept a while, dropped when anything went wrong."""

import asyncio
from pathlib import Path

import pytest

from agents.sessions import DENIED_SECONDS, IDLE_SECONDS, Sessions, patience
from drivers.cli.errors import AccessDeniedError, LoginError, SessionLostError
from drivers.cli.hostkeys import HostKeyError
from tenone.vocabulary.intents import Dialect
from tests.agents.repair_bench import KEY, PASSWORD, SimSchool, drive

SHOW = "display current-configuration"


@pytest.fixture
def sim(tmp_path: Path) -> SimSchool:
    return SimSchool(tmp_path, Dialect.HUAWEI_VRP5, enable="env:TENONE_TEST_ENABLE")


@pytest.fixture
def sessions(sim: SimSchool, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setenv("TENONE_TEST_ENABLE", "the-second-one")
    return Sessions(sim.config, sim.consoles, clock=sim.clock)


async def test_a_session_is_kept_for_one_user_at_a_time(sim: SimSchool, sessions: Sessions) -> None:
    inside = most = 0

    async def use() -> None:
        nonlocal inside, most
        async with sessions.hold("core"):
            inside += 1
            most = max(most, inside)
            await sim.clock.sleep(1)
            inside -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(use() for _ in range(5)))

    await drive(sim.clock, all_of_them())
    assert most == 1
    assert sim.consoles.opened == 1
    (login,) = sim.consoles.logins
    assert (login.host, login.port, login.username) == ("192.0.2.1", 22, "tenone")
    assert login.password.use() == PASSWORD
    assert login.enable is not None
    assert sessions.fingerprint("core") == KEY.fingerprint


async def test_what_failed_is_not_kept(sim: SimSchool, sessions: Sessions) -> None:
    async def failing() -> None:
        async with sessions.hold("core"):
            raise SessionLostError(0, "gone")

    with pytest.raises(SessionLostError):
        await drive(sim.clock, failing())
    assert not sessions.is_kept("core")


async def test_idle_ones_end(sim: SimSchool, sessions: Sessions) -> None:
    running = asyncio.ensure_future(sessions.run())

    async def use() -> None:
        async with sessions.hold("core"):
            pass
        assert sessions.is_kept("core")
        await sim.clock.sleep(IDLE_SECONDS + 30)

    await drive(sim.clock, use())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not sessions.is_kept("core")


async def test_a_secret_that_cannot_be_had_is_named_not_shown(
    sim: SimSchool, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = sessions.masked("core", f"{PASSWORD} and the-second-one and the rest")
    assert told == "*** and *** and the rest"
    monkeypatch.delenv("TENONE_TEST_ENABLE")
    with pytest.raises(LoginError, match="TENONE_TEST_ENABLE"):
        sessions.login("core")
    (sim.folder / "password").unlink()
    with pytest.raises(LoginError, match="core"):
        sessions.login("core")
    await sessions.close()


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (LoginError("core does not answer"), 0.5),
        (SessionLostError(0, "cut"), 0.5),
        (AccessDeniedError("core does not let 'tenone' in"), DENIED_SECONDS),
        (HostKeyError("core shows another key"), DENIED_SECONDS),
    ],
)
def test_a_switch_that_refuses_is_not_knocked_at_again_and_again(
    error: Exception, seconds: float
) -> None:
    assert patience(error, 0.5) == seconds
