"""Certificates of servers: kept while they serve, made anew when they do not."""

from pathlib import Path

import pytest
from cryptography import x509

from controller.trust.authorities import Authorities
from controller.trust.ca import DAY, CaError
from controller.trust.servers import (
    CHAIN_FILE,
    KEY_FILE,
    TRUST_FILE,
    ServerCertificate,
    server_certificate,
)
from tenone.trust.enrolment import key_pem, new_key

NOW = 1_790_000_000


@pytest.fixture
def authorities(tmp_path: Path) -> Authorities:
    made = Authorities(tmp_path / "ca", "binhai")
    made.open(NOW)
    return made


def ask(authorities: Authorities, folder: Path, *hosts: str, now: int = NOW) -> ServerCertificate:
    return server_certificate(authorities, "web", hosts, folder, city="binhai", now=now)


def test_it_is_kept_until_two_thirds_of_its_life(authorities: Authorities, tmp_path: Path) -> None:
    folder = tmp_path / "web"
    first = ask(authorities, folder, "City.example", "10.0.0.1", "::1")
    assert first.fresh
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (folder / TRUST_FILE).read_bytes() == authorities.bundle
    san = first.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["city.example"]
    assert [str(one) for one in san.get_values_for_type(x509.IPAddress)] == ["10.0.0.1", "::1"]
    again = ask(authorities, folder, "::1", "city.example", "10.0.0.1", now=NOW + 59 * DAY)
    assert not again.fresh
    assert (again.chain, again.key) == (first.chain, first.key)
    later = ask(authorities, folder, "city.example", "10.0.0.1", "::1", now=NOW + 61 * DAY)
    assert later.fresh
    assert later.key != first.key
    assert later.renew_after > first.renew_after


@pytest.mark.parametrize("change", ["names", "key", "chain", "authority"])
def test_it_is_made_anew_when_something_is_not_as_it_was(
    authorities: Authorities, tmp_path: Path, change: str
) -> None:
    folder = tmp_path / "web"
    first = ask(authorities, folder, "city.example")
    hosts = ["city.example"]
    match change:
        case "names":
            hosts.append("10.0.0.1")
        case "key":
            (folder / KEY_FILE).write_bytes(key_pem(new_key()))
        case "chain":
            (folder / CHAIN_FILE).write_bytes(b"torn")
        case "authority":
            authorities.switch(authorities.add(NOW).id)
    second = ask(authorities, folder, *hosts)
    assert second.fresh
    assert second.certificate != first.certificate
    assert not ask(authorities, folder, *hosts).fresh


def test_a_new_root_reaches_the_file_of_trust_before_it_issues(
    authorities: Authorities, tmp_path: Path
) -> None:
    folder = tmp_path / "web"
    ask(authorities, folder, "city.example")
    authorities.add(NOW)
    assert not ask(authorities, folder, "city.example").fresh
    assert (folder / TRUST_FILE).read_bytes() == authorities.bundle


@pytest.mark.parametrize(
    "hosts",
    [(), ("",), ("*.example",), ("a b",), ("exa\u0301mple",), ("\u202e.example",), ("a" * 64,),
     ("x\0y",), ("a..b",), ("-a.example",), (".".join(["abc"] * 64),), ("http://x",)],
)  # fmt: skip
def test_what_is_no_host_is_refused(
    authorities: Authorities, tmp_path: Path, hosts: tuple[str, ...]
) -> None:
    with pytest.raises(CaError) as refused:
        ask(authorities, tmp_path / "web", *hosts)
    assert str(refused.value).isprintable()
    assert str(refused.value).isascii()
    assert not (tmp_path / "web").exists()
