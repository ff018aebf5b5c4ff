"""Asks the guard for everything this process opens, whoever opens it.

The interpreter announces each ``connect``, ``sendto``, ``sendmsg`` and look-up before it happens
(PEP 578), to whatever library it belongs, so a driver written tomorrow is guarded as well. It is a
guard against wrong settings, redirects and forged answers; against code that means harm there are
the machine's own rules (``tenone agent egress --nft``) and the unit's ``IPAddressDeny``.

What an audit hook cannot see is what a look-up answered, so ``socket.getaddrinfo`` is wrapped.
A hook stays for the life of the process; :func:`install` is for the process of an agent only.
"""

import _socket
import functools
import socket
import sys
from collections.abc import Callable
from typing import Any

from agents.egress import EgressRefusedError, Guard

_INTERNET = (socket.AF_INET, socket.AF_INET6)
_LOCAL = (socket.AF_UNIX, socket.AF_NETLINK)
_SENDS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKS_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
# The plain members below the properties of socket.socket, which make enumerations: 10 times faster.
_TYPE = _socket.socket.type.__get__
_PROTO = _socket.socket.proto.__get__
_guard: Guard | None = None
_state = {"hooked": False}


def install(guard: Guard | None) -> None:
    """Have everything asked of ``guard`` from now on; None: of nobody."""
    global _guard  # noqa: PLW0603 - a process has one guard, and hooks cannot be taken out
    _guard = guard
    if not _state["hooked"]:
        _state["hooked"] = True
        sys.addaudithook(_hook)
        socket.getaddrinfo = _learning(socket.getaddrinfo)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    # Called for every audited event of the interpreter, and for every datagram of every sweep.
    if event not in _SENDS and event not in _LOOKS_UP:
        return
    guard = _guard
    if guard is None:
        return
    if event in _LOOKS_UP:
        host = arguments[0]
        if host:
            guard.check_name(host.decode() if isinstance(host, bytes) else str(host))
        return
    opened, address = arguments[0], arguments[1]
    if address is None:  # to where it is connected already
        return
    place = (_TYPE(opened), _PROTO(opened), address)
    if place not in guard.passed and _listed(guard, opened, address):
        guard.passed.add(place)


def _listed(guard: Guard, opened: socket.socket, address: Any) -> bool:
    if opened.family in _INTERNET:
        return guard.check(_protocol(opened), str(address[0]), int(address[1]))
    return opened.family in _LOCAL or guard.check("frames", str(address), 0)


def _protocol(opened: socket.socket) -> str:
    if opened.proto in {socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6}:
        return "icmp"
    if opened.type == socket.SOCK_STREAM:
        return "tcp"
    return "udp" if opened.type == socket.SOCK_DGRAM else "raw"


def _learning(look_up: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    @functools.wraps(look_up)
    def learning(host: Any, *arguments: Any, **named: Any) -> list[Any]:
        found = look_up(host, *arguments, **named)
        guard = _guard
        if guard is None or not host:
            return found
        text = host.decode() if isinstance(host, bytes) else str(host)
        good = set(guard.learn(text, dict.fromkeys(str(one[4][0]) for one in found)))
        kept = [one for one in found if str(one[4][0]) in good]
        if found and not kept and guard.enforce:
            raise EgressRefusedError(
                f"{text!r} was looked up and has no address that may be used: it leads to this "
                "machine or its own link, or elsewhere than at first (egress.pin_names)"
            )
        return kept if guard.enforce else found

    return learning
