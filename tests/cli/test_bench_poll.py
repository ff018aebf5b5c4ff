"""The benchmark measures what it says: every value checked, and a wrong one is found."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from drivers.snmp.switch import Sweep
from firmware_sims.switch import ber
from tenone.blocks.columns import Column
from tenone.cli import bench_fuzz, bench_rivals
from tenone.cli.bench_machine import cpu_seconds, machine, own_cpu_seconds
from tenone.cli.bench_switches import (
    COLUMNS,
    MOVING,
    PORTS,
    VALUES,
    Kind,
    Load,
    expected,
    recording,
    value,
)
from tenone.cli.bench_truth import EVERY, Truth

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tenone.cli", "bench", "poll", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_our_line() -> None:
    (line,) = bench("--switches", "5", "--seconds", "0.5", "--only-ours")
    assert line["client"] == "tenone"
    assert line["switches"] == 5
    assert len(line["columns"]) == 16
    assert line["values_wrong"] == line["sweeps_failed"] == 0
    assert line["values_checked"] == line["sweeps"] * VALUES > 0
    assert line["cpu_ms_per_sweep"] > 0
    assert line["generator_cpu_ms_per_sweep"] >= 0
    assert line["requests_per_sweep"] < 17
    assert {"cpu", "cores", "kernel", "python", "load_average_1min"} <= set(line["machine"])


@pytest.mark.slow
def test_moving_counters_and_v3_are_checked_too() -> None:
    lines = bench("--switches", "4", "--seconds", "1", "--v3", "--moving")
    assert [line["client"] for line in lines] == [
        "tenone", "gufo-walk-v3-kept", "gufo-get-48-v3-kept", "ratios"
    ]  # fmt: skip
    for line in lines[:-1]:
        assert line["values_wrong"] == line["sweeps_failed"] == 0
        assert line["values_checked"] == line["sweeps"] * VALUES > 0
        assert "six columns count up" in line["load"]
        assert "SNMPv3" in line["load"]


@pytest.mark.slow
def test_silent_switches_are_beside_healthy_ones() -> None:
    (line,) = bench("--switches", "10", "--seconds", "4", "--silent", "0.2")
    assert (line["switches"], line["silent_switches"]) == (8, 2)
    assert line["healthy_sweeps_failed"] == 0
    assert line["share_of_rate_kept"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--v3"]])
def test_mutated_answers(more: list[str]) -> None:
    (line,) = bench("--fuzz", "3000", *more)
    assert line["mutated_answers"] >= 3000
    assert line["endless_walks"] == line["silent_empties"] == line["escaped_exceptions"] == 0
    assert line["untrue_reads"] == 0
    assert line["walks"] > 100


def test_an_empty_answer_is_explained_by_an_answer_or_not_at_all() -> None:
    root = (1, 3, 6, 1)
    start = b"\x02\x01\x01\x04\x00"
    numbers = b"\x02\x01\x01\x02\x01\x00\x02\x01\x00"

    def said(varbinds: bytes) -> bytes:
        pdu = ber.tlv(0xA2, numbers + ber.tlv(ber.SEQUENCE, varbinds))
        return ber.tlv(ber.SEQUENCE, start + pdu)

    def bind(*arcs: int) -> bytes:
        return ber.tlv(ber.SEQUENCE, ber.oid(arcs) + ber.integer(1))

    assert bench_fuzz.says_nothing([said(bind(1, 3, 7))], root)
    assert not bench_fuzz.says_nothing([said(bind(1, 3, 6, 1, 2)), b"", said(b"")], root)
    ended = ber.tlv(ber.SEQUENCE, ber.oid((1, 3, 6, 1, 5)) + bytes((ber.END_OF_MIB_VIEW, 0)))
    assert bench_fuzz.says_nothing([said(ended)], root)


def test_moving_counters_are_held_against_their_way() -> None:
    load = Load(ports=(), pids=(), kind=Kind(moving=True), started=time.monotonic() - 10)
    truth, score = Truth(load), bench_rivals.Score()

    def sweep(ahead: int) -> Sweep:
        columns = [
            Column.of(name, [one + (ahead if name in MOVING else 0) for one in values])
            for name, values in expected().items()
        ]
        return Sweep(
            rows=tuple(map(str, range(PORTS))),
            columns=tuple(columns),
            uptime_ticks=1,
            sent_ns=0,
            received_ns=0,
        )

    for _ in range(2 * EVERY):
        truth.check(score, sweep(5_000))
    assert score.wrong == 0
    for ahead in (-1, 1_000_000):
        score = bench_rivals.Score()
        for _ in range(EVERY):
            truth.check(score, sweep(ahead))
        assert score.wrong == PORTS * len(MOVING)
    said = {oid: first + 100 for oid, first in bench_rivals._EXPECTED.items()}
    score = bench_rivals.Score()
    bench_rivals.check(said, score, load)
    assert score.wrong == PORTS * (16 - len(MOVING))


@pytest.mark.slow
def test_rivals_deliver_the_same_values() -> None:
    lines = bench("--switches", "5", "--seconds", "2")
    assert lines[0]["client"] == "tenone"
    assert lines[-1]["client"] == "ratios"
    for line in lines[:-1]:
        assert line["values_wrong"] == line["sweeps_failed"] == 0
        assert line["values_checked"] == line["sweeps"] * VALUES > 0
        assert line["version"]


def test_a_wrong_or_missing_value_is_found() -> None:
    score = bench_rivals.Score()
    good = dict(bench_rivals._EXPECTED)
    bench_rivals.check(good, score)
    assert (score.sweeps, score.values, score.wrong) == (1, VALUES, 0)
    first, second, *_ = good
    bench_rivals.check({**good, first: -1}, score)
    assert score.wrong == 1
    del good[second]
    bench_rivals.check(good, score)
    assert score.wrong == 2


def test_every_counter_has_a_value_of_its_own() -> None:
    counters = [name for name, _, tag in COLUMNS if tag.name.startswith("COUNTER")]
    values = [value(name, port) for name in counters for port in range(1, PORTS + 1)]
    assert len(set(values)) == len(counters) * PORTS
    assert sum(map(len, expected().values())) == VALUES == 768
    assert recording().count("\n") == 5 + 3 * PORTS + VALUES


def test_the_machine_is_named() -> None:
    assert machine()["cores"] >= 1
    before = own_cpu_seconds()
    sum(range(200_000))
    assert own_cpu_seconds() > before
    assert cpu_seconds(1) >= 0
