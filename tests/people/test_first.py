"""The first keeper of accounts: of browsers that race, exactly one makes exactly one account."""

import asyncio

import pyotp
import pytest

from controller.api.sessions import Session, SessionKind
from controller.trust.entries import Outcome
from controller.trust.people.model import PeopleError, SignInError
from tests.people.conftest import PASSWORD, House


@pytest.fixture
def fresh(house: House) -> House:
    house.sql.engine.dispose()
    with house.sql.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM account")
        connection.exec_driver_sql("DELETE FROM account_grant")
    return house


def by_code(house: House) -> Session:
    code = house.sessions.issue_code(kind=SessionKind.SET_UP)
    return house.sessions.sign_in(code, "client")[1]


def first(house: House, session: Session, name: str) -> asyncio.Future[list[str]]:
    code = pyotp.TOTP(house.people.begin_second(session).secret).at(int(house.now))
    return asyncio.ensure_future(house.people.first(session, name, "", PASSWORD, code))


@pytest.mark.parametrize("sessions", [1, 2], ids=["one code, two tabs", "two codes"])
@pytest.mark.parametrize("names", [("chen", "wang"), ("chen", "chen")])
async def test_two_that_race_make_one_account(
    fresh: House, sessions: int, names: tuple[str, str]
) -> None:
    opened = [by_code(fresh) for _ in range(sessions)] * (3 - sessions)
    done = await asyncio.gather(
        *(first(fresh, one, name) for one, name in zip(opened, names, strict=True)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, PeopleError) for one in done) == 1, done
    assert len(fresh.records.all()) == 1
    entries = [one for one in fresh.ledger.entries if one.act == "account.create"]
    told = [one.outcome for one in entries]
    assert told.count(Outcome.DONE) - told.count(Outcome.FAILED) == 1


async def test_a_recovered_keeper_is_whole_and_knows_no_old_browser(house: House) -> None:
    before = house.records.find("keeper")
    await house.sign_in("keeper")
    await first(house, by_code(house), "keeper")
    after = house.records.find("keeper")
    assert before is not None
    assert after is not None
    assert (after.created_at, after.grants) == (before.created_at, before.grants)
    assert after.version > before.version
    assert house.records.recovery_left("keeper") == 10
    with pytest.raises(SignInError):
        await house.sign_in("keeper")  # by the old second factor
    assert house.sessions.count() == 0


async def test_recovery_is_for_those_who_keep_accounts_already(house: House) -> None:
    house.account("li")
    for name in ("li", "somebody-new"):
        with pytest.raises(PeopleError):
            await first(house, by_code(house), name)
    assert {one.name for one in house.records.all()} == {"keeper", "li"}
