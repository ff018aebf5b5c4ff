"""``HOST:PORT`` on a command line, IPv6 in brackets."""

import ipaddress
from pathlib import Path

from tenone.config.secret import REMEDY, SecretRef


def place(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Host and port of ``10.0.0.1:862``, ``[fd00::1]:862``, ``fd00::1`` or ``core.example.cn``.

    Raises ValueError with one sentence where the port is missing and there is no default.
    """
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not port and default_port is not None and host:
        return host, default_port
    if not host or not port.isdecimal() or not 0 <= int(port) < 2**16:
        raise ValueError(f"{text!r} is no place: write HOST:PORT, IPv6 as [fd00::1]:862")
    return host, int(port)


def written(host: str, port: int) -> str:
    """The same, as :func:`place` reads it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A network such as ``10.0.0.0/8``; raises ValueError with one sentence."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network: write it like 10.0.0.0/8 ({error})") from None


def shared_key(reference: str) -> bytes:
    """The key of authenticated mode; raises ValueError or ``SecretError`` with one sentence."""
    try:
        found = SecretRef.parse(reference, Path.cwd())
    except ValueError as error:
        raise ValueError(f"{error}: {REMEDY}") from None
    return found.reveal().encode()
