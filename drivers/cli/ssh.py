"""Logging in to a switch only after it has shown the pinned key (needs the extra ``cli``).

netmiko takes any host key unless told otherwise, and with ``alt_host_keys`` it skips a key file
that is not there. So: the key is looked up by us before anything is opened, the settings are
strict, agents and key files of the account are left alone, and the error of a changed key is
told as what it is and not as a time-out.
"""

import socket
from dataclasses import dataclass
from typing import Any

import paramiko
from netmiko import ConnectHandler
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException

from drivers.cli.hostkeys import SSH_PORT, HostKey, HostKeyError, HostKeyStore, changed, place
from tenone.trust.masked import Secret

CONNECT_SECONDS = 10.0


class LoginError(Exception):
    """A switch that does not answer, or does not let us in; one sentence, never the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whom to log in to, and as whom."""

    host: str
    username: str
    password: Secret
    device_type: str
    """netmiko's name for the command line it speaks."""
    port: int = SSH_PORT


def offered_key(host: str, port: int = SSH_PORT, *, seconds: float = CONNECT_SECONDS) -> HostKey:
    """The key a switch shows to anybody who connects; no authentication is begun.

    Raises :class:`LoginError` and :class:`HostKeyError`.
    """
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            transport = paramiko.Transport(connection)
            try:
                transport.start_client(timeout=seconds)
                return HostKey.of(transport.get_remote_server_key().asbytes())
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise LoginError(f"{place(host, port)} shows no SSH host key ({error})") from error


def settings(login: Login, store: HostKeyStore) -> dict[str, Any]:
    """The arguments for netmiko; raises :class:`HostKeyError` where no key is pinned."""
    store.pinned(login.host, login.port)
    return {
        "device_type": login.device_type,
        "host": login.host,
        "port": login.port,
        "username": login.username,
        "password": login.password.use(),
        "ssh_strict": True,
        "system_host_keys": False,
        "alt_host_keys": True,
        "alt_key_file": str(store.path),
        "use_keys": False,
        "allow_agent": False,
        "conn_timeout": CONNECT_SECONDS,
    }


def log_in(login: Login, store: HostKeyStore) -> Any:
    """A netmiko connection to the switch whose key is pinned.

    Raises :class:`HostKeyError` before any byte of authentication is sent, :class:`LoginError`
    otherwise.
    """
    pinned = store.pinned(login.host, login.port)
    where = place(login.host, login.port)
    try:
        return ConnectHandler(**settings(login, store))
    except NetmikoAuthenticationException:
        raise LoginError(f"{where} does not let {login.username!r} in") from None
    except NetmikoTimeoutException as error:
        cause = error.__context__
        if isinstance(cause, paramiko.BadHostKeyException):
            offered = HostKey.of(cause.key.asbytes())
            raise changed(login.host, login.port, pinned, offered) from None
        if isinstance(cause, paramiko.SSHException) and "not found in known_hosts" in str(cause):
            raise HostKeyError(f"{where}: its pinned key cannot be read any more") from None
        raise LoginError(f"{where} cannot be logged in to: it does not answer") from None
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise LoginError(f"{where} cannot be logged in to: {type(error).__name__}") from None
