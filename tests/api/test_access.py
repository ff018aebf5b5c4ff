"""What a session may see, straight at the filter; over HTTP in test_app."""

import pytest

from controller.api.access import (
    asked_scope,
    asked_scopes,
    exists,
    link_seen_by,
    may,
    need,
    visible,
)
from controller.api.problems import Problem
from controller.api.services import Services
from controller.api.sessions import Session
from tenone.vocabulary.roles import Grant, Permission, Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import granted


def session(*scopes: str, role: Role = Role.VIEWER) -> Session:
    return of(granted(role, *scopes))


def of(grants: tuple[Grant, ...]) -> Session:
    return Session(key="k", actor="code", name="", grants=grants, opened_at=0.0, used_at=0.0)


@pytest.mark.parametrize(
    ("own", "other", "seen"),
    [
        ("", "", True),
        ("", "binhai/east/no3", True),
        ("binhai/east", "binhai/east", True),
        ("binhai/east", "binhai/east/no3", True),
        ("binhai/east", "binhai", False),
        ("binhai/east", "", False),
        ("binhai/east", "binhai/west", False),
        ("binhai/eas", "binhai/east", False),
        ("binhai/east/no1", "binhai/east/no12", False),
    ],
)
def test_a_scope_sees_itself_and_what_lies_inside(own: str, other: str, seen: bool) -> None:
    assert visible(session(own), ScopePath.parse(other)) is seen


@pytest.mark.parametrize(
    ("scope", "known"),
    [
        ("", True),
        ("binhai", True),
        ("binhai/east", True),
        ("binhai/east/no3", True),
        ("binhai/east/no3/r1", True),
        ("shanghai", False),
        ("binhai/south", False),
        ("binhai/east/no99", False),
        ("binhai/west/no3", False),  # there is a no3, but not there
        ("shanghai/east/no3", False),
    ],
)
def test_what_the_city_knows(scope: str, known: bool, services: Services) -> None:
    assert exists(services, ScopePath.parse(scope)) is known


@pytest.mark.parametrize(
    ("own", "text", "answer"),
    [
        ("binhai/east", None, "binhai/east"),
        ("binhai/east", "", "binhai/east"),
        ("binhai/east", "binhai/east/no1", "binhai/east/no1"),
        ("", "binhai", "binhai"),
        ("binhai/east", "binhai/west", 404),
        ("binhai/east", "binhai", 404),
        ("", "binhai/south", 404),
        ("", "binhai//east", 400),
        ("", "../etc", 400),
        ("", "Binhai", 400),
    ],
)
def test_the_scope_a_request_asks_for(
    own: str, text: str | None, answer: str | int, services: Services
) -> None:
    if isinstance(answer, str):
        assert str(asked_scope(services, session(own), text)) == answer
        return
    with pytest.raises(Problem) as refused:
        asked_scope(services, session(own), text)
    assert refused.value.status == answer


def test_outside_and_nonexistent_look_the_same(services: Services) -> None:
    def words(scope: str) -> str:
        with pytest.raises(Problem) as refused:
            asked_scope(services, session("binhai/east"), scope)
        return refused.value.detail.replace(scope, "X")

    assert words("binhai/west/no5") == words("binhai/west/no99")


@pytest.mark.parametrize(
    ("own", "link", "seen"),
    [
        ("", "no5/uplink", True),
        ("binhai/west", "no5/uplink", True),
        ("binhai/west/no5", "no5/uplink", True),
        ("binhai/east", "no5/uplink", False),
        ("", "no5/nothing", False),
        ("", "nothing", False),
    ],
)
def test_a_link_is_seen_inside_its_school(
    own: str, link: str, seen: bool, services: Services
) -> None:
    if seen:
        assert link_seen_by(services, session(own), link).id == link
        return
    with pytest.raises(Problem, match="that you may see") as refused:
        link_seen_by(services, session(own), link)
    assert refused.value.status == 404


def test_an_operator_of_one_school_does_not_act_where_he_only_looks() -> None:
    grants = granted(Role.OPERATOR, "binhai/east/no3") + granted(Role.VIEWER, "binhai/west")
    both = of(grants)
    school, district = ScopePath.parse("binhai/east/no3"), ScopePath.parse("binhai/west")
    need(both, Permission.POLL, school)
    assert visible(both, school)
    assert visible(both, district)
    assert both.scope == district, "the broadest that may look"
    for scope in (district, ScopePath.parse("binhai/west/no5"), ScopePath.parse("binhai/east")):
        with pytest.raises(Problem) as refused:
            need(both, Permission.POLL, scope)
        assert refused.value.status == 403


def test_several_grants_are_seen_together_and_nothing_else(services: Services) -> None:
    three = session("binhai/east/no3", "binhai/east/no1", "binhai/west/no5")
    scopes = asked_scopes(services, three, None)
    assert [str(one) for one in scopes] == ["binhai/east/no1", "binhai/east/no3", "binhai/west/no5"]
    with pytest.raises(Problem, match="name one of binhai/east/no1") as refused:
        asked_scope(services, three, None)
    assert refused.value.status == 400
    with pytest.raises(Problem) as outside:
        asked_scopes(services, three, "binhai/east")
    assert outside.value.status == 404
    nested = session("binhai/east", "binhai/east/no3")
    assert [str(one) for one in asked_scopes(services, nested, None)] == ["binhai/east"]


def test_whoever_may_not_look_sees_nothing(services: Services) -> None:
    keeper = session(role=Role.SECURITY_ADMIN)
    assert not visible(keeper, ScopePath.parse("binhai"))
    assert not visible(keeper, ScopePath())
    assert not visible(keeper, keeper.scope)
    with pytest.raises(Problem) as refused:
        asked_scopes(services, keeper, None)
    assert refused.value.status == 403
    assert asked_scopes(services, keeper, None, Permission.KEEP_USERS) == (ScopePath(),)
    assert may(keeper, Permission.KEEP_MACHINES, ScopePath.parse("binhai/east"))
