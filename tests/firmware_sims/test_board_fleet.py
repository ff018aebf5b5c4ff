import asyncio
import json
from pathlib import Path

import pytest

from drivers.probe.sender import Sender, Session
from firmware_sims.board.fleet import broker, protocol, read, reflect, sessions, write
from tenone.cli.processes import free_udp_port
from tenone.runtime.clock import ManualClock, SystemClock
from tenone.vocabulary.probes import ProbeOutcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:1883", ("127.0.0.1", 1883)), ("[::1]:1883", ("::1", 1883))],
)
def test_brokers(text: str, expected: tuple[str, int]) -> None:
    assert broker(text) == expected


@pytest.mark.parametrize("text", ["", "host", "host:", ":1883", "host:0", "host:65536", "host:x"])
def test_what_is_no_broker(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        broker(text)


def test_only_two_protocols() -> None:
    assert [protocol(text) for text in ("5", "3.1.1")] == ["5", "3.1.1"]
    with pytest.raises(ValueError, match=r"use 5 or 3\.1\.1"):
        protocol("4")


def test_a_fleet_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "boards.json"
    fleet = {"b-1": "a:1", "b-2": "a:1", "b-3": "b:2"}
    path.write_text(write(fleet))
    assert read(path) == fleet


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({}, "a list with at least one board"),
        ([], "a list with at least one board"),
        ([1], "'board 1' must be an object"),
        ([{"broker": "a:1", "serial": "x", "more": 1}], "'more' is not known"),
        ([{"serial": "x"}], "'broker' must be text"),
        ([{"broker": "a", "serial": "x"}], "write HOST:PORT"),
        ([{"broker": "a:1"}], "'serial' must be text"),
        ([{"broker": "a:1", "serial": "A B"}], "not a valid identifier"),
        ([{"broker": "a:1", "serial": "x"}] * 2, "'x' stands twice"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: object, complaint: str) -> None:
    path = tmp_path / "boards.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=complaint) as caught:
        read(path)
    assert str(path) in str(caught.value)


async def test_faults_an_hour_become_a_chance_a_message() -> None:
    (made,) = sessions(
        {"b-1": "h:1"}, clock=ManualClock(), seed=0, interval_seconds=30, faults_per_hour=12
    )
    assert made.line.faults_a_message == pytest.approx(0.1)


@pytest.mark.parametrize("port_is_given", [True, False])
async def test_boards_answer_probes_while_they_are_on(port_is_given: bool) -> None:
    made = sessions({"b-1": "h:1", "b-2": "h:1"}, clock=ManualClock(), seed=0, interval_seconds=30)
    port = 0
    if port_is_given:
        port = free_udp_port("127.88.0.1")
    reflect(made, "127.88.0.1", port)
    try:
        found = [one.reflector for one in made]
        assert all(found)
        hosts = [one.host for one in found if one is not None]
        assert hosts == ["127.88.0.1", "127.88.0.2" if port_is_given else "127.88.0.1"]
        assert len({(one.host, one.port) for one in found if one is not None}) == 2
        sender = Sender(clock=SystemClock())
        first, second = (Session(host=one.host, port=one.port) for one in found if one is not None)
        made[1].board.set({"offline": True})
        sent = sender.send(first), sender.send(second)
        async with asyncio.timeout(10):
            while sent[0].outcome is None:  # noqa: ASYNC110 - an answer has no event
                await asyncio.sleep(0.002)
        assert [one.outcome for one in sent] == [ProbeOutcome.ANSWERED, None]
        sender.close()
    finally:
        for one in made:
            one.close()
