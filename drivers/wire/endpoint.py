"""From a configured broker to an address with credentials and TLS."""

import ssl
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from drivers.wire.mqtt_values import Endpoint
from tenone.config.base import Broker, Tls
from tenone.config.secret import SecretError
from tenone.trust.files import KeyFileError
from tenone.trust.sealed_files import SealedFiles

IDENTITY = "identity"
"""What the file with a gateway's key and certificate is called where it is sealed."""


class EndpointError(Exception):
    """Credentials or certificates that cannot be used; the message names them."""


def endpoint_of(broker: Broker, identity: SealedFiles | None = None) -> Endpoint:
    """The endpoint of ``broker``; reads its secret and its certificates.

    ``identity`` reads the file that holds key and certificate, where TenOne made it itself.

    Raises :class:`EndpointError`.
    """
    try:
        password = None if broker.password is None else broker.password.fetch()
    except SecretError as error:
        raise EndpointError(f"the password for broker {broker.host}: {error}") from error
    return Endpoint(
        host=broker.host,
        port=broker.port,
        tls=None if broker.tls is None else _context(broker.tls, identity),
        username=broker.username,
        password=password,
    )


def _context(tls: Tls, identity: SealedFiles | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's name and certificate checked."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate is not None:
            with _opened(Path(tls.certificate), identity) as certificate:
                own = identity is not None
                context.load_cert_chain(certificate, certificate if own else tls.key)
    except (KeyFileError, OSError, ssl.SSLError) as error:
        files = ", ".join(str(path) for path in (tls.ca, tls.certificate, tls.key) if path)
        raise EndpointError(
            f"the certificates for the broker cannot be used ({error}): look at {files}"
        ) from error
    return context


def _opened(path: Path, identity: SealedFiles | None) -> AbstractContextManager[str]:
    return nullcontext(str(path)) if identity is None else identity.opened(path, IDENTITY)
