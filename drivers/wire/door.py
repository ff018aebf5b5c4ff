"""The controller's door for machines: a few requests over HTTPS, blocking, small and strict.

Used to enrol and to renew; telemetry goes by MQTT. No redirect is followed and no proxy of the
environment is used. TLS 1.2 or newer, the server's name and certificate checked; plain HTTP only
to this machine itself, for a token must not cross a network readable.
"""

import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import SplitResult, urlsplit

from tenone.config.quantities import is_loopback

MAX_ANSWER_BYTES = 1_000_000
TIMEOUT_SECONDS = 15.0
PATH = "/api/v1"
CREATED = 201
OK = 200


class DoorError(Exception):
    """No answer, or no. ``status`` is 0 where there was no answer at all; one sentence."""

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", said: object = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.said = said
        """The problem document."""


def check_url(url: str) -> SplitResult:
    """The parts of a controller's address; raises :class:`DoorError`."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in {"https", "http"} or parts.path not in {"", "/"}:
        raise DoorError(
            f"{url[:200]!a} is no address of a controller: write it like https://city.example:8010"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise DoorError(
            f"{url[:200]!a} is plain HTTP, over which a token could be read: write https://"
        )
    return parts


@dataclass(frozen=True, slots=True)
class Door:
    """One controller. ``trust`` is PEM text of whom to believe; None: the system's authorities."""

    url: str
    trust: bytes | None = None
    blind: bool = field(default=False, kw_only=True)
    """Believe anybody: only to fetch what is then checked by other means."""
    timeout_seconds: float = field(default=TIMEOUT_SECONDS, kw_only=True)

    def authority(self) -> bytes:
        """The certificates the controller calls its authority; PEM, not believed yet."""
        return self._ask("GET", "/ca", None)

    def post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        """POST a document and return the one that comes back; raises :class:`DoorError`."""
        answer = self._ask("POST", path, json.dumps(body).encode("ascii"))
        try:
            said = json.loads(answer)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise DoorError(f"{self.url} answered with something else than a document")
        return cast("dict[str, object]", said)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        parts = check_url(self.url)
        connection = self._connection(parts)
        headers = {"Accept": "application/json, */*", "Origin": f"{parts.scheme}://{parts.netloc}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, PATH + path, body, headers)
            with connection.getresponse() as response:
                status, answer = response.status, response.read(MAX_ANSWER_BYTES + 1)
        except ssl.SSLCertVerificationError as error:
            raise DoorError(
                f"{self.url} is not who it should be ({error.verify_message}): somebody may stand "
                "in between, or its certificate is for another name"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DoorError(
                f"{self.url} cannot be reached ({str(error) or type(error).__name__})"
            ) from error
        finally:
            connection.close()
        if len(answer) > MAX_ANSWER_BYTES:
            raise DoorError(f"{self.url} answered with more than {MAX_ANSWER_BYTES} bytes")
        if status not in {OK, CREATED}:
            raise _refusal(self.url, status, answer)
        return answer

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, timeout = parts.hostname or "", self.timeout_seconds
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=timeout)
        try:
            trust = None if self.trust is None else self.trust.decode("ascii")
            context = ssl.create_default_context(cadata=trust)
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise DoorError(f"the certificates of the authority cannot be used: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.blind:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context)


def _refusal(url: str, status: int, answer: bytes) -> DoorError:
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    problem = said if isinstance(said, dict) else {}
    detail, code = problem.get("detail"), problem.get("code")
    sentence = detail if isinstance(detail, str) else f"{url} answered with status {status}"
    shown = "".join(one if one.isprintable() else "?" for one in sentence[:500])
    return DoorError(shown, status=status, code=code if isinstance(code, str) else "", said=problem)
