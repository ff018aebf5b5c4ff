"""Signing in: two factors, lockout, codes once, nobody in by what ended meanwhile."""

import asyncio
import contextlib
import threading
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from controller.api.session_records import RecordsSessionStore
from controller.api.sessions import Session, SessionKind, Sessions, SessionStore
from controller.trust.attempts import Attempts
from controller.trust.entries import LedgerError, Outcome
from controller.trust.people import second
from controller.trust.people.browsers import Browser
from controller.trust.people.door import KNOWN_UNDER_WAY, UNDER_WAY, TooOftenError
from controller.trust.people.model import (
    LOCK_SECONDS,
    BusyError,
    LockedError,
    PeopleError,
    SignInError,
)
from controller.trust.people.parts import MOST_WAITING, Checker
from controller.trust.people.passwords import MOST, Hashing
from controller.trust.people.throttle import UNKNOWN, a_day
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.people.conftest import CHEAP, PASSWORD, House

NO1 = ScopePath.parse("binhai/east/no1")


async def test_two_factors_open_a_session_of_the_grants(house: House) -> None:
    house.account("li", Grant(Role.OPERATOR, NO1))
    session = await house.sign_in("li")
    assert (session.actor, session.name) == ("account:li", "Li")
    assert session.grants == (Grant(Role.OPERATOR, NO1),)
    assert house.ledger.acts == ["session.open"]


@pytest.mark.parametrize(
    ("password", "code"),
    [(PASSWORD, ""), (PASSWORD, "000000"), ("wrong password here", None), ("", None)],
)
async def test_one_of_two_opens_nothing(house: House, password: str, code: str | None) -> None:
    given = house.code("keeper") if code is None else code
    with pytest.raises(SignInError, match="wrong"):
        await house.people.door.sign_in("keeper", password, given, "c")
    assert house.sessions.count() == 0
    (entry,) = house.ledger.entries
    assert (entry.act, entry.outcome) == ("session.refused", Outcome.REFUSED)


async def test_a_role_that_wants_a_second_factor_is_not_let_in_without(house: House) -> None:
    house.account("bare", Grant(Role.OPERATOR, NO1), factor=False)
    house.account("viewer", Grant(Role.VIEWER, NO1), factor=False)
    with pytest.raises(SignInError):
        await house.sign_in("bare")
    assert (await house.sign_in("viewer")).kind is SessionKind.USE


async def test_a_code_is_good_once_and_a_step_early_or_late(house: House) -> None:
    code = house.code("keeper")
    for drift, opens in ((30, True), (0, False), (-30, False), (60, False)):
        house.clock.advance(drift)
        if opens:
            await house.people.door.sign_in("keeper", PASSWORD, code, "c")
        else:
            with pytest.raises(SignInError):
                await house.people.door.sign_in("keeper", PASSWORD, code, "c")


@pytest.mark.parametrize("name", ["keeper", "nobody-has-this"])
async def test_five_failures_lock_any_name_for_fifteen_minutes(house: House, name: str) -> None:
    for attempt in range(5):
        last = attempt == 4
        with pytest.raises(LockedError if last else SignInError):
            await house.people.door.sign_in(name, "wrong", "", f"client {attempt}")
    house.clock.advance(LOCK_SECONDS - 60)
    with pytest.raises(LockedError):
        await house.people.door.sign_in(name, PASSWORD, "", "another")
    house.clock.advance(120)
    if name == "keeper":
        assert "account.lock" in house.ledger.acts
        assert (await house.sign_in(name)).actor == "account:keeper"
    else:
        assert all(name not in str(entry) for entry in house.ledger.entries), "may be a password"


async def test_recovery_codes_are_good_once(house: House) -> None:
    codes = second.new_recovery_codes()
    sealed = house.people.parts.seal.shut("keeper", house.secrets["keeper"])
    house.records.set_second("keeper", sealed, 0, map(second.digest, codes))
    await house.people.door.sign_in("keeper", PASSWORD, codes[3].lower(), "c")
    assert house.records.recovery_left("keeper") == 9
    with pytest.raises(SignInError):
        await house.people.door.sign_in("keeper", PASSWORD, codes[3], "c")


