import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenone.cli.main import COMMANDS, build

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import json, sys
sys.argv = ["tenone", {command!r}, "--help"]
from tenone.cli.main import run
try:
    run()
except SystemExit as end:
    print("\\n" + json.dumps([end.code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_and_explains_itself(command: str) -> None:
    assert importlib.util.find_spec(COMMANDS[command]) is not None
    done = CliRunner().invoke(build([command]), [command, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        ("check", {"fastapi", "sqlalchemy", "numpy", "paho", "jinja2"}),
        ("snmp", {"fastapi", "sqlalchemy", "jinja2"}),
        ("agent", {"fastapi", "sqlalchemy", "jinja2", "uvicorn"}),
    ],
)
def test_a_command_loads_only_what_it_needs(command: str, unneeded: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(command=command)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert COMMANDS[command] in modules
    assert unneeded & set(modules) == set()


def test_no_command_shows_all_of_them() -> None:
    app = build(list(COMMANDS))
    done = CliRunner().invoke(app, [])
    assert all(command in done.output for command in COMMANDS)


def test_an_unknown_command_is_a_wrong_call() -> None:
    done = CliRunner().invoke(build(["check"]), ["chekc"])
    assert done.exit_code == 2
    assert "chekc" in done.output
