"""``tenone bench ingest``, small: what it prints is true, and a broken run does not pass."""

import json
import shutil
import subprocess
import sys

import pytest

from tenone.cli.bench_agents import Load
from tenone.cli.bench_ingest import _report


@pytest.mark.parametrize("broker", ["mosquitto", pytest.param("embedded", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_small_city_is_stored_once_and_judged_right(broker: str) -> None:
    if broker == "mosquitto" and shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("mosquitto is missing: sudo apt-get install mosquitto")
    done = subprocess.run(
        [
            sys.executable, "-m", "tenone.cli", "bench", "ingest", "--schools", "3",
            "--switches", "2", "--ports", "8", "--interval", "0.5", "--seconds", "3",
            "--warm", "1", "--broker", broker,
        ],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    body = json.loads(done.stdout)
    assert all(body["checks"].values())
    assert body["versions"]["broker"].startswith(broker)
    assert body["blocks_per_second"] > 0
    assert body["values_per_second"] == pytest.approx(body["blocks_per_second"] * 8 * 16, rel=0.02)
    assert body["lag_p50_seconds"] <= body["lag_p99_seconds"]
    for part in ("controller", "broker", "generator"):
        assert body[f"{part}_cpu_us_per_block"] >= 0


def report(**wrong: int) -> dict[str, object]:
    made = {"blocks": 10, "digest": 7, "slow_ports": 2, "resent": 0}
    last = {"good_links": 14, "bad_links": 2, "changes": 0, "connections_lost": 0}
    figures = {"samples": 0, "commits": 0, "lag_p50": 0, "lag_p99": 0}
    body = _report(
        load=Load(
            port=1, schools=1, switches=2, ports=8, interval_seconds=1, seconds=1,
            warm_seconds=0, seed=1,
        ),
        broker="b",
        start=figures | {"blocks": 0},
        end=figures | {"blocks": 10},
        elapsed=1.0,
        spent=[0.1, 0.1, 0.1],
        made=made,
        last=last | {name: value for name, value in wrong.items() if name in last},
        stored={"blocks": 10, "digest": 7, "bytes": 100}
        | {name: value for name, value in wrong.items() if name not in last},
        memory=1,
    )  # fmt: skip
    checks: dict[str, object] = body["checks"]
    return checks


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        ({"blocks": 9}, "every block stored once"),
        ({"digest": 8}, "hashes equal"),
        ({"bad_links": 3, "good_links": 13}, "verdicts equal"),
        ({"good_links": 13}, "every link judged"),
    ],
)
def test_what_is_wrong_fails_its_check(wrong: dict[str, int], check: str) -> None:
    assert all(report().values())
    assert [name for name, held in report(**wrong).items() if not held] == [check]
