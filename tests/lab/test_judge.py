"""The judge can say no: wrong repairs and hasty claims are found in a record written by hand."""

import json
from pathlib import Path

import pytest

from tests.lab.duplex import COLUMN, wanted
from tests.lab.faults import Fault, Injected
from tests.lab.rounds import Round, judge, table
from tests.lab.truth import Truth

HOLD = 1.2


def line(at: float, port: str = "c1", *, good: bool, **more: object) -> str:
    speed = 1000 if good else None
    told = {
        "mono": at, "wall": 1000 + at, "port": port, "good": good, "speed": speed,
        "full": speed and True, "up": True, "autoneg": True, "forced": None, "cable": [],
    }  # fmt: skip
    return json.dumps(told | more) + "\n"


BEGINNING = [line(0, good=True), line(0, "c2", good=True)]
FORCED = line(10, good=False, autoneg=False, forced=100)
STOOD = line(11.5, good=False, autoneg=False, forced=100, speed=100, full=True)
REPAIRED = line(13, good=False)
GOOD = line(14.5, good=True)


def judged(
    tmp_path: Path, lines: list[str], *, done: float | None = None, fault: Fault = Fault.FORCED_100
) -> Round:
    path = tmp_path / "truth"
    path.write_text("".join(BEGINNING + lines) + '{"torn')
    made = Round(fault=fault, port="c1", at=1010)
    if done is not None:
        made.proof = 1000 + done
        made.steps = ["begun", "applied", "good", "proved", "done"]
    judge(made, Truth(path), Injected(fault, "c1", 10, 1010), hold_seconds=HOLD)
    return made


def test_a_repair_as_it_should_be(tmp_path: Path) -> None:
    made = judged(tmp_path, [FORCED, STOOD, REPAIRED, GOOD], done=15.8)
    assert (made.stood, made.repair) == (1011.5, 1013)
    assert not made.wrong
    assert not made.without_hold
    assert made.ended_well
    assert "5.80 (5.80)" in table([made])


@pytest.mark.parametrize(
    ("lines", "done"),
    [
        ([FORCED, STOOD, REPAIRED, GOOD], 15.6),  # 0.1 s early
        ([FORCED, STOOD, REPAIRED, GOOD, line(15, good=False), line(15.1, good=True)], 16.0),
        ([FORCED, STOOD, REPAIRED], 15.8),
        ([FORCED, STOOD], 15.8),
    ],
)
def test_claims_without_the_hold(tmp_path: Path, lines: list[str], done: float) -> None:
    assert judged(tmp_path, lines, done=done).without_hold


def test_a_cure_that_cannot_be(tmp_path: Path) -> None:
    lines = [FORCED, STOOD, REPAIRED, GOOD]
    assert judged(tmp_path, lines, done=15.8, fault=Fault.BAD_PAIR).without_hold


@pytest.mark.parametrize(
    "more",
    [
        line(20, good=False, up=False),  # the port itself, once it was good again
        line(12, "c2", good=False, up=False),  # another one
        line(12, "c2", good=True, autoneg=False, forced=1000),
    ],
)
def test_wrong_repairs(tmp_path: Path, more: str) -> None:
    assert judged(tmp_path, [FORCED, STOOD, REPAIRED, GOOD, more], done=15.8).wrong


def test_a_neighbour_that_only_loses_its_link_was_not_repaired(tmp_path: Path) -> None:
    made = judged(tmp_path, [FORCED, line(12, "c2", good=False), REPAIRED, GOOD], done=15.8)
    assert not made.wrong


@pytest.mark.parametrize(
    ("command", "oid", "row"),
    [
        ("get", f"{COLUMN}.3", 3),
        ("get", f"{COLUMN}.4", None),
        ("get", COLUMN, None),
        ("getnext", COLUMN, 3),
        ("getnext", f"{COLUMN}.3", 7),
        ("getnext", f"{COLUMN}.3.1", 7),
        ("getnext", f"{COLUMN}.7", None),
    ],
)
def test_the_duplex_column_is_walked_in_order(command: str, oid: str, row: int | None) -> None:
    assert wanted([3, 7], command, oid) == row
