"""Paging over lists that change, and every wrong parameter; over HTTP in test_app."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.listing import Listed, ListQuery, Page, list_query, one_page, past_page
from controller.api.problems import Problem
from controller.api.services import NoRecords, Services
from controller.api.sessions import Session
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import granted

STATES = frozenset({"good", "bad"})
LISTED: Listed[tuple[str, str]] = Listed(
    id_of=lambda item: item[0],
    states_of=lambda item: frozenset({item[1]}),
    known_states=STATES,
    encode=lambda item: {"id": item[0], "state": item[1]},
)
ME = Session(
    key="k", actor="code", name="", grants=granted(Role.VIEWER), opened_at=0.0, used_at=0.0
)


def asked(services: Services, **parameters: Any) -> ListQuery:
    given_as: dict[str, Any] = {
        "scope": None, "state": None, "limit": 200, "cursor": None, "as_of": None,
    }  # fmt: skip
    return list_query(services, ME, **(given_as | parameters))


def page(items: dict[str, str], query: ListQuery) -> dict[str, Any]:
    """One page of id -> state."""
    answer = one_page(items.items(), query, LISTED)
    found: dict[str, Any] = json.loads(bytes(answer.body))
    return found


def query(limit: int = 200, state: str | None = None, after: str | None = None) -> ListQuery:
    return ListQuery(scopes=(ScopePath(),), state=state, limit=limit, after=after, as_of=None)


IDS = st.text(min_size=1, max_size=6)


@settings(deadline=None)
@given(st.sets(IDS, max_size=30), st.sets(IDS, max_size=10), st.integers(1, 7), st.data())
def test_what_stays_appears_once_whatever_comes_and_goes(
    stays: set[str], others: set[str], limit: int, data: st.DataObject
) -> None:
    seen: list[str] = []
    after: str | None = None
    while True:
        here = data.draw(st.sets(st.sampled_from(sorted(others)))) if others else set()
        items = dict.fromkeys(stays | here, data.draw(st.sampled_from(["good", "bad"])))
        found = page(items, query(limit, after=after))
        ids = [item["id"] for item in found["items"]]
        assert len(ids) <= limit
        assert found["total"] == len(items)
        seen += ids
        if found["next_cursor"] is None:
            break
        assert len(ids) == limit
        after = ids[-1]
    assert seen == sorted(set(seen))
    assert set(seen) >= stays


def test_a_cursor_leads_on_from_the_last_id(services: Services) -> None:
    items = {"no3/学校": "good", "no3/a": "bad", "no1/z": "good"}
    first = page(items, asked(services, limit=2))
    assert [item["id"] for item in first["items"]] == ["no1/z", "no3/a"]
    rest = page(items, asked(services, limit=2, cursor=first["next_cursor"]))
    assert [item["id"] for item in rest["items"]] == ["no3/学校"]
    assert rest["next_cursor"] is None


@settings(deadline=None)
@given(IDS)
def test_every_id_survives_as_a_cursor(last: str) -> None:
    found = page({last: "good", last + "\uffff": "good"}, query(limit=1))
    cursor = found["next_cursor"]
    assert cursor.isascii()
    assert set(cursor).isdisjoint("=+/&?#")


@settings(deadline=None)
@given(st.lists(st.lists(IDS, max_size=8), max_size=8), st.integers(1, 3), IDS)
def test_portions_make_the_same_page(portions: list[list[str]], limit: int, after: str) -> None:
    whole = {name: "good" for portion in portions for name in portion}
    made = Page(query(limit, after=after), LISTED)
    seen: set[str] = set()
    for portion in portions:
        made.take((name, "good") for name in sorted(set(portion) - seen))
        seen |= set(portion)
    assert json.loads(bytes(made.answer().body)) == page(whole, query(limit, after=after))


def test_only_the_state_asked_for_counts() -> None:
    items = {"a": "good", "b": "bad", "c": "good"}
    found = page(items, query(limit=1, state="good"))
    assert (found["total"], [item["id"] for item in found["items"]]) == (2, ["a"])
    with pytest.raises(Problem, match="use one of bad, good") as refused:
        page(items, query(state="worse"))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"cursor": "*"}, "cursor: use next_cursor"),
        ({"cursor": "a"}, "cursor: use next_cursor"),
        ({"cursor": "_w"}, "cursor: use next_cursor"),  # one byte that is not UTF-8
        ({"cursor": "学校"}, "cursor: use next_cursor"),
        ({"as_of": "yesterday"}, "is no moment"),
        ({"as_of": ""}, "is no moment"),
        ({"as_of": "2026-13-01"}, "is no moment"),
        ({"as_of": "9999-12-31T23:59:59-14:00"}, "lies in the future"),
        ({"as_of": "1969-12-31T23:59:59.5Z"}, "before anything was measured"),
        ({"as_of": "0001-01-01T00:00:00+14:00"}, "before anything was measured"),
        ({"scope": "../etc"}, "scope:"),
    ],
)
def test_a_wrong_parameter_is_a_sentence(
    parameters: dict[str, str], sentence: str, services: Services
) -> None:
    with pytest.raises(Problem) as refused:
        asked(services, **parameters)
    assert refused.value.status == 400
    assert sentence in refused.value.detail


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T08:00:00+08:00", 0.0),
        ("1970-01-02", 86_400.0),  # without an offset it is UTC
    ],
)
def test_moments(text: str, epoch: float, services: Services) -> None:
    assert asked(services, as_of=text).as_of == epoch


async def test_the_past_is_asked_for_only_where_it_is_kept(services: Services) -> None:
    now = asked(services)
    assert await past_page(services, "bindings", now, known_states=STATES) is None
    then = asked(services, as_of="1970-01-02", scope="binhai/east")
    answer = await past_page(services, "bindings", then, known_states=STATES)
    assert answer is not None
    (item,) = json.loads(bytes(answer.body))["items"]
    assert (item["port"], item["valid_from"]) == ("bindings binhai/east", 86_340.0)
    with pytest.raises(Problem, match="only of bindings"):
        await past_page(services, "links", then, known_states=STATES)
    services.records = NoRecords()
    with pytest.raises(Problem, match="of nothing"):
        await past_page(services, "bindings", then, known_states=STATES)
