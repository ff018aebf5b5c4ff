"""What agent and city say to each other about certificates: token, request, answer. No I/O.

Signatures are ECDSA on P-256 with SHA-256 (FIPS 186-5), DER-encoded.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN_SECRET_BYTES = 20
NONCE_BYTES = 16
MAX_PEM = 16_384
"""Characters; a request with a P-256 key has about 500."""
_TOKEN_FIRST = "t1"  # noqa: S105 - the form's version, no secret
_RENEWAL_FIRST = "tenone-renewal 1"


class EnrolmentError(ValueError):
    """A token, request or answer that cannot be used; one sentence."""


@dataclass(frozen=True, slots=True)
class Token:
    """A one-time token as a person carries it to a school: a secret, and whom to trust."""

    secret: bytes
    authority: bytes
    """SHA-256 of the city CA's SubjectPublicKeyInfo (DER): no trust on first use."""

    @classmethod
    def new(cls, authority: bytes) -> "Token":
        """One with 160 random bits."""
        return cls(secrets.token_bytes(TOKEN_SECRET_BYTES), authority)

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Read ``t1.<secret>.<authority>``; raises :class:`EnrolmentError`, never repeating it."""
        first, _, rest = text.strip().partition(".")
        secret, _, authority = rest.partition(".")
        try:
            made = cls(_unbase64(secret), _unbase64(authority))
        except EnrolmentError:
            made = None
        if (
            made is None
            or first != _TOKEN_FIRST
            or len(made.secret) != TOKEN_SECRET_BYTES
            or len(made.authority) != hashlib.sha256().digest_size
        ):
            raise EnrolmentError(
                "this is no enrolment token: copy it whole, as 'tenone enrol token' printed it"
            )
        return made

    @property
    def text(self) -> str:
        """What is printed once."""
        return f"{_TOKEN_FIRST}.{_base64(self.secret)}.{_base64(self.authority)}"

    @property
    def digest(self) -> str:
        """What the city keeps of it: SHA-256 of the secret, hex."""
        return hashlib.sha256(b"tenone-token 1\0" + self.secret).hexdigest()

    def __repr__(self) -> str:
        return f"Token(authority={self.authority.hex()[:16]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A request for the next certificate, signed with the key of the present one."""

    serial: int
    """Of the present certificate."""
    csr: str
    """PEM; its key is the next certificate's."""
    wall_ns: int
    nonce: bytes

    def text(self) -> bytes:
        """What is signed."""
        digest = hashlib.sha256(self.csr.encode()).hexdigest()
        lines = (
            _RENEWAL_FIRST,
            f"serial {self.serial:x}",
            f"csr {digest}",
            f"wall_ns {self.wall_ns}",
            f"nonce {self.nonce.hex()}",
        )
        return "".join(f"{line}\n" for line in lines).encode("ascii")

    def sign(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """The signature."""
        return key.sign(self.text(), ec.ECDSA(hashes.SHA256()))

    def verify(self, signature: bytes, certificate: x509.Certificate) -> bool:
        """Whether the holder of ``certificate``'s key signed it."""
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        try:
            key.verify(signature, self.text(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for a machine."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #8 without a passphrase: the file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The key of a PEM text, which may hold certificates after it; raises EnrolmentError."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EnrolmentError("the key cannot be read: it is damaged or has a passphrase") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EnrolmentError("the key is not one of ECDSA on P-256")
    return key


def make_csr(key: ec.EllipticCurvePrivateKey, common_name: str) -> str:
    """A PKCS #10 request (RFC 2986), PEM. The city takes nothing from it but the key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")


def key_of_csr(pem: str) -> ec.EllipticCurvePublicKey:
    """The public key of a request whose sender holds the private one; raises EnrolmentError."""
    if len(pem) > MAX_PEM:
        raise EnrolmentError(f"the certificate request is larger than {MAX_PEM} characters")
    try:
        csr = x509.load_pem_x509_csr(pem.encode("ascii"))
        key = csr.public_key()
        signed = csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EnrolmentError(
            "the certificate request cannot be read: send a PKCS #10 request as PEM"
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EnrolmentError("the certificate request's key is not one of ECDSA on P-256")
    if not signed:
        raise EnrolmentError(
            "the certificate request is not signed by its own key: who sent it does not hold it"
        )
    return key


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """All certificates of a PEM text, in their order, at least one; raises EnrolmentError."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise EnrolmentError("there is no certificate to be read in it") from error


def spki_hash(key: object) -> bytes:
    """SHA-256 of a public key's SubjectPublicKeyInfo, DER."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise EnrolmentError("the key is not one of ECDSA")
    return hashlib.sha256(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).digest()


def pinned(bundle: bytes, authority: bytes) -> list[x509.Certificate]:
    """The certificates of a bundle that a token vouches for; raises EnrolmentError.

    The one whose key the token names must be there, and every other must be signed by it or
    sign it: whoever stands in between can add nobody.
    """
    found = load_certificates(bundle)
    anchors = [one for one in found if spki_hash(one.public_key()) == authority]
    if not anchors:
        raise EnrolmentError(
            "the controller shows another certificate authority than the token names: somebody "
            "may stand in between; ask who issued the token, and do not use it here"
        )
    return [
        one
        for one in found
        if one in anchors or any(_signed_by(one, a) or _signed_by(a, one) for a in anchors)
    ]


def check_answer(
    chain: bytes, bundle: bytes, key: ec.EllipticCurvePublicKey, urn: str
) -> x509.Certificate:
    """The machine's own certificate if it is of its key, its name and a trusted authority.

    Raises EnrolmentError.
    """
    certificates = load_certificates(chain)
    own = certificates[0]
    if spki_hash(own.public_key()) != spki_hash(key):
        raise EnrolmentError("the certificate that came back is of another key")
    if urn not in uris_of(own):
        names = ", ".join(uris_of(own)) or "nobody"
        raise EnrolmentError(
            f"the certificate that came back is of {names}, not of {urn}: the token was issued "
            "for another machine, or school.yaml names another school"
        )
    roots = load_certificates(bundle)
    issuers = certificates[1:] + roots
    walked = own
    for _ in range(len(issuers) + 1):
        if any(walked == root or _signed_by(walked, root) for root in roots):
            return own
        above = [one for one in issuers if one != walked and _signed_by(walked, one)]
        if not above:
            break
        walked = above[0]
    raise EnrolmentError("the certificate that came back is not of the authority in its bundle")


def uris_of(certificate: x509.Certificate) -> list[str]:
    """The URIs of its subject alternative name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.value.get_values_for_type(x509.UniformResourceIdentifier)


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise EnrolmentError("this is no base64") from None
