"""The ``auth.oidc`` group of ``city.yaml``: whose word on who somebody is, is taken."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Host, LocalPath, Name, is_loopback
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef
from tenone.config.trust import Network

Address = Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$", max_length=500)]


class Oidc(ConfigModel):
    """An OpenID Connect provider. What somebody may do is granted here, never by its claims."""

    name: Name = "OpenID Connect"
    """What the button of the sign-in page calls it."""
    issuer: Address
    """As its discovery document says it, to the letter."""
    client_id: Name
    client_secret: SecretRef | None = None
    """None: a public client; PKCE is used with and without."""
    url: Address
    """Where browsers reach this controller; ``/sign-in/oidc/return`` below it is registered."""
    ca: LocalPath | None = None
    """Whom to trust for the provider; None: the system's authorities."""
    hosts: tuple[Host, ...] = ()
    """Hosts of its endpoints that are not the issuer's own."""
    networks: tuple[Network, ...] = ()
    """Private networks the provider may be in."""
    scopes: tuple[Name, ...] = ("openid",)
    groups_claim: Name = "groups"
    allowed_groups: tuple[Name, ...] = ()
    """One of them is needed; empty: none is asked for."""
    second_factor: tuple[Name, ...] = ()
    """Values of ``acr`` or ``amr`` (RFC 8176) that count as a second factor. Accounts that must
    have one sign in by the provider only with one of these."""

    @model_validator(mode="after")
    def _safe(self) -> Self:
        for key, text in (("issuer", self.issuer), ("url", self.url)):
            parts = urlsplit(text)
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                raise refusal(f"{key!r} is not https", "write https://, or use loopback in a test")
        if "openid" not in self.scopes:
            raise refusal("'scopes' lacks 'openid'", "add it, or leave 'scopes' out")
        return self
