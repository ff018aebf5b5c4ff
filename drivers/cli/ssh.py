"""Logging in to a switch only after it has shown the pinned key (needs the extra ``cli``).

netmiko takes any host key unless told otherwise, and with ``alt_host_keys`` it skips a key file
that is not there. So: the key is looked up by us before anything is opened, the settings are
strict, agents and key files of the account are left alone, and the error of a changed key is
told as what it is and not as a time-out.
"""

import re
import socket
from dataclasses import dataclass
from typing import Any

import paramiko
from netmiko import ConnectHandler
from netmiko.exceptions import (
    NetmikoAuthenticationException,
    NetmikoBaseException,
    NetmikoTimeoutException,
)

from drivers.cli.errors import AccessDeniedError, LoginError
from drivers.cli.hostkeys import SSH_PORT, HostKey, HostKeyError, HostKeyStore, changed, place
from tenone.trust.masked import Secret

__all__ = ["Login", "LoginError", "log_in", "offered_key", "settings"]

CONNECT_SECONDS = 10.0
MOST_QUESTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whom to log in to, and as whom."""

    host: str
    username: str
    password: Secret
    device_type: str
    """netmiko's name for the command line it speaks."""
    port: int = SSH_PORT
    enable: Secret | None = None
    """The second password, of switches that ask for one at once."""


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
        "auth_timeout": CONNECT_SECONDS,
        "banner_timeout": CONNECT_SECONDS,
        "secret": login.enable.use() if login.enable is not None else "",
    }


def log_in(login: Login, store: HostKeyStore, *, opened: socket.socket | None = None) -> Any:
    """A netmiko connection to the switch whose key is pinned.

    ``opened`` is a socket connected already (to the address somebody else looked up); it is closed
    where the login fails. Raises :class:`HostKeyError` before any byte of authentication is sent,
    :class:`LoginError` otherwise.
    """
    pinned = store.pinned(login.host, login.port)
    where = place(login.host, login.port)
    try:
        connection: Any = ConnectHandler(**settings(login, store), sock=opened, auto_connect=False)
        # netmiko says good-bye with a dialogue that hangs for ten seconds on a Linux shell whose
        # prompt is '#', and for as long on a switch that is gone. Closing the channel is enough.
        connection.cleanup = _nothing
        if login.device_type.startswith("huawei"):
            # Asked whether to mend "security risks in the configuration file", netmiko says yes,
            # and yes once more to saving it. A login changes nothing.
            connection.special_login_handler = lambda: _decline(connection)
        try:
            connection._open()  # noqa: SLF001 - the constructor would call it, before 'cleanup'
        except BaseException:
            connection.disconnect()
            raise
    except NetmikoAuthenticationException:
        raise AccessDeniedError(f"{where} does not let {login.username!r} in") from None
    except NetmikoTimeoutException as error:
        cause = error.__context__
        if isinstance(cause, paramiko.BadHostKeyException):
            offered = HostKey.of(cause.key.asbytes())
            raise changed(login.host, login.port, pinned, offered) from None
        if isinstance(cause, paramiko.SSHException) and "not found in known_hosts" in str(cause):
            raise HostKeyError(f"{where}: its pinned key cannot be read any more") from None
        words = " ".join(str(cause or error).split())
        raise LoginError(
            f"{where} cannot be logged in to: it does not answer as SSH does ({words:.100})"
        ) from None
    except (OSError, EOFError, paramiko.SSHException, NetmikoBaseException, ValueError) as error:
        # The last two: no prompt as netmiko expects it, no way to the second password.
        raise LoginError(
            f"{where} lets {login.username!r} in but not as far as a prompt of "
            f"{login.device_type!r} ({type(error).__name__}): look at 'dialect' and 'enable'"
            if isinstance(error, NetmikoBaseException | ValueError)
            else f"{where} cannot be logged in to: {type(error).__name__}"
        ) from None
    return connection


def _decline(connection: Any) -> None:
    """Say no to whatever VRP asks before its first prompt: new passwords, mended files."""
    for _ in range(MOST_QUESTIONS):
        said = connection.read_until_pattern(pattern=r"[\]>]")
        if re.search(r"(?i)\[y(?:es)?/no?\]$", said) is None:
            return
        connection.write_channel("N" + connection.RETURN)


def _nothing(*_arguments: object, **_named: object) -> None:
    return
