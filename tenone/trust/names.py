"""Names of machines, and how they stand in certificates. No I/O.

A name is pure ASCII by its grammar (slugs of ``[a-z0-9-]{1,32}``), so its Unicode normal forms are
all itself and it cannot hold a wildcard, a separator or a control character of any protocol it
is put into: MQTT topic and client id, certificate subject, URN, file name.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from tenone.vocabulary.scope import IdentifierError, device_kind, is_slug, slug

SHOWN_CHARACTERS = 64
_URN = "urn:tenone:"
_NAME = re.compile(r"[a-z]{1,16}:[a-z0-9-]{1,32}(/[a-z0-9-]{1,32}){0,2}")
_LONGEST_NAME = 128
_LONGEST_CN = 64


class MachineKind(StrEnum):
    """What a machine is; the first word of its name."""

    AGENT = "agent"
    """A school's gateway."""
    DEVICE = "device"
    """Something that speaks to a school's broker."""
    SERVER = "server"
    """A broker or web server of the city."""
    SERVICE = "service"
    """A program of the city that is a client of the broker: the controller."""


@dataclass(frozen=True, slots=True, order=True)
class MachineName:
    """``agent:<school>``, ``device:<school>/<kind>/<serial>``, ``server:<id>``, ``service:<id>``.

    ``kind`` is the first word, ``path`` the rest.
    """

    kind: MachineKind
    path: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "MachineName":
        """Read a name; raises :class:`IdentifierError`."""
        if len(text) > _LONGEST_NAME or _NAME.fullmatch(text) is None:
            raise IdentifierError(
                f"{shown(text)} is no name of a machine: write agent:SCHOOL, "
                "device:SCHOOL/KIND/SERIAL, server:NAME or service:NAME"
            )
        kind, _, rest = text.partition(":")
        parts = tuple(rest.split("/"))
        match kind, len(parts):
            case "agent" | "server" | "service", 1:
                return cls(MachineKind(kind), (slug(parts[0]),))
            case "device", 3:
                return cls.device(*parts)
            case _:
                raise IdentifierError(
                    f"{shown(text)} is no name of a machine: write agent:SCHOOL, "
                    "device:SCHOOL/KIND/SERIAL, server:NAME or service:NAME"
                )

    @classmethod
    def agent(cls, school: str) -> "MachineName":
        """A school's gateway."""
        return cls(MachineKind.AGENT, (slug(school, "school"),))

    @classmethod
    def device(cls, school: str, kind: str, serial: str) -> "MachineName":
        """A device of a school."""
        path = (slug(school, "school"), device_kind(kind).value, slug(serial, "serial"))
        return cls(MachineKind.DEVICE, path)

    @property
    def school(self) -> str | None:
        """The school it belongs to; None for what is the city's."""
        return self.path[0] if self.kind in {MachineKind.AGENT, MachineKind.DEVICE} else None

    @property
    def common_name(self) -> str:
        """The certificate subject's CN, which Mosquitto takes as the user name.

        An agent's is its school. Every other holds a character that no school has, so that no
        device can be taken for an agent. At most 64 characters (RFC 5280, appendix A.1).
        """
        if self.kind is MachineKind.AGENT:
            return self.path[0]
        name = "/".join(self.path) if self.kind is MachineKind.DEVICE else str(self)
        if len(name) <= _LONGEST_CN:
            return name
        return f"sha256:{hashlib.sha256(name.encode()).hexdigest()[:56]}"

    def urn(self, city: str) -> str:
        """The URI of its subject alternative name."""
        return _URN + ":".join((city, self.kind.value, *self.path))

    @classmethod
    def of_urn(cls, urn: str) -> tuple[str, "MachineName"]:
        """City and name of a URI; raises :class:`IdentifierError`."""
        parts = urn.removeprefix(_URN).split(":") if urn.startswith(_URN) else []
        if len(parts) not in {3, 5} or not is_slug(parts[0]):
            raise IdentifierError(f"{shown(urn)} names no machine of TenOne")
        return parts[0], cls.parse(f"{parts[1]}:{'/'.join(parts[2:])}")

    def __str__(self) -> str:
        return f"{self.kind.value}:{'/'.join(self.path)}"


def shown(text: str) -> str:
    """Foreign text as one may print it: ASCII, escaped, cut."""
    return ascii(text[:SHOWN_CHARACTERS])
