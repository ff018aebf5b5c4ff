"""The benchmark of a month's report, small: its lines are JSON and its sums are right."""

import json

from typer.testing import CliRunner

from tenone.cli.main import build


def test_a_small_month() -> None:
    answer = CliRunner().invoke(build(["bench"]), ["bench", "report", "--links", "100"])
    assert answer.exit_code == 0, answer.output
    written, found = map(json.loads, answer.stdout.splitlines())
    assert (written["links"], written["days"]) == (100, 30)
    assert found["link_days"] == 3000
    assert found["csv_lines"] == 101
    assert 0 < found["links_certified"] <= 100
    assert found["report_seconds"] > 0
