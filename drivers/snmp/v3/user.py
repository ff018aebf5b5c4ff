"""Who asks: the user, how it proves itself and how it hides what it says."""

from dataclasses import dataclass

from drivers.snmp.errors import BadTarget
from drivers.snmp.v3.frame import MAX_ENGINE_ID, MAX_USER, MIN_ENGINE_ID
from drivers.snmp.v3.keys import MIN_PASSWORD, Auth, Priv
from tenone.trust.masked import Secret, bare


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the user-based security model (RFC 3414). The passwords are kept masked.

    ``engine_id`` pins the engine: a device that has another one is not believed. Without it
    the device is asked. ``context`` is the context's name, which most devices leave empty.
    """

    name: str
    auth: Auth | None = None
    auth_password: Secret | str = ""
    priv: Priv | None = None
    priv_password: Secret | str = ""
    context: str = ""
    engine_id: bytes = b""

    def __post_init__(self) -> None:
        """Refuse what no agent takes; raises :class:`BadTarget` without quoting a secret."""
        object.__setattr__(self, "auth_password", Secret.of(self.auth_password))
        object.__setattr__(self, "priv_password", Secret.of(self.priv_password))
        if not 1 <= len(self.name.encode()) <= MAX_USER:
            raise BadTarget(f"an SNMPv3 user has a name of 1 to {MAX_USER} bytes")
        if self.priv is not None and self.auth is None:
            raise BadTarget("SNMPv3 encrypts only what it authenticates: give auth beside priv")
        for what, protocol, password in (
            ("auth", self.auth, self.auth_password),
            ("priv", self.priv, self.priv_password),
        ):
            if protocol is not None and len(bare(password).encode()) < MIN_PASSWORD:
                raise BadTarget(
                    f"the {what} password is shorter than the {MIN_PASSWORD} characters "
                    "SNMPv3 asks for (RFC 3414 section 11.2)"
                )
        if self.engine_id and not MIN_ENGINE_ID <= len(self.engine_id) <= MAX_ENGINE_ID:
            raise BadTarget(
                f"an engine id has {MIN_ENGINE_ID} to {MAX_ENGINE_ID} bytes, "
                f"this one {len(self.engine_id)}"
            )

    @property
    def level(self) -> str:
        """``noAuthNoPriv``, ``authNoPriv`` or ``authPriv`` (RFC 3411 section 3.4.3)."""
        if self.auth is None:
            return "noAuthNoPriv"
        return "authNoPriv" if self.priv is None else "authPriv"
