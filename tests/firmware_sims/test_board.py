import json
import re
from typing import Any

import pytest

from drivers.devices.board import read_message
from drivers.devices.message import Reason, Refused, parse_topic
from firmware_sims.board.board import FLOOD_MESSAGES, MEASURED, Board, Fault
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.metrics import BOARD_HEALTH
from tenone.vocabulary.states import ClockQuality


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def board(clock: ManualClock) -> Board:
    return Board("b-301", clock=clock, seed=7)


def read(board: Board, sent: Any, clock: ManualClock) -> Any:
    """The message as the agent reads it."""
    return read_message(parse_topic(sent.topic), sent.payload, clock.wall_ns() // 1_000_000)


def test_the_measured_names_are_the_vocabularys() -> None:
    from_elsewhere = {"online", "message_counter", "device_time_ms"}
    assert set(BOARD_HEALTH) - from_elsewhere == MEASURED


def test_the_agent_reads_what_a_board_says(board: Board, clock: ManualClock) -> None:
    (sent,) = board.measurements()
    sample = read(board, sent, clock)
    assert (sample.serial, sample.n) == ("b-301", 1)
    assert sample.values.keys() == MEASURED
    assert sample.clock_quality is not ClockQuality.IMPLAUSIBLE
    assert read(board, board.online(), clock).values == {"online": 1}
    assert read(board, board.will(), clock).values == {"online": 0}
    assert (sent.retain, board.online().retain, board.will().retain) == (False, True, True)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.BAD_JSON, Reason.JSON),
        (Fault.NAN, Reason.JSON),
        (Fault.UNKNOWN_FIELD, Reason.FIELD),
        (Fault.OUT_OF_RANGE, Reason.RANGE),
    ],
)
def test_spoilt_messages_are_spoilt(
    board: Board, clock: ManualClock, fault: Fault, reason: Reason
) -> None:
    board.set({"fault": fault.value})
    (sent,) = board.measurements()
    with pytest.raises(Refused) as caught:
        read(board, sent, clock)
    assert caught.value.reason is reason
    board.set({"fault": None})
    (sent,) = board.measurements()
    assert read(board, sent, clock).values


def test_other_faults(board: Board, clock: ManualClock) -> None:
    board.set({"fault": "duplicates"})
    one, two = board.measurements()
    assert one == two
    board.set({"fault": "flood"})
    assert len({sent.payload for sent in board.measurements()}) == FLOOD_MESSAGES
    board.set({"fault": "silent"})
    assert board.measurements() == []
    board.set({"fault": "clock-1970"})
    clock.advance(3)
    (sent,) = board.measurements()
    assert json.loads(sent.payload)["ts"] == 3000
    assert read(board, sent, clock).clock_quality is ClockQuality.IMPLAUSIBLE


def test_a_reboot_begins_a_new_count_and_finds_the_clock_later(
    board: Board, clock: ManualClock
) -> None:
    before = json.loads(board.measurements()[0].payload)
    board.reboot(silent_seconds=5, clock_lost=True)
    assert board.away_seconds == 5
    clock.advance(5)
    assert board.away_seconds == 0
    after = json.loads(board.measurements()[0].payload)
    assert (after["n"], after["ts"]) == (1, 5000)
    assert after["boot"] != before["boot"]
    clock.advance(56)
    assert json.loads(board.measurements()[0].payload)["ts"] == clock.wall_ns() // 1_000_000


def test_set_values_stay_until_given_back(board: Board) -> None:
    board.set({"temperature_celsius": 71.5, "screen_on": True})
    values = json.loads(board.measurements()[0].payload)["v"]
    assert (values["temperature_celsius"], values["screen_on"]) == (71.5, True)
    board.set({"temperature_celsius": "auto"})
    assert json.loads(board.measurements()[0].payload)["v"]["temperature_celsius"] < 60


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"offline": "yes"}, "'offline' must be true or false"),
        ({"fault": "sulking"}, "no fault is called 'sulking'"),
        ({"mood": 1}, "'mood' cannot be set on a board"),
        ({"app": ["a"]}, "'app' must be one value"),
    ],
)
def test_a_wrong_change_changes_nothing(
    board: Board, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        board.set({"volume_ratio": 0.9, "fault": "nan", **changes})
    assert (board.fixed, board.fault, board.offline) == ({}, None, False)


def test_chance_comes_from_the_seed_and_strikes_every_way(clock: ManualClock) -> None:
    def life(seed: int) -> list[list[bytes]]:
        made = Board("b-1", clock=ManualClock(), seed=seed)
        return [[sent.payload for sent in made.measurements(0.5)] for _ in range(300)]

    assert life(1) == life(1) != life(2)
    counts = {len(sent) for sent in life(1)}
    assert counts == {0, 1, 2, FLOOD_MESSAGES}


def test_events_have_a_type(board: Board) -> None:
    assert board.event("start", {}).topic == "t1/board/b-301/e/start"
