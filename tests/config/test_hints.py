from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tenone.config.hints import Listen, ListenAddress, Traps
from tenone.config.school import Device

COMMUNITY = {"community": "env:C"}


@pytest.mark.parametrize(
    ("text", "listen", "shown"),
    [
        ("0.0.0.0:162", Listen("0.0.0.0", 162), "0.0.0.0:162"),
        ("127.0.0.1:20162", Listen("127.0.0.1", 20162), "127.0.0.1:20162"),
        ("[::]:514", Listen("::", 514), "[::]:514"),
        ("[2001:db8::1]:514", Listen("2001:db8::1", 514), "[2001:db8::1]:514"),
    ],
)
def test_addresses(text: str, listen: Listen, shown: str) -> None:
    found = TypeAdapter(ListenAddress).validate_python(text)
    assert found == listen
    assert str(found) == shown


@pytest.mark.parametrize(
    "text", ["", "162", ":162", "host:162", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", "1:2:3", 5]
)
def test_what_is_no_address(text: object) -> None:
    with pytest.raises(ValidationError, match="not an address of this machine"):
        TypeAdapter(ListenAddress).validate_python(text)


USER = {"user": "trap", "auth": {"protocol": "sha256", "password": "env:A"}}


@pytest.mark.parametrize(
    ("traps", "what"),
    [
        ({}, "nobody's traps would be believed"),
        ({"users": [USER, USER]}, "a user is listed twice"),
        (
            {"users": [{"user": "u", "priv": {"protocol": "aes128", "password": "env:P"}}]},
            "'auth' is missing",
        ),
    ],
)
def test_traps_that_make_no_sense(traps: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Traps.model_validate({"listen": "0.0.0.0:162", **traps})


def test_traps() -> None:
    traps = Traps.model_validate(
        {"listen": "0.0.0.0:162", "communities": ["env:C"], "users": [USER]}
    )
    assert traps.listen.port == 162
    assert traps.users[0].auth is not None


def test_devices_that_are_polled() -> None:
    ups = Device.model_validate({"id": "ups/u-1", "host": "10.0.0.9", "snmp": COMMUNITY})
    assert ups.polled is not None
    assert (ups.polled.name, ups.polled.host, ups.polled.port) == ("u-1", "10.0.0.9", 161)
    assert Device.model_validate({"id": "board/b-1"}).polled is None


@pytest.mark.parametrize(
    ("device", "what"),
    [
        ({"id": "ups/u-1", "snmp": COMMUNITY}, "is polled: 'host' is missing"),
        ({"id": "ap/a-1", "host": "10.0.0.9"}, "is polled: 'snmp' is missing"),
        ({"id": "board/b-1", "host": "10.0.0.9"}, "a class board is not polled: 'host'"),
        ({"id": "camera/c-1"}, "come with a later version"),
    ],
)
def test_devices_that_make_no_sense(device: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Device.model_validate(device)


@pytest.mark.parametrize(
    "text", ["00:11:22:AA:bb:cc", "0011-22aa-bbcc", "0011.22aa.bbcc", "00-11-22-aa-bb-cc"]
)
def test_hardware_addresses_as_makers_write_them(text: str) -> None:
    device = Device.model_validate({"id": "board/b-1", "mac": text})
    assert device.mac == "00:11:22:aa:bb:cc"


@pytest.mark.parametrize("text", ["", "0011", "00:11:22:aa:bb:cg", "00:11:22:aa:bb:cc:dd"])
def test_what_is_no_hardware_address(text: str) -> None:
    with pytest.raises(ValidationError, match="no hardware address"):
        Device.model_validate({"id": "board/b-1", "mac": text})
