from pathlib import Path

import pytest
from pydantic import BaseModel

from tenone.config.secret import MAX_BYTES, SecretError, SecretRef

BASE = Path("/etc/tenone")
CANARY = "hunter2-canary"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env:SNMP_COMMUNITY", SecretRef("env", "SNMP_COMMUNITY")),
        ("file:/run/secret", SecretRef("file", "/run/secret")),
        ("file:secrets/snmp", SecretRef("file", "/etc/tenone/secrets/snmp")),
    ],
)
def test_references(text: str, reference: SecretRef) -> None:
    assert SecretRef.parse(text, BASE) == reference


@pytest.mark.parametrize(
    "text",
    [CANARY, f"plain:{CANARY}", f"env:{CANARY}", "env:", "file:", f"file:{CANARY}\0", "", "ENV:X"],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="must be a reference") as caught:
        SecretRef.parse(text, BASE)
    assert CANARY not in str(caught.value)


def test_reveal_from_the_environment() -> None:
    assert SecretRef("env", "A").reveal({"A": CANARY}) == CANARY
    for environment in ({}, {"A": ""}):
        with pytest.raises(SecretError, match="variable A is not set"):
            SecretRef("env", "A").reveal(environment)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        ("秘密\n".encode(), "秘密"),
    ],
)
def test_reveal_from_a_file(tmp_path: Path, content: bytes, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    assert SecretRef.parse("file:secret", tmp_path).reveal() == secret


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"hunter2\xff", "not UTF-8"),
        (b"a" * (MAX_BYTES + 1), "larger"),
    ],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SecretError, match=says) as caught:
        SecretRef("file", str(file)).reveal()
    assert str(file) in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None or "hunter2" not in repr(caught.value.__cause__)


def test_the_secret_is_in_no_rendering(tmp_path: Path) -> None:
    class Holder(BaseModel):
        community: SecretRef

    (tmp_path / "secret").write_text(CANARY)
    holder = Holder.model_validate(
        {"community": "file:secret"}, context={"base": tmp_path}, strict=False
    )
    holder.community.reveal()
    shown = f"{holder} {holder!r} {holder.model_dump()} {holder.model_dump_json()}"
    assert CANARY not in shown
    assert f"file:{tmp_path / 'secret'}" in shown
    assert holder.model_dump(mode="json") == {"community": f"file:{tmp_path / 'secret'}"}
