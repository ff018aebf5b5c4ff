import dataclasses

import pytest

from controller import encode
from controller.api.snapshots import SNAPSHOTS, ages_of
from tenone.vocabulary.scope import ScopePath
from tests.api.fake_city import FakeCity

ALL = frozenset(SNAPSHOTS)
CITY, EAST, NO3 = (ScopePath.parse(text) for text in ("binhai", "binhai/east", "binhai/east/no3"))


@pytest.mark.parametrize(
    ("kind", "count"),
    [("school", 3), ("agent", 3), ("overview", 1), ("link", 67), ("switch", 11), ("board", 64)],
)
def test_a_snapshot_is_everything_of_a_kind_inside_a_scope(
    kind: str, count: int, city: FakeCity
) -> None:
    changes = SNAPSHOTS[kind](city, EAST)
    assert len(changes) == count
    assert {change.kind for change in changes} == {kind}
    assert all(EAST.covers(change.scope) for change in changes)
    assert len({change.id for change in changes}) == count


def test_bodies_are_those_of_the_resources(city: FakeCity) -> None:
    links = {change.id: change.body for change in SNAPSHOTS["link"](city, NO3)}
    assert links == {view.id: encode.link_json(view) for view in city.links(NO3)}
    agents = {change.id: change.body for change in SNAPSHOTS["agent"](city, NO3)}
    (no3,) = city.schools(NO3)
    assert agents == {"no3": encode.agent_json(no3.agent)}


def test_the_city_comes_with_its_districts_and_a_district_alone(city: FakeCity) -> None:
    def ids(scope: ScopePath) -> list[str]:
        return [change.id for change in SNAPSHOTS["overview"](city, scope)]

    assert ids(CITY) == ["binhai", "binhai/east", "binhai/west", "binhai/north"]
    assert ids(EAST) == ["binhai/east"]


@pytest.mark.parametrize(
    ("scope", "kinds", "told"),
    [
        (CITY, ALL, {"school", "overview"}),  # a city has too many links to tell the age of each
        (EAST, ALL, {"school", "overview"}),
        (NO3, ALL, {"school", "overview", "link", "switch", "board"}),
        (NO3, frozenset({"board"}), {"board"}),
        (NO3, frozenset({"agent"}), {"school"}),
        (CITY, frozenset({"link"}), set()),
        (CITY, frozenset(), set()),
    ],
)
def test_ages_are_told_of_what_the_stream_carries(
    scope: ScopePath, kinds: frozenset[str], told: set[str], city: FakeCity
) -> None:
    assert set(ages_of(city, [scope], kinds)) == told


def test_ages_by_id_rounded_and_none_where_nothing_ever_came(city: FakeCity) -> None:
    city.set_agent("no3", last_report_age_seconds=4.26)
    ages = ages_of(city, [NO3], ALL)
    assert ages["school"] == {"no3": 4.3}
    assert ages["overview"]["binhai/east/no3"] == 4.3
    assert ages["switch"]["no3/switch/acc-3"] == 95.0
    assert ages["board"]["no3/board/b-1-1"] == 6.0
    assert ages["link"]["no3/uplink"] == [4.0]
    assert ages["link"]["no3/c-1-1"] == [4.0, 12.0], "in the order of the link's evidence"
    school = city.schools_by_id["no3"]
    school.switches[0] = dataclasses.replace(school.switches[0], age_seconds=None)
    assert ages_of(city, [NO3], ALL)["switch"]["no3/switch/core-1"] is None
    assert ages_of(city, [CITY], ALL)["school"]["no8"] is None
