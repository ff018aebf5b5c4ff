"""Every scope is one range of every numbering."""

import pytest

from controller.state.numbering import Numbering
from tenone.vocabulary.scope import ScopePath

from .conftest import small_city


@pytest.mark.parametrize(
    ("scope", "schools", "links", "boards"),
    [
        ("", ["no1", "no2"], ["no1/up", "no1/c301", "no1/c302", "no2/c101"], 2),
        ("binhai", ["no1", "no2"], ["no1/up", "no1/c301", "no1/c302", "no2/c101"], 2),
        ("binhai/east", ["no1"], ["no1/up", "no1/c301", "no1/c302"], 1),
        ("binhai/west/no2", ["no2"], ["no2/c101"], 1),
        ("binhai/east/no2", [], [], 0),
        ("binhai/north", [], [], 0),
        ("other", [], [], 0),
        ("binhai/east/no1/building", [], [], 0),
    ],
)
def test_scopes_are_ranges(scope: str, schools: list[str], links: list[str], boards: int) -> None:
    numbering = Numbering(small_city())
    span = numbering.span(ScopePath.parse(scope))
    assert [numbering.schools[number].id for number in span.schools] == schools
    assert [numbering.links[number].id for number in span.links] == links
    assert len(span.boards) == boards
    assert len(span.switches) == len(schools)
