"""Keys of programs over HTTP: what one opens, what it never does, and what the ledger hears."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from controller.store.records import SqlRecords
from controller.trust.entries import Outcome
from controller.trust.keys.desk import Keys, shown_key
from controller.trust.keys.model import FOR_PEOPLE, new_key, parse
from controller.trust.keys.records import KeyRecords
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened
from tests.api.fake_city import small_city

from .city import FakeLedger, at_once, empty_records

API = "/api/v1"
DAY = 86_400.0


class Place:
    """A controller's API with keys on real records."""

    def __init__(self, folder: Path) -> None:
        shutil.copy(empty_records(), folder / "records.db")
        self.records = SqlRecords(f"sqlite:///{folder / 'records.db'}")
        self.records.start()
        self.clock = ManualClock()
        self.ledger = FakeLedger()
        self.keys = Keys(KeyRecords(self.records.engine), at_once, self.clock, self.ledger)
        city = small_city(self.clock.wall_ns() / 1e9)
        self.services = Services(
            city=city,
            hub=Hub(self.clock, city),
            sessions=Sessions(self.clock),
            trend=Trend(self.clock, city),
            clock=self.clock,
            keys=self.keys,
            ledger=self.ledger,
        )
        self.app: FastAPI = create_app(self.services)

    def keeper(self, scope: str = "") -> httpx.AsyncClient:
        return client_of(
            self.app, opened(self.services, Role.SECURITY_ADMIN, scope, actor="account:wang")
        )

    async def made(self, role: Role = Role.VIEWER, scope: str = "", **more: object) -> str:
        body = {"name": "Exam", "grants": [{"role": role.value, "scope": scope}], **more}
        async with self.keeper() as keeper:
            answer = await keeper.post(f"{API}/keys", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])

    async def get(self, key: str, path: str = "/schools", method: str = "GET") -> httpx.Response:
        """Without cookie or Origin, as programs ask."""
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://t"
        ) as client:
            return await client.request(
                method, f"{API}{path}", headers={"Authorization": f"Bearer {key}"}
            )


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.records.close()


async def test_a_key_is_shown_once_opens_its_scope_and_is_disabled_at_once(place: Place) -> None:
    key = await place.made(scope="binhai/east/no1")
    assert re.fullmatch("t1k_[0-9a-f]{12}_[0-9a-f]{64}", key)
    seen = await place.get(key)
    assert [one["id"] for one in seen.json()["items"]] == ["no1"]
    assert "set-cookie" not in seen.headers
    who = (await place.get(key, "/sessions/current")).json()
    assert (who["actor"], who["kind"]) == (f"key:{key[4:16]}", "key")
    assert place.services.sessions.count() == 1, "the keeper's alone"
    async with place.keeper() as keeper:
        (listed,) = (await keeper.get(f"{API}/keys")).json()["items"]
        assert (listed["state"], listed["created_by"]) == ("active", "account:wang")
        assert listed["used_at"] == place.keys.now()
        assert key[17:] not in str(listed)
        assert (await keeper.delete(f"{API}/keys/{listed['id']}")).status_code == 409
        ended = await keeper.post(f"{API}/keys/{listed['id']}/disable")
        assert ended.json()["state"] == "disabled"
        refused = await place.get(key)
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
        assert (await keeper.delete(f"{API}/keys/{listed['id']}")).status_code == 204
        assert (await keeper.post(f"{API}/keys/{listed['id']}/disable")).status_code == 404
    assert [(one.act, one.actor, one.outcome) for one in place.ledger.entries] == [
        ("key.create", "account:wang", Outcome.DONE),
        ("key.use", f"key:{listed['id']}", Outcome.DONE),
        ("key.disable", "account:wang", Outcome.DONE),
        ("key.use", f"key:{listed['id']}", Outcome.REFUSED),
        ("key.remove", "account:wang", Outcome.DONE),
    ]
    assert key[17:] not in str(place.ledger.entries)


async def test_the_secret_is_in_no_file(place: Place, tmp_path: Path) -> None:
    key = await place.made()
    await place.get(key)
    kept = everything_in(tmp_path)
    assert key[4:16].encode() in kept
    assert key[17:].encode() not in kept


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
async def test_roles_of_people_are_no_keys(place: Place, role: Role) -> None:
    body = {"name": "x", "grants": [{"role": role.value, "scope": ""}]}
    async with place.keeper() as keeper:
        answer = await keeper.post(f"{API}/keys", json=body)
    assert answer.status_code == (409 if role in FOR_PEOPLE else 201)


@pytest.mark.slow
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SECURITY_ADMIN])
async def test_only_keepers_of_accounts_keep_keys(place: Place, role: Role) -> None:
    key = await place.made()
    async with client_of(place.app, opened(place.services, role)) as client:
        answers = [
            await client.get(f"{API}/keys"),
            await client.post(
                f"{API}/keys", json={"name": "x", "grants": [{"role": "viewer", "scope": ""}]}
            ),
            await client.post(f"{API}/keys/{key[4:16]}/disable"),
            await client.delete(f"{API}/keys/{key[4:16]}"),
        ]
    assert [one.status_code for one in answers] == [403] * 4
    assert (await place.get(key)).status_code == 200


