"""Figures and sentences, in both languages; the browser's copy of the rules is held to these."""

from dataclasses import replace
from pathlib import Path

import pytest

from controller.views import Evidence
from dashboards.ops import phrases, words
from dashboards.ops.language import load
from dashboards.ops.words import Words, link_mark, natural, worst_first
from tenone.vocabulary.states import Cause, EvidenceMethod, Severity, Verdict
from tests.api.fake_city import board, link

NOW = 1_790_000_000.0  # 2026-09-21 22:13:20 in Shanghai
ISLANDS = Path(words.__file__).parent / "static" / "islands"


@pytest.fixture
def en() -> Words:
    return Words(load()["en"], NOW)


@pytest.fixture
def zh() -> Words:
    return Words(load()["zh-CN"], NOW)


@pytest.mark.parametrize(
    ("mbps", "text"),
    [
        (None, "–"),
        (10, "10 Mbit/s"),
        (100, "100 Mbit/s"),
        (999, "999 Mbit/s"),
        (1000, "1 Gbit/s"),
        (2500, "2.5 Gbit/s"),
        (10_000, "10 Gbit/s"),
        (25_000, "25 Gbit/s"),
        (400_000, "400 Gbit/s"),
    ],
)
def test_speeds(mbps: int | None, text: str) -> None:
    assert Words.speed(mbps) == text


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (None, "never", "从未"),
        (-3, "0 s ago", "0 秒前"),
        (0.9, "0 s ago", "0 秒前"),
        (59.9, "59 s ago", "59 秒前"),
        (60, "1 min ago", "1 分钟前"),
        (3599, "59 min ago", "59 分钟前"),
        (3600, "1 h ago", "1 小时前"),
        (86399, "23 h ago", "23 小时前"),
        (86400 * 3.5, "3 d ago", "3 天前"),
    ],
)
def test_ages(en: Words, zh: Words, seconds: float | None, english: str, chinese: str) -> None:
    assert en.age(seconds) == english
    assert zh.age(seconds) == chinese


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW, "22:13"),
        (NOW - 3600 * 22, "00:13"),
        (NOW - 3600 * 23, "09-20 23:13"),
        (NOW - 86400 * 300, "11-25 22:13"),
    ],
)
def test_moments_are_the_citys(en: Words, at: float, text: str) -> None:
    assert en.clock(at) == text


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_its_words_and_its_advice(en: Words, zh: Words, cause: Cause) -> None:
    view = replace(link("s", "c-1-1", "1-1", NOW), causes=(cause,), negotiated_mbps=100)
    for language in (en, zh):
        assert language.why(view)
        assert "%" not in language.why(view)
        assert language.advice(view)
    assert en.why(view) != zh.why(view)
    assert cause in phrases.CAUSES
    assert cause in phrases.ADVICE


def test_the_first_cause_is_named(en: Words) -> None:
    view = replace(
        link("s", "c-1-1", "1-1", NOW), causes=(Cause.SPEED, Cause.DUPLEX), negotiated_mbps=10
    )
    assert en.why(view) == "10 Mbit/s instead of 1 Gbit/s"
    assert en.whys(view) == "10 Mbit/s instead of 1 Gbit/s, half duplex"
    assert en.whys(replace(view, causes=())) == ""


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "ok"),
        ({"verified": False}, "unverified"),
        ({"stale": True}, "stale"),
        ({"stale": True, "verified": False}, "stale"),
        ({"stale": True, "verdict": Verdict.BAD, "severity": Severity.CRITICAL}, "stale"),
        ({"verdict": Verdict.UNKNOWN}, "unknown"),
        ({"verdict": Verdict.UNKNOWN, "stale": True}, "unknown"),
        ({"verdict": Verdict.BAD, "severity": Severity.INFO}, "warn"),
        ({"verdict": Verdict.BAD, "severity": Severity.WARNING}, "warn"),
        ({"verdict": Verdict.BAD, "severity": Severity.CRITICAL}, "crit"),
    ],
)
def test_marks(changes: dict[str, object], kind: str) -> None:
    assert link_mark(link("s", "c-1-1", "1-1", NOW, **changes)) == kind


@pytest.mark.parametrize(
    ("online", "stale", "mark", "word"),
    [
        (True, False, "ok", "online"),
        (False, False, "warn", "offline"),
        (None, False, "unknown", "unknown"),
        (True, True, "unknown", "unknown"),
    ],
)
def test_boards(en: Words, online: bool | None, stale: bool, mark: str, word: str) -> None:
    view = board("s", "b-1", NOW, online=online, stale=stale)
    assert (words.board_mark(view), en.online(view)) == (mark, word)


def test_order_is_worst_first_then_as_people_count() -> None:
    rooms = ["c-1-10", "c-1-9", "c-10-1", "c-2-1"]
    good = [link("s", room, room, NOW) for room in rooms]
    up = link("s", "uplink", "up", NOW)
    bad = link("s", "c-9-9", "x", NOW, verdict=Verdict.BAD, severity=Severity.WARNING)
    worse = replace(bad, id="s/c-9-8", severity=Severity.CRITICAL)
    dark = link("s", "c-9-7", "x", NOW, verdict=Verdict.UNKNOWN)
    ids = [view.id for view in worst_first([*good, dark, up, bad, worse])]
    assert ids == [
        f"s/{name}"
        for name in ["c-9-8", "c-9-9", "c-9-7", "uplink", "c-1-9", "c-1-10", "c-2-1", "c-10-1"]
    ]


@pytest.mark.parametrize("text", ["", "a", "12", "a1b22", "班3-2"])
def test_natural_order_compares_anything(text: str) -> None:
    assert sorted([natural("7x"), natural(text), natural("x7")])


def test_methods_have_words(en: Words) -> None:
    for method in EvidenceMethod:
        assert en.method(Evidence(method=method, age_seconds=1).method) == method.value


def test_islands_are_short() -> None:
    for path in ISLANDS.glob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 300, path.name
