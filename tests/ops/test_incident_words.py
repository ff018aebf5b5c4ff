"""Sentences of incidents: one for every cause, in both languages, with their figures."""

import pytest

from controller.incidents.model import Act, Event, Kind
from dashboards.ops import incident_phrases
from dashboards.ops.incident_words import IncidentWords, incident_mark, person, teller
from dashboards.ops.language import load
from dashboards.ops.words import Words
from tenone.vocabulary.states import Cause, Severity
from tests.ops.fake_incidents import several, view

NOW = 1_790_000_000.0  # 2026-09-21 22:13:20 in Shanghai


def words(tag: str) -> IncidentWords:
    return IncidentWords(Words(load()[tag], NOW))


HARM = [cause for cause in Cause if cause < Cause.AGENT_SILENT]


def test_every_cause_of_harm_has_a_sentence() -> None:
    assert set(incident_phrases.LINK) == set(HARM)
    assert set(incident_phrases.ACTS) == {act.value for act in Act}


@pytest.mark.parametrize("tag", ["en", "zh-CN"])
@pytest.mark.parametrize("cause", HARM)
@pytest.mark.parametrize("tier", ["class", "uplink"])
@pytest.mark.parametrize("figures", [{}, {"errors": 41, "speed_mbps": 100, "contract_mbps": 1000}])
def test_every_sentence_can_be_said(
    tag: str, cause: Cause, tier: str, figures: dict[str, int]
) -> None:
    said = words(tag)
    one = view(NOW, cause=cause, tier=tier, figures=figures)
    sentence = said.sentence(one)
    assert "%(" not in sentence
    assert "None" not in sentence
    assert "22:03" in sentence  # local time of the city
    assert said.advice(one)
    assert said.hurts(one)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (
            "en",
            (
                "3年2班: the port fell back to 100 Mbit/s at 22:03 after 41 damaged frames; "
                "most likely the patch cord"
            ),
        ),
        ("zh-CN", "3年2班：出现 41 个错帧后，端口在 22:03 降到 100 Mbit/s，多半是跳线的问题"),
    ],
)
def test_the_sentence_of_a_slow_class(tag: str, text: str) -> None:
    assert words(tag).sentence(view(NOW)) == text


def test_an_unknown_speed_is_not_a_figure() -> None:
    sentence = words("en").sentence(view(NOW, figures={"contract_mbps": 1000}))
    assert sentence == "3年2班: slower than the promised 1 Gbit/s since 22:03"


def test_marks() -> None:
    marks = [incident_mark(one) for one in several(NOW)]
    assert marks == ["crit", "crit", "warn", "warn", "warn"]
    waiting = view(NOW, kind=Kind.AGENT, cause=Cause.AGENT_SILENT, alarmed=None)
    assert incident_mark(waiting) == "unknown"
    assert incident_mark(view(NOW, severity=Severity.CRITICAL)) == "crit"


def test_figures_are_named() -> None:
    one = view(NOW, figures={"half": 1, "speed_mbps": 100, "contract_mbps": 1000, "errors": 3})
    assert words("en").figures(one) == [
        ("Negotiated", "100 Mbit/s"),
        ("Promised", "1 Gbit/s"),
        ("Damaged frames before it", "3"),
        ("Half duplex", "yes"),
    ]


@pytest.mark.parametrize("tag", ["en", "zh-CN"])
@pytest.mark.parametrize("act", list(Act))
def test_every_line_of_a_timeline_can_be_said(tag: str, act: Act) -> None:
    bare = Event(incident="i", at_ns=0, act=act)
    assert "%(" not in words(tag).act(bare)


def test_a_message_says_all_in_a_few_lines() -> None:
    tell = teller(lambda: NOW)
    lines = tell(several(NOW)[0], "en").splitlines()
    assert lines[0] == "第五小学: The uplink of 第五小学 has been down since 22:03"
    assert lines[1] == "18 classes are behind it: 1年1班, 1年2班 and more"
    assert len(lines) == 4
    assert tell(several(NOW)[0], "zh-CN").startswith("第五小学: 第五小学的上联自 22:03 起中断")


@pytest.mark.parametrize(
    ("who", "name"),
    [("Li (operator 1a2b3c4d)", "Li"), ("configuration", "configuration"), ("system", "TenOne")],
)
def test_a_name_without_its_session(who: str, name: str) -> None:
    assert person(who) == name


def test_what_tenone_wrote_is_read_in_the_language_of_the_page() -> None:
    event = Event(
        incident="i", at_ns=0, act=Act.COMMENTED, who="system",
        fields={"text": "Carry a patch cord.", "text_zh": "请带跳线。"},
    )  # fmt: skip
    assert words("en").said(event) == "Carry a patch cord."
    assert words("zh-CN").said(event) == "请带跳线。"


OPEN = (
    '[{"pair": "A", "state": "ok", "metres": null}, {"pair": "C", "state": "open", "metres": 12}]'
)
SHORT = '[{"pair": "B", "state": "short", "metres": null}]'
WELL = '[{"pair": "A", "state": "ok", "metres": null}]'


@pytest.mark.parametrize("cause", [Cause.SPEED, Cause.ERRORS, Cause.LINK_DOWN])
@pytest.mark.parametrize(
    ("tag", "cable", "headline", "advice"),
    [
        ("en", OPEN, "pair C broken, 12 m from the switch", "pair C broken, 12 m from the switch."),
        ("zh-CN", OPEN, "C 线对断路，距交换机 12 米", "距交换机 12 米"),
        ("en", SHORT, "pair B shorted", "Exchange the patch cords at both ends"),
        ("en", WELL, "no bad pair", "not at the cords"),
    ],
)
def test_what_the_cable_test_says_stands_before_what_is_likely(
    tag: str, cause: Cause, cable: str, headline: str, advice: str
) -> None:
    one = view(NOW, cause=cause, cable=cable)
    assert words(tag).sentence(one).endswith(headline)
    assert advice in words(tag).advice(one)
    assert "patch cord" not in words(tag).sentence(one)


@pytest.mark.parametrize("cable", ["", "{", "[]", "null", '[{"pair": "A", "state": "unknown"}]'])
def test_a_cable_test_that_says_nothing_changes_nothing(cable: str) -> None:
    assert words("en").advice(view(NOW, cable=cable)) == words("en").advice(view(NOW))
    assert words("en").sentence(view(NOW, cable=cable)) == words("en").sentence(view(NOW))


@pytest.mark.parametrize("tag", ["en", "zh-CN"])
def test_under_repair_is_said(tag: str) -> None:
    one = view(NOW, repair="a-1")
    assert "under-repair" in one.states
    assert words(tag).state("under-repair") in words(tag).standing(one)[0]
