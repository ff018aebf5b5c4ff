"""Sentences of repairs: everything that can be has words in both languages."""

import re
from dataclasses import replace
from string import Formatter

import pytest

from controller.api.problems import Problem
from controller.enforcement.model import Course, CourseStep, GuardName, Held
from controller.enforcement.sentences import MENDED
from controller.trust.approval_model import ActionState
from dashboards.ops import repair_phrases as p
from dashboards.ops.language import load
from dashboards.ops.repair_words import FIELDS, STEP_MARKS, RepairWords
from dashboards.ops.words import Words
from drivers.cli.dialect import CableState
from tenone.trust.approval import Risk
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import ENGLISH, Saying, joined, said
from tests.api.fake_enforcement import PROVED, UNDONE, FakeEnforcement, action, steps

NOW = 1_790_000_000.0
LANGUAGES = load()


def words(language: str = "en") -> RepairWords:
    return RepairWords(Words(LANGUAGES[language], NOW))


def test_everything_has_a_phrase() -> None:
    assert set(p.INTENTS) == set(Intent)
    assert set(p.MODES) == set(Mode)
    assert set(p.GUARDS) == set(GuardName)
    assert set(p.GUARDS_MORE) <= set(GuardName)
    assert set(p.STATES) == set(ActionState)
    assert set(p.STEPS) == set(RepairStep) == set(STEP_MARKS)
    assert set(p.CABLE_STATES) == set(CableState)
    assert set(p.SAYINGS) == set(Saying)


@pytest.mark.parametrize("guard", GuardName)
def test_a_guard_is_said_in_both_languages_with_what_is_known(guard: GuardName) -> None:
    fields = FIELDS.findall(p.GUARDS_MORE.get(guard, ""))
    bare = Held(guard, "It is so.")
    full = Held(guard, "It is so.", {name: f"<{name}>" for name in fields})
    for language in ("en", "zh-CN"):
        said = words(language)
        assert said.guard(bare)
        assert all(f"<{name}>" in said.guard(full) for name in fields)
    assert words("zh-CN").guard(bare) != words().guard(bare)
    assert words().precisely(bare) == "It is so."
    assert words("zh-CN").precisely(bare) == ""


def test_who_stopped_it_is_a_name_without_the_session() -> None:
    held = Held(GuardName.STOPPED, "", {"by": "Wang (account:wang)", "reason": "exam"})
    assert words().guard(held) == "the red stop stands: Wang, exam"


@pytest.mark.parametrize(
    ("steps_", "state", "mark", "said"),
    [
        ((RepairStep.BEGUN, RepairStep.PROVED, RepairStep.DONE), ActionState.DONE, "ok", p.PROVED),
        ((RepairStep.BEGUN, RepairStep.DONE), ActionState.DONE, "ok", "done"),
        ((RepairStep.UNDOING, RepairStep.UNDONE), ActionState.FAILED, "warn", p.PUT_BACK),
        ((RepairStep.UNDOING, RepairStep.STUCK), ActionState.UNKNOWN, "crit", p.STUCK),
        ((RepairStep.BEGUN,), ActionState.STARTED, "unverified", "under way"),
    ],
)
def test_how_it_stands(
    steps_: tuple[RepairStep, ...], state: ActionState, mark: str, said: str
) -> None:
    course = Course(action="a", intent="x", school="no3", link=None, steps=steps(NOW, *steps_))
    one = action(NOW, state=state)
    assert words().state(one, course) == said
    assert words().mark(one, course) == mark
    assert words().state(one, None) == p.STATES[state]


@pytest.mark.parametrize("saying", [one for one in Saying if one is not Saying.WORDS])
def test_what_an_agent_says_is_said_in_both_languages(saying: Saying) -> None:
    values = {name: f"<{name}>" for _, name, _, _ in Formatter().parse(ENGLISH[saying]) if name}
    sentence = joined(said(saying, **values), "core: refused")
    course = replace(
        FakeEnforcement(NOW).courses[PROVED],
        steps=(
            CourseStep(
                step=RepairStep.DONE, at=NOW, sentence=sentence, transcript="",
                clauses=sentence.clauses,
            ),
        ),
    )  # fmt: skip
    for language, mark in (("en", "; core: refused"), ("zh-CN", "；core: refused")):
        shown = next(one for one in words(language).course(course) if one.sentence)
        assert shown.sentence.endswith(mark)
        assert not shown.english
        known = set(FIELDS.findall(p.SAYINGS[saying])) - {"intent"}
        assert all(f"<{name}>" in shown.sentence for name in known)
        assert bool(re.search("[\u4e00-\u9fff]", shown.sentence)) == (language == "zh-CN")


def test_what_an_older_agent_says_stands_as_it_is() -> None:
    shown = words("zh-CN").course(FakeEnforcement(NOW).courses[PROVED])
    assert all(one.english for one in shown if one.sentence)