async def test_a_ledger_that_cannot_write_lets_nobody_in(house: House) -> None:
    house.ledger.broken = True
    with pytest.raises(LedgerError):
        await house.sign_in("keeper")
    assert house.sessions.count() == 0


async def test_disabling_while_somebody_signs_in_leaves_no_session(house: House) -> None:
    house.account("li", Grant(Role.VIEWER, NO1))
    opening = house.sessions.open

    def racing(*args: object, **kwargs: object) -> object:
        house.records.edit("li", enabled=False)  # after the password was right
        return opening(*args, **kwargs)  # type: ignore[arg-type]  # handed through as they came

    house.sessions.open = racing  # type: ignore[method-assign, assignment]  # the race, made
    with pytest.raises(SignInError):
        await house.sign_in("li")
    assert house.sessions.count() == 0


@pytest.mark.parametrize("change", ["disable", "grants", "password", "remove", "reset"])
async def test_sessions_end_with_what_they_stood_on(house: House, change: str) -> None:
    house.account("li", Grant(Role.VIEWER, NO1))
    session = await house.sign_in("li")
    assert house.sessions.is_open(session)
    {
        "disable": lambda: house.records.edit("li", enabled=False),
        "grants": lambda: house.records.edit("li", grants=()),
        "password": lambda: house.records.set_password("li", "other"),
        "remove": lambda: house.records.remove("li"),
        "reset": lambda: house.records.reset("li", "digest", house.now + 60),
    }[change]()
    assert not house.sessions.is_open(session), "what the command line does, too: no cache"


async def test_no_secret_stands_in_the_records(house: House) -> None:
    await house.sign_in("keeper")
    house.sql.engine.dispose()
    folder = Path(str(house.sql.engine.url.database)).parent
    data = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert house.secrets["keeper"].encode() not in data
    assert PASSWORD.encode() not in data


class InstantLater:
    """A store that somebody else changes between two calls, as another process can."""

    def __init__(self, store: SessionStore, deed: Callable[[], object]) -> None:
        self._store, self._deed = store, deed

    def get(self, key: str) -> Session | None:
        found = self._store.get(key)
        self._deed()
        return found

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


async def test_use_at_the_moment_of_disabling_does_not_bring_a_session_back(house: House) -> None:
    """``tenone user disable`` deletes sessions in a process of its own."""
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    token, session = await house.people.door.sign_in("li", PASSWORD, "", "c")
    house.clock.advance(60)
    kept = RecordsSessionStore(house.sql.engine)
    raced = InstantLater(kept, lambda: house.records.edit("li", enabled=False))
    Sessions(house.clock, raced).find(token)  # type: ignore[arg-type] # the rest is the store's
    assert not house.sessions.is_open(session)
    assert house.sessions.find(token) is None


async def test_a_second_factor_that_cannot_be_unsealed_is_a_sentence(house: House) -> None:
    """Records restored without the key beside them."""
    house.people.parts.seal._key = b"x" * 32
    with pytest.raises(PeopleError, match=r"people\.key"):
        await house.sign_in("keeper")
    (entry,) = house.ledger.entries
    assert (entry.act, entry.outcome) == ("session.refused", Outcome.REFUSED)


@pytest.mark.parametrize("code", ["the same", "ABCD-EFGH-JKMN-PQRS"])
async def test_a_sign_in_that_came_to_nothing_does_not_stand_as_one(
    house: House, code: str
) -> None:
    """A code that another request used at this moment; a recovery code that is none."""
    given = house.code("keeper") if code == "the same" else code
    first = house.people.door.sign_in("keeper", PASSWORD, house.code("keeper"), "c")
    door = house.people.door.sign_in("keeper", PASSWORD, given, "c")
    done = await asyncio.gather(first, door, return_exceptions=True)
    assert sum(isinstance(one, SignInError) for one in done) == 1
    opened = [one.outcome for one in house.ledger.entries if one.act == "session.open"]
    assert opened.count(Outcome.DONE) - opened.count(Outcome.FAILED) == 1
    assert house.sessions.count() == 1


