"""The model of the copper: what comes of two ends, and when."""

import pytest

from tests.lab.copper import NEGOTIATION_SECONDS, Cable, Copper, Link, Setting, agreed

AUTO = Setting(up=True, autoneg=True)
FULL_1000 = Link(1000, full=True)
FULL_100 = Link(100, full=True)


def forced(speed: int, *, full: bool = True) -> Setting:
    return Setting(up=True, autoneg=False, speed=speed, full=full)


@pytest.mark.parametrize(
    ("setting", "cable", "link", "good"),
    [
        (AUTO, Cable(), FULL_1000, True),
        (forced(1000), Cable(), FULL_1000, True),
        (forced(100), Cable(), Link(100, full=True, board_full=False), False),
        (forced(10), Cable(), Link(10, full=True, board_full=False), False),
        (forced(1000, full=False), Cable(), None, False),
        (forced(100, full=False), Cable(), Link(100, full=False, board_full=False), False),
        (forced(2500), Cable(), None, False),
        (forced(0), Cable(), None, False),
        (AUTO, Cable(broken_pair=True), FULL_100, False),
        (forced(1000), Cable(broken_pair=True), None, False),
        (forced(100), Cable(broken_pair=True), Link(100, full=True, board_full=False), False),
        (AUTO, Cable(stuck=True), FULL_100, False),
        (AUTO, Cable(plugged=False), None, False),
        (forced(100), Cable(plugged=False), None, False),
        (Setting(up=False, autoneg=True), Cable(), None, False),
    ],
)
def test_what_two_ends_agree_on(
    setting: Setting, cable: Cable, link: Link | None, good: bool
) -> None:
    assert agreed(setting, cable) == link
    assert (link is not None and link.good) is good


def test_nothing_before_the_negotiation_is_over() -> None:
    copper = Copper()
    assert copper.look(10.0, AUTO) is None
    assert copper.look(10.0 + NEGOTIATION_SECONDS - 0.01, AUTO) is None
    assert copper.look(10.0 + NEGOTIATION_SECONDS, AUTO) == FULL_1000


@pytest.mark.parametrize(
    "change",
    [forced(1000), Setting(up=False, autoneg=True), forced(100, full=False)],
)
def test_any_change_takes_the_carrier_away(change: Setting) -> None:
    copper = _linked()
    assert copper.look(20.0, change) is None
    assert copper.look(20.1, AUTO) is None, "back again: negotiated anew"
    assert copper.look(20.1 + NEGOTIATION_SECONDS, AUTO) == FULL_1000


def test_what_was_negotiated_is_no_change() -> None:
    copper = _linked()
    shown = Setting(up=True, autoneg=True, speed=1000, full=True)
    assert copper.look(20.0, shown) == FULL_1000


def test_a_stuck_negotiation_lasts_until_the_port_was_down() -> None:
    copper = _linked()
    copper.cable = Cable(stuck=True)
    assert copper.look(20.0, AUTO) is None
    assert copper.look(22.0, AUTO) == FULL_100
    assert copper.look(22.1, forced(1000)) is None
    assert copper.look(24.0, AUTO) is None
    assert copper.look(26.0, AUTO) == FULL_100, "setting it anew does not help"
    assert copper.look(26.1, Setting(up=False, autoneg=True)) is None
    assert copper.look(26.2, AUTO) is None
    assert copper.look(28.0, AUTO) == FULL_1000


def test_a_broken_pair_outlives_a_bounce_and_dies_at_1000() -> None:
    copper = _linked()
    copper.cable = Cable(broken_pair=True)
    for begin in (20.0, 30.0):
        assert copper.look(begin, Setting(up=False, autoneg=True)) is None
        assert copper.look(begin + 1, AUTO) is None
        assert copper.look(begin + 3, AUTO) == FULL_100
    copper.look(40.0, forced(1000))
    assert copper.look(60.0, forced(1000)) is None


def _linked() -> Copper:
    copper = Copper()
    copper.look(0.0, AUTO)
    assert copper.look(NEGOTIATION_SECONDS, AUTO) == FULL_1000
    return copper