async def test_a_keeper_of_one_school_keeps_its_keys_alone(place: Place) -> None:
    whole, mine = await place.made(), await place.made(scope="binhai/east/no1")
    async with place.keeper("binhai/east/no1") as keeper:
        listed = (await keeper.get(f"{API}/keys")).json()["items"]
        assert [one["id"] for one in listed] == [mine[4:16]]
        assert (await keeper.post(f"{API}/keys/{whole[4:16]}/disable")).status_code == 403
        wide = {"name": "x", "grants": [{"role": "viewer", "scope": "binhai/east"}]}
        assert (await keeper.post(f"{API}/keys", json=wide)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/sessions", 403),
        ("DELETE", "/sessions/current", 403),
        ("GET", "/events", 403),
        ("GET", "/users", 403),
        ("GET", "/users/current/second-factor", 403),
        ("GET", "/keys", 403),
        ("GET", "/audit", 403),
        ("POST", "/actions/x/approve", 404),
        ("GET", "/../../", 403),
        ("GET", "/nothing", 404),
    ],
)
async def test_what_no_key_does(place: Place, method: str, path: str, status: int) -> None:
    key = await place.made(Role.OPERATOR)
    assert (await place.get(key, path, method)).status_code == status
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=place.app), base_url="http://t"
    ) as client:
        page = await client.get("/", headers={"Authorization": f"Bearer {key}"})
    assert page.status_code == 403


async def test_no_key_asks_for_or_approves_actions(place: Place) -> None:
    key = await place.made(Role.OPERATOR)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=place.app), base_url="http://t"
    ) as client:
        answer = await client.post(
            f"{API}/actions",
            headers={"Authorization": f"Bearer {key}"},
            json={
                "kind": "set", "school": "no1", "intent": "x", "parameters": {},
                "retry_key": "r-000001",
            },
        )  # fmt: skip
    assert answer.status_code in {403, 422}
    assert not any(one.act.startswith(("action", "approval")) for one in place.ledger.entries)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        "t1k_",
        "t1k_0123456789ab_" + "0" * 64,
        "t1k_0123456789ab_" + "0" * 63,
        "t1k_0123456789AB_" + "0" * 64,
        "t1k_../../x_" + "0" * 64,
        "t1k_" + "x" * 5000,
        "t1k_\x7f",
    ],
)
async def test_wrong_keys_open_nothing_and_a_cookie_does_not_help(place: Place, wrong: str) -> None:
    token = opened(place.services, Role.VIEWER)
    async with client_of(place.app, token) as client:
        answer = await client.get(f"{API}/schools", headers={"Authorization": f"Bearer {wrong}"})
    assert answer.status_code == 401
    assert place.ledger.entries[-1].outcome is Outcome.REFUSED


async def test_another_keys_secret_is_refused(place: Place) -> None:
    one, other = await place.made(), await place.made()
    assert (await place.get(one[:17] + other[17:])).status_code == 401
    entry = place.ledger.entries[-1]
    assert (entry.actor, entry.subject, entry.detail["why"]) == ("nobody", one[4:16], "secret")


async def test_a_key_ends_by_its_date(place: Place) -> None:
    key = await place.made(days=2)
    place.clock.advance(2 * DAY - 0.5)
    assert (await place.get(key)).status_code == 200
    place.clock.advance(0.5)
    assert (await place.get(key)).status_code == 401


async def test_the_first_use_of_a_day_is_told_and_the_others_are_not(place: Place) -> None:
    key = await place.made()
    for _ in range(3):
        for _ in range(3):
            await place.get(key)
        place.clock.advance(DAY)
    told = [one for one in place.ledger.entries if one.act == "key.use"]
    assert len(told) == 3
    again = Keys(KeyRecords(place.records.engine), at_once, place.clock, place.ledger)
    await again.admit(key, "c")
    await place.get(key)
    assert len([one for one in place.ledger.entries if one.act == "key.use"]) == 4


async def test_without_a_ledger_nothing_new_is_opened(place: Place) -> None:
    key = await place.made()
    place.ledger.broken = True
    assert (await place.get(key)).status_code == 503
    async with place.keeper() as keeper:
        body = {"name": "x", "grants": [{"role": "viewer", "scope": ""}]}
        assert (await keeper.post(f"{API}/keys", json=body)).status_code == 503
        assert (await keeper.post(f"{API}/keys/{key[4:16]}/disable")).status_code == 503
    place.ledger.broken = False
    async with place.keeper() as keeper:
        assert (await keeper.get(f"{API}/keys")).json()["total"] == 1
    assert (await place.get(key)).status_code == 200


async def test_each_key_has_its_own_rate(place: Place) -> None:
    slow, other = await place.made(a_minute=60), await place.made(a_minute=60)
    codes = [(await place.get(slow)).status_code for _ in range(12)]
    assert codes == [200] * 10 + [429] * 2
    refused = await place.get(slow)
    assert refused.headers["retry-after"] == "1"
    assert (await place.get(other)).status_code == 200
    place.clock.advance(1.0)
    assert (await place.get(slow)).status_code == 200
    assert (await place.get(slow)).status_code == 429


async def test_guessing_is_slowed_and_floods_no_ledger(place: Place) -> None:
    right = await place.made()
    codes = [(await place.get(new_key()[1])).status_code for _ in range(40)]
    assert codes == [401] * 10 + [429] * 30
    assert len([one for one in place.ledger.entries if one.outcome is Outcome.REFUSED]) == 10
    assert (await place.get(right)).status_code == 200, "who has a key is not held up"


@given(st.text())
def test_a_text_is_a_key_only_in_its_one_form(text: str) -> None:
    parsed = parse(text)
    assert parsed is None or f"t1k_{parsed[0]}_{parsed[1]}" == text
    assert shown_key(text) is None or text.lower().startswith("bearer ")
