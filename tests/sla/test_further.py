"""What makes a link bad besides its port: worked cases, and the columns against one row."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.further import Further, Parents, join
from controller.sla.verdict import Judgement, causes_of
from tenone.vocabulary.states import Cause, Severity, Verdict

GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN
C = Cause


@dataclass(frozen=True, kw_only=True)
class Row:
    """One link; the default is good by its port, and nothing else is known of it."""

    port: Verdict = GOOD
    why: tuple[Cause, ...] = ()
    errors: Verdict = UNKNOWN
    congestion: Verdict = UNKNOWN
    loss: Verdict = UNKNOWN
    dns: Verdict = UNKNOWN
    endpoint: Verdict = UNKNOWN
    on_battery: bool = False
    heard: bool = True
    shared: bool = False


LINK = Row()
SILENT = Row(port=UNKNOWN, why=(C.SWITCH_SILENT, C.STALE))
DOWN = Row(port=BAD, why=(C.LINK_DOWN,))


def codes(rows: list[Row], name: str) -> np.ndarray:
    return np.array([getattr(row, name) for row in rows], np.int8)


def flags(rows: list[Row], name: str) -> np.ndarray:
    return np.array([getattr(row, name) for row in rows], np.bool_)


def no_parents() -> Parents:
    return Parents(np.zeros(0, np.int64), np.zeros(0, np.int64))


def judged(rows: list[Row], parents: Parents | None = None) -> Judgement:
    blank = np.zeros(len(rows), np.bool_)
    ports = Judgement(
        verdict=codes(rows, "port"),
        severity=np.zeros(len(rows), np.uint8),
        causes=np.array([sum(1 << cause for cause in row.why) for row in rows], np.uint64),
        stale=blank,
        duplex_by_standard=blank,
    )
    names = ("errors", "congestion", "loss", "dns", "endpoint")
    further = Further(
        **{name: codes(rows, name) for name in names}, on_battery=flags(rows, "on_battery")
    )
    return join(
        ports,
        further,
        parents or no_parents(),
        heard=flags(rows, "heard"),
        shared=flags(rows, "shared"),
    )


def told(row: Row) -> tuple[Verdict, int, list[Cause]]:
    found = judged([row])
    causes = list(causes_of(int(found.causes[0])))
    return Verdict(int(found.verdict[0])), int(found.severity[0]), causes


@pytest.mark.parametrize(
    ("row", "verdict", "severity_", "causes"),
    [
        (LINK, GOOD, 0, []),
        (replace(LINK, loss=GOOD, dns=GOOD, errors=GOOD), GOOD, 0, []),
        (replace(LINK, errors=BAD), BAD, 2, [C.ERRORS]),
        (replace(LINK, errors=BAD, shared=True), BAD, 3, [C.ERRORS]),
        (replace(LINK, congestion=BAD), BAD, 1, [C.CONGESTION]),
        (replace(LINK, loss=BAD, congestion=BAD), BAD, 2, [C.CONGESTION, C.LOSS]),
        (replace(LINK, dns=BAD), BAD, 2, [C.DNS]),
        (replace(LINK, endpoint=BAD), BAD, 1, [C.ENDPOINT]),
        # Unknown stays unknown, unless something is known to be broken.
        (SILENT, UNKNOWN, 0, [C.SWITCH_SILENT, C.STALE]),
        (replace(SILENT, loss=BAD), BAD, 2, [C.LOSS]),
        (replace(SILENT, loss=BAD, heard=False), UNKNOWN, 0, [C.SWITCH_SILENT, C.STALE]),
        (Row(port=UNKNOWN, why=(C.SPEED_UNKNOWN,), errors=BAD), BAD, 2, [C.ERRORS]),
        # Power explains silence and darkness, nothing else.
        (replace(SILENT, on_battery=True), BAD, 3, [C.POWER]),
        (replace(DOWN, on_battery=True), BAD, 3, [C.POWER, C.LINK_DOWN]),
        (replace(LINK, on_battery=True), GOOD, 0, []),
        (Row(port=BAD, why=(C.SPEED,), on_battery=True), BAD, 2, [C.SPEED]),
        (Row(port=BAD, why=(C.SPEED,), errors=BAD), BAD, 2, [C.SPEED, C.ERRORS]),
        (replace(SILENT, on_battery=True, heard=False), UNKNOWN, 0, [C.SWITCH_SILENT, C.STALE]),
    ],
)
def test_cases(row: Row, verdict: Verdict, severity_: int, causes: list[Cause]) -> None:
    assert told(row) == (verdict, severity_, causes)


UPLINK = Row(port=BAD, why=(C.LINK_DOWN,), shared=True)


@pytest.mark.parametrize(
    ("rows", "edges", "expected"),
    [
        # rows; (child, parent); who is bad by the uplink
        ([UPLINK, LINK], [(1, 0)], [False, True]),
        ([LINK, LINK], [(1, 0)], [False, False]),
        ([UPLINK, LINK, LINK], [(2, 0), (2, 1)], [False, False, False]),  # one of two is enough
        ([UPLINK, UPLINK, LINK], [(2, 0), (2, 1)], [False, False, True]),
        ([UPLINK, LINK, LINK], [(1, 0), (2, 1)], [False, True, True]),  # behind a backbone link
        ([UPLINK, SILENT], [(1, 0)], [False, True]),
        ([UPLINK, DOWN], [(1, 0)], [False, True]),
        ([UPLINK, replace(LINK, heard=False)], [(1, 0)], [False, False]),
        ([replace(UPLINK, why=(C.SPEED,)), LINK], [(1, 0)], [False, False]),  # slow, but it carries
        ([SILENT, LINK], [(1, 0)], [False, False]),  # unknown is not down
        ([LINK, LINK], [(1, 0), (0, 1)], [False, False]),  # a ring cuts nobody off
        ([UPLINK, LINK], [], [False, False]),  # unknown topology means reachable
    ],
)
def test_uplink(rows: list[Row], edges: list[tuple[int, int]], expected: list[bool]) -> None:
    table = np.array(edges, np.int64).reshape(-1, 2)
    found = judged(rows, Parents(table[:, 0], table[:, 1]))
    cut = [C.UPLINK in causes_of(int(mask)) for mask in found.causes]
    assert cut == expected
    for number, is_cut in enumerate(cut):
        if is_cut:
            assert found.verdict[number] == BAD
            if rows[number] is LINK:
                assert found.severity[number] == Severity.INFO, "its parent carries the severity"


verdicts = st.sampled_from(Verdict)
rows_ = st.lists(
    st.builds(
        Row,
        port=verdicts,
        errors=verdicts,
        congestion=verdicts,
        loss=verdicts,
        dns=verdicts,
        endpoint=verdicts,
        on_battery=st.booleans(),
        heard=st.booleans(),
        shared=st.booleans(),
    ).map(
        lambda row: replace(
            row, why={BAD: (C.LINK_DOWN,), GOOD: (), UNKNOWN: (C.SWITCH_SILENT,)}[row.port]
        )
    ),
    max_size=6,
)


@given(rows_)
def test_a_row_is_judged_alike_among_others(rows: list[Row]) -> None:
    found = judged(rows)
    for number, row in enumerate(rows):
        alone = judged([row])
        for name in ("verdict", "severity", "causes"):
            assert getattr(found, name)[number] == getattr(alone, name)[0]
        measured = (row.errors, row.congestion, row.loss, row.dns, row.endpoint)
        if row.heard and BAD in measured:
            assert found.verdict[number] == BAD
        elif not row.on_battery:
            assert found.verdict[number] == row.port
