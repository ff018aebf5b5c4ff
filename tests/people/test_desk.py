"""Keeping accounts: who may touch whose, what nobody holds together, the first and the last."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pyotp
import pytest

from controller.api.sessions import SessionKind
from controller.trust.entries import Entry, LedgerError, Outcome
from controller.trust.people.browsers import Browser
from controller.trust.people.model import ForbiddenError, PeopleError, RefusedError, check_grants
from controller.trust.people.records import LAST
from tenone.vocabulary.roles import ADMINISTRATORS, Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.people.conftest import PASSWORD, ROOT, House

EAST, WEST = ScopePath.parse("binhai/east"), ScopePath.parse("binhai/west")
NEW = "a quiet afternoon in spring"


async def test_a_new_account_is_entered_by_its_code_once(house: House) -> None:
    keeper = await house.sign_in("keeper")
    made, code = await house.people.create(keeper, "li", "李雷", [Grant(Role.OPERATOR, EAST)])
    assert not made.usable
    _, session = await house.people.door.enter("li", code, "c")
    assert (session.kind, session.grants) == (SessionKind.ENROL, ())
    with pytest.raises(RefusedError, match="want a second factor"):
        await house.people.enrol(session, NEW, "")
    shown = house.people.begin_second(session)
    now = pyotp.TOTP(shown.secret).at(int(house.now))
    codes = await house.people.enrol(session, NEW, now)
    assert len(codes) == 10
    assert not house.sessions.is_open(session)
    with pytest.raises(PeopleError):
        await house.people.door.enter("li", code, "c")
    house.secrets["li"] = shown.secret
    house.clock.advance(60)
    assert (await house.sign_in("li", NEW)).name == "李雷"
    assert house.ledger.acts == [
        "session.open", "account.create", "session.open", "account.password",
        "session.refused", "session.open",
    ]  # fmt: skip


@pytest.mark.parametrize("one", sorted(ADMINISTRATORS))
@pytest.mark.parametrize("other", sorted(ADMINISTRATORS))
async def test_nobody_holds_two_of_the_three(house: House, one: Role, other: Role) -> None:
    keeper = await house.sign_in("keeper")
    grants = [Grant(one, EAST), Grant(other, WEST)]
    if one is other:
        await house.people.create(keeper, "li", "", grants)
        return
    with pytest.raises(RefusedError, match="kept apart"):
        await house.people.create(keeper, "li", "", grants)
    await house.people.create(keeper, "li", "", grants[:1])
    with pytest.raises(RefusedError, match="kept apart"):
        await house.people.edit(keeper, "li", grants=grants)


def test_two_grants_that_race_never_stand_together(house: House) -> None:
    house.account("li", factor=False)
    for _ in range(10):
        house.records.edit("li", grants=())
        ready = threading.Barrier(2)
        refused: list[str] = []

        def give(role: Role, ready: threading.Barrier = ready, no: list[str] = refused) -> None:
            ready.wait()
            try:
                house.records.regrant("li", lambda held: {*held, Grant(role, EAST)})
            except RefusedError as error:
                no.append(str(error))

        racing = [
            threading.Thread(target=give, args=(role,))
            for role in (Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN)
        ]
        for one in racing:
            one.start()
        for one in racing:
            one.join()
        found = house.records.find("li")
        assert found is not None
        assert len(found.grants) == 1
        assert len(refused) == 1


async def test_a_keeper_of_a_district_stays_in_it(house: House) -> None:
    house.account("east", Grant(Role.SECURITY_ADMIN, EAST))
    house.account("li", Grant(Role.VIEWER, WEST), factor=False)
    keeper = await house.sign_in("east")
    for deed in (
        house.people.edit(keeper, "li", enabled=False),
        house.people.remove(keeper, "li"),
        house.people.reset(keeper, "li"),
        house.people.edit(keeper, "keeper", display="x"),
        house.people.create(keeper, "wang", "", [Grant(Role.VIEWER, ROOT)]),
        house.people.create(keeper, "wang", "", []),
        house.people.edit(keeper, "east", grants=[]),
    ):
        with pytest.raises(ForbiddenError):
            await deed
    made, _ = await house.people.create(keeper, "wang", "", [Grant(Role.VIEWER, EAST)])
    with pytest.raises(ForbiddenError):
        await house.people.edit(keeper, "wang", grants=[Grant(Role.VIEWER, ROOT)])
    assert [one.name for one in await house.people.all(keeper.grants)] == ["east", "wang"]
    assert made.grants == (Grant(Role.VIEWER, EAST),)


async def test_nobody_edits_himself_and_the_last_keeper_stays(house: House) -> None:
    keeper = await house.sign_in("keeper")
    for deed in (
        house.people.edit(keeper, "keeper", grants=[]),
        house.people.edit(keeper, "keeper", enabled=False),
        house.people.remove(keeper, "keeper"),
    ):
        with pytest.raises(ForbiddenError):
            await deed
    changes: tuple[Callable[[], object], ...] = (
        lambda: house.records.remove("keeper"),
        lambda: house.records.edit("keeper", enabled=False),
        lambda: house.records.regrant("keeper", lambda _: ()),
    )
    for change in changes:
        with pytest.raises(RefusedError, match=LAST):
            change()
    house.account("second", Grant(Role.SECURITY_ADMIN, ROOT))
    other = await house.sign_in("second")
    await house.people.remove(other, "keeper")
    assert not house.sessions.is_open(keeper)


async def test_the_ledger_comes_first(house: House) -> None:
    keeper = await house.sign_in("keeper")
    house.account("li", Grant(Role.VIEWER, EAST), factor=False)
    house.ledger.broken = True
    for deed in (
        house.people.create(keeper, "wang", "", []),
        house.people.edit(keeper, "li", enabled=False),
        house.people.remove(keeper, "li"),
        house.people.reset(keeper, "li"),
        house.people.change_password(keeper, PASSWORD, NEW),
    ):
        with pytest.raises(LedgerError):
            await deed
    assert [(one.name, one.usable) for one in house.records.all()] == [
        ("keeper", True), ("li", True)
    ]  # fmt: skip


async def test_set_up_makes_the_first_and_later_mends_only(house: House) -> None:
    keeper = await house.sign_in("keeper")
    _, setting_up = house.sessions.open("code", grants=(), kind=SessionKind.SET_UP)

    async def first(name: str) -> list[str]:
        shown = house.people.begin_second(setting_up)
        house.secrets[name] = shown.secret
        code = pyotp.TOTP(shown.secret).at(int(house.now))
        return await house.people.first(setting_up, name, "", NEW, code)

    house.account("li", Grant(Role.VIEWER, EAST), factor=False)
    for name in ("another", "li"):
        with pytest.raises(RefusedError, match="security administrator"):
            await first(name)
    with pytest.raises(ForbiddenError):
        await house.people.first(keeper, "another", "", NEW, "000000")
    assert len(await first("keeper")) == 10
    assert not house.sessions.is_open(keeper)
    assert not house.sessions.is_open(setting_up)
    house.clock.advance(60)
    await house.sign_in("keeper", NEW)


async def test_the_own_password_is_proved_and_ends_all_sessions(house: House) -> None:
    one, two = await house.sign_in("keeper"), await house.sign_in("keeper")
    with pytest.raises(PeopleError, match="wrong"):
        await house.people.change_password(one, "not this one", NEW)
    with pytest.raises(RefusedError, match="12 characters"):
        await house.people.change_password(one, PASSWORD, "short")
    await house.people.change_password(one, PASSWORD, NEW)
    assert not any(map(house.sessions.is_open, (one, two)))


async def test_at_most_two_passwords_are_checked_at_once(house: House) -> None:
    running = peak = 0
    lock = threading.Lock()

    def slow(_kept: str | None, _password: str) -> bool:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1
        return False

    checker = house.people.parts.checker
    checker._hashing.verify = slow  # type: ignore[method-assign, assignment]  # what is counted
    await asyncio.gather(*(checker.verify(None, "x") for _ in range(12)))
    assert peak == 2


@pytest.mark.parametrize("deed", ["reset", "edit", "remove"])
async def test_an_account_that_outgrew_its_keeper_meanwhile_is_left_alone(
    house: House, deed: str
) -> None:
    """While the ledger was written, somebody granted more than this keeper reaches."""
    house.account("local", Grant(Role.SECURITY_ADMIN, EAST))
    house.account("li", Grant(Role.VIEWER, EAST), factor=False)
    local = await house.sign_in("local")
    write = house.ledger.write

    async def slowly(entry: Entry) -> None:
        await write(entry)
        if entry.outcome is Outcome.DONE:
            house.records.edit("li", grants=[Grant(Role.SECURITY_ADMIN, ROOT)])

    house.ledger.write = slowly  # type: ignore[method-assign] # put in between
    people = house.people
    doing: dict[str, Callable[[], Awaitable[object]]] = {
        "reset": lambda: people.reset(local, "li"),
        "edit": lambda: people.edit(local, "li", enabled=False),
        "remove": lambda: people.remove(local, "li"),
    }
    with pytest.raises(RefusedError, match="meanwhile"):
        await doing[deed]()
    (found,) = [one for one in house.records.all() if one.name == "li"]
    assert found.usable
    assert house.ledger.entries[-1].outcome is Outcome.FAILED


def test_of_all_sets_of_grants_none_holds_two_of_the_three_administrators() -> None:
    """Every set of the seven roles at the city and at a district: 16,384 of them."""
    grants = [Grant(role, scope) for role in Role for scope in (ScopePath(), EAST)]
    taken = refused = 0
    for number in range(1 << len(grants)):
        wanted = [one for place, one in enumerate(grants) if number >> place & 1]
        kinds = {one.role for one in wanted} & {"system-admin", "security-admin", "audit-admin"}
        try:
            held = check_grants(wanted)
        except RefusedError:
            refused += 1
            assert len(kinds) > 1
        else:
            taken += 1
            assert len(kinds) <= 1
            assert set(held) == set(wanted)
    assert taken == (1 + 3 * 3) * 4**4
    assert refused == (1 << len(grants)) - taken


@pytest.mark.parametrize("change", ["password", "factor"])
async def test_a_reset_is_not_undone_by_a_change_that_was_under_way(
    house: House, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows the old password, and is at it while a keeper resets the account."""
    house.account("li", Grant(Role.VIEWER, EAST), factor=False)
    keeper, thief = await house.sign_in("keeper"), await house.sign_in("li")
    people, checked, codes = house.people, house.people.door.check_password, []
    code = pyotp.TOTP(people.begin_second(thief).secret).at(int(house.now))

    async def overtaken(name: str, password: str, browser: Browser | None = None) -> int:
        version = await checked(name, password, browser)
        codes.append(await people.reset(keeper, "li"))
        return version

    monkeypatch.setattr(people.door, "check_password", overtaken)
    deeds: dict[str, Callable[[], Awaitable[object]]] = {
        "password": lambda: people.change_password(thief, PASSWORD, NEW),
        "factor": lambda: people.confirm_second(thief, PASSWORD, code),
    }
    with pytest.raises(RefusedError, match="meanwhile"):
        await deeds[change]()
    assert house.ledger.entries[-1].outcome is Outcome.FAILED
    found = house.records.find("li")
    assert found is not None
    assert not found.has_password
    assert not found.has_second_factor
    await people.door.enter("li", codes[0], "c")


async def test_a_reset_is_not_undone_by_who_holds_the_code_before(house: House) -> None:
    keeper = await house.sign_in("keeper")
    _, code = await house.people.create(keeper, "li", "", [Grant(Role.VIEWER, EAST)])
    _, before = await house.people.door.enter("li", code, "c")
    newer = await house.people.reset(keeper, "li")
    with pytest.raises(ForbiddenError):
        await house.people.enrol(before, NEW, "")
    _, session = await house.people.door.enter("li", newer, "c")
    await house.people.enrol(session, NEW, "")
    assert (await house.sign_in("li", NEW)).kind is SessionKind.USE


async def test_no_account_is_called_as_the_api_calls_whoever_asks(house: House) -> None:
    """``/users/current/sessions`` would be the keeper's own: theirs could not be ended there."""
    keeper = await house.sign_in("keeper")
    with pytest.raises(RefusedError, match="another name"):
        await house.people.create(keeper, "current", "", [Grant(Role.VIEWER, EAST)])
