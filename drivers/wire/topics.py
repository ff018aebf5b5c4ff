"""Topics: Sparkplug B 3.0 chapter 4, and CONTRACT "MQTT" (``t1/...``, ``t1nb/...``).

Every topic is a value that cannot be built wrong: an id outside the grammar is refused
when the value is made, so nothing malformed can be published and nothing malformed that
arrives gets past ``parse``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from tenone.vocabulary.scope import DeviceKind, IdentifierError, device_kind, slug

NAMESPACE = "spBv1.0"
STATE = "STATE"
DEVICE_ROOT = "t1"
NORTHBOUND_ROOT = "t1nb"

_HOST_ID = re.compile(r"[a-z0-9-]{1,64}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERB = re.compile(r"[a-z][a-z0-9-]{0,31}")
_EVENT = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


class TopicError(ValueError):
    """A topic outside the grammar; the sentence says which part and what is allowed."""


class MessageType(StrEnum):
    """The Sparkplug message types that carry a protobuf payload."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    NCMD = "NCMD"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"
    DCMD = "DCMD"

    @property
    def is_device(self) -> bool:
        """Whether the topic carries a device id (D* do, N* never)."""
        return self.value.startswith("D")

    @property
    def is_command(self) -> bool:
        """Whether a host writes it and an edge node reads it."""
        return self.value.endswith("CMD")


@dataclass(frozen=True, slots=True, order=True)
class NodeId:
    """Edge node descriptor: group = district, node = school; unique in the estate."""

    group: str
    node: str

    def __post_init__(self) -> None:
        _slug(self.group, "group id")
        _slug(self.node, "edge node id")

    def topic(self, kind: MessageType, device: str | None = None) -> str:
        """The topic of one message of this node."""
        return SparkplugTopic(self, kind, device).path

    def __str__(self) -> str:
        return f"{self.group}/{self.node}"


@dataclass(frozen=True, slots=True)
class SparkplugTopic:
    """``spBv1.0/<group>/<TYPE>/<node>[/<device>]``."""

    node: NodeId
    kind: MessageType
    device: str | None = None

    def __post_init__(self) -> None:
        if self.kind.is_device != (self.device is not None):
            raise TopicError(
                f"{self.kind} for {self.node}: D messages name a device, N messages never do"
            )
        if self.device is not None:
            check_device(self.device)

    @property
    def path(self) -> str:
        """The topic as it stands on the wire."""
        parts = (NAMESPACE, self.node.group, self.kind.value, self.node.node)
        return "/".join(parts if self.device is None else (*parts, self.device))

    @classmethod
    def parse(cls, path: str) -> "SparkplugTopic":
        """Read a topic under ``spBv1.0`` that is not STATE; raises :class:`TopicError`."""
        parts = path.split("/")
        if parts[0] != NAMESPACE or len(parts) not in {4, 5}:
            raise TopicError(f"topic {path!r} is not spBv1.0/group/TYPE/node[/device]")
        try:
            kind = MessageType(parts[2])
        except ValueError:
            raise TopicError(f"topic {path!r}: {parts[2]!r} is no Sparkplug message type") from None
        return cls(NodeId(parts[1], parts[3]), kind, parts[4] if len(parts) == 5 else None)  # noqa: PLR2004 - the fifth level is the device


def check_device(device: str) -> str:
    """Return ``device`` if it is ``<kind>-<asset>``; raises :class:`TopicError`."""
    kind, separator, asset = device.partition("-")
    if not separator:
        raise TopicError(f"Sparkplug device id {device!r} is not of the form <kind>-<asset>")
    try:
        device_kind(kind)
        slug(asset, "asset")
    except IdentifierError as error:
        raise TopicError(f"Sparkplug device id {device!r}: {error}") from error
    return device


def state_topic(host_id: str) -> str:
    """``spBv1.0/STATE/<host id>``; raises :class:`TopicError`."""
    if not _HOST_ID.fullmatch(host_id):
        raise TopicError(
            f"host id {host_id!r} is not valid: use 1 to 64 of the characters a-z, 0-9 and '-'"
        )
    return f"{NAMESPACE}/{STATE}/{host_id}"


def is_state(path: str) -> bool:
    """Whether ``path`` is some host's STATE topic."""
    return path.startswith(f"{NAMESPACE}/{STATE}/")


def node_filters(node: NodeId) -> tuple[str, str]:
    """What an edge node subscribes to: its own NCMD, and DCMD of all its devices."""
    return (
        node.topic(MessageType.NCMD),
        f"{NAMESPACE}/{node.group}/{MessageType.DCMD}/{node.node}/+",
    )


