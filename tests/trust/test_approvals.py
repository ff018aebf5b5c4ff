"""Actions through the real API, with real sessions and the real records: abuse case 24."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from controller.api.metrics_actions import action_families
from controller.trust.approval_model import ActionState, Asked, Executed, Person, StepError, Voice
from controller.trust.people.tables import AccountRow
from tenone.trust.approval import Pins, Risk
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.trust.acting import ActionHouse, asked
from tests.trust.approving import LINES, STATE

BOTH = (Role.OPERATOR, Role.APPROVER)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ActionHouse]:
    made = ActionHouse(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def li(house: ActionHouse) -> AsyncIterator[httpx.AsyncClient]:
    """Asks, and could approve."""
    async with house.client("account:li", *BOTH) as client:
        yield client


@pytest.fixture
async def wang(house: ActionHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client("account:wang", Role.APPROVER) as client:
        yield client


@pytest.fixture
async def zhao(house: ActionHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client("account:zhao", Role.APPROVER) as client:
        yield client


async def request(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/actions", json=asked(**changed))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def approve(
    client: httpx.AsyncClient, action: dict[str, Any], plan: str | None = None
) -> httpx.Response:
    return await client.post(
        f"/api/v1/actions/{action['id']}/approvals", json={"plan": plan or action["plan"]}
    )


async def state(client: httpx.AsyncClient, action: dict[str, Any]) -> str:
    return str((await client.get(f"/api/v1/actions/{action['id']}")).json()["state"])


async def test_one_asks_another_approves_and_it_is_done_once(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    action = await request(li)
    assert action["state"] == "waiting"
    assert action["lines"] == list(LINES)
    assert action["missing"] == 1
    done = await approve(wang, action)
    assert (done.status_code, done.json()["state"]) == (200, "granted")
    await house.settled()
    assert await state(wang, action) == "done"
    (document,) = house.workshop.executed
    approval = document.approval(Pins(house.room.signer.keys.current))
    assert (approval.requester, approval.approvers) == ("account:li", ("account:wang",))
    assert approval.school == "no1"
    assert approval.parameters == {"port": "GE1"}
    assert house.ledger.acts() == [
        ("approval.request", "account:li", "done"),
        ("approval.grant", "account:wang", "done"),
        ("approval.execute", "system", "done"),
        ("approval.result", "system", "done"),
    ]
    listed = (await wang.get("/api/v1/actions", params={"state": "done"})).json()
    assert [one["id"] for one in listed["items"]] == [action["id"]]
    assert "signature" not in listed["items"][0]


async def test_abuse_24_whoever_asks_cannot_approve_by_any_door(
    house: ActionHouse, li: httpx.AsyncClient
) -> None:
    """The same session, a second one, with other roles, and a key that belongs to the account."""
    house.services.account_of = lambda actor: (
        "account:li" if actor in {"account:li", "key:77", "account:li-renamed"} else None
    )
    action = await request(li)
    assert (await approve(li, action)).status_code == 403
    for actor in ("account:li", "key:77", "account:li-renamed"):
        async with house.client(actor, *BOTH) as again:
            answer = await approve(again, action)
            assert answer.status_code == 403
            assert "cannot approve" in answer.json()["detail"]
    for actor in ("code", "key:5"):  # nobody's
        async with house.client(actor, *BOTH) as nobody:
            answer = await approve(nobody, action)
            assert answer.status_code == 403
            assert "account of their own" in answer.json()["detail"]
            assert (await nobody.post("/api/v1/actions", json=asked())).status_code == 403
    await house.settled()
    assert house.workshop.executed == []
    refused = [one for one in house.ledger.acts() if one[2] == "refused"]
    assert len(refused) == 4


WHO_MAY = (
    ((Role.VIEWER,), "", True, False, False),
    ((Role.OPERATOR,), "", True, True, False),
    ((Role.MAINTAINER,), "", True, False, False),
    ((Role.APPROVER,), "", True, False, True),
    ((Role.SYSTEM_ADMIN,), "", True, False, False),
    ((Role.SECURITY_ADMIN,), "", False, False, False),
    ((Role.AUDIT_ADMIN,), "", False, False, False),
    (BOTH, "elsewhere", False, False, False),
    (BOTH, "here", True, True, True),
)
"""Roles, where; whether they see, ask and approve."""


async def test_who_may(house: ActionHouse, li: httpx.AsyncClient) -> None:
    city = house.room_scope.split("/")[0]
    places = {"": "", "here": house.room_scope, "elsewhere": f"{city}/west"}
    for number, (roles, scope, may_see, may_ask, may_approve) in enumerate(WHO_MAY):
        action = await request(li, retry=f"retry-1{number:03}")
        otherwise = 403 if may_see else 404
        async with house.client("account:she", *roles, scope=places[scope]) as she:
            seen = await she.get(f"/api/v1/actions/{action['id']}")
            assert seen.status_code == (200 if may_see else 404), roles
            asks = await she.post("/api/v1/actions", json=asked(f"retry-2{number:03}"))
            assert asks.status_code == (201 if may_ask else otherwise), roles
            says_no = await she.post(
                f"/api/v1/actions/{action['id']}/refusal", json={"reason": "not today"}
            )
            assert says_no.status_code == (200 if may_approve else otherwise), roles


async def test_high_risk_takes_two_people(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient, zhao: httpx.AsyncClient
) -> None:
    house.workshop.risk = Risk.HIGH
    action = await request(li)
    first = (await approve(wang, action)).json()
    assert (first["state"], first["missing"]) == ("waiting", 1)
    again = (await approve(wang, action)).json()  # the same person is one person
    assert (again["state"], again["missing"]) == ("waiting", 1)
    await house.settled()
    assert house.workshop.executed == []
    assert (await approve(zhao, action)).json()["state"] == "granted"
    await house.settled()
    (document,) = house.workshop.executed
    approval = document.approval(house.room.signer.keys.pins)
    assert approval.approvers == ("account:wang", "account:zhao")


def _granted(role: Role, scope: str = "") -> list[Grant]:
    return [Grant(role, ScopePath.parse(scope))]


FALLEN: dict[str, Callable[[ActionHouse, str, Role], None]] = {
    "disabled": lambda house, who, role: house.account(who, _granted(role), enabled=False),
    "its grant is gone": lambda house, who, _role: house.account(who, _granted(Role.VIEWER)),
    "its grant is elsewhere": lambda house, who, role: house.account(
        who, _granted(role, f"{house.room_scope.split('/')[0]}/west")
    ),
    "removed": lambda house, who, _role: _removed(house, who),
    "removed, made anew": lambda house, who, role: house.account(
        who, _granted(role), made=house.clock.wall_ns() / 1e9 + 1
    ),
}
"""What may become of an account meanwhile."""


def _removed(house: ActionHouse, who: str) -> None:
    with house.town.records.unit() as work:
        work.execute(sa.delete(AccountRow).where(AccountRow.name == who.partition(":")[2]))


@pytest.mark.parametrize("how", FALLEN)
@pytest.mark.parametrize(("who", "role"), [("li", Role.OPERATOR), ("wang", Role.APPROVER)])
@pytest.mark.parametrize("when", ["before the second approval", "before it begins", "in the queue"])
async def test_abuse_24_who_no_longer_may_ends_the_action(
    house: ActionHouse,
    li: httpx.AsyncClient,
    wang: httpx.AsyncClient,
    zhao: httpx.AsyncClient,
    how: str,
    who: str,
    role: Role,
    when: str,
) -> None:
    """Whoever asked or approved first loses account or grant; nothing is executed any more."""
    house.workshop.risk = Risk.HIGH
    action = await request(li)
    assert (await approve(wang, action)).status_code == 200
    if when == "before the second approval":
        FALLEN[how](house, f"account:{who}", role)
        answer = await approve(zhao, action)
        assert answer.status_code == 409
        assert "no longer may" in answer.json()["detail"]
    else:
        assert (await approve(zhao, action)).json()["state"] == "granted"
        queued = when == "in the queue"
        begun = await house.room._begin(action["id"]) if queued else None
        FALLEN[how](house, f"account:{who}", role)
        if begun is not None:
            await house.room._execute(begun)
    await house.settled()
    assert house.workshop.executed == []
    told = (await zhao.get(f"/api/v1/actions/{action['id']}")).json()
    assert told["state"] == ("failed" if when == "in the queue" else "refused")
    assert f"{who}, who " in told["outcome"]
    assert house.ledger.acts()[-1][2] in {"refused", "failed"}


async def test_a_school_that_moved_is_decided_upon_anew(house: ActionHouse) -> None:
    """Its old district's people approved; since the restart it is another's."""
    elsewhere = ScopePath.parse(f"{house.room_scope.split('/')[0]}/west/no1")
    asking = Asked(
        scope=elsewhere, school="no1", intent="port.renegotiate", reason="slow", retry="retry-0001"
    )
    for name in ("li", "wang"):
        house.account(f"account:{name}", _granted(Role.OPERATOR) + _granted(Role.APPROVER))
    li, wang = (
        Person(account=f"account:{n}", name=n, actor=f"account:{n}") for n in ("li", "wang")
    )
    action = await house.room.request(li, asking)
    with pytest.raises(StepError, match="has moved"):
        await house.room.approve(wang, action, action.plan)
    voice = Voice(account=wang.account, name=wang.name, at_ns=house.clock.wall_ns())
    house.room._records.approve(action.id, voice, plan=action.plan, seal=house.room._seal)
    await house.settled()  # granted before the restart
    found = await house.room.get(action.id)
    assert found is not None
    assert found.state is ActionState.FAILED
    assert "has moved" in found.outcome
    assert house.workshop.executed == []


async def test_an_approver_whose_grant_went_meanwhile_does_not_count(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient, zhao: httpx.AsyncClient
) -> None:
    """Of a session that the records are ahead of; the action itself goes on waiting."""
    action = await request(li)
    house.account("account:wang", _granted(Role.VIEWER))
    assert (await approve(wang, action)).status_code == 403
    assert await state(zhao, action) == "waiting"
    assert (await approve(zhao, action)).json()["state"] == "granted"


async def test_the_first_of_two_approvals_does_not_wait_for_ever(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient, zhao: httpx.AsyncClient
) -> None:
    house.workshop.risk = Risk.HIGH
    action = await request(li)
    await approve(wang, action)
    house.clock.advance(15 * 60)
    assert (await approve(zhao, action)).json()["missing"] == 1
    assert (await approve(wang, action)).json()["state"] == "granted"


async def test_abuse_24_a_changed_plan_is_another_action(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    action = await request(li)
    house.workshop.lines = (*LINES, " shutdown")
    other = await request(li, retry="retry-0002")
    assert other["plan"] != action["plan"]
    answer = await approve(wang, other, action["plan"])
    assert answer.status_code == 409
    assert "not the one you looked at" in answer.json()["detail"]
    await house.settled()
    assert house.workshop.executed == []


async def test_a_retry_asks_once_and_something_else_is_refused(
    house: ActionHouse, li: httpx.AsyncClient
) -> None:
    action = await request(li)
    house.workshop.lines = (*LINES, " other")
    assert await request(li) == action
    answer = await li.post("/api/v1/actions", json=asked(reason="another reason"))
    assert answer.status_code == 409
    assert len((await li.get("/api/v1/actions")).json()["items"]) == 1
    async with house.client("account:he", *BOTH) as he:  # his names are his own
        assert (await request(he))["id"] != action["id"]


async def test_withdrawn_refused_or_expired_it_is_over(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    taken_back = await request(li, retry="retry-0001")
    path = f"/api/v1/actions/{taken_back['id']}/withdrawal"
    async with house.client("account:he", *BOTH) as he:
        assert (await he.post(path)).status_code == 403
    assert (await li.post(path)).json()["state"] == "withdrawn"
    assert (await li.post(path)).json()["state"] == "withdrawn"  # again: no error
    refused = await request(li, retry="retry-0002")
    no = {"reason": "not today"}
    answer = await wang.post(f"/api/v1/actions/{refused['id']}/refusal", json=no)
    assert answer.json()["outcome"] == "wang: not today"
    late = await request(li, retry="retry-0003")
    granted_late = await request(li, retry="retry-0004")
    assert (await approve(wang, granted_late)).json()["state"] == "granted"
    house.clock.advance(24 * 3600 + 1)
    async with house.client("account:wang", Role.APPROVER) as wang_again:
        for over in (taken_back, refused, late):
            assert (await approve(wang_again, over)).status_code == 409
        await house.settled()
        assert await state(wang_again, late) == "expired"
        assert await state(wang_again, granted_late) == "expired"
    assert house.workshop.executed == []


@pytest.mark.parametrize("when", ["before the start", "while it is carried out", "after"])
async def test_abuse_24_restarts_never_execute_twice(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient, when: str
) -> None:
    action = await request(li)
    assert (await approve(wang, action)).status_code == 200
    if when == "while it is carried out":
        begun = house.room._records.begin(action["id"], house.clock.wall_ns())  # killed right here
        assert begun is not None
    if when == "after":
        await house.settled()
    house.restart()
    await house.settled()
    house.restart()
    await house.settled()
    assert len(house.workshop.executed) == (0 if when == "while it is carried out" else 1)
    said = await state(wang, action)
    assert said == ("unknown" if when == "while it is carried out" else "done")
    assert (await approve(wang, action)).status_code == 409


async def test_a_run_that_broke_off_leaves_nothing_begun_for_ever(
    house: ActionHouse,
    li: httpx.AsyncClient,
    wang: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The room's task falls over a fault of the workshop; its supervisor starts it anew."""
    action = await request(li)
    await approve(wang, action)

    async def broken(*_: object) -> Executed:
        raise RuntimeError("a fault nobody thought of")

    with monkeypatch.context() as patch:
        patch.setattr(house.workshop, "execute", broken)
        await house.settled()
    assert await state(wang, action) == "started"
    await house.settled()
    assert await state(wang, action) == "unknown"
    assert house.workshop.executed == []


