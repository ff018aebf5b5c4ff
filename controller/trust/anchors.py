"""Puts the ledger's newest head elsewhere, every minute: what makes a rewritten end visible.

Each anchor has a task of its own, so that one that is slow hinders no other. An anchor that can
be read (a file) is also compared at the start: if it has seen more than the ledger has, the
ledger was cut off or replaced while it was not running.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from controller.api.services import Health
from controller.trust.chain import Head
from controller.trust.entries import LedgerError
from controller.trust.heads import HeadsError, heads_of, line_of
from controller.trust.outward import Outward
from tenone.config.trust import Anchor as AnchorConfig
from tenone.config.trust import Trust
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

TAIL_BYTES = 65_536
"""So much of a file of heads is read at the start."""
Held = Callable[[int], bytes | None]
"""The hash of an entry by its number; None where the ledger has no such entry."""


class AnchorError(Exception):
    """A head that could not be put there; one sentence."""


class Anchor(Protocol):
    """One place for heads."""

    name: str

    async def put(self, head: Head, at_ns: int) -> None:
        """Keep ``head`` there; raises AnchorError."""
        ...

    async def seen(self) -> Sequence[Head]:
        """The newest heads it has; none where it cannot be read back."""
        ...


class FileAnchor:
    """Lines of JSON appended to a file, on another machine's mount."""

    def __init__(self, file: Path, city: str) -> None:
        self.name = f"file {file.name}"
        self._file = file
        self._city = city

    async def put(self, head: Head, at_ns: int) -> None:
        """See :class:`Anchor`."""
        line = f"{line_of(head, at_ns, self._city)}\n".encode()
        try:
            await asyncio.to_thread(self._append, line)
        except OSError as error:
            raise AnchorError(f"{self._file} cannot be appended to: {error.strerror}") from error

    async def seen(self) -> Sequence[Head]:
        """See :class:`Anchor`."""
        try:
            data = await asyncio.to_thread(self._tail)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise AnchorError(f"{self._file} cannot be read: {error.strerror}") from error
        try:
            return heads_of(data.decode("utf-8", "replace").split("\n"), self._file.name)
        except HeadsError as error:
            raise AnchorError(str(error)) from error

    def _append(self, line: bytes) -> None:
        fd = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            # A power cut may have left half a line: what follows begins on its own.
            if os.fstat(fd).st_size and not self._tail(1).endswith(b"\n"):
                line = b"\n" + line
            os.write(fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _tail(self, most: int = TAIL_BYTES) -> bytes:
        with self._file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - most))
            data = stream.read()
        return data if size <= most or most == 1 else data.partition(b"\n")[2]


class HttpsAnchor:
    """A service that keeps what is posted to it; any 2xx means kept."""

    def __init__(self, config: AnchorConfig, city: str, outward: Outward) -> None:
        url = httpx.URL(config.url or "")
        self.name = f"https {url.host}"
        self._url = url
        self._city = city
        self._headers = {"content-type": "application/json"}
        if config.token is not None:
            self._headers["authorization"] = f"Bearer {config.token.reveal()}"
        verify = ssl.create_default_context(cafile=str(config.ca) if config.ca else None)
        self._client = outward.client(verify=verify)

    async def put(self, head: Head, at_ns: int) -> None:
        """See :class:`Anchor`."""
        body = line_of(head, at_ns, self._city)
        try:
            answer = await self._client.post(self._url, content=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise AnchorError(f"{self.name} cannot be reached: {error}") from error
        if not answer.is_success:
            raise AnchorError(f"{self.name} answered {answer.status_code}")

    async def seen(self) -> Sequence[Head]:
        """See :class:`Anchor`."""
        return ()


@dataclass(slots=True)
class AnchorFigures:
    """What is known of one anchor."""

    name: str
    kept_ns: int | None = None
    """When a head was kept there last, by the controller's clock."""
    seq: int = 0
    trouble: str = ""
    conflict: str = ""
    """It has seen what the ledger has not: somebody cut it off or replaced it."""


def anchors_of(trust: Trust, city: str) -> list[Anchor]:
    """The configured anchors; raises SecretError, and OSError for a ``ca`` that is none."""
    outward = Outward(trust.outward_allow)
    return [
        FileAnchor(one.file, city) if one.file is not None else HttpsAnchor(one, city, outward)
        for one in trust.anchors
    ]


async def _never(_head: Head) -> bool:
    return False


class Anchoring:
    """Puts heads to all anchors, each in its own task."""

    def __init__(
        self,
        anchors: Sequence[Anchor],
        *,
        seconds: float,
        clock: Clock,
        head: Callable[[], Head | None],
        held: Callable[[int], Awaitable[bytes | None]],
        excused: Callable[[Head], Awaitable[bool]] = _never,
    ) -> None:
        self.figures = [AnchorFigures(anchor.name) for anchor in anchors]
        self._anchors = anchors
        self._seconds = seconds
        self._clock = clock
        self._head = head
        self._held = held
        self._excused = excused

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What a supervisor runs, by name."""
        return {
            f"anchor {number}": self._task(anchor, figures)
            for number, (anchor, figures) in enumerate(
                zip(self._anchors, self.figures, strict=True), 1
            )
        }

    def health(self) -> Health:
        """Unready only where an anchor contradicts the ledger; one that is away hinders nothing."""
        conflicts = "; ".join(one.conflict for one in self.figures if one.conflict)
        troubles = "; ".join(one.trouble for one in self.figures if one.trouble)
        having = sum(1 for one in self.figures if one.seq)
        kept = f"{having} of {len(self.figures)} anchors have a head"
        none = "none is configured: who can write the ledger's files can rewrite its end unseen"
        told = conflicts or troubles or (kept if self.figures else none)
        return Health(name="anchors", ready=not conflicts, sentence=told)

    def _task(self, anchor: Anchor, figures: AnchorFigures) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            compared = False
            while True:
                try:
                    if (not compared or figures.conflict) and self._head() is not None:
                        await self._compare(anchor, figures)
                        compared = True
                    await self._put(anchor, figures)
                    figures.trouble = ""
                except (AnchorError, LedgerError) as error:
                    if not figures.trouble:
                        log.warning("the ledger's head was not anchored: %s", error)
                    figures.trouble = str(error)
                await self._clock.sleep(self._seconds)

        return run

    async def _put(self, anchor: Anchor, figures: AnchorFigures) -> None:
        head = self._head()
        if head is None or head.seq == figures.seq or figures.conflict:
            return  # what contradicts the ledger is not written over
        now_ns = self._clock.wall_ns()
        await anchor.put(head, now_ns)
        figures.kept_ns, figures.seq = now_ns, head.seq

    async def _compare(self, anchor: Anchor, figures: AnchorFigures) -> None:
        heads = [*await anchor.seen()]
        head = self._head()
        conflict = ""
        for seen in heads[-1:]:
            if head is None or seen.ledger != head.ledger:
                found = None
            else:
                found = await self._held(seen.seq)
            if found != seen.hash and not await self._excused(seen):
                conflict = (
                    f"{anchor.name} has seen entry {seen.seq} of ledger {seen.ledger[:8]}, which "
                    "is not in this ledger: run 'tenone audit verify'; if people know why, "
                    "they say so by 'tenone audit admit'"
                )
        if conflict != figures.conflict:
            if conflict:
                log.error("%s", conflict)
            else:
                log.warning("%s fits the ledger again", anchor.name)
        figures.conflict = conflict
