"""What the web server shows: a certificate of the city's own authority, or one from files.

Both may change while the server runs. New handshakes then get the new one; connections that stand
keep what they agreed on.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from controller.api.services import Health
from controller.trust.authorities import Authorities
from controller.trust.ca import CaError
from controller.trust.machine_room import authorities_of, crl_url_of, lifetimes_of
from controller.trust.servers import (
    CHAIN_FILE,
    KEY_FILE,
    TRUST_FILE,
    key_of,
    server_certificate,
)
from tenone.config.city import City as CityConfig
from tenone.config.city import HttpTls
from tenone.config.own_files import own_files
from tenone.runtime.clock import Clock
from tenone.trust.enrolment import EnrolmentError, load_certificates
from tenone.trust.files import KeyFileError, read_open
from tenone.trust.names import MachineKind

log = logging.getLogger(__name__)

NAME = "web"
"""Of the server, as its certificate says it; and of its folder below the store's."""
LOOK_SECONDS = 2.0
NS = 1_000_000_000
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of TLS 1.3 are all good (RFC 9325 section 4.2)."""
ALWAYS = ("localhost", "127.0.0.1", "::1")


class WebCertificate:
    """The certificate and the context that shows it. :meth:`open` and :meth:`look` block."""

    def __init__(self, config: CityConfig, tls: HttpTls, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._own = tls.certificate is None
        self._files = own_files(config.vault)
        folder = Path(config.store.path) / NAME
        self._folder = folder
        self._chain = folder / CHAIN_FILE if tls.certificate is None else Path(tls.certificate)
        self._key = folder / KEY_FILE if tls.key is None else Path(tls.key)
        self._authorities: Authorities | None = None
        self._renew_after = 0.0
        self._ends = 0.0
        self._seen: tuple[tuple[int, int], ...] = ()
        self._trouble = ""
        self.made_authority = False
        """Whether :meth:`open` made the city's first authority."""
        self.context = server_context()

    @property
    def trust_file(self) -> Path | None:
        """What browsers and machines are to trust; None: the certificate is not of our own."""
        return self._folder / TRUST_FILE if self._own else None

    def fingerprints(self) -> list[str]:
        """SHA-256 of the roots in :attr:`trust_file`, as browsers show them."""
        if self._authorities is None:
            return []
        return [fingerprint(one) for one in load_certificates(self._authorities.bundle)]

    def open(self) -> None:
        """Make or read the certificate; raises :class:`CaError`."""
        if self._own:
            self._authorities = authorities_of(self._config)
            self.made_authority = not self._authorities.exists()
            self._authorities.open(self._now())
            self._renew()
        self._load()

    def look(self) -> bool:
        """Renew what is due, load what changed; whether anything did. Raises :class:`CaError`."""
        if self._authorities is not None and (
            self._authorities.reload() or self._now() >= self._renew_after
        ):
            self._renew()
        if self._stamps() == self._seen:
            return False
        self._load()
        return True

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                if await asyncio.to_thread(self.look):
                    log.info("the web server shows a new certificate")
                self._trouble = ""
            except CaError as error:
                if str(error) != self._trouble:
                    log.error("web server: %s", error)  # noqa: TRY400 - the sentence is all there is to say
                self._trouble = str(error)

    def health(self) -> Health:
        """The word in /readyz."""
        left = (self._ends - self._now()) / 86_400
        sentence = self._trouble or (
            f"its certificate is valid for {left:.1f} more days"
            if left > 0
            else "its certificate is no longer valid: put a new one into its files"
        )
        return Health(name="https", ready=not self._trouble and left > 0, sentence=sentence)

    def _renew(self) -> None:
        if self._authorities is None:
            return
        made = server_certificate(
            self._authorities,
            NAME,
            hosts_of(self._config),
            self._folder,
            city=self._config.id,
            now=self._now(),
            lifetime=lifetimes_of(self._config)[MachineKind.SERVER],
            crl_url=crl_url_of(self._config),
            files=self._files,
        )
        self._renew_after = made.renew_after

    def _load(self) -> None:
        stamps = self._stamps()
        try:
            with self._opened_key() as key:
                # First elsewhere: half of a change must not spoil what is shown now.
                server_context().load_cert_chain(self._chain, key, password=_no_passphrase)
                own = load_certificates(read_open(self._chain))[0]
                self.context.load_cert_chain(self._chain, key, password=_no_passphrase)
        except ssl.SSLError as error:
            raise CaError(
                f"{self._chain} and {self._key} are not a certificate in PEM and its own key "
                f"without a passphrase ({error.reason or error}): put both there"
            ) from error
        except (OSError, ValueError, KeyFileError, EnrolmentError) as error:
            raise CaError(
                f"the web server's certificate {self._chain} or its key {self._key} cannot be "
                f"read: {error}"
            ) from error
        self._ends = own.not_valid_after_utc.timestamp()
        self._seen = stamps

    def _opened_key(self) -> AbstractContextManager[str]:
        """Where OpenSSL finds the key; of one's own, in memory. KeyFileError."""
        if not self._own:
            return nullcontext(str(self._key))
        return self._files.opened(self._key, key_of(NAME))

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        try:
            found = [path.stat() for path in (self._chain, self._key)]
        except OSError as error:
            raise CaError(f"the web server's certificate is gone: {error}") from error
        return tuple((one.st_mtime_ns, one.st_ino) for one in found)

    def _now(self) -> int:
        return self._clock.wall_ns() // NS


def server_context() -> ssl.SSLContext:
    """TLS 1.2 and 1.3, forward secrecy and authenticated ciphers only; no certificate yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def hosts_of(config: CityConfig) -> tuple[str, ...]:
    """The names and addresses browsers and machines may come by."""
    http, url = config.http, config.trust.ca.url
    named = [*ALWAYS, *http.hosts]
    if not http.is_everywhere:
        named.append(http.host)
    if url is not None:
        named.append(urlsplit(url).hostname or "localhost")
    return tuple(sorted(set(named)))


def fingerprint(certificate: x509.Certificate) -> str:
    """``AB:CD:...`` of the SHA-256."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def said_of(fingerprints: Iterable[str], trust_file: Path) -> str:
    """What ``tenone controller`` says about whom to trust."""
    shown = " and ".join(fingerprints)
    return (
        f"Its certificate is of the city's own authority. Have browsers trust {trust_file}, "
        f"SHA-256 {shown}"
    )


def _no_passphrase() -> str:
    """OpenSSL would ask the terminal."""
    raise ValueError("the key is sealed by a passphrase")