async def test_a_password_of_many_parts_a_character_opens(house: House) -> None:
    """Keyboards of macOS send letters in parts; 256 are counted when they are put together."""
    password = unicodedata.normalize("NFD", "각난닫랄맘밥삿앙" * 14)
    assert len(password) > MOST
    keeper = await house.sign_in("keeper")
    await house.people.change_password(keeper, PASSWORD, password)
    assert (await house.sign_in("keeper", password)).kind is SessionKind.USE


# -- known browsers


async def at_home(house: House, cookie: str = "", name: str = "keeper") -> str:
    """A full sign-in by a page; the browser's next cookie."""
    browser = Browser(cookie)
    code = house.code(name) if name in house.secrets else ""
    await house.people.door.sign_in(name, PASSWORD, code, "home", browser=browser)
    house.clock.advance(30)
    return browser.given


class Watched(Hashing):
    """Counts what is compared of passwords that are not the right one."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.compared = 0

    def verify(self, kept: str | None, password: str) -> bool:
        self.compared += password != PASSWORD
        return super().verify(kept, password)


async def hammer(house: House, cookie: str, seconds: int, pace: int) -> tuple[int, int, int]:
    """A guess every ``pace`` seconds, from 100 addresses; the holder comes every 5 min.

    Returns guesses, how many were compared, how often the holder was let in.
    """
    watched = Watched()
    object.__setattr__(house.people.parts, "checker", Checker(watched))
    guesses = let_in = 0
    for at in range(0, seconds, pace):
        with contextlib.suppress(SignInError):
            client = f"198.51.100.{guesses % 100}"
            await house.people.door.sign_in("keeper", "a guess of theirs", "123456", client)
        guesses += 1
        house.clock.advance(pace)
        if at % 300 < pace:
            cookie = await at_home(house, cookie)
            let_in += 1
    return guesses, watched.compared, let_in


async def test_whoever_hammers_a_name_locks_out_nobody_who_is_at_home(house: House) -> None:
    cookie = await at_home(house)
    guesses, compared, let_in = await hammer(house, cookie, 3600, pace=4)
    assert (guesses, let_in) == (900, 12)
    assert compared <= 15
    with pytest.raises(LockedError):
        await house.people.door.sign_in("keeper", PASSWORD, house.code("keeper"), "elsewhere")


async def test_the_guesses_of_a_day_and_of_a_year_are_bounded(house: House) -> None:
    cookie = await at_home(house)
    _, compared, let_in = await hammer(house, cookie, 86_400, pace=900)
    assert compared <= a_day() == 35
    assert let_in == 96
    _, more, _ = await hammer(house, cookie, 30 * 86_400, pace=43_200)
    assert compared + more <= UNKNOWN.most == 50, "though the holder signed in all the time"


@pytest.mark.parametrize("whose", ["nobody's", "another account's", "a forged one"])
async def test_no_other_cookie_helps(house: House, whose: str) -> None:
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    cookie = await at_home(house, name="li") if "account" in whose else ""
    cookie = "A" * 75 if "forged" in whose else cookie
    for attempt in range(5):
        with pytest.raises(SignInError):
            await house.people.door.sign_in(
                "keeper", "wrong", "", f"c{attempt}", browser=Browser(cookie)
            )
    with pytest.raises(LockedError):
        await house.people.door.sign_in(
            "keeper", PASSWORD, house.code("keeper"), "c", browser=Browser(cookie)
        )


async def test_a_known_browser_lets_nothing_through_by_itself(house: House) -> None:
    cookie = await at_home(house)
    for password, code in ((PASSWORD, ""), ("", house.code("keeper")), ("", ""), (PASSWORD, "1")):
        browser = Browser(cookie)
        with pytest.raises(SignInError):
            await house.people.door.sign_in("keeper", password, code, "c", browser=browser)
        assert browser.given == "", "and no cookie tells that the name was right"


async def test_failures_in_a_known_browser_are_its_own(house: House) -> None:
    cookie = await at_home(house)
    for attempt in range(5):
        with pytest.raises(LockedError if attempt == 4 else SignInError):
            await house.people.door.sign_in("keeper", "x", "", "c", browser=Browser(cookie))
    with pytest.raises(LockedError):
        await at_home(house, cookie)
    other = await at_home(house)
    assert house.records.knows(
        "keeper", house.people.parts.browser_keys.shown(other, "keeper", house.now), house.now
    )


async def test_a_program_shows_and_gets_no_cookie(house: House) -> None:
    """The API keeps the rule of before: five failures of anybody lock the name for it."""
    for attempt in range(5):
        with pytest.raises(SignInError):
            await house.people.door.sign_in("keeper", "wrong", "", f"c{attempt}")
    with pytest.raises(LockedError):
        await house.people.door.sign_in("keeper", PASSWORD, house.code("keeper"), "c")


async def test_a_password_changed_under_attack_leaves_its_browser_known(house: House) -> None:
    cookie = await at_home(house)
    keeper = await house.sign_in("keeper")
    for attempt in range(5):
        with pytest.raises(SignInError):
            await house.people.door.sign_in("keeper", "wrong", "", f"c{attempt}")
    browser, elsewhere = Browser(cookie), Browser()
    with pytest.raises(LockedError):
        await house.people.change_password(keeper, PASSWORD, "another long walk", elsewhere)
    await house.people.change_password(keeper, PASSWORD, "another long walk", browser)
    keys = house.people.parts.browser_keys
    old, new = (keys.shown(one, "keeper", house.now) for one in (cookie, browser.given))
    known = [house.records.knows("keeper", one, house.now) for one in (old, new)]
    assert known == [False, True], "the old cookie died with the password"


async def test_a_lock_costs_no_hash_and_is_the_same_for_a_name_nobody_has(house: House) -> None:
    watched = Watched()
    object.__setattr__(house.people.parts, "checker", Checker(watched))
    said: dict[str, list[str]] = {}
    for name in ("keeper", "nobody-has-this"):
        for attempt in range(12):
            try:
                await house.people.door.sign_in(name, "wrong", "", f"{name} {attempt}")
            except SignInError as error:
                said.setdefault(name, []).append(f"{type(error).__name__} {error}")
        house.clock.advance(901)
        assert watched.compared == 5, name
        watched.compared = 0
    assert said["keeper"] == said["nobody-has-this"]


async def test_an_identity_provider_lets_in_whom_guessers_locked(house: House) -> None:
    for attempt in range(5):
        with pytest.raises(SignInError):
            await house.people.door.sign_in("keeper", "wrong", "", f"c{attempt}")
    account = await house.people.find("keeper")
    _, session = await house.people.door.let_in(account, "c", "oidc with second factor")
    assert session.actor == "account:keeper"


async def turns() -> None:
    """Everybody who can go on does."""
    for _ in range(20):
        await asyncio.sleep(0)


class Held(Hashing):
    """Hashes when it is let, in its thread."""

    def __init__(self) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.go = threading.Event()

    def verify(self, kept: str | None, password: str) -> bool:
        if password != PASSWORD:
            assert self.go.wait(30)
        return super().verify(kept, password)


async def test_a_full_queue_of_hashes_keeps_nobody_out_who_is_at_home(house: House) -> None:
    """Oversize passwords from everywhere: one address has a quarter of the places."""
    cookie = await at_home(house)
    held = Held()
    object.__setattr__(house.people.parts, "checker", Checker(held))
    door = house.people.door
    flood = [
        asyncio.ensure_future(door.sign_in(f"nobody{n}", "x" * 1024, "", f"192.0.2.{n % 8}"))
        for n in range(400)
    ]
    await turns()
    assert sum(task.done() for task in flood) == 400 - MOST_WAITING
    refused = [type(task.exception()) for task in flood if task.done()]
    assert set(refused) <= {BusyError, TooOftenError}
    assert await at_home(house, cookie), "while all places are taken"
    held.go.set()
    await asyncio.gather(*flood, return_exceptions=True)


async def test_one_address_does_not_fill_the_queue(house: House) -> None:
    held = Held()
    object.__setattr__(house.people.parts, "checker", Checker(held))
    door = house.people.door
    flood = [
        asyncio.ensure_future(door.sign_in(f"nobody{n}", "x" * 1024, "", f"2001:db8::{n}"))
        for n in range(50)
    ]
    await turns()
    refused = [type(task.exception()) for task in flood if task.done()]
    assert refused == [TooOftenError] * (50 - UNDER_WAY)
    other = asyncio.ensure_future(house.sign_in("keeper"))
    await asyncio.sleep(0)
    held.go.set()
    assert (await other).actor == "account:keeper", "it had its place, behind eight"
    await asyncio.gather(*flood, return_exceptions=True)


# -- many at once


async def results(*tasks: Awaitable[object]) -> list[object]:
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_compared_beside_the_fifth_failure_opens_nothing(house: House) -> None:
    """32 guesses in the queue at once: five count, and the rest must not be guesses for nothing."""
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    held, door = Held(), house.people.door
    object.__setattr__(house.people.parts, "checker", Checker(held))
    tasks = [
        asyncio.ensure_future(
            door.sign_in("li", PASSWORD if n == MOST_WAITING - 1 else f"guess {n}", "", f"c{n % 8}")
        )
        for n in range(MOST_WAITING)
    ]
    await turns()
    held.go.set()
    told = await results(*tasks)
    assert sum(type(one) is SignInError for one in told) == 4
    assert sum(isinstance(one, LockedError) for one in told) == MOST_WAITING - 4
    assert house.sessions.count() == 0
    assert "session.open" not in house.ledger.acts, "nor is it slower for the right one"


async def test_one_known_browser_does_not_fill_the_queue_of_those_that_are(house: House) -> None:
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    mine, theirs = await at_home(house), await at_home(house, name="li")
    li = await house.sign_in("li")
    held, door = Held(), house.people.door
    object.__setattr__(house.people.parts, "checker", Checker(held))
    flood = [
        asyncio.ensure_future(door.sign_in("li", "x", "", "c", browser=Browser(theirs)))
        for _ in range(MOST_WAITING)
    ]
    own = [asyncio.ensure_future(door.check_password("li", "x")) for _ in range(MOST_WAITING)]
    await turns()
    waiting = [task for task in (*flood, *own) if not task.done()]
    assert len(waiting) == 2 * KNOWN_UNDER_WAY
    keeper = asyncio.ensure_future(at_home(house, mine))
    await turns()
    held.go.set()
    assert await keeper
    await results(*flood, *own)
    assert house.sessions.is_open(li)


async def test_whoever_has_an_account_does_not_use_up_what_strangers_may_fail(
    house: House,
) -> None:
    """No limit of addresses holds up a known browser, so its failures count for none."""
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    cookie, door = await at_home(house, name="li"), house.people.door
    door.attempts = Attempts(a_client=5, in_all=20)
    for _ in range(30):
        with pytest.raises(SignInError):
            await door.sign_in("li", "x", "", "c", browser=Browser(cookie))
        with pytest.raises(SignInError):
            await door.check_password("li", "x", Browser(cookie))
    assert (await house.sign_in("keeper")).actor == "account:keeper"


async def test_one_account_does_not_fill_the_places_of_all(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.trust.people.door.MOST_OF_ONE", 3)
    house.account("li", Grant(Role.VIEWER, NO1), factor=False)
    keeper = await house.sign_in("keeper")
    opened = [await house.sign_in("li") for _ in range(4)]
    assert [house.sessions.is_open(one) for one in opened] == [False, True, True, True]
    assert house.sessions.is_open(keeper)
    entry = house.ledger.entries[-1]
    assert (entry.act, entry.subject) == ("session.end", "li")
    assert entry.detail["ids"] == opened[0].id
