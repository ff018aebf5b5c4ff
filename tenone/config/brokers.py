"""Who keeps the access lists of a Mosquitto: the city's (``trust.broker``) and a school's."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tenone.config.base import MQTT_PORT, Broker, ConfigModel
from tenone.config.quantities import Host, LocalPath, Name, Port, Seconds
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef
from tenone.vocabulary.scope import is_slug

KEEPER = "tenone.keeper"


def account_of_ours(name: str) -> str:
    """Return ``name`` if no machine's certificate can bear it.

    An agent's certificate is named like its school, and Mosquitto takes that name as the user
    name without asking for the password: a school called like the controller would be it.
    """
    if is_slug(name):
        raise refusal(
            f"a school could be called {name!r}, and its certificate would then be this account",
            "use a name with a dot, such as tenone.host",
        )
    return name


OwnName = Annotated[Name, AfterValidator(account_of_ours)]


class BrokerControl(ConfigModel):
    """The account that keeps the lists, and how."""

    host: Host = "127.0.0.1"
    port: Port = MQTT_PORT
    username: OwnName = Field(default=KEEPER, validate_default=True)
    password: SecretRef
    foreign: Literal["keep", "remove"] = "keep"
    """What happens to accounts that TenOne did not make: told, or told and removed."""
    check_seconds: Annotated[Seconds, Field(ge=1, le=3600)] = 120.0
    """How often the lists are compared even if nothing is known to have changed."""

    @property
    def broker(self) -> Broker:
        """The connection."""
        return Broker(
            host=self.host, port=self.port, username=self.username, password=self.password
        )


class CityControl(BrokerControl):
    """``trust.broker``: the city's broker."""

    identity: Literal["certificate", "password"] = "certificate"
    """How agents prove who they are."""
    agents: Literal["enrolled", "planned"] = "enrolled"
    """Who is let in: machines whose certificate counts by the city's own authority, or every
    school of the configuration (certificates of another authority; passwords)."""
    passwords: LocalPath | None = None
    """The file of the agents' passwords, made by ``tenone broker passwords``."""
    watch: bool = True
    """Read the broker's log for connections by older protocols and ids taken over."""
    reload: tuple[Name, ...] = ()
    """A command, word by word, that makes the broker read its revocation list again, as
    ``[systemctl, reload, mosquitto]``; it is run without a shell."""
    pid_file: LocalPath | None = None
    """Instead of ``reload``: the file with the broker's process id, which then gets SIGHUP."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.reload and self.pid_file is not None:
            raise refusal("'reload' and 'pid_file' say the same", "keep one of the two")
        if (self.identity == "password") != (self.passwords is not None):
            raise refusal(
                "'passwords' goes with 'identity: password' and with nothing else",
                "write both or neither",
            )
        if self.identity == "password" and self.agents == "enrolled":
            raise refusal(
                "agents with passwords have no certificate to be enrolled with",
                "write 'agents: planned'",
            )
        return self


class DeviceAccounts(BrokerControl):
    """``local_broker.devices``: the accounts of a school's devices at its own Mosquitto."""

    identity: Literal["certificate", "password"] = "password"
    passwords: LocalPath = Field(default="device-passwords.json", validate_default=True)
    """The file of the devices' passwords, made by ``tenone broker passwords``."""


class LocalBroker(Broker):
    """A school's own broker."""

    devices: DeviceAccounts | None = None
    """Only for a Mosquitto: the agent keeps its access lists, an account a device."""

    @model_validator(mode="after")
    def _keepable(self) -> Self:
        if self.devices is None:
            return self
        if self.embedded:
            raise refusal(
                "the embedded broker knows no accounts",
                "remove 'devices', or run Mosquitto and give its host",
            )
        if self.username is None or self.password is None:
            raise refusal(
                "the agent needs an account of its own beside the devices'",
                "add 'username' and 'password' to local_broker",
            )
        account_of_ours(self.username)
        if self.username == self.devices.username:
            raise refusal(
                "the agent's account and the one that keeps the lists are the same",
                f"use two, such as tenone.agent and {KEEPER}",
            )
        return self
