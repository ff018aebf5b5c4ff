"""Signing in: two factors, lockout, codes once, nobody in by what ended meanwhile."""

import asyncio
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.api.session_records import RecordsSessionStore
from controller.api.sessions import Session, SessionKind, Sessions, SessionStore
from controller.trust.entries import LedgerError, Outcome
from controller.trust.people import second
from controller.trust.people.model import LOCK_SECONDS, LockedError, PeopleError, SignInError
from controller.trust.people.passwords import MOST
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.people.conftest import PASSWORD, House

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
