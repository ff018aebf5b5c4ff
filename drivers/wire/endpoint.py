"""From a configured broker to an address with credentials and TLS."""

import ssl

from drivers.wire.mqtt_values import Endpoint
from tenone.config.base import Broker, Tls
from tenone.config.secret import SecretError


class EndpointError(Exception):
    """Credentials or certificates that cannot be used; the message names them."""


def endpoint_of(broker: Broker) -> Endpoint:
    """The endpoint of ``broker``; reads its secret and its certificates.

    Raises :class:`EndpointError`.
    """
    try:
        password = None if broker.password is None else broker.password.fetch()
    except SecretError as error:
        raise EndpointError(f"the password for broker {broker.host}: {error}") from error
    return Endpoint(
        host=broker.host,
        port=broker.port,
        tls=None if broker.tls is None else _context(broker.tls),
        username=broker.username,
        password=password,
    )


def _context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's name and certificate checked."""
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(path) for path in (tls.ca, tls.certificate, tls.key) if path)
        raise EndpointError(
            f"the certificates for the broker cannot be used ({error}): look at {files}"
        ) from error
    return context
