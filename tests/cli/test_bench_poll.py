"""The benchmark measures what it says: every value checked, and a wrong one is found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenone.cli import bench_rivals
from tenone.cli.bench_machine import cpu_seconds, machine, own_cpu_seconds
from tenone.cli.bench_switches import COLUMNS, PORTS, VALUES, expected, recording, value

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