def host_filters(groups: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What a host subscribes to: the whole namespace, or only the given districts."""
    if not groups:
        return (f"{NAMESPACE}/#",)
    return tuple(f"{NAMESPACE}/{_slug(group, 'group id')}/#" for group in groups)


class Channel(StrEnum):
    """The fixed third level of a device's topic."""

    MEASUREMENT = "m"
    EVENT = "e"
    ALARM = "a"
    """Retained."""
    STATUS = "s"
    """Retained, and the device's will."""
    COMMAND = "cmd"
    """Retained state machine: init, executing, successful, failed."""
    TWIN = "twin"


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """``t1/<kind>/<device>/<channel>[/<type>[/<id>]]``.

    For COMMAND ``type`` is the verb and ``id`` the request, both needed; for TWIN ``type`` is
    ``desired`` or ``reported``.
    """

    kind: DeviceKind
    device: str
    channel: Channel
    type: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        _slug(self.device, "device")
        if self.channel is Channel.COMMAND and (self.type is None or self.id is None):
            raise TopicError(f"command topic of {self.device} needs a verb and an id")
        if self.channel is Channel.TWIN and (
            self.type not in {"desired", "reported"} or self.id is not None
        ):
            raise TopicError(f"twin topic of {self.device} ends in desired or reported")
        if self.type is not None and not _VERB.fullmatch(self.type):
            raise TopicError(f"topic level {self.type!r} is not a type: {_VERB.pattern}")
        if self.id is not None and (self.type is None or not _MESSAGE_ID.fullmatch(self.id)):
            raise TopicError(f"topic level {self.id!r} is not an id: {_MESSAGE_ID.pattern}")

    @property
    def path(self) -> str:
        """The topic as it stands on the wire."""
        parts = (DEVICE_ROOT, self.kind.value, self.device, self.channel.value, self.type, self.id)
        return "/".join(part for part in parts if part is not None)

    @property
    def retained(self) -> bool:
        """Whether CONTRACT says that messages on this channel are retained."""
        return self.channel in {Channel.ALARM, Channel.STATUS, Channel.COMMAND, Channel.TWIN}

    @classmethod
    def parse(cls, path: str) -> "DeviceTopic":
        """Read a topic under ``t1``; raises :class:`TopicError`."""
        root, *levels = path.split("/")
        if root != DEVICE_ROOT or not 3 <= len(levels) <= 5:  # noqa: PLR2004 - kind, device, channel, type, id
            raise TopicError(f"topic {path!r} is not t1/kind/device/channel[/type[/id]]")
        try:
            kind, channel = device_kind(levels[0]), Channel(levels[2])
        except IdentifierError as error:
            raise TopicError(f"topic {path!r}: {error}") from error
        except ValueError:
            known = " ".join(channel.value for channel in Channel)
            raise TopicError(
                f"topic {path!r}: channel {levels[2]!r} is unknown: use one of {known}"
            ) from None
        return cls(kind, levels[1], channel, *levels[3:])


def device_filter(kind: DeviceKind | None = None, device: str | None = None) -> str:
    """All that devices publish: everything, one kind, or one device's subtree."""
    if device is not None and kind is None:
        raise TopicError(f"a filter for device {device!r} needs its kind too")
    levels = (
        DEVICE_ROOT,
        "+" if kind is None else kind.value,
        "+" if device is None else _slug(device, "device"),
        "#",
    )
    return "/".join(levels)


@dataclass(frozen=True, slots=True)
class NorthboundTopic:
    """``t1nb/<application>/<feed>/<school>/<event>``."""

    application: str
    feed: str
    school: str
    event: str

    def __post_init__(self) -> None:
        _slug(self.application, "application")
        _slug(self.feed, "feed")
        _slug(self.school, "school")
        if not _EVENT.fullmatch(self.event):
            raise TopicError(f"event {self.event!r} is not valid: {_EVENT.pattern}")

    @property
    def path(self) -> str:
        """The topic as it stands on the wire."""
        return f"{NORTHBOUND_ROOT}/{self.application}/{self.feed}/{self.school}/{self.event}"

    @classmethod
    def parse(cls, path: str) -> "NorthboundTopic":
        """Read a topic under ``t1nb``; raises :class:`TopicError`."""
        match path.split("/"):
            case ["t1nb", application, feed, school, event]:
                return cls(application, feed, school, event)
            case _:
                raise TopicError(f"topic {path!r} is not t1nb/application/feed/school/event")


def _slug(text: str, what: str) -> str:
    try:
        return slug(text, what)
    except IdentifierError as error:
        raise TopicError(str(error)) from error
