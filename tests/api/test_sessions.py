"""One-time codes and sessions: single use, expiry, limits, hashes at rest, both stores."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from controller.api.services import Services
from controller.api.session_records import RecordsSessionStore
from controller.api.sessions import (
    ABSOLUTE_SECONDS,
    CODE_SECONDS,
    IDLE_SECONDS,
    MOST_CODES,
    MemorySessionStore,
    Sessions,
    SessionStore,
    TooManyAttemptsError,
    WrongCodeError,
    session_key,
)
from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import COOKIE, granted

EAST = ScopePath.parse("binhai/east")


@pytest.fixture(params=["memory", "records"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionStore]:
    if request.param == "memory":
        yield MemorySessionStore()
        return
    records = RecordsSessionStore.at(f"sqlite:///{tmp_path / 'sessions.db'}")
    yield records
    records.close()


@pytest.fixture
def sessions(clock: ManualClock, store: SessionStore) -> Sessions:
    return Sessions(clock, store)


def test_a_code_opens_one_session_once(sessions: Sessions) -> None:
    code = sessions.issue_code(granted(Role.VIEWER, "binhai/east"))
    token, session = sessions.sign_in(code, "a")
    assert session.grants == granted(Role.VIEWER, "binhai/east")
    assert (session.actor, session.scope) == ("code", EAST)
    assert sessions.find(token) == session
    with pytest.raises(WrongCodeError):
        sessions.sign_in(code, "a")


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda c: c.replace("-", ""),
        lambda c: f"  {c} ",
        lambda c: c.replace("0", "o").replace("1", "l"),
    ],
)
def test_a_code_may_be_typed_as_people_type(sessions: Sessions, typed: object) -> None:
    assert callable(typed)
    for client in range(20):
        sessions.sign_in(typed(sessions.issue_code()), f"{client}")


@pytest.mark.parametrize("wrong", ["", "0000-0000-0000", "x" * 10_000, "\ud800", "七七七七"])
def test_a_wrong_code_opens_nothing(sessions: Sessions, wrong: str) -> None:
    sessions.issue_code()
    with pytest.raises(WrongCodeError):
        sessions.sign_in(wrong, "a")
    assert sessions.count() == 0


def test_a_code_expires(sessions: Sessions, clock: ManualClock) -> None:
    code = sessions.issue_code()
    clock.advance(CODE_SECONDS)
    with pytest.raises(WrongCodeError):
        sessions.sign_in(code, "a")


def test_codes_are_bounded_and_the_oldest_goes(sessions: Sessions) -> None:
    oldest, *_, newest = [sessions.issue_code() for _ in range(MOST_CODES + 1)]
    with pytest.raises(WrongCodeError):
        sessions.sign_in(oldest, "a")
    sessions.sign_in(newest, "a")


def test_guessing_is_limited_by_client_and_nobody_waits_for_others(
    sessions: Sessions, clock: ManualClock
) -> None:
    for _ in range(5):
        with pytest.raises(WrongCodeError):
            sessions.sign_in("guess", "a")
    code = sessions.issue_code()
    with pytest.raises(TooManyAttemptsError) as refused:
        sessions.sign_in(code, "a")
    assert 0 < refused.value.retry_seconds <= 60
    for client in range(200):
        with pytest.raises(WrongCodeError):
            sessions.sign_in("guess", f"client {client}")
    sessions.sign_in(code, "another")
    clock.advance(60)
    sessions.sign_in(sessions.issue_code(), "a")


def test_a_session_slides_when_used_and_ends_when_idle(
    sessions: Sessions, clock: ManualClock
) -> None:
    token, session = sessions.open("code", grants=granted(Role.VIEWER, "binhai/east"))
    for _ in range(4):
        clock.advance(IDLE_SECONDS - 60)
        assert sessions.find(token) is not None
    clock.advance(IDLE_SECONDS - 60)
    assert sessions.find(token, touch=False) is not None
    assert sessions.is_open(session)
    clock.advance(120)
    assert not sessions.is_open(session)
    assert sessions.find(token) is None
    assert sessions.count() == 0


def test_a_session_ends_after_twelve_hours_whatever_happens(
    sessions: Sessions, clock: ManualClock
) -> None:
    token, _ = sessions.open("code", grants=granted(Role.VIEWER, "binhai/east"))
    while clock.wall_ns() / 1e9 < 1_790_000_000 + ABSOLUTE_SECONDS - 600:
        clock.advance(600)
        assert sessions.find(token) is not None
    clock.advance(600)
    assert sessions.find(token) is None


def test_old_sessions_are_swept_when_one_is_opened(sessions: Sessions, clock: ManualClock) -> None:
    for _ in range(3):
        sessions.open("code", grants=granted(Role.VIEWER, "binhai/east"))
    clock.advance(IDLE_SECONDS + 1)
    sessions.open("code", grants=granted(Role.VIEWER, "binhai/east"))
    assert sessions.count() == 1


def test_the_hook_hears_of_a_used_code(clock: ManualClock) -> None:
    used: list[int] = []
    sessions = Sessions(clock, on_code_used=lambda: used.append(1))
    sessions.sign_in(sessions.issue_code(), "a")
    assert used == [1]


def test_the_records_hold_no_secret_and_survive_a_restart(
    clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'sessions.db'}"
    store = RecordsSessionStore.at(url)
    token, _ = Sessions(clock, store).open("code", grants=granted(Role.OPERATOR, "binhai/east"))
    store.close()
    assert token.encode() not in (tmp_path / "sessions.db").read_bytes()
    later = RecordsSessionStore.at(url)
    found = Sessions(clock, later).find(token)
    assert found is not None
    assert (found.key, found.grants) == (session_key(token), granted(Role.OPERATOR, "binhai/east"))
    later.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text('UPDATE web_session SET grants = \'[["emperor", ""]]\''))
    engine.dispose()
    last = RecordsSessionStore.at(url)
    assert Sessions(clock, last).find(token) is None
    last.close()


def test_a_writer_beside_it_holds_up_no_request(clock: ManualClock, tmp_path: Path) -> None:
    """Sessions are looked up on the event loop: ten seconds of waiting there stop everything."""
    records = SqlRecords(f"sqlite:///{tmp_path / 'records.db'}")
    records.start()
    store = RecordsSessionStore.beside(records.engine)
    sessions = Sessions(clock, store, idle_seconds=100)
    token, _ = sessions.open("code", grants=granted(Role.OPERATOR, "binhai/east"))
    clock.advance(60)
    with records.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert sessions.find(token) is not None
        with pytest.raises(StoreError):
            sessions.open("code", grants=())
        assert time.monotonic() - began < 5
        other.rollback()
    clock.advance(39)
    assert sessions.find(token) is not None, "a use that can be noted counts"
    clock.advance(99)
    assert sessions.find(token) is not None
    store.close()
    records.close()


async def test_signing_in_and_out_by_program(services: Services, anyone: httpx.AsyncClient) -> None:
    code = services.sessions.issue_code(granted(Role.VIEWER, "binhai/east"))
    opened = await anyone.post("/api/v1/sessions", json={"code": code})
    assert opened.status_code == 201
    cookie = opened.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    current = (await anyone.get("/api/v1/sessions/current")).json()
    assert current["grants"] == [{"role": "viewer", "scope": "binhai/east"}]
    assert (current["actor"], current["permissions"]) == ("code", ["look"])
    assert current["ends_at"] - current["opened_at"] == ABSOLUTE_SECONDS
    closed = await anyone.delete("/api/v1/sessions/current")
    assert closed.status_code == 204
    anyone.cookies.set(COOKIE, cookie.split("=", 1)[1].split(";")[0])
    assert (await anyone.get("/api/v1/sessions/current")).status_code == 401


async def test_wrong_codes_get_problems(services: Services, anyone: httpx.AsyncClient) -> None:
    for _ in range(5):
        refused = await anyone.post("/api/v1/sessions", json={"code": "AAAA-AAAA-AAAA"})
        assert refused.status_code == 403
        assert "prints a new one" in refused.json()["detail"]
    limited = await anyone.post("/api/v1/sessions", json={"code": services.sessions.issue_code()})
    assert limited.status_code == 429
    assert 0 < int(limited.headers["retry-after"]) <= 60


def test_where_it_came_from_is_noted_and_brings_nothing_back(
    sessions: Sessions, clock: ManualClock
) -> None:
    token, session = sessions.open("account:li", grants=())
    sessions.open("account:wu", grants=())
    placed = sessions.came_from(session, "10.0.0.1" * 20, "Chrome, Android")
    assert sessions.find(token) == placed
    assert (len(placed.client), placed.device) == (64, "Chrome, Android")
    assert sessions.of("account:li") == [placed]
    sessions.close(session)
    sessions.came_from(session, "10.0.0.2", "")
    assert sessions.find(token) is None
    assert sessions.of("account:li") == []
    _, other = sessions.open("account:li", grants=())
    assert sessions.ends_at(other) == other.opened_at + 1800
    clock.advance(1801)
    assert sessions.of("account:li") == [], "idled out, kept or not"
