"""``switches[].snmp``: by which version and as whom a switch is asked."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Name
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef


class AuthProtocol(StrEnum):
    """How SNMPv3 messages are authenticated."""

    SHA256 = "sha256"
    SHA512 = "sha512"
    SHA384 = "sha384"
    SHA224 = "sha224"
    SHA1 = "sha1"
    """Old: only where the switch has nothing better. So is MD5."""
    MD5 = "md5"


class PrivProtocol(StrEnum):
    """How SNMPv3 messages are encrypted."""

    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"
    AES192C = "aes192c"
    """Cisco's way to make the longer key, as ``aes256c``."""
    AES256C = "aes256c"
    DES = "des"
    """Old: only where the switch has nothing better."""


class SnmpAuth(ConfigModel):
    """The proof of who asks."""

    protocol: AuthProtocol
    password: SecretRef


class SnmpPriv(ConfigModel):
    """The veil over what is asked."""

    protocol: PrivProtocol
    password: SecretRef


def _engine_id(text: str) -> str:
    plain = text.lower().removeprefix("0x").replace(":", "")
    try:
        octets = bytes.fromhex(plain)
    except ValueError:
        octets = b""
    if not 5 <= len(octets) <= 32:  # noqa: PLR2004 - RFC 3411, SnmpEngineID
        raise refusal(
            "an engine id is 5 to 32 bytes in hexadecimal",
            "write it as the switch shows it, such as 800007db03001122334455, in quotes",
        )
    return octets.hex()


EngineId = Annotated[str, AfterValidator(_engine_id)]


class Snmp(ConfigModel):
    """How a switch is asked: a community for v1 and v2c, a user for v3."""

    version: Literal["v1", "v2c", "v3"] = "v2c"
    community: SecretRef | None = None
    user: Annotated[Name, Field(max_length=32)] | None = None
    auth: SnmpAuth | None = None
    priv: SnmpPriv | None = None
    context: Annotated[Name, Field(max_length=32)] | None = None
    """The context's name, which most switches leave empty."""
    engine_id: EngineId | None = None
    """Pins the switch's engine: another device under its address is not believed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.version != "v3":
            for key in ("user", "auth", "priv", "context", "engine_id"):
                if getattr(self, key) is not None:
                    raise refusal(f"{key!r} belongs to SNMPv3", "write 'version: v3', or remove it")
            if self.community is None:
                raise refusal("'community' is missing", "add 'community: env:NAME'")
            return self
        if self.user is None:
            raise refusal("'user' is missing", "add the SNMPv3 user the switch knows")
        if self.community is not None:
            raise refusal("SNMPv3 has no 'community'", "remove it")
        if self.priv is not None and self.auth is None:
            raise refusal(
                "SNMPv3 encrypts only what it authenticates: 'auth' is missing",
                "add 'auth: {protocol: sha256, password: env:NAME}'",
            )
        return self
