"""What the agent shows its broker: its identity as it is at each connection."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.egress import rules_of
from agents.identity import IdentityError, next_key, take_papers
from agents.passport import Passport
from drivers.wire.endpoint import EndpointError
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import ConnectError
from tenone.config import School
from tenone.runtime.clock import ManualClock
from tests.agents.papers import NO3, NOW, Issuer

UPLINK: dict[str, Any] = {
    "broker": {"host": "mqtt.example"},
    "identity": "identity",
    "controller": "https://city.example:8010",
}


def school(tmp_path: Path, **uplink: object) -> School:
    body = {
        "schema_version": 1,
        "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
        "uplink": {**UPLINK, **uplink},
    }
    return School.model_validate(body, context={"base": tmp_path})


def test_the_broker_is_met_with_the_identity(tmp_path: Path) -> None:
    made = school(tmp_path)
    tls = made.uplink.broker.tls
    assert tls is not None
    assert made.uplink.broker.port == 8883
    folder = tmp_path / "identity"
    assert (tls.ca, tls.certificate, tls.key) == (
        folder / "ca.pem",
        folder / "identity.pem",
        folder / "identity.pem",
    )
    own = school(tmp_path, broker={"host": "a", "tls": {"ca": "other.pem"}}).uplink.broker.tls
    assert own is not None
    assert own.ca == tmp_path / "other.pem"
    assert own.key == folder / "identity.pem"
    controllers = [one for one in rules_of(made) if one.why == "the city's controller"]
    assert [(one.to, one.port) for one in controllers] == [("city.example", 8010)]


@pytest.mark.parametrize(
    ("uplink", "sentence"),
    [
        ({"controller": None}, "no 'controller'"),
        ({"broker": {"host": "a", "tls": False}}, "over TLS"),
        ({"broker": {"host": "a", "tls": {"certificate": "x", "key": "y"}}}, "one of the two"),
        ({"controller": "https://a/b"}, "pattern"),
        ({"controller": "ftp://a"}, "pattern"),
        ({"broker": 5}, "valid"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, uplink: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        school(tmp_path, **uplink)


async def test_it_is_read_anew_at_each_connection(tmp_path: Path) -> None:
    passport = Passport(school(tmp_path), clock=ManualClock(wall_ns=NOW * 10**9))
    with pytest.raises(IdentityError, match="not enrolled"):
        await passport.check()
    with pytest.raises(ConnectError, match=r"ca\.pem"):
        _ = passport.endpoint
    issuer, folder = Issuer(), tmp_path / "identity"
    key = next_key(folder)
    take_papers(folder, issuer.papers(key), key, NO3, controller="https://c")
    await passport.check()
    first = passport.endpoint
    assert (first.host, first.tls is not None) == ("mqtt.example", True)
    assert passport.endpoint.tls is not first.tls
    assert passport.seconds_left == pytest.approx(7 * 86_400)
    assert passport.finding == ""
    port = passport.took(MqttPort(endpoint=first, client_id="x"))
    assert not port.is_connected
    await passport.reconnect()  # of a connection that does not stand, nothing is left


async def test_an_identity_of_another_school_is_refused(tmp_path: Path) -> None:
    issuer, folder = Issuer(), tmp_path / "identity"
    key = next_key(folder)
    no4 = NO3.replace("no3", "no4")
    take_papers(folder, issuer.papers(key, "no4"), key, no4, controller="https://c")
    passport = Passport(school(tmp_path), clock=ManualClock())
    with pytest.raises(EndpointError, match="a token of its own"):
        await passport.check()


async def test_without_an_identity_all_is_as_it_was(tmp_path: Path) -> None:
    plain = school(tmp_path, identity=None, controller=None)
    passport = Passport(plain, clock=ManualClock())
    await passport.check()
    assert passport.renewer is None
    assert passport.endpoint is passport.endpoint
    assert (passport.seconds_left, passport.finding) == (None, None)
    await passport.reconnect()
