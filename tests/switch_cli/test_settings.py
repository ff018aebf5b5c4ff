"""Settings of a port compared and set as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import PortMode, PortSettings
from drivers.cli.settings import ATTRIBUTES, as_text, differences, same, set_all, set_one, text_of
from tenone.vocabulary.states import Duplex

settings = st.builds(
    PortSettings,
    enabled=st.booleans(),
    negotiation=st.booleans(),
    speed_mbps=st.none() | st.integers(10, 100_000),
    duplex=st.sampled_from([None, Duplex.HALF, Duplex.FULL]),
    mode=st.sampled_from(list(PortMode)),
    access_vlan=st.none() | st.integers(1, 4094),
    poe=st.booleans(),
    trust=st.booleans(),
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (Duplex.FULL, "full"),
        (Duplex.HALF, "half"),
        (Duplex.UNKNOWN, "-"),
        (PortMode.ACCESS, "access"),
        (100, "100"),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


@given(settings, settings)
def test_the_differences_make_one_of_the_other(one: PortSettings, two: PortSettings) -> None:
    assert same(set_all(one, differences(one, two)), two)
    assert same(one, two) == (differences(one, two) == ())


@given(settings)
def test_every_attribute_is_what_its_text_says(one: PortSettings) -> None:
    other = PortSettings(enabled=not one.enabled)
    assert same(set_all(other, [(name, text_of(one, name)) for name in ATTRIBUTES]), one)


def test_lines_nobody_reads_make_no_difference() -> None:
    assert same(PortSettings(other=("description a",)), PortSettings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", "maybe"),
        ("duplex", "both"),
        ("mode", "bus"),
        ("speed_mbps", "x"),
        ("other", "x"),
    ],
)
def test_nonsense_is_no_setting(name: str, value: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        set_one(PortSettings(), name, value)
