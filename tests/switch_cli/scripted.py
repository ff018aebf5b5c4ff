"""A switch of the tests' own: an SSH server that answers byte for byte what a case says."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from drivers.cli.hostkeys import HostKey

PASSWORD = "canary-console-password"
ENABLE = "canary-second-password"


class Cut:
    """In an answer: the connection ends here."""


class Hang:
    """In an answer: nothing comes any more."""


class Key:
    """In an answer: go on when anything is typed."""


Piece = bytes | float | Cut | Hang | Key
"""Bytes are sent as one packet, a number is a pause in seconds."""
CUT, HANG, KEY = Cut(), Hang(), Key()


@dataclass
class ScriptedSwitch:
    """VRP-like: ``<SW>``, ``system-view`` to ``[SW]``, ``return``; ``answers`` say the rest."""

    answers: dict[str, Sequence[Piece]] = field(default_factory=dict)
    """What comes between echo and prompt; a line not named has an empty answer."""
    greeting: Sequence[Piece] = ()
    """What comes before the first prompt."""
    typed: list[str] = field(default_factory=list)
    keys: bytes = b""
    """What was typed where a :class:`Key` was waited for."""
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    logins: int = 0
    open_now: int = 0
    name: str = "SW"
    port: int = 0

    def start(self) -> None:
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    @property
    def host_key(self) -> HostKey:
        return HostKey.of(self._key.public_data)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        switch = self

        class Door(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                switch.connections.append(conn)

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("tenone", PASSWORD)

        async with await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Door, server_host_keys=[self._key],
            process_factory=switch._talk, encoding=None, line_editor=False,
        ) as server:  # fmt: skip
            self.port = server.get_port()
            self._ready.set()
            await self._over.wait()
            for each in self.connections:
                each.abort()
                await each.wait_closed()

    async def _talk(self, process: Any) -> None:
        self.logins += 1
        self.open_now += 1
        try:
            await self._session(process)
        except (asyncssh.Error, OSError):
            pass
        finally:
            self.open_now -= 1
            process.close()

    async def _session(self, process: Any) -> None:
        prompt = f"<{self.name}>"
        for piece in self.greeting:
            if not await self._send(process, piece):
                return
        process.stdout.write(prompt.encode())
        line = bytearray()
        while data := await process.stdin.read(1):
            if data not in b"\r\n":
                line += data
                process.stdout.write(data)
                continue
            text = line.decode().strip()
            line.clear()
            process.stdout.write(b"\r\n")
            if text:
                self.typed.append(text)
            for piece in self.answers.get(text, ()):
                if not await self._send(process, piece):
                    return
            prompt = self._view(text, prompt)
            process.stdout.write(prompt.encode())

    def _view(self, text: str, prompt: str) -> str:
        if text == "system-view":
            return f"[{self.name}]"
        if text.startswith("interface "):
            return f"[{self.name}-{text.split()[1]}]"
        return f"<{self.name}>" if text == "return" else prompt

    async def _send(self, process: Any, piece: Piece) -> bool:
        if isinstance(piece, bytes):
            process.stdout.write(piece)
            await process.stdout.drain()
            await asyncio.sleep(0.002)  # so that pieces are packets
        elif isinstance(piece, float | int):
            await asyncio.sleep(piece)
        elif isinstance(piece, Cut):
            process.get_extra_info("connection").abort()
            return False
        elif isinstance(piece, Hang):
            waits = [
                asyncio.ensure_future(one) for one in (self._over.wait(), process.wait_closed())
            ]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for one in waits:
                one.cancel()
            return False
        else:
            self.keys += await process.stdin.read(1)
            while self.keys[-1:] not in b"\r\n ":
                self.keys += await process.stdin.read(1)
        return True
