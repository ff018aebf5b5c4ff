"""What all configuration models share."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from tenone.config.quantities import Host, LocalPath, Name, Port, is_loopback
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef

SchemaVersion = Literal[1]

MQTT_PORT = 1883
MQTT_TLS_PORT = 8883


class ConfigModel(BaseModel):
    """A group of keys: unknown ones are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    LATER: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Keys that later versions understand -> what they will do."""


class CertificatePair(ConfigModel):
    """A certificate (PEM, with those between it and its root) and its key: both, or neither."""

    certificate: LocalPath | None = None
    key: LocalPath | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            missing = "key" if self.key is None else "certificate"
            raise refusal(f"{missing!r} is missing", "name certificate and key together")
        return self


class Tls(CertificatePair):
    """How to meet a broker over TLS. Without ``ca`` the system's authorities are trusted."""

    ca: LocalPath | None = None


def _tls(value: object) -> object:
    """``tls: true`` is TLS with the system's authorities, ``false`` is none."""
    if isinstance(value, bool):
        return {} if value else None
    return value


class Broker(ConfigModel):
    """An MQTT 5 broker: one inside this process tree (loopback only), or a server's address."""

    embedded: bool = False
    host: Host = "127.0.0.1"
    port: Port = MQTT_PORT
    tls: Annotated[Tls | None, BeforeValidator(_tls)] = None
    username: Name | None = None
    password: SecretRef | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        if value.get("embedded") is not True and value.get("host") is None:
            raise refusal(
                "the broker's 'host' is missing",
                "add the broker's address, or 'embedded: true' for one that comes with TenOne",
            )
        if value.get("tls") is not None and value["tls"] is not False:
            value = {"port": MQTT_TLS_PORT, **value}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.password is not None and self.username is None:
            raise refusal("there is a 'password' but no 'username'", "add the 'username'")
        if not self.embedded:
            return self
        if not is_loopback(self.host):
            raise refusal(
                f"the embedded broker knows no access control and must not listen on {self.host}",
                "leave 'host' out, or run Mosquitto and give its host instead of 'embedded: true'",
            )
        for key in ("tls", "username", "password"):
            if getattr(self, key) is not None:
                raise refusal(f"the embedded broker knows no {key!r}", f"remove {key!r}")
        return self
