"""``tenone bench enrol``: what it counts is what was renewed."""

import json
from pathlib import Path

from typer.testing import CliRunner

from tenone.cli.main import build


def test_every_agent_is_renewed_and_counted(tmp_path: Path) -> None:
    words = ["bench", "enrol", "--agents", "12", "--seconds", "0.05", "--folder", str(tmp_path)]
    done = CliRunner().invoke(build(["bench"]), words)
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert said["renewals"]["renewed"] == 12
    assert said["signed_per_s"] > 0
    assert said["renewals"]["p50_ms"] <= said["renewals"]["p99_ms"]
    assert list(tmp_path.iterdir()) == []


def test_too_few_agents_are_refused() -> None:
    done = CliRunner().invoke(build(["bench"]), ["bench", "enrol", "--agents", "1"])
    assert done.exit_code == 2
