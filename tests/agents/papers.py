"""A city's answers without a city: an authority of its own and papers it signs."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from controller.trust.ca import DAY, Authority, Names, issue, make_crl, make_root, pem
from tenone.trust.names import MachineName

NOW = 1_790_000_000
NO3 = MachineName.agent("no3").urn("binhai")


@dataclass
class Issuer:
    """Signs what it is asked to; ``now`` moves."""

    now: int = NOW
    lifetime: int = 7 * DAY
    root: Authority = field(default_factory=lambda: make_root("binhai", NOW - 30 * DAY))

    def papers(
        self,
        key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey,
        school: str = "no3",
    ) -> dict[str, object]:
        public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
        names = Names(machine=MachineName.agent(school), city="binhai")
        made = issue(self.root, names, public, now=self.now, lifetime=self.lifetime)
        crl = make_crl(self.root, (), now=self.now, number=1)
        return {
            "certificate": pem(made).decode(),
            "ca": pem(self.root.certificate).decode(),
            "crl": crl.public_bytes(Encoding.PEM).decode(),
        }


def certificate_of(papers: dict[str, object]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(str(papers["certificate"]).encode())
