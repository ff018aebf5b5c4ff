"""Identifiers: slugs, scope paths, link ids, device ids (CONTRACT "Identifiers")."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

Slug = NewType("Slug", str)
"""Lower-case ``[a-z0-9-]{1,32}``: a city, district, school, building, room, link or asset."""

_SLUG = re.compile(r"[a-z0-9-]{1,32}")
SLUG_RULE = "use 1 to 32 of the characters a-z, 0-9 and '-'"


class IdentifierError(ValueError):
    """An identifier that breaks the grammar; the message says what to write instead."""


class DeviceKind(StrEnum):
    """What a device is; the first level of its MQTT topic and of its id."""

    SWITCH = "switch"
    AP = "ap"
    UPS = "ups"
    GATEWAY = "gateway"
    BOARD = "board"
    CARD = "card"
    BAND = "band"
    CAMERA = "camera"
    NVR = "nvr"
    SENSOR = "sensor"
    METER = "meter"
    READER = "reader"
    BUS = "bus"
    BASE = "base"


def slug(text: str, what: str = "identifier") -> Slug:
    """Return ``text`` as a slug, or raise :class:`IdentifierError` naming ``what``."""
    if not _SLUG.fullmatch(text):
        raise IdentifierError(f"{what} {text!r} is not a valid identifier: {SLUG_RULE}")
    return Slug(text)


def is_slug(text: str) -> bool:
    """Whether ``text`` follows the identifier grammar."""
    return _SLUG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class ScopePath:
    """``city/district/school/building/room``, cut at any level; the empty path is everything.

    Who may see what is a prefix test on this path and nothing else.
    """

    parts: tuple[Slug, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "ScopePath":
        """Read a path such as ``binhai/east/no3``; raises :class:`IdentifierError`."""
        if text in {"", "/"}:
            return cls()
        return cls(tuple(slug(part, "scope part") for part in text.split("/")))

    def covers(self, other: "ScopePath") -> bool:
        """Whether ``other`` is this scope or lies inside it."""
        return other.parts[: len(self.parts)] == self.parts

    def child(self, part: str) -> "ScopePath":
        """The scope one level further in."""
        return ScopePath((*self.parts, slug(part, "scope part")))

    def __str__(self) -> str:
        return "/".join(self.parts)


@dataclass(frozen=True, slots=True, order=True)
class LinkId:
    """``<school>/<link>``: a promise to a place, not a port."""

    school: Slug
    link: Slug

    @classmethod
    def parse(cls, text: str) -> "LinkId":
        """Read ``school/link``; raises :class:`IdentifierError`."""
        school, separator, link = text.partition("/")
        if not separator:
            raise IdentifierError(f"link id {text!r} is not of the form school/link")
        return cls(slug(school, "school"), slug(link, "link"))

    def __str__(self) -> str:
        return f"{self.school}/{self.link}"


@dataclass(frozen=True, slots=True, order=True)
class DeviceId:
    """``<school>/<kind>/<serial>``."""

    school: Slug
    kind: DeviceKind
    serial: Slug

    @classmethod
    def parse(cls, text: str) -> "DeviceId":
        """Read ``school/kind/serial``; raises :class:`IdentifierError`."""
        match text.split("/"):
            case [school, kind, serial]:
                return cls(slug(school, "school"), device_kind(kind), slug(serial, "serial"))
            case _:
                raise IdentifierError(f"device id {text!r} is not of the form school/kind/serial")

    @property
    def sparkplug_device(self) -> str:
        """The Sparkplug device id ``<kind>-<asset>``, unique inside its school."""
        return f"{self.kind}-{self.serial}"

    def __str__(self) -> str:
        return f"{self.school}/{self.kind}/{self.serial}"


def device_kind(text: str) -> DeviceKind:
    """Return the device kind named ``text``; raises :class:`IdentifierError`."""
    try:
        return DeviceKind(text)
    except ValueError:
        known = " ".join(kind.value for kind in DeviceKind)
        raise IdentifierError(f"device kind {text!r} is unknown: use one of {known}") from None
