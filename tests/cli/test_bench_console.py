"""``tenone bench console``: every dialect, and a ratio of times taken in the same run."""

import json

import pytest
from typer.testing import CliRunner

from firmware_sims.switch.console.line import SHELLS
from firmware_sims.switch.vendors import Vendor
from tenone.cli.main import build
from tenone.vocabulary.intents import Dialect

pytestmark = pytest.mark.slow
ROOM = "tenone.cli.bench_console"


def test_every_dialect_has_a_line() -> None:
    words = ["bench", "console", "--rounds", "4", "--theirs", "0"]
    done = CliRunner().invoke(build(["bench"]), words)
    assert done.exit_code == 0, done.output
    said = [json.loads(line) for line in done.output.splitlines()]
    assert {one["dialect"] for one in said} == {name.value for name in SHELLS}
    for one in said:
        assert 0 < one["step_seconds"] <= one["step_seconds_max"]


def test_beside_netmiko_and_too_slow_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{ROOM}.SPOKEN_BY", {Vendor.ZTE: Dialect.ZTE})
    monkeypatch.setattr(f"{ROOM}.WANTED_SECONDS", 0.0)
    words = ["bench", "console", "--rounds", "2", "--theirs", "1"]
    done = CliRunner().invoke(build(["bench"]), words)
    assert done.exit_code == 1
    assert json.loads(done.output)["send_config_set_seconds"] > 0
