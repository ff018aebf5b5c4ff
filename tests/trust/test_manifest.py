"""Factory manifests: signed by the city, for its own devices, unchanged."""

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.ca import Authority, make_root
from controller.trust.manifest import (
    Bound,
    ManifestError,
    manifest_id,
    read_list,
    sign,
    verify,
)
from tenone.trust.enrolment import new_key, spki_hash
from tenone.trust.names import MachineName

NOW = 1_790_000_000
KEY = new_key().public_key()
PEM = KEY.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()
HASH = "ab" * 32


def school_of(kind: str, serial: str) -> str | None:
    return "no3" if (kind, serial) == ("board", "b-0301") else None


def rows(*rows: object) -> bytes:
    return json.dumps(rows).encode()


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_root("binhai", NOW)


def good() -> tuple[Bound, ...]:
    return read_list(
        rows(
            {"serial": "b-0301", "kind": "board", "key_sha256": HASH.upper()},
            {"serial": "g-1", "kind": "gateway", "school": "no4", "public_key": PEM},
            {"serial": "s-1", "kind": "sensor", "school": "no4", "key_sha256": "cd" * 32},
        ),
        school_of,
    )


def test_a_list_becomes_a_manifest_and_comes_back(root: Authority) -> None:
    bound = good()
    assert [str(one.machine) for one in bound] == [
        "device:no3/board/b-0301", "agent:no4", "device:no4/sensor/s-1",
    ]  # fmt: skip
    assert [one.key for one in bound][:2] == [HASH, spki_hash(KEY).hex()]
    text = sign(bound, "binhai", root).encode()
    assert verify(text, "binhai", [make_root("binhai", NOW), root]) == bound
    assert len(manifest_id(text)) == 64


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no JSON"),
        (b"{}", "a list of 1"),
        (b"[]", "a list of 1"),
        (b"[" * 100_000, "no JSON"),
        (rows(1), "row 1 holds"),
        (rows({"serial": "b", "kind": "board", "key": HASH}), "row 1 holds"),
        (rows({"kind": "board", "key_sha256": HASH}), "row 1 lacks 'serial'"),
        (rows({"serial": "B", "kind": "board", "key_sha256": HASH}), "row 1: serial 'B'"),
        (rows({"serial": "b", "kind": "board", "key_sha256": HASH}), "no school's configuration"),
        (rows({"serial": "b", "kind": "toy", "school": "no3", "key_sha256": HASH}), "device kind"),
        (rows({"serial": "b-0301", "kind": "board", "key_sha256": "x"}), "64 hexadecimal"),
        (rows({"serial": "b-0301", "kind": "board", "public_key": "x"}), "cannot be read"),
        (rows({"serial": "b-0301", "kind": "board"}), "write either"),
        (rows(*[{"serial": "b-0301", "kind": "board", "key_sha256": HASH}] * 2), "stands twice"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_row(body: bytes, sentence: str) -> None:
    with pytest.raises(ManifestError, match=sentence):
        read_list(body, school_of)


CHANGES: dict[str, Callable[[dict[str, object]], object]] = {
    "a key": lambda body: body.update(devices=[{"machine": "agent:no4", "key_sha256": HASH}]),
    "a signature": lambda body: body.update(signature="AAAA"),
    "no base64": lambda body: body.update(signature="!"),
    "another city": lambda body: body.update(city="elsewhere"),
    "another authority": lambda body: body.update(authority="0" * 16),
    "no name": lambda body: body.update(devices=[{"machine": "root", "key_sha256": HASH}]),
    "no devices": lambda body: body.pop("devices"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_changed_manifest_is_refused(root: Authority, change: str) -> None:
    body = json.loads(sign(good(), "binhai", root))
    CHANGES[change](body)
    with pytest.raises(ManifestError):
        verify(json.dumps(body).encode(), "binhai", [root])


def test_a_manifest_by_another_key_in_our_authority_s_name_is_refused(root: Authority) -> None:
    body = json.loads(sign(good(), "binhai", make_root("binhai", NOW)))
    with pytest.raises(ManifestError, match="not signed by an authority"):
        verify(json.dumps(body).encode(), "binhai", [root])
    body["authority"] = root.id
    with pytest.raises(ManifestError, match="signature does not fit"):
        verify(json.dumps(body).encode(), "binhai", [root])


def test_no_factory_makes_what_is_the_city_s(root: Authority) -> None:
    """Not even where somebody had the authority sign it: a broker's name is never a device's."""
    for name in ("server:broker", "service:host"):
        bound = Bound(HASH, MachineName.parse(name))
        with pytest.raises(ManifestError, match="made at no factory"):
            verify(sign([bound], "binhai", root).encode(), "binhai", [root])


@given(st.binary(max_size=200))
def test_anything_else_is_no_manifest(data: bytes) -> None:
    with pytest.raises(ManifestError):
        verify(data, "binhai", [])
