"""``tenone switch plan``: the lines that would be typed, and sentences where there are none."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tenone.cli.main import build
from tenone.cli.switch import drawn, only
from tenone.trust.approval import Refused
from tenone.vocabulary.intents import Dialect, Intent
from tests.agents.repair_bench import SimSchool, drive


async def test_a_dry_run_prints_the_lines_and_types_none_of_them(tmp_path: Path) -> None:
    sim = SimSchool(tmp_path, Dialect.COMWARE)
    school = only(sim.config, "core")
    where: dict[str, Any] = {"eyes": sim.eyes, "consoles": sim.consoles, "clock": sim.clock}
    parameters = {"switch": "core", "port": sim.port}
    drawing = await drive(sim.clock, drawn(school, Intent.BOUNCE_PORT, parameters, **where))
    assert "do: shutdown" in drawing.lines
    assert all(line.startswith("display") for line in sim.wire.transcript)
    with pytest.raises(Refused, match="no switch 'other'"):
        await drive(sim.clock, drawn(school, Intent.BOUNCE_PORT, {"switch": "other", "port": "x"},
                                     **where))  # fmt: skip
    assert [one.name for one in school.switches] == ["core"]


def test_a_switch_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENONE_TEST_COMMUNITY", "public")
    body: dict[str, Any] = {
        "schema_version": 1,
        "school": {"id": "no1", "name": "No. 1", "district": "d", "city": "c"},
        "uplink": {"broker": {"host": "127.0.0.1"}},
        "switches": [
            {
                "name": "core",
                "host": "127.0.0.1",
                "snmp": {"community": "env:TENONE_TEST_COMMUNITY"},
            }
        ],
        "outbox": {"path": str(tmp_path / "outbox")},
    }
    file = tmp_path / "school.yaml"
    file.write_text(yaml.safe_dump(body))
    asked = ["switch", "plan", "-c", str(file)]
    runner, app = CliRunner(), build(["switch"])
    for name, words in (("core", "no 'cli'"), ("other", "no switch 'other'")):
        said = runner.invoke(app, [*asked, name, "GE1", "bounce-port"])
        assert said.exit_code == 1, said.output
        assert words in said.output
    assert runner.invoke(app, [*asked, "core", "GE1", "reboot"]).exit_code == 2
