import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from drivers.wire.endpoint import EndpointError, endpoint_of
from tenone.config import Broker, SecretRef, Tls
from tenone.trust.masked import Secret


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "no3")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "node.crt", folder / "node.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_plain() -> None:
    endpoint = endpoint_of(Broker(host="broker.example", port=1884))
    assert (endpoint.host, endpoint.port, endpoint.tls) == ("broker.example", 1884, None)
    assert (endpoint.username, endpoint.password) == (None, None)


def test_the_password_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(host="b", username="no3", password=SecretRef("env", "BROKER_PASSWORD"))
    monkeypatch.setenv("BROKER_PASSWORD", "secret")
    endpoint = endpoint_of(broker)
    assert (endpoint.username, endpoint.password) == ("no3", Secret("secret"))
    assert "secret" not in repr(endpoint)
    monkeypatch.delenv("BROKER_PASSWORD")
    with pytest.raises(EndpointError, match="BROKER_PASSWORD"):
        endpoint_of(broker)


def test_tls_checks_the_peer(tmp_path: Path) -> None:
    crt, key = certificate(tmp_path)
    endpoint = endpoint_of(Broker(host="b", tls=Tls(ca=crt, certificate=crt, key=key)))
    assert endpoint.tls is not None
    assert endpoint.tls.verify_mode is ssl.CERT_REQUIRED
    assert endpoint.tls.check_hostname
    assert endpoint.tls.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("spoilt", ["ca", "certificate", "key"])
def test_a_file_that_cannot_be_used_is_named(spoilt: str, tmp_path: Path) -> None:
    crt, key = certificate(tmp_path)
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing of the kind")
    files = {"ca": crt, "certificate": crt, "key": key} | {spoilt: bad}
    with pytest.raises(EndpointError, match=r"bad\.pem"):
        endpoint_of(Broker(host="b", tls=Tls(**files)))
    files[spoilt] = tmp_path / "missing.pem"
    with pytest.raises(EndpointError, match=r"missing\.pem"):
        endpoint_of(Broker(host="b", tls=Tls(**files)))
