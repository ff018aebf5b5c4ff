"""Which of a switch's ports a binding means.

By the port key as the agent wrote it; else by the one port whose name, description or alias is
the binding's text. Two that match are none: a guess could judge the wrong classroom.

An interface that is no socket (a VLAN, a loopback, a tunnel) carries no contract (SLA.md), so no
binding means one: :data:`VIRTUAL` stands in the place of its port.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from controller.store.records import PortFacts

VIRTUAL: Final = ""
"""Instead of a port's key: what is bound is no socket. No port is called so."""
_PROP_VIRTUAL: Final = 53
_VIRTUAL_TYPES: Final = frozenset({24, 112, 131, 134, 135, 136, 137, 142, 150, 166, 209, 246})
"""IANAifType softwareLoopback, virtualIpAddress, tunnel, atmSubInterface, l2vlan, l3ipvlan,
l3ipxvlan, ipForward, mplsTunnel, mpls, bridge, ifPwType. Not ieee8023adLag: the lines of a
trunk are sockets, and a promise to all of them together is one. Not other(1), which some makers
say of sockets."""
_TRUNK: Final = re.compile(
    r"(port-?channel|po|eth-trunk|(bridge|route)-aggregation|aggregate ?port|smartgroup|trk|lag|ae)"
    r"[ -]?\d",
    re.IGNORECASE,
)
"""What makers call the trunks of which some say propVirtual(53), as they do of VLANs."""


def is_virtual(port: PortFacts) -> bool:
    """Whether the interface is known to be no socket, by its ifType."""
    if port.if_type == _PROP_VIRTUAL:
        return not any(_TRUNK.match(text) for text in (port.if_name, port.if_descr) if text)
    return port.if_type in _VIRTUAL_TYPES


def bindings_of(ports: Iterable[PortFacts]) -> dict[str, str]:
    """What :func:`names_of` says, with :data:`VIRTUAL` where what is meant is no socket."""
    ports = list(ports)
    virtual = {port.port for port in ports if is_virtual(port)}
    names = {text: VIRTUAL if key in virtual else key for text, key in names_of(ports).items()}
    return names | dict.fromkeys(virtual, VIRTUAL)


def names_of(ports: Iterable[PortFacts]) -> dict[str, str]:
    """Every text that means exactly one port of the switch -> the port's key."""
    meant: dict[str, set[str]] = {}
    for port in ports:
        for text in (port.if_name, port.if_descr, port.if_alias):
            if text:
                meant.setdefault(text, set()).add(port.port)
    return {text: keys.pop() for text, keys in meant.items() if len(keys) == 1}


def resolve(bound: str, keys: Mapping[str, int], names: Mapping[str, str]) -> int | None:
    """The number of the port that ``bound`` means; None where no single port does.

    ``keys``: port key -> number, of the ports the switch shows now. ``names``: of
    :func:`names_of` or :func:`bindings_of`.
    """
    if names.get(bound) == VIRTUAL:
        return None
    number = keys.get(bound)
    if number is None and (key := names.get(bound)) is not None:
        number = keys.get(key)
    return number
