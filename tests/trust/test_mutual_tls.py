"""Abuse case 9 on a real Mosquitto: who may shake hands, asked by our port and by openssl."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from controller.trust.authorities import Authorities
from controller.trust.ca import DAY, Authority, Names, Revoked, issue, make_crl, make_root, pem
from controller.trust.servers import server_certificate
from drivers.wire.endpoint import endpoint_of
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import ConnectError, ConnectionLostError
from tenone.config.base import Broker as BrokerConfig
from tenone.trust.enrolment import key_pem, new_key
from tenone.trust.names import MachineName
from tests import mosquitto

from .broker import Broker

NO3 = Names(machine=MachineName.agent("no3"), city="binhai")
BAD = (
    "rogue authority", "self-signed", "expired", "not yet valid", "revoked", "server's",
    "signed by an agent", "nobody's", "of an authority that is trusted no longer",
)  # fmt: skip


@dataclass
class World:
    """A broker of the city and a drawer of certificates."""

    folder: Path
    broker: Broker

    def trust(self) -> Path:
        return self.folder / "broker" / "ca.pem"

    def identity(self, name: str) -> Path | None:
        path = self.folder / f"{name.replace(' ', '-')}.pem"
        return path if path.exists() else None


def keep(folder: Path, name: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    (folder / f"{name.replace(' ', '-')}.pem").write_bytes(key_pem(key) + pem(made))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    program = mosquitto.installed()
    folder = tmp_path_factory.mktemp("tls")
    now = int(time.time())
    authorities = Authorities(folder / "ca", "binhai")
    authorities.open(now)
    before = authorities.issuing
    authorities.switch(authorities.add(now).id)
    authorities.retire(before.id)
    root = authorities.issuing
    home = folder / "broker"
    server_certificate(authorities, "broker", ["127.0.0.1"], home, city="binhai", now=now)

    def sign(by: Authority, names: Names = NO3, at: int = now, lifetime: int = DAY) -> str:
        key = new_key()
        made = issue(by, names, key.public_key(), now=at, lifetime=lifetime)
        drawer[made.serial_number] = (made, key)
        return str(made.serial_number)

    drawer: dict[int, tuple[x509.Certificate, ec.EllipticCurvePrivateKey]] = {}
    agent_key = new_key()
    agent = issue(root, NO3, agent_key.public_key(), now=now)
    server = Names(machine=MachineName.parse("server:web"), city="binhai", dns=("no3",))
    kinds = {
        "right": sign(root),
        "rogue authority": sign(make_root("binhai", now)),
        "expired": sign(root, at=now - 3 * DAY),
        "not yet valid": sign(root, at=now + 3600),
        "revoked": sign(root),
        "server's": sign(root, server),
        "signed by an agent": sign(Authority(agent, agent_key)),
        "of an authority that is trusted no longer": sign(before),
    }
    for name, serial in kinds.items():
        keep(folder, name, *drawer[int(serial)])
    self_made = make_root("binhai", now)
    keep(folder, "self-signed", self_made.certificate, self_made.signing_key)
    revoked = [Revoked(int(kinds["revoked"]), now)]
    crl = make_crl(root, revoked, now=now, number=1)
    (home / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    rogue = make_root("binhai", now)
    (folder / "rogue-ca.pem").write_bytes(pem(rogue.certificate))
    broker = Broker(home, program)
    broker.start()
    yield World(folder, broker)
    broker.stop()


def port_of(world: World, name: str, *, trust: Path | None = None, host: str = "") -> MqttPort:
    identity = world.identity(name)
    tls: dict[str, str] = {"ca": str(trust or world.trust())}
    if identity is not None:
        tls |= {"certificate": str(identity), "key": str(identity)}
    config = BrokerConfig.model_validate(
        {"host": host or "127.0.0.1", "port": world.broker.port, "tls": tls}
    )
    return MqttPort(endpoint=endpoint_of(config), client_id="tenone-node-no3")


async def test_the_right_one_is_let_in(world: World) -> None:
    async with port_of(world, "right") as port:
        assert port.is_connected
    right = world.identity("right")
    assert world.broker.accepts(world.trust(), right)
    for version in ("-tls1_2", "-tls1_3"):
        assert world.broker.openssl(world.trust(), right, version), version
    assert (
        "as 'no3'" in (world.broker.folder / "mosquitto.log").read_text()
        or "u'no3'" in (world.broker.folder / "mosquitto.log").read_text()
    ), "the certificate's school is the user's name"


@pytest.mark.parametrize("name", BAD)
async def test_all_others_are_refused(world: World, name: str) -> None:
    identity = world.identity(name)
    assert (identity is None) == (name == "nobody's")
    with pytest.raises((ConnectError, ConnectionLostError), match="certificate"):
        await port_of(world, name).connect()
    assert not world.broker.accepts(world.trust(), identity)
    for version in ("-tls1_2", "-tls1_3"):
        assert not world.broker.openssl(world.trust(), identity, version), version


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_tls_is_refused_even_with_the_right_certificate(world: World, version: str) -> None:
    lax = ("-cipher", "ALL:@SECLEVEL=0")
    right = world.identity("right")
    assert not world.broker.openssl(world.trust(), right, version, *lax)
    assert world.broker.openssl(world.trust(), right, "-tls1_2", *lax), "it is the version"


async def test_we_refuse_a_broker_that_is_somebody_else(world: World) -> None:
    with pytest.raises(ConnectError, match="certificate verify failed"):
        await port_of(world, "right", trust=world.folder / "rogue-ca.pem").connect()
    with pytest.raises(ConnectError, match="localhost"):
        await port_of(world, "right", host="localhost").connect()
