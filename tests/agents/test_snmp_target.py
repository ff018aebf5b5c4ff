"""A switch of school.yaml as somebody to ask."""

from typing import Any

import pytest

from agents.snmp_target import snmp_target
from drivers.snmp.errors import BadTarget
from drivers.snmp.message import Version
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from tenone.config import Polling, Switch
from tenone.config.snmp import AuthProtocol, PrivProtocol
from tenone.trust.masked import Secret

AUTH = {"protocol": "sha512", "password": "env:SWITCH_AUTH"}
PRIV = {"protocol": "aes256c", "password": "env:SWITCH_PRIV"}


def switch(**snmp: Any) -> Switch:
    return Switch.model_validate({"name": "core", "host": "10.0.0.1", "snmp": snmp})


def test_every_protocol_of_the_configuration_is_one_we_speak() -> None:
    assert {Auth.named(one) for one in AuthProtocol} == set(Auth)
    assert {Priv.named(one) for one in PrivProtocol} == set(Priv)


def test_a_switch_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SWITCH_COMMUNITY", "SWITCH_AUTH", "SWITCH_PRIV"):
        monkeypatch.setenv(name, name.lower())
    polling = Polling(timeout_seconds=2, retries=1)
    for version, number in (("v1", Version.V1), ("v2c", Version.V2C)):
        asked = snmp_target(switch(version=version, community="env:SWITCH_COMMUNITY"), polling)
        assert (asked.version, asked.community) == (number, Secret("switch_community"))
        assert (asked.timeout_seconds, asked.retries, asked.user) == (2, 1, None)
    engine = "80:00:00:00:01"
    config = switch(
        version="v3", user="tenone", auth=AUTH, priv=PRIV, context="c", engine_id=engine
    )
    asked = snmp_target(config, polling)
    assert asked.version is Version.V3
    assert asked.user == User(
        name="tenone",
        auth=Auth.SHA512,
        auth_password="switch_auth",
        priv=Priv.AES256C,
        priv_password="switch_priv",
        context="c",
        engine_id=bytes.fromhex("8000000001"),
    )
    assert snmp_target(switch(version="v3", user="tenone"), polling).user == User(name="tenone")


def test_what_cannot_be_asked_names_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH_AUTH", "short")
    with pytest.raises(BadTarget, match="the switch 'core' cannot be asked: the auth password"):
        snmp_target(switch(version="v3", user="u", auth=AUTH), Polling())
