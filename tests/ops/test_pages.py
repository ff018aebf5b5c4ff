"""What pages show, before any template: filters, order, limits, the way down."""

import pytest

from controller.api.services import Services
from controller.api.sessions import Session
from controller.api.trend import Sample
from dashboards.ops import pages
from dashboards.ops.pages import (
    SAMPLES_A_MINUTE,
    Crumb,
    SchoolFilter,
    by_minute,
    crumbs,
    name_of,
    overview_page,
    school_page,
)
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Tier, Verdict
from tests.api.conftest import granted
from tests.api.fake_city import FakeCity, link, switch

CITY = ScopePath.parse("binhai")


def session(scope: str) -> Session:
    grants = granted(Role.VIEWER, scope)
    return Session(key="k", actor="code", name="", grants=grants, opened_at=0.0, used_at=0.0)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (SchoolFilter(), {"no1", "no3", "no5", "no6", "no7", "no8", "evil", "no12"}),
        (SchoolFilter(state="bad"), {"no3", "no5"}),
        (SchoolFilter(state="unknown"), {"no6", "no8"}),
        (SchoolFilter(district="east"), {"no1", "no3", "no12"}),
        (SchoolFilter(district="eas"), set()),
        (SchoolFilter(text="小学"), {"no1", "no3", "no5", "no8"}),
        (SchoolFilter(text="SEVENTH"), {"no7"}),  # names whatever their case
        (SchoolFilter(text="第七"), {"no7"}),  # either name
        (SchoolFilter(text="no1"), {"no1", "no12"}),  # and ids
        (SchoolFilter(state="bad", district="east", text="第三"), {"no3"}),
        (SchoolFilter(state="bad", district="north"), set()),
    ],
)
def test_the_list_of_schools_is_narrowed(
    chosen: SchoolFilter, found: set[str], services: Services
) -> None:
    page = overview_page(services, [CITY], chosen)
    assert {school.id for school in page.schools} == found
    assert page.found == len(found)
    assert chosen.active is (chosen != SchoolFilter())
    # What is worst stays in sight, whatever the list is narrowed to.
    assert [school.id for school in page.worst] == ["no5", "no3"]


def test_a_long_list_is_cut_and_says_how_long_it_is(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 3)
    monkeypatch.setattr(pages, "WORST_ROWS", 1)
    page = overview_page(services, [CITY], SchoolFilter())
    assert (len(page.schools), page.found, len(page.worst)) == (3, 8, 1)
    assert page.schools[0].verdict is Verdict.BAD


@pytest.mark.parametrize(
    ("scope", "districts"),
    [
        ("", ["binhai/east", "binhai/west", "binhai/north"]),
        ("binhai", ["binhai/east", "binhai/west", "binhai/north"]),
        ("binhai/east", []),  # no list of itself
    ],
)
def test_districts(scope: str, districts: list[str], services: Services) -> None:
    page = overview_page(services, [ScopePath.parse(scope)], SchoolFilter())
    assert [str(view.scope) for view in page.districts] == districts
    assert str(page.overview.scope) == scope


def test_a_school_shows_each_link_in_one_tier_worst_first(
    services: Services, city: FakeCity
) -> None:
    city.add(
        city.schools_by_id["no3"],
        [link("no3", "server", "机房", city.now, tier=Tier.BACKBONE)],
    )
    page = school_page(services, ScopePath.parse("binhai/east/no3"))
    assert page is not None
    by_tier = [*page.uplinks, *page.classes, *page.others]
    assert sorted(view.id for view in by_tier) == sorted(view.id for view in page.links)
    assert [view.id for view in page.uplinks] == ["no3/uplink"]
    assert [view.id for view in page.others] == ["no3/server"]
    verdicts = [view.verdict for view in page.links]
    assert verdicts[:3] == [Verdict.BAD, Verdict.BAD, Verdict.UNKNOWN]
    assert set(verdicts[3:]) == {Verdict.GOOD}
    assert page.agent.school == "no3"


def test_switches_are_ordered_as_people_count(services: Services, city: FakeCity) -> None:
    school = city.schools_by_id["no12"]
    names = [f"acc-{number}" for number in (10, 2, 1)]
    school.switches = [switch("no12", name) for name in names]
    page = school_page(services, school.scope)
    assert page is not None
    assert [view.name for view in page.switches] == ["acc-1", "acc-2", "acc-10"]


def test_there_is_no_page_where_there_is_no_school(services: Services) -> None:
    assert school_page(services, ScopePath.parse("binhai/east/no99")) is None


@pytest.mark.parametrize(
    ("own", "scope", "steps"),
    [
        ("", "", [("滨海市", "/")]),
        ("", "binhai", [("滨海市", "/")]),
        ("", "binhai/east", [("滨海市", "/"), ("东城区", "/at/binhai/east")]),
        ("", "binhai/east/no3", [
            ("滨海市", "/"), ("东城区", "/at/binhai/east"), ("第三小学", "/at/binhai/east/no3"),
        ]),
        # Nothing above what the caller may see.
        ("binhai/east", "binhai/east", [("东城区", "/")]),
        ("binhai/east", "binhai/east/no3", [("东城区", "/"), ("第三小学", "/at/binhai/east/no3")]),
        ("binhai/east/no3", "binhai/east/no3", [("第三小学", "/")]),
    ],
)  # fmt: skip
def test_the_way_down(
    own: str, scope: str, steps: list[tuple[str, str]], services: Services
) -> None:
    way = crumbs(services, session(own), ScopePath.parse(scope))
    assert way == [Crumb(name, address) for name, address in steps]


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("binhai/east/no3", "第三小学"),
        ("binhai/east/no3/r1", "第三小学"),
        ("binhai/east/no99", "no99"),
    ],
)
def test_names(scope: str, name: str, services: Services) -> None:
    assert name_of(services, ScopePath.parse(scope)) == name


def test_one_sample_a_minute_newest_first() -> None:
    samples = [Sample(at=second, good=1, bad=0, unknown=0) for second in range(0, 151, 15)]
    assert [sample.at for sample in by_minute(samples)] == [150, 90, 30]
    assert SAMPLES_A_MINUTE == 4
    assert by_minute([]) == []
