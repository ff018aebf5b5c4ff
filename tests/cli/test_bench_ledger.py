import json
from pathlib import Path

from typer.testing import CliRunner

from tenone.cli.main import build


def test_one_line_of_figures(tmp_path: Path) -> None:
    words = ["bench", "ledger", "--seconds", "0.05", "--rows", "1000", "--folder", str(tmp_path)]
    result = CliRunner().invoke(build(["bench"]), words)
    assert result.exit_code == 0, result.output
    body = json.loads(result.output)
    assert body["verify"]["sha256"]["rows"] == 1001
    assert body["verify"]["sha256"]["whole"]
    for way in ("one_writer", "many_writers"):
        assert body[way]["whole"]
        assert body[way]["per_s"] > 0
    assert body["many_writers"]["entries_per_commit"] > 1
    assert body["plain_per_s"] > 0
    assert list(tmp_path.iterdir()) == []
