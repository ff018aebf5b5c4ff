"""``tenone bench`` offers its benchmarks by name."""

import typer
from typer.testing import CliRunner

from tenone.cli import bench


def test_the_benchmarks_have_names() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    bench.register(app)
    said = CliRunner().invoke(app, ["bench", "--help"])
    assert said.exit_code == 0
    assert "poll" in said.output
    said = CliRunner().invoke(app, ["bench", "poll", "--switches", "0"])
    assert said.exit_code == 2
