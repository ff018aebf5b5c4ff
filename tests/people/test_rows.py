"""Counts of failures in the records: whose they are, what clears them, what forgets browsers."""

import random
from collections.abc import Callable

import pytest

from controller.trust.people.browsers import KEPT_SECONDS
from controller.trust.people.model import SignInError
from controller.trust.people.rows import Remembered
from controller.trust.people.throttle import KNOWN, MOST_BROWSERS, SHUT, UNKNOWN
from tenone.vocabulary.roles import Grant, Role
from tests.people.conftest import ROOT, House

HOME = "a1" * 16
LIFE = KEPT_SECONDS


def know(house: House, browser: str = HOME, name: str = "keeper") -> None:
    """A full sign-in by that browser."""
    seen = house.records.credentials(name, browser, house.now)
    assert seen is not None
    kept = Remembered(browser, house.now, house.now + LIFE)
    house.records.proved(seen, house.now, browser=kept)


def fail(house: House, browser: str = "", times: int = 1, name: str = "keeper") -> float:
    until = 0.0
    for _ in range(times):
        until = house.records.failed(name, house.now, browser).until
    return until


def test_a_known_browser_has_its_own_count_and_so_have_all_others(house: House) -> None:
    know(house)
    assert fail(house, times=5) == house.now + 900
    assert fail(house, "b2" * 16) == house.now + 900, "a browser it does not know is all others"
    assert fail(house, HOME, times=4) == 0
    know(house)
    assert fail(house, HOME, times=4) == 0, "its own sign-in cleared its own"
    assert fail(house) == house.now + 900, "and not that of the others"
    assert fail(house, HOME) == house.now + 900
    with pytest.raises(SignInError):
        know(house)


def test_a_browser_that_used_up_its_own_is_not_known_any_more(house: House) -> None:
    know(house)
    fail(house, HOME, times=5)
    house.clock.advance(901)
    fail(house, HOME, times=5)
    assert not house.records.knows("keeper", HOME, house.now)
    assert fail(house, HOME, times=4) == 0, "now it counts with all others"
    assert fail(house, HOME) > 0


def test_a_hundred_failures_and_nobody_is_compared_any_more(house: House) -> None:
    """NIST SP 800-63B-4 3.2.2, whoever tries: five browsers that are known and all that are not."""
    browsers = [f"{number:032x}" for number in range(1, MOST_BROWSERS + 2)]
    for browser in browsers:
        house.clock.advance(1)
        know(house, browser)
    assert not house.records.knows("keeper", browsers[0], house.now), "the oldest gave way"
    compared = 0
    for _ in range(12):
        for browser in (*browsers, ""):
            for _ in range(6):
                seen = house.records.credentials("keeper", browser, house.now)
                assert seen is not None
                if seen.locked_until > house.now:
                    break
                compared += 1
                fail(house, browser)
        house.clock.advance(86_401)
    assert compared == UNKNOWN.most + MOST_BROWSERS * KNOWN.most == 100
    account = house.records.find("keeper")
    assert account is not None
    assert account.locked_until == SHUT
    house.records.edit("keeper", display="Keeper", enabled=None)
    assert fail(house) == SHUT, "not every change opens it"


@pytest.mark.parametrize(
    ("deed", "stays_known"),
    [
        (lambda house: house.records.edit("li", enabled=False), False),
        (lambda house: house.records.edit("li", enabled=True), True),
        (lambda house: house.records.edit("li", grants=()), True),
        (lambda house: house.records.edit("li", display="x"), True),
        (lambda house: house.records.set_password("li", "other"), False),
        (lambda house: house.records.reset("li", "digest", house.now + 60), False),
        (lambda house: house.clock.advance(LIFE), False),
    ],
    ids=["disable", "enable", "grants", "name", "password", "reset", "time"],
)
def test_what_a_browser_is_forgotten_by(
    house: House, deed: Callable[[House], object], stays_known: bool
) -> None:
    house.account("li", Grant(Role.VIEWER, ROOT), factor=False)
    know(house, name="li")
    fail(house, name="li", times=5)
    fail(house, HOME, name="li", times=5)
    deed(house)
    assert house.records.knows("li", HOME, house.now) is stays_known


def test_enabling_opens_the_name_and_its_browsers(house: House) -> None:
    know(house)
    fail(house, times=5)
    fail(house, HOME, times=5)
    house.records.edit("keeper", enabled=True)
    for browser in ("", HOME):
        seen = house.records.credentials("keeper", browser, house.now)
        assert seen is not None
        assert seen.locked_until <= house.now, browser


def test_an_account_made_anew_knows_no_browser_of_the_old(house: House) -> None:
    house.account("li", Grant(Role.VIEWER, ROOT), factor=False)
    know(house, name="li")
    house.records.remove("li")
    house.account("li", Grant(Role.VIEWER, ROOT), factor=False)
    assert not house.records.knows("li", HOME, house.now)


def test_any_order_of_deeds_keeps_the_sentence(house: House) -> None:
    """300 deeds on real tables against histories written out: who is compared, who is known."""
    chance = random.Random(7)
    know(house)
    others: list[float] = []
    own: list[float] | None = []

    def open_for(failures: list[float], most: int) -> bool:
        if len(failures) >= most or not failures or len(failures) % 5:
            return len(failures) < most
        lasts = min(900.0 * 2.0 ** (len(failures) // 5 - 1), 86_400.0)
        return house.now >= failures[-1] + lasts

    for _ in range(300):
        house.clock.advance(chance.choice((0, 1, 400, 1000, 40_000)))
        browser = chance.choice((HOME, ""))
        counted, most = (own, 10) if browser and own is not None else (others, 50)
        assert counted is not None
        is_open = open_for(counted, most)
        seen = house.records.credentials("keeper", browser, house.now)
        assert seen is not None
        assert (seen.locked_until <= house.now) is is_open
        assert bool(seen.browser) is (bool(browser) and own is not None)
        deed = chance.random()
        if deed < 0.04 and is_open:
            house.records.proved(
                seen, house.now, browser=Remembered(HOME, house.now, house.now + LIFE * 9)
            )
            counted.clear()
            own = own if own is not None else []
        elif deed < 0.05:
            house.records.set_password("keeper", "other")
            others, own = [], None
        elif deed < 0.9:
            fail(house, browser)
            if is_open:
                counted.append(house.now)
                if counted is own and len(own) >= 10:
                    own = None
