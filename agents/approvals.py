"""What this agent does before it does anything to a switch: it checks the approval itself.

The command brings the signed document and nothing else: lines are rendered here, from the intent it
names, and the devices' state is read here, now. Both must be what people approved, to the byte.
Only when it is on disk that the approval is used does the workshop (part 4) get to work, so an
approval is acted on once or not at all, whatever is sent again and whenever the power goes.

The clock: the document ends by *this* machine's wall clock, so that clock must be set by somebody:
where the kernel does not call it synchronised, approvals are refused. It may be up to a minute
behind the city's (:data:`tenone.trust.approval.TOLERANCE_MS`); one that runs ahead refuses early. A
clock that is set back does not bring a used or forgotten approval back to life, see
:mod:`agents.used_approvals`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from agents.commands import Code, CommandFailed
from agents.used_approvals import UsedApprovals
from tenone.journal.disk import Disk
from tenone.runtime.clock import Clock
from tenone.trust.approval import (
    Approval,
    Refusal,
    Refused,
    SignedApproval,
    check_persons,
    check_place,
    check_plan,
    check_state,
    check_time,
)
from tenone.trust.approval_keys import KeySet, KeySetError, SignedKeySet
from tenone.vocabulary.states import ClockQuality

log = logging.getLogger(__name__)

VERB = "Act"
KEYS_VERB = "PinKeys"
KEYS_FILE = "approval-keys"
MOST_SIGNATURE = 1024

T = TypeVar("T")


class Workshop(Protocol):
    """What executes. Part 4 brings it; nothing in this version touches a switch."""

    def persons(self, approval: Approval, /) -> int:
        """How many people this agent's own rules ask for, whatever the document says."""
        ...

    async def render(self, approval: Approval, /) -> Sequence[str]:
        """The exact lines it would send; raises :class:`Refused` (NO_SUCH_INTENT)."""
        ...

    async def state(self, approval: Approval, /) -> Mapping[str, str]:
        """What the devices concerned say of themselves now; raises :class:`Refused`."""
        ...

    async def execute(self, approval: Approval, lines: Sequence[str], /) -> str:
        """Do it; returns a sentence, raises :class:`CommandFailed`."""
        ...


