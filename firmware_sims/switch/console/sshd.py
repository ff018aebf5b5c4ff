"""asyncssh's side of a console: logs people in and hands what they type to sessions."""

import socket

import asyncssh

from firmware_sims.switch.console.front import ConsoleFront, Session

Channel = asyncssh.SSHServerChannel[str]


class _Shell(asyncssh.SSHServerSession[str]):
    def __init__(self, front: ConsoleFront, user: str) -> None:
        self._session = Session(front, user)
        self._channel: Channel | None = None

    def connection_made(self, chan: Channel) -> None:
        self._channel = chan

    def pty_requested(self, *_: object) -> bool:
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        self._session.start(self._channel)

    def data_received(self, data: str, datatype: asyncssh.DataType) -> None:  # noqa: ARG002 - asyncssh's
        self._session.received(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's
        self._session.lost()


class _Server(asyncssh.SSHServer):
    def __init__(self, front: ConsoleFront) -> None:
        self._front = front
        self._user = ""
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._front.connections.add(conn)
        if not self._front.present():
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's
        if self._connection is not None:
            self._front.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._user = username
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        login = self._front.login
        right = (username, password) == (login.user, login.password)
        self._front.logins += right
        return right

    def session_requested(self) -> asyncssh.SSHServerSession[str]:
        return _Shell(self._front, self._user)


async def listen(front: ConsoleFront, taken: socket.socket) -> asyncssh.SSHAcceptor:
    """Serve ``front`` on the socket it has taken."""
    return await asyncssh.listen(
        sock=taken,
        server_factory=lambda: _Server(front),
        server_host_keys=[asyncssh.import_private_key(front.key.private)],
        line_editor=False,
        encoding="utf-8",
        errors="replace",
        allow_scp=False,
        agent_forwarding=False,
        x11_forwarding=False,
        compression_algs=None,
        gss_host=None,
    )