async def test_without_a_ledger_nothing_happens(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    action = await request(li)
    house.ledger.broken = True
    assert (await li.post("/api/v1/actions", json=asked("retry-0002"))).status_code == 503
    assert (await approve(wang, action)).status_code == 503
    assert (await li.post(f"/api/v1/actions/{action['id']}/withdrawal")).status_code == 503
    assert await state(li, action) == "waiting"
    house.ledger.broken = False
    await approve(wang, action)
    house.ledger.broken = True
    await house.settled()
    assert house.workshop.executed == []  # granted, not begun
    assert not house.room.health().ready
    house.ledger.broken = False
    await house.settled()
    assert len(house.workshop.executed) == 1
    assert house.room.health().ready


async def test_outcomes_are_counted_for_metrics(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    done, refused, taken = [await request(li, retry=f"retry-{n:04}") for n in range(3)]
    await approve(wang, done)
    for _ in range(2):  # a retry counts once
        await wang.post(f"/api/v1/actions/{refused['id']}/refusal", json={"reason": "no"})
        await li.post(f"/api/v1/actions/{taken['id']}/withdrawal")
    await house.settled()
    (family,) = action_families(house.room.outcomes())
    counts = {one.labels["outcome"]: one.value for one in family.samples}
    assert counts == {
        "done": 1, "refused": 1, "withdrawn": 1, "failed": 0, "expired": 0, "unknown": 0,
    }  # fmt: skip
    told = (await li.get("/metrics")).text
    assert 'tenone_actions_total{outcome="done"} 1.0' in told


async def test_what_the_agent_says_is_kept(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    house.workshop.answer = Executed(good=False, sentence="The devices have changed.")
    action = await request(li)
    await approve(wang, action)
    await house.settled()
    told = (await li.get(f"/api/v1/actions/{action['id']}")).json()
    assert (told["state"], told["outcome"]) == ("failed", "The devices have changed.")
    assert house.ledger.entries[-1].detail["said"] == "The devices have changed."


ODD: tuple[tuple[dict[str, object], int], ...] = (
    (asked(school="no9"), 404),
    (asked(intent="port.shut"), 409),
    (asked(intent="PORT"), 422),
    (asked(parameters={"Port": "1"}), 422),
    (asked(parameters={"port": "1" * 513}), 422),
    (asked(parameters={f"p{n}": "" for n in range(33)}), 422),
    (asked(parameters={f"p{n}": "校" * 512 for n in range(32)}), 409),
    (asked(reason=""), 422),
    (asked(reason="a\x1b[31m"), 422),
    (asked(retry="short"), 422),
    (asked(lines=["shutdown"]), 422),
)


async def test_odd_requests(li: httpx.AsyncClient) -> None:
    for body, status in ODD:
        answer = await li.post("/api/v1/actions", json=body)
        assert answer.status_code == status, body
        assert answer.json()["detail"]


async def test_a_plan_that_no_agent_would_take_is_not_put_before_anybody(
    house: ActionHouse, li: httpx.AsyncClient
) -> None:
    house.workshop.lines = ("shutdown",) * 2001
    answer = await li.post("/api/v1/actions", json=asked())
    assert (answer.status_code, "at most 2000" in answer.json()["detail"]) == (409, True)


async def test_the_largest_parameters_that_are_taken_can_be_signed(
    house: ActionHouse, li: httpx.AsyncClient, wang: httpx.AsyncClient
) -> None:
    action = await request(li, parameters={f"p{n}": "校" * 158 for n in range(17)})
    await approve(wang, action)
    await house.settled()
    assert await state(wang, action) == "done"


async def test_only_so_many_wait(house: ActionHouse, li: httpx.AsyncClient) -> None:
    for number in range(50):
        await request(li, retry=f"retry-{number:04}")
    answer = await li.post("/api/v1/actions", json=asked("retry-9999"))
    assert answer.status_code == 429
    assert house.workshop.facts == STATE


async def test_this_version_offers_nothing_to_ask_for(tmp_path: Path) -> None:
    """Until part 4 brings a workshop."""
    house = ActionHouse(tmp_path)
    house.workshop = type(house.room)(house.town.house).workshop  # type: ignore[assignment]  # the default
    house.restart()
    async with house.client("account:li", *BOTH) as li:
        answer = await li.post("/api/v1/actions", json=asked())
    assert answer.status_code == 409
    assert "offers no intents" in answer.json()["detail"]
    house.close()
