"""SLA.md 3: worked cases, and the columns against a scalar reading of the text."""

import math
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.verdict import Evidence, causes_of, judge
from tenone.vocabulary.states import Cause, Severity, Verdict

TYPES = {
    "bound": np.bool_,
    "seen": np.bool_,
    "present": np.bool_,
    "agent_heard": np.bool_,
    "reachable": np.int8,
    "age_seconds": np.float64,
    "stale_after_seconds": np.float64,
    "admin": np.uint8,
    "oper": np.uint8,
    "speed_mbps": np.uint32,
    "duplex": np.uint8,
    "contract_mbps": np.uint32,
    "shared": np.bool_,
    "virtual": np.bool_,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One link, as scalars; the default is a good 1G class link."""

    bound: bool = True
    seen: bool = True
    present: bool = True
    agent_heard: bool = True
    reachable: int = 1
    age_seconds: float = 2.0
    stale_after_seconds: float = 30.0
    admin: int = 1
    oper: int = 1
    speed_mbps: int = 1000
    duplex: int = 3
    contract_mbps: int = 1000
    shared: bool = False
    virtual: bool = False


GOOD = Row()
UPLINK = Row(speed_mbps=10_000, contract_mbps=10_000, shared=True)


def evidence(rows: list[Row]) -> Evidence:
    return Evidence(
        **{
            field.name: np.array([getattr(row, field.name) for row in rows], TYPES[field.name])
            for field in fields(Row)
        }
    )


CASES = [
    # what, the link, verdict, severity, causes
    ("as promised", GOOD, "good", 0, []),
    ("exactly the contract", replace(GOOD, speed_mbps=1000), "good", 0, []),
    ("faster is never a breach", replace(GOOD, speed_mbps=2500), "good", 0, []),
    ("one less", replace(GOOD, speed_mbps=999), "bad", 2, [Cause.SPEED]),
    ("class at 100M", replace(GOOD, speed_mbps=100), "bad", 2, [Cause.SPEED]),
    ("100M half", replace(GOOD, speed_mbps=100, duplex=2), "bad", 2, [Cause.SPEED, Cause.DUPLEX]),
    (
        "100M half as promised 100M",
        replace(GOOD, speed_mbps=100, contract_mbps=100, duplex=2),
        "bad",
        2,
        [Cause.DUPLEX],
    ),
    (
        "half at 1G is the agent's error",
        replace(GOOD, duplex=2),
        "unknown",
        0,
        [Cause.DUPLEX_UNKNOWN],
    ),
    ("half at 10G as well", replace(UPLINK, duplex=2), "unknown", 0, [Cause.DUPLEX_UNKNOWN]),
    (
        "half, speed unknown",
        replace(GOOD, duplex=2, speed_mbps=0),
        "unknown",
        0,
        [Cause.SPEED_UNKNOWN, Cause.DUPLEX_UNKNOWN],
    ),
    ("duplex unknown(1)", replace(GOOD, duplex=1), "unknown", 0, [Cause.DUPLEX_UNKNOWN]),
    ("no duplex row at 1G", replace(GOOD, duplex=0), "good", 0, []),
    (
        "no duplex row at 100M",
        replace(GOOD, duplex=0, speed_mbps=100, contract_mbps=100),
        "unknown",
        0,
        [Cause.DUPLEX_UNKNOWN],
    ),
    ("no duplex row at 2.5G", replace(GOOD, duplex=0, speed_mbps=2500), "good", 0, []),
    ("duplex unknown(1) at 10G", replace(UPLINK, duplex=1), "good", 0, []),
    ("slow whatever the duplex", replace(GOOD, speed_mbps=100, duplex=1), "bad", 2, [Cause.SPEED]),
    ("speed 0 on an up port", replace(GOOD, speed_mbps=0), "unknown", 0, [Cause.SPEED_UNKNOWN]),
    ("oper down", replace(GOOD, oper=2), "bad", 3, [Cause.LINK_DOWN]),
    ("oper testing", replace(GOOD, oper=3), "bad", 3, [Cause.LINK_DOWN]),
    ("oper unknown(4)", replace(GOOD, oper=4), "unknown", 0, [Cause.OPER_UNKNOWN]),
    ("oper dormant", replace(GOOD, oper=5), "bad", 3, [Cause.LINK_DOWN]),
    ("oper notPresent", replace(GOOD, oper=6), "bad", 3, [Cause.LINK_DOWN]),
    ("oper lowerLayerDown", replace(GOOD, oper=7), "bad", 3, [Cause.LINK_DOWN]),
    ("oper never said", replace(GOOD, oper=0), "unknown", 0, [Cause.OPER_UNKNOWN]),
    ("oper outside the MIB", replace(GOOD, oper=8), "unknown", 0, [Cause.OPER_UNKNOWN]),
    (
        "down at half of the speed is down alone",
        replace(GOOD, oper=2, speed_mbps=100, duplex=2),
        "bad",
        3,
        [Cause.LINK_DOWN],
    ),
    ("admin down", replace(GOOD, admin=2, oper=2, speed_mbps=0), "bad", 2, [Cause.CONFIGURATION]),
    ("admin down, oper not said", replace(GOOD, admin=2, oper=0), "bad", 2, [Cause.CONFIGURATION]),
    ("admin testing", replace(GOOD, admin=3), "bad", 2, [Cause.CONFIGURATION]),
    ("admin not said", replace(GOOD, admin=0), "good", 0, []),
    ("uplink as promised", UPLINK, "good", 0, []),
    ("uplink at 1G", replace(UPLINK, speed_mbps=1000), "bad", 3, [Cause.SPEED]),
    ("uplink shut", replace(UPLINK, admin=2, oper=2), "bad", 3, [Cause.CONFIGURATION]),
    ("fresh to the last second", replace(GOOD, age_seconds=30.0), "good", 0, []),
    ("stale", replace(GOOD, age_seconds=30.001), "unknown", 0, [Cause.STALE]),
    (
        "a stale breach is unknown too",
        replace(GOOD, age_seconds=31.0, oper=2),
        "unknown",
        0,
        [Cause.STALE],
    ),
    ("age that is no number", replace(GOOD, age_seconds=math.nan), "unknown", 0, [Cause.STALE]),
    ("silent switch", replace(GOOD, reachable=0), "unknown", 0, [Cause.SWITCH_SILENT]),
    ("switch never heard of, port seen", replace(GOOD, reachable=-1), "good", 0, []),
    ("silent agent", replace(GOOD, agent_heard=False), "unknown", 0, [Cause.AGENT_SILENT]),
    (
        "silent agent, then stale",
        replace(GOOD, agent_heard=False, age_seconds=99.0),
        "unknown",
        0,
        [Cause.AGENT_SILENT, Cause.STALE],
    ),
    ("a VLAN", replace(GOOD, virtual=True, present=False), "unknown", 0, [Cause.VIRTUAL_PORT]),
    ("port missing", replace(GOOD, present=False), "unknown", 0, [Cause.PORT_MISSING]),
    (
        "never seen",
        replace(GOOD, seen=False, age_seconds=math.inf),
        "unknown",
        0,
        [Cause.NEVER_SEEN],
    ),
    (
        "never seen, agent silent",
        replace(GOOD, seen=False, age_seconds=math.inf, agent_heard=False),
        "unknown",
        0,
        [Cause.AGENT_SILENT, Cause.NEVER_SEEN],
    ),
    (
        "not bound",
        replace(GOOD, bound=False, seen=False, agent_heard=False),
        "unknown",
        0,
        [Cause.NOT_BOUND],
    ),
]


@pytest.mark.parametrize(
    ("row", "verdict", "severity", "causes"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_worked_case(row: Row, verdict: str, severity: int, causes: list[Cause]) -> None:
    judged = judge(evidence([row]))
    assert Verdict(int(judged.verdict[0])).label == verdict
    assert Severity(int(judged.severity[0])) == severity
    assert list(causes_of(int(judged.causes[0]))) == causes


@pytest.mark.parametrize(
    ("row", "marked"),
    [
        (replace(UPLINK, duplex=0), True),
        (replace(UPLINK, duplex=1), True),
        (UPLINK, False),
        (replace(GOOD, duplex=0), True),
        (replace(GOOD, duplex=1), False),
        (replace(UPLINK, duplex=0, oper=2), False),
        (replace(UPLINK, duplex=0, age_seconds=99.0), False),
    ],
)
def test_full_by_standard_is_marked(row: Row, *, marked: bool) -> None:
    assert bool(judge(evidence([row])).duplex_by_standard[0]) is marked


def reference(row: Row) -> tuple[Verdict, Severity, list[Cause]]:  # noqa: PLR0911 - the text's order
    """SLA.md read aloud, one link at a time."""
    if not row.bound:
        return Verdict.UNKNOWN, Severity.NONE, [Cause.NOT_BOUND]
    unseen = []
    if not row.agent_heard:
        unseen.append(Cause.AGENT_SILENT)
    if row.reachable == 0:
        unseen.append(Cause.SWITCH_SILENT)
    if row.seen and not row.age_seconds <= row.stale_after_seconds:
        unseen.append(Cause.STALE)
    if row.virtual:
        unseen.append(Cause.VIRTUAL_PORT)
    elif not row.present:
        unseen.append(Cause.PORT_MISSING)
    elif not row.seen:
        unseen.append(Cause.NEVER_SEEN)
    if unseen:
        return Verdict.UNKNOWN, Severity.NONE, unseen

    critical = Severity.CRITICAL if row.shared else Severity.WARNING
    if row.admin in {2, 3}:
        return Verdict.BAD, critical, [Cause.CONFIGURATION]
    if row.oper in {2, 3, 5, 6, 7}:
        return Verdict.BAD, Severity.CRITICAL, [Cause.LINK_DOWN]
    if row.oper != 1:
        return Verdict.UNKNOWN, Severity.NONE, [Cause.OPER_UNKNOWN]
    fast = None if row.speed_mbps == 0 else row.speed_mbps >= row.contract_mbps
    if row.duplex == 3:
        full: bool | None = True
    elif row.duplex == 2:
        full = False if 0 < row.speed_mbps < 1000 else None
    else:
        sure = row.speed_mbps > 1000 or (row.speed_mbps == 1000 and row.duplex == 0)
        full = True if sure else None
    breaches = [
        cause for cause, held in ((Cause.SPEED, fast), (Cause.DUPLEX, full)) if held is False
    ]
    if breaches:
        return Verdict.BAD, critical, breaches
    doubts = [
        cause
        for cause, held in ((Cause.SPEED_UNKNOWN, fast), (Cause.DUPLEX_UNKNOWN, full))
        if held is None
    ]
    return (Verdict.UNKNOWN if doubts else Verdict.GOOD), Severity.NONE, doubts


ROWS = st.builds(
    Row,
    bound=st.booleans(),
    seen=st.booleans(),
    present=st.booleans(),
    agent_heard=st.booleans(),
    reachable=st.sampled_from([-1, 0, 1]),
    age_seconds=st.floats(0, 60) | st.sampled_from([math.inf, math.nan, 30.0]),
    stale_after_seconds=st.just(30.0),
    admin=st.integers(0, 4),
    oper=st.integers(0, 9),
    speed_mbps=st.sampled_from([0, 10, 100, 999, 1000, 1001, 2500, 10_000, 2**32 - 1]),
    duplex=st.integers(0, 4),
    contract_mbps=st.sampled_from([100, 1000, 10_000]),
    shared=st.booleans(),
    virtual=st.booleans(),
)
SIGHTED = st.builds(
    Row,
    admin=st.integers(0, 4),
    oper=st.integers(0, 9) | st.just(1),
    speed_mbps=st.sampled_from([0, 10, 100, 999, 1000, 1001, 2500, 10_000, 2**32 - 1]),
    duplex=st.integers(0, 4),
    contract_mbps=st.sampled_from([100, 1000, 10_000]),
    shared=st.booleans(),
)


@given(st.lists(ROWS | SIGHTED, max_size=40))
def test_columns_equal_the_text(rows: list[Row]) -> None:
    judged = judge(evidence(rows))
    for index, row in enumerate(rows):
        verdict, severity, causes = reference(row)
        assert judged.verdict[index] == verdict
        assert judged.severity[index] == severity
        assert list(causes_of(int(judged.causes[index]))) == causes
