"""A switch that changes its host key gets not one byte of a password (abuse case 21)."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import which

import paramiko
import pytest

from drivers.cli.errors import AccessDeniedError
from drivers.cli.hostkeys import (
    HostKey,
    HostKeyChangedError,
    HostKeyStore,
    HostKeyUnknownError,
    fingerprint,
)
from drivers.cli.ssh import Login, LoginError, log_in, offered_key, settings
from tenone.trust.masked import Secret

PASSWORD = "canary-21-password"
SERVICE_REQUEST = 5
USERAUTH = range(50, 80)
"""Message numbers of authentication, RFC 4250 section 4.1.2."""


class _Door(paramiko.ServerInterface):  # type: ignore[misc]  # the package has no types
    def __init__(self, switch: "FakeSwitch") -> None:
        self._switch = switch

    def get_allowed_auths(self, _username: str) -> str:
        return "password"

    def check_auth_password(self, _username: str, password: str) -> int:
        self._switch.passwords.append(password)
        good = password == PASSWORD
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_channel_request(self, _kind: str, _chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)

    def check_channel_pty_request(self, *_: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        threading.Thread(target=self._shell, args=(channel,), daemon=True).start()
        return True

    def _shell(self, channel: paramiko.Channel) -> None:
        try:
            channel.sendall(b"\r\nsw1#")
            while data := channel.recv(1000):
                channel.sendall(data.replace(b"\n", b"\r\nsw1#"))
        except OSError:
            return


class FakeSwitch:
    """An SSH server that counts what reaches it of authentication, by message."""

    def __init__(self, key: paramiko.PKey) -> None:
        self.key = key
        self.auth_bytes = 0
        self.connections = 0
        self.passwords: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            transport = paramiko.Transport(connection)
            read = transport.packetizer.read_message

            def counted(read: object = read) -> object:
                assert callable(read)
                kind, message = read()
                if kind == SERVICE_REQUEST or kind in USERAUTH:
                    self.auth_bytes += len(message.asbytes())
                return kind, message

            transport.packetizer.read_message = counted
            transport.add_server_key(self.key)
            self._transports.append(transport)
            try:
                transport.start_server(event=threading.Event(), server=_Door(self))
            except (OSError, EOFError, paramiko.SSHException):
                continue

    def close(self) -> None:
        with suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accept
        self._listener.close()
        for transport in self._transports:
            transport.close()
        for transport in self._transports:
            transport.join(10)
        self._thread.join(10)


@pytest.fixture
def switch() -> Iterator[FakeSwitch]:
    switch = FakeSwitch(paramiko.ECDSAKey.generate())
    try:
        yield switch
    finally:
        switch.close()


@pytest.fixture
def store(tmp_path: Path) -> HostKeyStore:
    return HostKeyStore(tmp_path / "known_hosts")


def login(switch: FakeSwitch, password: str = PASSWORD) -> Login:
    return Login(
        host="127.0.0.1",
        port=switch.port,
        username="tenone",
        password=Secret(password),
        device_type="generic",
    )


def enrol(switch: FakeSwitch, store: HostKeyStore) -> None:
    out_of_band = fingerprint(switch.key.asbytes())
    store.pin("127.0.0.1", switch.port, offered_key("127.0.0.1", switch.port), out_of_band)


def test_the_pinned_switch_is_logged_in_to(switch: FakeSwitch, store: HostKeyStore) -> None:
    enrol(switch, store)
    assert switch.auth_bytes == 0, "enrolment authenticates to nobody"
    connection = log_in(login(switch), store)
    try:
        assert "sw1#" in connection.find_prompt()
    finally:
        connection.disconnect()
    assert switch.passwords == [PASSWORD]
    assert switch.auth_bytes > len(PASSWORD), "the counter counts"


def test_a_key_that_changes_between_two_steps_of_a_job(
    switch: FakeSwitch, store: HostKeyStore
) -> None:
    enrol(switch, store)
    log_in(login(switch), store).disconnect()
    sent, connections = switch.auth_bytes, switch.connections
    pinned = switch.key
    for other in (paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)):
        switch.key = other
        with pytest.raises(HostKeyChangedError) as caught:
            log_in(login(switch), store)
        assert caught.value.code == "host-key-changed"
        assert fingerprint(other.asbytes()) in str(caught.value)
        assert PASSWORD not in str(caught.value)
    assert switch.connections == connections + 2
    assert switch.auth_bytes - sent == 0, "0 bytes of authentication for a stranger"
    assert switch.passwords == [PASSWORD]
    switch.key = pinned
    log_in(login(switch), store).disconnect()


def test_a_switch_without_a_pin_is_not_even_connected_to(
    switch: FakeSwitch, store: HostKeyStore
) -> None:
    with pytest.raises(HostKeyUnknownError):
        log_in(login(switch), store)
    assert switch.connections == 0


def test_a_wrong_password_is_a_sentence(switch: FakeSwitch, store: HostKeyStore) -> None:
    enrol(switch, store)
    with pytest.raises(AccessDeniedError, match="does not let 'tenone' in") as caught:
        log_in(login(switch, "canary-wrong"), store)
    assert "canary" not in str(caught.value)


def test_nobody_there(store: HostKeyStore, switch: FakeSwitch) -> None:
    enrol(switch, store)
    switch.close()
    with pytest.raises(LoginError, match="does not answer"):
        log_in(login(switch), store)
    with pytest.raises(LoginError, match="shows no SSH host key"):
        offered_key("127.0.0.1", switch.port, seconds=1)


def test_the_default_of_the_library_would_have_told_a_stranger(switch: FakeSwitch) -> None:
    """What we are guarding against: so this test can fail, and the guard is needed."""
    import netmiko  # noqa: PLC0415 - only here without the guard

    loose = netmiko.ConnectHandler(
        device_type="generic", host="127.0.0.1", port=switch.port, username="u", password=PASSWORD
    )
    loose.disconnect()
    assert switch.passwords == [PASSWORD]


def test_settings_are_strict(switch: FakeSwitch, store: HostKeyStore) -> None:
    enrol(switch, store)
    made = settings(login(switch), store)
    assert made["ssh_strict"] is True
    assert (made["allow_agent"], made["use_keys"], made["system_host_keys"]) == (False,) * 3


@pytest.mark.skipif(which("ssh-keygen") is None, reason="no ssh-keygen on this machine")
def test_openssh_reads_the_store_and_agrees(switch: FakeSwitch, store: HostKeyStore) -> None:
    enrol(switch, store)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-F", f"[127.0.0.1]:{switch.port}", "-f", str(store.path)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert HostKey.of(switch.key.asbytes()).fingerprint in shown
