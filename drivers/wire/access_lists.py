"""Who may say and hear what: the roles of the city's broker and of a school's. Pure.

Everything not written here is refused (:class:`drivers.wire.dynsec_values.Access`).
"""

from drivers.wire.dynsec import CONTROL
from drivers.wire.dynsec_values import Acl, AclType, Role
from drivers.wire.topics import (
    DEVICE_ROOT,
    NAMESPACE,
    Channel,
    MessageType,
    NodeId,
    node_filters,
    state_topic,
)
from tenone.vocabulary.scope import DeviceKind, device_kind, slug

HOST_ROLE = "tenone-host"
KEEPER_ROLE = "tenone-keeper"
GATEWAY_ROLE = "tenone-gateway"
SCHOOL_ROLE = "tenone-school-"
DEVICE_ROLE = "tenone-device-"
MEASURED = (Channel.MEASUREMENT, Channel.EVENT, Channel.ALARM, Channel.STATUS)
SYS_LOG = "$SYS/broker/log/#"


def school_role(node: NodeId, host_id: str) -> Role:
    """An agent at the city's broker: its own node writes, its own commands and STATE come in.

    The will (NDEATH) is a message like others: the broker asks again when it publishes it.
    """
    send = [
        node.topic(kind) for kind in (MessageType.NBIRTH, MessageType.NDATA, MessageType.NDEATH)
    ]
    send += [
        f"{NAMESPACE}/{node.group}/{kind.value}/{node.node}/+"
        for kind in (MessageType.DBIRTH, MessageType.DDATA, MessageType.DDEATH)
    ]
    ncmd, dcmd = node_filters(node)
    state = state_topic(host_id)
    lines = [Acl(AclType.SEND, topic) for topic in send]
    lines += [Acl(AclType.RECEIVE, topic) for topic in (ncmd, dcmd, state)]
    lines += [Acl(AclType.SUBSCRIBE, topic) for topic in (ncmd, state)]
    # A pattern grants the filters inside it: `.../+` itself and one device's topic, never `#`.
    lines.append(Acl(AclType.SUBSCRIBE_PATTERN, dcmd))
    return Role(f"{SCHOOL_ROLE}{node.node}", frozenset(lines))


def host_role(host_id: str) -> Role:
    """The controller's Sparkplug host: hears the namespace, writes commands and its own STATE."""
    state = state_topic(host_id)
    send = [
        f"{NAMESPACE}/+/{MessageType.NCMD.value}/+",
        f"{NAMESPACE}/+/{MessageType.DCMD.value}/+/+",
        state,
    ]
    lines = [Acl(AclType.SEND, topic) for topic in send]
    lines.append(Acl(AclType.RECEIVE, f"{NAMESPACE}/#"))
    lines.append(Acl(AclType.SUBSCRIBE_PATTERN, f"{NAMESPACE}/#"))
    return Role(HOST_ROLE, frozenset(lines))


def keeper_role() -> Role:
    """Who keeps these lists: the control topic, the broker's log, and nothing of the data."""
    lines = [Acl(AclType.SEND, CONTROL)]
    for topic in (f"{CONTROL}/#", SYS_LOG):
        lines += [Acl(AclType.RECEIVE, topic), Acl(AclType.SUBSCRIBE_PATTERN, topic)]
    return Role(KEEPER_ROLE, frozenset(lines))


def gateway_role() -> Role:
    """The agent at its school's broker: hears all devices, commands them, sets their twins."""
    send = [
        f"{DEVICE_ROOT}/+/+/{Channel.COMMAND.value}/+/+",
        f"{DEVICE_ROOT}/+/+/{Channel.TWIN.value}/desired",
    ]
    lines = [Acl(AclType.SEND, topic) for topic in send]
    lines.append(Acl(AclType.RECEIVE, f"{DEVICE_ROOT}/#"))
    lines.append(Acl(AclType.SUBSCRIBE_PATTERN, f"{DEVICE_ROOT}/#"))
    return Role(GATEWAY_ROLE, frozenset(lines))


def device_role(kind: DeviceKind, serial: str) -> Role:
    """One device at its school's broker: writes what it measures, reads what it is told."""
    own = f"{DEVICE_ROOT}/{device_kind(kind.value).value}/{slug(serial, 'serial')}"
    send = [f"{own}/{channel.value}/#" for channel in MEASURED]
    send.append(f"{own}/{Channel.TWIN.value}/reported")
    read = [f"{own}/{Channel.COMMAND.value}/#", f"{own}/{Channel.TWIN.value}/desired"]
    lines = [Acl(AclType.SEND, topic) for topic in send]
    lines += [Acl(AclType.RECEIVE, topic) for topic in read]
    lines += [Acl(AclType.SUBSCRIBE_PATTERN, topic) for topic in read]
    return Role(f"{DEVICE_ROLE}{kind.value}-{serial}", frozenset(lines))
