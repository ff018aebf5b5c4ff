"""``school.yaml: egress``: where the agent may speak to, beyond what its own settings name."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Host, Name, Port
from tenone.config.refusal import refusal

MAX_ENTRIES = 256


def _to(text: str) -> str:
    """A host as elsewhere, or a network such as ``10.0.0.0/8``."""
    if "/" not in text:
        return text
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise refusal(
            "this is neither a host nor a network",
            "write an address, a name, or a network such as 10.1.0.0/16",
        ) from None
    if network.prefixlen == 0:
        raise refusal("this is everywhere", "list the networks the agent must reach")
    return str(network)


Network = Annotated[str, Field(pattern=r"^[0-9a-fA-F:.]+/[0-9]+$"), AfterValidator(_to)]


class EgressEntry(ConfigModel):
    """One more place to speak to."""

    to: Host | Network
    port: Port | None = None
    """None: any."""
    protocol: Literal["tcp", "udp"] = "tcp"
    why: Name
    """For whoever reads the list."""


class Egress(ConfigModel):
    """The list is what the configuration names: broker, switches, probes; and what stands here."""

    enforce: Annotated[bool, Strict()] = True
    """False: what is not listed is counted and told, and goes out."""
    pin_names: Annotated[bool, Strict()] = False
    """True: a name means the addresses it had when it was first looked up, until a restart."""
    also: Annotated[tuple[EgressEntry, ...], Field(max_length=MAX_ENTRIES)] = ()
    resolvers: Annotated[tuple[Host, ...], Field(max_length=8)] = ()
    """The machine's resolvers, for the rules of the machine; empty: those of /etc/resolv.conf."""
    ntp: Annotated[tuple[Host, ...], Field(max_length=8)] = ()
    """The machine's time servers, for the rules of the machine."""

    @model_validator(mode="after")
    def _numeric(self) -> Self:
        for resolver in self.resolvers:
            try:
                ipaddress.ip_address(resolver)
            except ValueError:
                raise refusal(
                    f"the resolver {resolver!r} is no address", "write it like 10.0.0.53"
                ) from None
        return self
