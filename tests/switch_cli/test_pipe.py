"""What goes through the pipe comes out the same."""

import json
import re
from pathlib import Path

import pytest

from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Ask, Line
from drivers.cli.errors import CliError, LineRefusedError, LoginError, SessionLostError
from drivers.cli.hostkeys import HostKeyChangedError, HostKeyError, HostKeyUnknownError
from drivers.cli.manners import Manners
from drivers.cli.pipe import (
    error_of,
    lines_of,
    manners_of,
    of_error,
    of_lines,
    of_login,
    of_manners,
    packed,
    secret_of,
    unpacked,
)
from tenone.trust.masked import Secret
from tenone.vocabulary.intents import Dialect

LINES = (Line("save", (Ask("[Y/N]", "Y"), Ask("x\n", "三")), 3.5, optional=True, pause=1), Line(""))


def test_lines_and_manners() -> None:
    assert lines_of(unpacked(packed({"l": of_lines(LINES)}))["l"]) == LINES
    manners = Manners(
        device_type="huawei", prompt=re.compile(r"(?m)^<.*>$", re.IGNORECASE),
        refusals=(re.compile("Error"),), quiet=LINES, leave=LINES[1:], raises="super",
    )  # fmt: skip
    again = manners_of(json.loads(json.dumps(of_manners(manners))))
    assert again == manners


@pytest.mark.parametrize(
    "error",
    [LineRefusedError(3, "no"), SessionLostError(0, "gone"), LoginError("x"), HostKeyError("k"),
     HostKeyChangedError("k"), HostKeyUnknownError("k")],
)  # fmt: skip
def test_errors(error: Exception) -> None:
    again = error_of(unpacked(packed(of_error(error))))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert getattr(again, "number", None) == getattr(error, "number", None)


def test_an_error_of_another_kind() -> None:
    assert type(error_of(of_error(KeyError("x")))) is CliError


def test_one_message_is_one_line() -> None:
    assert packed({"text": "a\nb\r\u2028"}).count(b"\n") == 1
    for wrong in (b"", b"[]", b"1", b"{"):
        with pytest.raises(ValueError, match=r"no object|Expecting"):
            unpacked(wrong)


def test_a_login(tmp_path: Path) -> None:
    login = ConsoleLogin(
        host="sw", port=22, dialect=Dialect.LINUX, username="u", password=Secret("p"),
        host_keys=tmp_path,
    )  # fmt: skip
    assert of_login(login, "10.0.0.1")["password"] == "p"
    assert of_login(login, "10.0.0.1")["enable"] is None
    assert secret_of(None) is None
    assert repr(secret_of("p")) == "Secret(***)"
