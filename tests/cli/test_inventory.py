"""``tenone inventory`` as a person types it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenone.cli.main import build
from tests.controller.harness import write_city

RUNNER = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_city(tmp_path / "city", broker_port=1, http_port=2, schools=("no1",))


def test_out_and_back_changes_nothing(tmp_path: Path, config: Path) -> None:
    app = build(["inventory"])
    before = (config.parent / "schools" / "no1.yaml").read_bytes()
    out = RUNNER.invoke(
        app, ["inventory", "export", "-c", str(config), "--to", str(tmp_path / "o")]
    )
    assert out.exit_code == 0, out.output
    assert "devices.csv: 2 rows" in out.output
    back = RUNNER.invoke(
        app, ["inventory", "import", "-c", str(config), "--school", "no1", str(tmp_path / "o")]
    )
    assert back.exit_code == 0, back.output
    assert "nothing differs" in back.stderr
    assert back.stdout.startswith("switches:\n")
    assert (config.parent / "schools" / "no1.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "excel", "--school", "no1"], "use netbox"),
        (["--school", "no9"], "no school 'no9'"),
        (["--school", "no1"], "devices.csv"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, config: Path, arguments: list[str], said: str
) -> None:
    app = build(["inventory"])
    done = RUNNER.invoke(app, ["inventory", "import", "-c", str(config), *arguments, str(tmp_path)])
    assert done.exit_code == 2
    assert said in done.stderr