class Approvals:
    """The verbs ``Act`` and ``PinKeys``. Raises ``OSError`` or :class:`KeySetError` at the start.

    ``folder`` holds the pinned keys (written at enrolment) and the used approvals.
    """

    def __init__(
        self,
        folder: Path,
        *,
        city: str,
        school: str,
        workshop: Workshop,
        clock: Clock,
        disk: Disk,
        quality: Callable[[], ClockQuality],
    ) -> None:
        self._city = city
        self._school = school
        self._workshop = workshop
        self._clock = clock
        self._start_ns = clock.monotonic_ns()
        self._disk = disk
        self._quality = quality
        self._file = folder / KEYS_FILE
        self._keys = read_keys(self._file, disk)
        self._used = UsedApprovals(
            folder, disk=disk, now_ms=self._now_ms() if self._is_set() else None
        )
        self._one = asyncio.Lock()

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, object]], Awaitable[str]]]:
        """For the agent's table of commands."""
        return {VERB: self.act, KEYS_VERB: self.pin_keys}

    async def act(self, arguments: Mapping[str, object]) -> str:
        """``{"approval": text, "signature": hex}``: check, note, execute. CommandFailed."""
        text, signature = _texts(arguments, "approval", "signature")
        async with self._one:
            try:
                approval, lines = await self._admit(SignedApproval(text, signature))
            except Refused as refused:
                log.warning("approval refused: %s: %s", refused.why.name, refused)
                raise CommandFailed(refused.why, str(refused)) from refused
        # Not under the lock: a switch that is gone for minutes must not hold up what was approved
        # for the others. Nothing comes in between, for nothing is awaited before this begins.
        log.info("action %s (%s) begins", approval.action, approval.intent)
        return await self._workshop.execute(approval, lines)

    async def pin_keys(self, arguments: Mapping[str, object]) -> str:
        """``{"keys": text, "by": key id, "signature": hex}``: pin the city's newer keys."""
        text, signature = _texts(arguments, "keys", "signature")
        by = arguments.get("by")
        if not isinstance(by, str):
            raise CommandFailed(Code.BAD_ARGUMENTS, "name the key that signed: {'by': key id}")
        async with self._one:
            try:
                keys = SignedKeySet(text, by, signature).after(self._keys)
                await asyncio.to_thread(self._disk.replace, self._file, keys.text.encode("ascii"))
            except KeySetError as error:
                raise CommandFailed(Refusal.UNKNOWN_KEY, str(error)) from error
            except OSError as error:
                sentence = f"the keys cannot be kept: {error.strerror}"
                raise CommandFailed(Refusal.NOT_KEPT, sentence) from error
            self._keys = keys
        return f"the keys of number {keys.number} are pinned"

    async def _admit(self, document: SignedApproval) -> tuple[Approval, Sequence[str]]:
        """Everything that is checked; on return the approval is used up, durably."""
        approval = document.approval(self._keys.pins)
        check_place(approval, city=self._city, school=self._school)
        check_persons(approval, at_least=self._workshop.persons(approval))
        if not self._is_set():
            raise Refused(
                Refusal.CLOCK,
                "nobody sets this machine's clock, so it cannot tell when an approval ends: "
                "start NTP",
            )
        check_time(approval, self._now_ms())
        self._used.look(approval, self._now_ms())  # before a device is asked anything
        self._check_start(approval)
        lines = await self._workshop.render(approval)
        check_plan(approval, lines)
        check_state(approval, await self._workshop.state(approval))
        check_time(approval, self._now_ms())  # reading takes its time
        await _whole(asyncio.to_thread(self._used.use, approval, self._now_ms()))
        return approval, lines

    def _check_start(self, approval: Approval) -> None:
        """Refuse what was issued before this process began.

        A machine that is set back to a copy of its disk has forgotten what it used since; but it
        starts anew then. The moment is counted back from the clock as it is set now.
        """
        since_ms = (self._clock.monotonic_ns() - self._start_ns) // 1_000_000
        if approval.issued_ms < self._now_ms() - since_ms:
            raise Refused(
                Refusal.BEFORE_START,
                f"the approval of {approval.action} was issued before this agent started: "
                "ask for a new one",
            )

    def _is_set(self) -> bool:
        return self._quality() is ClockQuality.SYNCHRONISED

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000


def keys_folder(folders: Iterable[Path | None], disk: Disk) -> Path | None:
    """The first folder that holds the city's keys; None: approvals cannot be checked here."""
    for folder in folders:
        if folder is not None and folder.is_dir() and KEYS_FILE in disk.names(folder):
            return folder
    return None


def pin_first_keys(folder: Path, keys: KeySet, disk: Disk) -> None:
    """Pin keys where there are none: what an enrolment does, for a city without one (the demo).

    Keys that are pinned already stay; only what they sign replaces them. Raises ``OSError``.
    """
    disk.make_folder(folder)
    if KEYS_FILE not in disk.names(folder):
        disk.replace(folder / KEYS_FILE, keys.text.encode("ascii"))


def read_keys(file: Path, disk: Disk) -> KeySet:
    """The pinned keys; raises :class:`KeySetError` and ``OSError``."""
    try:
        return KeySet.parse(disk.read(file).decode("ascii", "replace"))
    except KeySetError as error:
        raise KeySetError(f"{file}: {error}: enrol this school anew") from error


def _texts(arguments: Mapping[str, object], text: str, signature: str) -> tuple[str, bytes]:
    """A text and its signature among a command's arguments; raises :class:`CommandFailed`."""
    document, mark = arguments.get(text), arguments.get(signature)
    if not isinstance(document, str) or not isinstance(mark, str) or len(mark) > MOST_SIGNATURE:
        raise CommandFailed(Code.BAD_ARGUMENTS, f"send {text!r} and {signature!r} (hex) as texts")
    try:
        return document, bytes.fromhex(mark)
    except ValueError:
        raise CommandFailed(Code.BAD_ARGUMENTS, f"{signature!r} is not hexadecimal") from None


async def _whole(work: Awaitable[T]) -> T:
    """Wait for a thread to end even if the deadline passes: the next one must not overtake it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
