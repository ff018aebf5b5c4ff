"""Whether an account still is the one that asked or approved, on the real tables."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.store.records import SqlRecords
from controller.trust.people.model import FAILURES
from controller.trust.people.records import AccountRecords
from controller.trust.people.standing import SECOND_NS, stands
from tenone.vocabulary.roles import Grant, Permission, Role
from tenone.vocabulary.scope import ScopePath

MADE = 1000.0
THEN = 2000 * SECOND_NS
EAST, SCHOOL = ScopePath.parse("c/east"), ScopePath.parse("c/east/no1")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqlRecords]:
    records = SqlRecords(f"sqlite:///{tmp_path}/records.db")
    records.start()
    AccountRecords(records.engine).create("wang", "Wang", [Grant(Role.APPROVER, EAST)], MADE)
    yield records
    records.close()


def still(database: SqlRecords, actor: str = "account:wang", since_ns: int = THEN) -> bool:
    with database.unit() as work:
        return stands(work, actor, Permission.APPROVE_ACTIONS, SCHOOL, since_ns)


def _anew(accounts: AccountRecords) -> None:
    accounts.remove("wang")
    accounts.create("wang", "Wang", [Grant(Role.APPROVER, EAST)], 3000.0)


def _locked(accounts: AccountRecords) -> None:
    assert [accounts.failed("wang", MADE) for _ in range(FAILURES)][-1].until > MADE


CHANGES: dict[str, tuple[Callable[[AccountRecords], object], bool]] = {
    "nothing": (lambda _: None, True),
    "another name on the screen": (lambda accounts: accounts.edit("wang", display="W"), True),
    "locked for wrong passwords": (_locked, True),
    "its password is reset": (lambda accounts: accounts.reset("wang", "0" * 64, 9e9), True),
    "wider": (
        lambda accounts: accounts.edit("wang", grants=[Grant(Role.APPROVER, ScopePath())]),
        True,
    ),
    "disabled": (lambda accounts: accounts.edit("wang", enabled=False), False),
    "another role": (
        lambda accounts: accounts.edit("wang", grants=[Grant(Role.VIEWER, EAST)]),
        False,
    ),
    "elsewhere": (
        lambda accounts: accounts.edit(
            "wang", grants=[Grant(Role.APPROVER, ScopePath.parse("c/eas"))]
        ),
        False,
    ),
    "no grant": (lambda accounts: accounts.edit("wang", grants=[]), False),
    "removed": (lambda accounts: accounts.remove("wang"), False),
    "removed and made anew": (_anew, False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_becomes_of_an_account(database: SqlRecords, change: str) -> None:
    deed, stays = CHANGES[change]
    deed(AccountRecords(database.engine))
    assert still(database) is stays


def test_only_an_account_stands(database: SqlRecords) -> None:
    for actor in ("wang", "key:wang", "code", "account:", "account:account:wang", ""):
        assert not still(database, actor)
    assert not still(database, since_ns=999 * SECOND_NS)  # before it was made
    assert still(database, since_ns=1000 * SECOND_NS)
