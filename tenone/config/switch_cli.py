"""``cli`` of a switch in school.yaml: how the agent logs in to it to repair it."""

from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Host, Name, Port, PortName
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef
from tenone.vocabulary.intents import Dialect, Intent

SSH_PORT = 22
MOST_VLAN = 4094

Vlan = Annotated[int, Strict(), Field(ge=1, le=MOST_VLAN)]


class SwitchCli(ConfigModel):
    """One switch's command line. Its host key is pinned before: see docs/repairs.md."""

    dialect: Dialect
    host: Host | None = None
    """Where it is not the address that is polled."""
    port: Port = SSH_PORT
    username: Name
    password: SecretRef
    enable: SecretRef | None = None
    """The second password of switches that ask for one."""
    quarantine_vlan: Vlan | None = None
    """Without it there is no quarantine here."""
    protected: tuple[PortName, ...] = ()
    """Ports that are never touched: emergency devices, the way to this gateway."""
    allowed: tuple[PortName, ...] = ()
    """Uplink or backbone ports that may be touched all the same. Protected ones may not."""
    intents: tuple[Intent, ...] = tuple(Intent)
    """What may be done here at all."""
    automatic: tuple[Intent, ...] = ()
    """The school's consent: what of that the city may do without asking a person."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        both = sorted(set(self.protected) & set(self.allowed))
        if both:
            raise refusal(
                f"the port {both[0]!r} is both 'protected' and 'allowed'", "keep it in one of them"
            )
        if Intent.QUARANTINE in self.automatic:
            raise refusal(
                "a quarantine takes two persons, so it is never automatic",
                "remove it from 'automatic'",
            )
        return self
