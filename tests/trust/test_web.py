"""The web server's certificate: its names, what is said of it, and what it says when it is old."""

from pathlib import Path

import pytest

from controller.trust.ca import CaError
from controller.trust.web import WebCertificate, hosts_of, said_of, server_context
from tenone.config.city import City
from tenone.runtime.clock import ManualClock
from tests.controller.harness import city_config


@pytest.fixture
def city(tmp_path: Path) -> City:
    return city_config(tmp_path, broker_port=1883)


def with_http(city: City, **changed: object) -> City:
    return city.model_copy(update={"http": city.http.model_copy(update=changed)})


def opened(city: City, clock: ManualClock) -> WebCertificate:
    tls = type(city.http).model_fields["tls"].default
    made = WebCertificate(city, tls, clock)
    made.open()
    return made


def test_it_bears_every_name_browsers_come_by(city: City) -> None:
    local = {"127.0.0.1", "::1", "localhost"}
    assert set(hosts_of(city)) == local
    assert set(hosts_of(with_http(city, host="192.0.2.1", hosts=("a.example",)))) == {
        *local, "192.0.2.1", "a.example",
    }  # fmt: skip
    assert set(hosts_of(with_http(city, host="0.0.0.0", hosts=("a.example",)))) == {
        *local, "a.example",
    }  # fmt: skip


def test_made_once_and_renewed_at_two_thirds(city: City) -> None:
    clock = ManualClock()
    web = opened(city, clock)
    assert web.made_authority
    again = opened(city, clock)
    assert not again.made_authority
    assert again.fingerprints() == web.fingerprints()
    assert web.trust_file is not None
    assert str(web.trust_file) in said_of(web.fingerprints(), web.trust_file)
    assert not web.look()
    clock.advance(59 * 86_400)
    assert not web.look()
    clock.advance(2 * 86_400)
    assert web.look()
    assert web.health().ready
    assert again.look(), "made by the other one, and seen"


def test_an_old_one_is_not_ready(city: City) -> None:
    clock = ManualClock()
    web = opened(city, clock)
    clock.advance(91 * 86_400)
    assert not web.health().ready
    assert web.look()
    assert web.health().ready


def test_half_a_change_is_refused_and_the_old_one_stays(city: City) -> None:
    web = opened(city, ManualClock())
    assert web.trust_file is not None
    key = web.trust_file.with_name("key.pem")
    whole = key.read_bytes()
    key.write_text("x")
    for _ in range(2):
        with pytest.raises(CaError, match="PEM"):
            web.look()
    key.unlink()
    with pytest.raises(CaError, match="gone"):
        web.look()
    key.write_bytes(whole)
    with pytest.raises(CaError, match="chmod 600"):
        web.look()
    key.chmod(0o600)
    assert web.look()


def test_the_context_is_strict() -> None:
    context = server_context()
    names = {one["name"] for one in context.get_ciphers()}
    assert not any(word in name for name in names for word in ("CBC", "SHA1", "RC4", "NULL", "DES"))
    assert all(name.startswith(("TLS_", "ECDHE-")) for name in names)
