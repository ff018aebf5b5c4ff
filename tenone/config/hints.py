"""``school.yaml``: where switches send their traps and log lines. Off unless written.

What arrives is only a hint: it has the switch asked at once, and nothing else.
"""

import ipaddress
from typing import Annotated, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Name
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef
from tenone.config.snmp import EngineId, SnmpAuth, SnmpPriv

MAX_PORT = 65_535
MAX_COMMUNITIES = 16
MAX_USERS = 16


class Listen(NamedTuple):
    """A UDP address of this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _listen(value: object) -> object:
    if isinstance(value, Listen):
        return value
    text = value if isinstance(value, str) else ""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if "[" in host else host
    try:
        address = ipaddress.ip_address(host)
        number = int(port) if colon and port.isascii() and port.isdigit() else 0
    except ValueError:
        address, number = None, 0
    if address is None or not 1 <= number <= MAX_PORT:
        raise refusal(
            "this is not an address of this machine with a UDP port",
            "write such as 0.0.0.0:162 (all of its addresses), 10.1.2.3:162 or '[::]:162'",
        )
    return Listen(str(address), number)


ListenAddress = Annotated[Listen, BeforeValidator(_listen)]
"""``host:port``, numeric; ``0.0.0.0`` and ``[::]`` are all addresses of the machine."""


class TrapUser(ConfigModel):
    """An SNMPv3 user that switches send traps and informs as."""

    user: Annotated[Name, Field(max_length=32)]
    auth: SnmpAuth | None = None
    priv: SnmpPriv | None = None
    engine_id: EngineId | None = None
    """Only messages of this engine; without it, of every engine that knows the passwords."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.priv is not None and self.auth is None:
            raise refusal(
                "SNMPv3 encrypts only what it authenticates: 'auth' is missing",
                "add 'auth: {protocol: sha256, password: env:NAME}'",
            )
        return self


class Traps(ConfigModel):
    """SNMP traps and informs, v1, v2c and v3."""

    listen: ListenAddress
    communities: Annotated[tuple[SecretRef, ...], Field(max_length=MAX_COMMUNITIES)] = ()
    """Of v1 and v2c; without any these are refused."""
    users: Annotated[tuple[TrapUser, ...], Field(max_length=MAX_USERS)] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.communities and not self.users:
            raise refusal(
                "nobody's traps would be believed",
                "add 'communities: [env:NAME]' or 'users'",
            )
        names = [one.user for one in self.users]
        if len(set(names)) != len(names):
            raise refusal("a user is listed twice", "keep one entry a user")
        return self


class Syslog(ConfigModel):
    """Log lines over UDP (RFC 3164, RFC 5424, RFC 5426), believed from known switches only."""

    listen: ListenAddress
