"""A simulator's console: ready line out, control lines in, an end at the first signal."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping

from firmware_sims import control

_LONGEST_LINE = 1 << 20
_STDIN = 0


class Console:
    """Standard input and output of a simulator; use inside a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._ended.set)

    def say(self, message: Mapping[str, object]) -> None:
        """One JSON line out; nobody listening any more is an end, not an error."""
        self.line(json.dumps(message, ensure_ascii=False))

    def line(self, text: str) -> None:
        """One line out."""
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self._ended.set()
            # What is still buffered would raise again when the interpreter closes.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    async def serve(self, handle: control.Handler) -> None:
        """Carry out control lines until SIGTERM or SIGINT. The end of input ends nothing."""
        # A thread of its own: a file or terminal as input cannot be waited for by the loop.
        # os.read keeps no lock of the interpreter that its death could leave held.
        threading.Thread(target=self._read, args=(handle,), daemon=True).start()
        await self._ended.wait()

    def _read(self, handle: control.Handler) -> None:
        held = b""
        while chunk := self._chunk():
            *lines, held = (held + chunk).split(b"\n")
            if len(held) > _LONGEST_LINE:
                lines, held = [held], b""
            for line in lines:
                if line.strip():
                    self._loop.call_soon_threadsafe(self._answer, line, handle)

    @staticmethod
    def _chunk() -> bytes:
        try:
            return os.read(_STDIN, 65_536)
        except OSError:
            return b""  # closed: as good as its end

    def _answer(self, line: bytes, handle: control.Handler) -> None:
        self.line(control.answer(line, handle))
