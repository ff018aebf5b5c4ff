"""Lines of the broker's log, ends of sessions, fights for an id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.brokers_sessions import (
    QUIET_SECONDS,
    TAKEOVER_SECONDS,
    Began,
    Cuts,
    Sessions,
    TakenOver,
    Takeovers,
    read_line,
    runs_out,
)
from controller.trust.registry import Certificate

NS = 1_000_000_000


def certificate(issued: float, until: int, *, revoked: bool = False) -> Certificate:
    return Certificate(
        serial="1",
        authority="a",
        key="k",
        issued_ns=round(issued * NS),
        not_before=round(issued),
        not_after=until,
        revoked_ns=1 if revoked else None,
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "New client connected from 127.0.0.1:54828 as no1 (p2, c1, k60, u'no1').",
            Began("no1", "no1", 2),
        ),
        (
            "New client connected from ::1:5 as tenone-node-no1 (p5, c0, k30, u'no1').",
            Began("no1", "tenone-node-no1", 5),
        ),
        (
            "New client connected from 1.2.3.4:5 as a (p2, c1, k0, u'x') b (p5, c1, k30, u'it's').",
            Began("it's", "a (p2, c1, k0, u'x') b", 5),
        ),
        ("Client no1 already connected, closing old connection.", TakenOver("no1")),
        ("New client connected from 127.0.0.1:1 as x (p5, c1, k30).", None),
        ("Client no1 disconnected.", None),
        ("", None),
    ],
)
def test_lines_of_the_log(line: str, said: object) -> None:
    assert read_line(line) == said


@given(st.text())
def test_any_line_is_survived(line: str) -> None:
    read_line(line)


@pytest.mark.parametrize(
    ("began", "end", "why"),
    [
        (50.0, 100, "the only one there was"),
        (80.0, 200, "it came anew after the renewal"),
        (None, 100, "nobody saw it begin: the first that runs out"),
        (5.0, 200, "before any was issued: clocks differ, the newest counts"),
    ],
)
def test_when_a_session_has_to_end(began: float | None, end: int, why: str) -> None:
    renewed = [certificate(10, 100), certificate(70, 200), certificate(75, 900, revoked=True)]
    assert runs_out(renewed, began) == end, why
    assert runs_out([], began) is None


def test_each_end_is_told_once() -> None:
    sessions = Sessions()
    machines = {"no1": [certificate(10, 100)], "no2": [certificate(10, 100), certificate(70, 200)]}
    sessions.began("no1", 50)
    sessions.began("no2", 80)
    assert sessions.due(machines, 99) == []
    assert sessions.due(machines, 100) == ["no1"]
    assert sessions.due(machines, 150) == []
    assert sessions.due(machines, 200) == ["no2"]
    sessions.connected()
    assert sessions.due(machines, 201) == ["no2"], "unseen beginnings: the older one's end as well"


def test_a_fight_is_told_from_a_reconnect() -> None:
    watch = Takeovers()
    assert not watch.taken("no1", 0)
    assert not watch.taken("no1", TAKEOVER_SECONDS)
    assert not watch.taken("no1", TAKEOVER_SECONDS + 1), "three, but not within a minute"
    assert watch.taken("no1", TAKEOVER_SECONDS + 2)
    assert watch.fighting(TAKEOVER_SECONDS + 3) == ["no1"]
    assert not watch.taken("no1", TAKEOVER_SECONDS + 4), "told already"
    assert watch.fighting(TAKEOVER_SECONDS + QUIET_SECONDS + 3) == []


@pytest.mark.parametrize(
    ("boots", "fight"),
    [("aaaa", False), ("abcd", False), ("aba", True), ("aab", False), ("aabba", True)],
)
def test_boots_that_alternate_are_two_agents(boots: str, fight: bool) -> None:
    watch = Takeovers()
    told = [watch.born("no1", boot, at) for at, boot in enumerate(boots)]
    assert any(told) is fight
    slow = Takeovers()
    told = [slow.born("no1", boot, at * 100.0) for at, boot in enumerate(boots)]
    assert not any(told)


def test_a_cut_is_known_once_the_broker_carried_it_out() -> None:
    cuts = Cuts()
    assert not cuts.waits("no1")
    cuts.asked("no1", 10.0)
    cuts.done("no2", 11.0)  # nobody asked for that one
    assert (cuts.waits("no1"), cuts.at("no1"), cuts.at("no2")) == (True, None, None)
    cuts.done("no1", 11.0)
    assert (cuts.waits("no1"), cuts.at("no1")) == (False, 11.0)
    cuts.asked("no1", 12.0)
    assert cuts.waits("no1"), "revoked again, after it was enrolled again"
    cuts.over("no1")
    cuts.done("no1", 13.0)
    assert (cuts.waits("no1"), cuts.at("no1")) == (False, None)