def test_what_the_controller_itself_says_of_an_end_is_said_in_both_languages() -> None:
    mended = action(NOW, state=ActionState.WITHDRAWN, outcome=MENDED)
    assert words().outcome(mended) == MENDED
    assert words("zh-CN").outcome(mended) == "链路已恢复正常，TenOne 已撤回申请。"
    assert not words().is_foreign(mended)
    other = action(NOW, state=ActionState.FAILED, outcome="The switch said no.")
    assert words("zh-CN").outcome(other) == "The switch said no."
    assert words("zh-CN").is_foreign(other)


def test_a_course_tells_fault_verdict_steps_and_proof_in_order() -> None:
    course = FakeEnforcement(NOW).courses[PROVED]
    told = words().course(course)
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert told[0].text == "The link went bad"
    assert (told[1].text, told[1].after) == ("TenOne knew it", "2.0 s after the fault")
    assert told[-1].text == "The controller's own verdict was good for the hold"
    assert words().short(course) == [
        "known after 2.0 s", "begun after 20.0 s", "proved after 23.0 s"
    ]  # fmt: skip
    assert "故障后 2.0 秒" in words("zh-CN").course(course)[1].after
    broken = words().course(FakeEnforcement(NOW).courses[UNDONE])
    assert broken[-1].pairs == ["Pair C: broken"]


@pytest.mark.parametrize(
    ("cable", "said"),
    [
        ('[{"name": "A", "state": "open", "metres": 12.5}]', ["Pair A: broken, 12.5 m"]),
        ('{"pairs": [{"name": "cable", "state": "short"}]}', ["Cable: shorted"]),
        ('[{"name": "cable", "state": "ok", "metres": 3}]', ["Cable: sound, 3 m"]),
        ('[{"name": "B", "state": "odd", "metres": "x"}, 3]', ["Pair B: not said"]),
        ('{"pairs": 3}', []),
        ("{", []),
        ("", []),
    ],
)
def test_cable_tests(cable: str, said: list[str]) -> None:
    assert words().pairs(cable) == said


@pytest.mark.parametrize(
    ("intent", "parameters", "said"),
    [
        (Intent.BOUNCE_PORT, {}, p.BACK_PROOF),
        (Intent.QUARANTINE, {}, f"{p.BACK_PROOF} Taken back by: Release the port from quarantine."),
        (Intent.CABLE_DIAGNOSIS, {}, p.BACK_NOTHING),
        (Intent.EXAM_PRIORITY, {"until_ms": str(int(NOW * 1000))}, "It ends by itself at "),
        (Intent.EXAM_PRIORITY, {"until_ms": "9" * 400}, "It ends by itself at 999"),
        (Intent.EXAM_PRIORITY, {}, p.BACK_PROOF),
        ("port.renegotiate", {}, ""),
    ],
)
def test_what_puts_it_back(intent: str, parameters: dict[str, str], said: str) -> None:
    one = action(NOW, intent=str(intent), parameters=parameters)
    assert words().back(one).startswith(said)
    assert bool(words().back(one)) == bool(said)
    assert words().intent(str(intent))
    assert bool(words().effect(str(intent))) == bool(said)


def test_a_plan_is_told_by_what_its_lines_are_for() -> None:
    lines = ("do: interface G1", "do: speed auto", "undo: speed 100", "note: x", "exit")
    found = words().parts(lines)
    assert found == [
        ("The change", ["interface G1", "speed auto"]),
        ("If it does not help: the way back", ["speed 100"]),
        ("", ["note: x", "exit"]),
    ]
    assert words("zh-CN").parts(lines)[0][0] == "改动"


def test_who_asked_and_approved() -> None:
    assert words().who("system:enforcement", "") == "TenOne"
    assert words().who("standing:0123", "") == "the city's rules and the school's consent"
    assert words().who("account:li/1", "李明") == "李明"
    assert words().who("account:li/1", "") == "account:li/1"
    assert words().risk(Risk.HIGH) != words().risk(Risk.ORDINARY)
    assert words().took(600) == "10 min"
    assert words().is_own(action(NOW, requester="system:enforcement"))
    assert not words().is_own(action(NOW))
    course = FakeEnforcement(NOW).courses[PROVED]
    assert words().told(course, "Done.")
    assert not words().told(course, "Proved after 3.1 s.")
    assert not words().told(None, "Done.")


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (("binhai", 1, 1, 1), "Stopped: nothing is repaired in binhai"),
        (("", 1, 1, 1), "One repair waits for approval"),
        (("", 2, 0, 0), "2 repairs wait for approval"),
        (("", 0, 1, 3), "A repair is under way"),
        (("", 0, 0, 3), "3 bad links, each with what would help"),
        (("", 0, 0, 0), "Nothing to repair"),
    ],
)
def test_the_headline_names_what_presses_most(
    figures: tuple[str, int, int, int], said: str
) -> None:
    stopped, waiting, under_way, proposed = figures
    found = words().headline(
        stopped=stopped, waiting=waiting, under_way=under_way, proposed=proposed
    )
    assert found == said


def test_refusals() -> None:
    assert words().refusal(None) == ""
    assert words().refusal(Problem(418, "")) == words().refusal(Problem(409, ""))
