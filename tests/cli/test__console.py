"""What commands of the shell share."""

import getpass
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from tenone.cli._console import BAD_CONFIGURATION, by_console, configured
from tenone.config import load_city


def test_what_is_wrong_with_a_configuration_is_told_and_ends_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "city.yaml"
    file.write_text("schema_version: 1\ncity: 3\n")
    with pytest.raises(typer.Exit) as ended:
        configured(load_city, file)
    assert ended.value.exit_code == BAD_CONFIGURATION
    out, err = capsys.readouterr()
    assert not out
    assert str(file) in err
    assert "city" in err


def test_what_loads_is_handed_on(tmp_path: Path) -> None:
    assert configured(lambda path: path.name, tmp_path / "a.yaml") == "a.yaml"


def test_a_user_without_a_name_is_still_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "lin")
    assert by_console() == "console:lin"

    def nobody() -> NoReturn:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert by_console() == "console:unknown"
