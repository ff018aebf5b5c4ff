"""Whom ``tenone snmp`` asks: the address and what ``-c``, ``--v1`` and ``--v3`` say."""

from collections.abc import Mapping
from pathlib import Path

from drivers.snmp.errors import BadTarget
from drivers.snmp.message import Version
from drivers.snmp.target import Target, parse_host_port
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from tenone.config import SecretError, SecretRef

V3_HELP = "user=NAME,auth=sha256:env:A,priv=aes128:env:P[,context=NAME][,engine=HEX]"
_KEYS = ("user", "auth", "priv", "context", "engine")


def target(
    address: str,
    *,
    community: str | None = None,
    v1: bool = False,
    v3: str | None = None,
    timeout: float = 1.0,
    retries: int = 1,
) -> Target:
    """Raises :class:`BadTarget` and :class:`SecretError`, each with one sentence."""
    host, port = parse_host_port(address)
    if v3 is not None:
        if community is not None or v1:
            raise BadTarget("--v3 goes without -c and --v1: it asks as a user")
        version, user = Version.V3, user_of(v3)
    elif community is None:
        raise BadTarget("which community? Say it with -c COMMUNITY, or a user with --v3")
    else:
        version, user = Version.V1 if v1 else Version.V2C, None
    return Target(
        host=host,
        port=port,
        community=community_of(community) if community is not None else "",
        version=version,
        user=user,
        timeout_seconds=timeout,
        retries=retries,
    )


def community_of(text: str) -> str:
    """The community: ``env:NAME`` and ``file:PATH`` are fetched, so that ``ps`` does not show it.

    Raises :class:`SecretError`.
    """
    if not text.startswith(("env:", "file:")):
        return text
    return _secret(text)


def user_of(text: str) -> User:
    """Read ``user=...,auth=PROTOCOL:SECRET,priv=PROTOCOL:SECRET``; raises as :func:`target`."""
    parts: dict[str, str] = {}
    for part in text.split(","):
        key, separator, value = part.partition("=")
        if key not in _KEYS or not separator or not value or key in parts:
            raise BadTarget(f"--v3 takes {V3_HELP}; {key!r} is not said so, or said twice")
        parts[key] = value
    if "user" not in parts:
        raise BadTarget(f"--v3 needs a user: write {V3_HELP}")
    auth, auth_password = _protocol(parts, "auth")
    priv, priv_password = _protocol(parts, "priv")
    try:
        return User(
            name=parts["user"],
            auth=None if auth is None else Auth.named(auth),
            auth_password=auth_password,
            priv=None if priv is None else Priv.named(priv),
            priv_password=priv_password,
            context=parts.get("context", ""),
            engine_id=bytes.fromhex(parts.get("engine", "")),
        )
    except ValueError as error:
        raise BadTarget(f"--v3: {error}") from error


def _protocol(parts: Mapping[str, str], key: str) -> tuple[str | None, str]:
    if key not in parts:
        return None, ""
    protocol, _, reference = parts[key].partition(":")
    if not reference.startswith(("env:", "file:")):
        # The text may be the password itself: it is not repeated.
        raise BadTarget(f"{key} is PROTOCOL:env:NAME or PROTOCOL:file:PATH, never the password")
    return protocol, _secret(reference)


def _secret(text: str) -> str:
    try:
        return SecretRef.parse(text, Path.cwd()).reveal()
    except ValueError as error:
        raise SecretError("write env:NAME or file:PATH") from error
