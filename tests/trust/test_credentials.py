"""Generated passwords: made once, private, marks that tell nothing."""

import json
import stat
from pathlib import Path

import pytest

from tenone.trust.credentials import (
    CredentialsError,
    make_credentials,
    mark_of,
    new_secret,
    read_credentials,
)
from tenone.trust.masked import Secret


def test_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "passwords.json"
    assert read_credentials(path) == {}
    first = make_credentials(path, ["a", "b"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_credentials(path, ["a", "b"]) == {}
    second = make_credentials(path, ["a", "b", "c"], anew=["a"])
    assert set(second) == {"a", "c"}
    kept = read_credentials(path)
    assert kept == {**first, **second}
    assert kept["a"] != first["a"]


def test_a_thousand_are_all_others() -> None:
    made = {new_secret().use() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(one) == 43 for one in made)


def test_a_mark_is_of_name_and_secret_and_holds_neither() -> None:
    secret = Secret("canary-55")
    assert mark_of("a", None) == "tenone"
    assert mark_of("a", secret) == mark_of("a", Secret("canary-55"))
    assert len({mark_of("a", secret), mark_of("b", secret), mark_of("a", Secret("x"))}) == 3
    assert "canary" not in mark_of("a", secret)


@pytest.mark.parametrize(
    ("text", "mode", "what"),
    [
        ("{", 0o600, "is not JSON"),
        ("[]", 0o600, "no file of generated passwords"),
        (json.dumps({"a": "short"}), 0o600, "no file of generated passwords"),
        (json.dumps({"a": 7}), 0o600, "no file of generated passwords"),
        ("{}", 0o644, "chmod 600"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, mode: int, what: str) -> None:
    path = tmp_path / "passwords.json"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(CredentialsError, match=what):
        read_credentials(path)
    with pytest.raises(CredentialsError, match=what):
        make_credentials(path, ["b"])
    assert path.read_text() == text, "nothing is lost"
