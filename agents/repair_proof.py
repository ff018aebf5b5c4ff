"""Whether a change has helped: the same indicator, good, and still good after the hold.

A single good look proves nothing (SWITCHES.md section 3): a switch may answer from a cache, and a
kernel shows the old state for a moment. So only looks count that were asked for after the change,
there are at least :data:`LEAST_LOOKS`, and every one of the hold is good.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from agents.indicator import DOWN, good, lost, no_worse
from agents.pending import Pending
from agents.port_look import Eyes, Look, LookError, PortSeen
from agents.waiting import within
from drivers.cli.dialect import PortSettings
from drivers.cli.settings import same
from tenone.runtime.clock import Clock
from tenone.vocabulary.intents import MEANINGS, Indicator, Intent
from tenone.vocabulary.sayings import Said, Saying, joined, said
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

PROOF_SECONDS = 15.0
"""In this time it has to become good: a port that negotiates takes two to four, one whose power
was taken has a device behind it that starts."""
POE_SECONDS = 90.0
AGAIN_SECONDS = 30.0
POLL_SECONDS = 0.25
LOOK_SECONDS = 5.0
LEAST_LOOKS = 3

Boards = Callable[[str | None], Mapping[str, int]]
"""Of a room: its class boards that have been heard, and how many messages of each."""
Read = Callable[[], Awaitable[PortSettings]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What came of it."""

    good: bool
    sentence: str


@dataclass(slots=True)
class _Run:
    """Good looks on end."""

    since_ns: int | None = None
    looks: int = 0
    missing: int = 0
    """Looks on end in which something else that carried a link did not any more."""


class Prover:
    """Looks until it is proved or not."""

    def __init__(self, eyes: Eyes, *, clock: Clock, boards: Boards = lambda _: {}) -> None:
        self._eyes = eyes
        self._clock = clock
        self._boards = boards

    async def prove(
        self,
        pending: Pending,
        read: Read,
        first_good: Callable[[str], Awaitable[None]],
        *,
        again: bool = False,
    ) -> Proof:
        """``read`` asks the switch for the port's settings, ``first_good`` is told once.

        ``again``: after a lost session; then there is less patience, for the end is due.
        Raises what ``read`` raises.
        """
        after = pending.change.after
        if after is not None and not same(await read(), after):
            return Proof(good=False, sentence=said(Saying.NOT_SET_SO))
        start_ns, run, told = self._clock.monotonic_ns(), _Run(), False
        seconds = min(proof_seconds(pending), AGAIN_SECONDS if again else POE_SECONDS)
        limit_ns = start_ns + round(seconds * 1e9)
        heard = dict(self._boards(pending.room))
        while True:
            is_good, words = await self._look(pending, run, start_ns)
            if run.missing > 1:
                return Proof(good=False, sentence=words)
            if is_good and not told:
                told = True
                await first_good(words)
            if self._is_held(run, pending.hold_seconds):
                break
            if run.since_ns is None and self._clock.monotonic_ns() >= limit_ns:
                late = said(Saying.NOT_GOOD, seconds=f"{seconds:g}")
                return Proof(good=False, sentence=joined(late, words))
            await self._clock.sleep(POLL_SECONDS)
        if after is not None and not same(await read(), after):
            return Proof(good=False, sentence=said(Saying.WENT_BACK))
        hold = f"{pending.hold_seconds:g}"
        still = said(Saying.STILL_GOOD, seconds=hold, looks=str(run.looks))
        boards = self._said_by_boards(pending.room, heard)
        return Proof(good=True, sentence=joined(still, words, *boards))

    async def is_up(self, pending: Pending) -> bool:
        """Whether the port carries anything now; True where nobody knows."""
        try:
            look = await within(self._clock, LOOK_SECONDS, _coroutine(self._eyes, pending.switch))
        except (LookError, TimeoutError):
            return True
        return look.ports.get(pending.port, DOWN).up

    async def _look(self, pending: Pending, run: _Run, start_ns: int) -> tuple[bool, str]:
        asked_ns = self._clock.monotonic_ns()
        try:
            look = await within(self._clock, LOOK_SECONDS, _coroutine(self._eyes, pending.switch))
        except (LookError, TimeoutError) as error:
            run.since_ns, run.looks = None, 0
            seconds = f"{LOOK_SECONDS:g}"
            silent = said(Saying.NO_ANSWER, switch=pending.switch, seconds=seconds)
            return False, str(error) or silent
        others = [port for port in pending.before if port != pending.port]
        gone = lost(others, look.ports, pending.before)
        run.missing = run.missing + 1 if gone else 0
        if gone:
            ports = ", ".join(gone)
            return False, said(Saying.OTHERS_DOWN, ports=ports, switch=pending.switch)
        now = look.ports.get(pending.port, DOWN)
        fresh = look.asked_ns >= max(asked_ns, start_ns)
        if not (fresh and is_good(pending, look)):
            run.since_ns, run.looks = None, 0
            return False, port_said(pending.port, now)
        if run.since_ns is None:
            run.since_ns = look.asked_ns
        run.looks += 1
        return True, port_said(pending.port, now)

    def _is_held(self, run: _Run, hold_seconds: float) -> bool:
        if run.since_ns is None or run.looks < LEAST_LOOKS:
            return False
        return self._clock.monotonic_ns() - run.since_ns >= hold_seconds * 1e9

    def _said_by_boards(self, room: str | None, before: Mapping[str, int]) -> list[Said]:
        now = self._boards(room)
        again = sorted(serial for serial in before if now.get(serial, 0) > before[serial])
        return [said(Saying.BOARDS_HEARD, boards=", ".join(again))] if again else []


def port_said(port: str, now: PortSeen) -> str:
    """How a port is."""
    if now.up and now.speed_mbps and now.admin is not AdminStatus.DOWN:
        known = {Duplex.FULL: Saying.PORT_FULL, Duplex.HALF: Saying.PORT_HALF}
        saying = known.get(now.duplex) if now.duplex is not None else None
        if saying is not None:
            return said(saying, port=port, speed=str(now.speed_mbps))
    if now.oper is OperStatus.DOWN:
        shut = now.admin is AdminStatus.DOWN
        return said(Saying.PORT_SHUT if shut else Saying.PORT_DOWN, port=port)
    return f"{port} is {now}"


def is_good(pending: Pending, look: Look) -> bool:
    """Whether the port is good in one look, by the indicator of the intent."""
    now = look.ports.get(pending.port, DOWN)
    before = pending.before.get(pending.port, DOWN)
    if MEANINGS[pending.intent].indicator is not Indicator.LINK:
        return no_worse(now, before)
    return good(now, contract_mbps=pending.contract_mbps, before=before) and (
        pending.contract_mbps > 0 or no_worse(now, before)
    )


def proof_seconds(pending: Pending) -> float:
    """How long it may take to become good."""
    return POE_SECONDS if pending.intent is Intent.CYCLE_POE else PROOF_SECONDS


async def _coroutine(eyes: Eyes, switch: str) -> Look:
    return await eyes.look(switch)
