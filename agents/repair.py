"""One switch's repairs: begun, proved and kept, or put back; always brought to an end.

The order is what makes it safe. The record is on disk before the switch is told anything, and its
phase before each kind of line that is told next. Whoever takes it up (this task after a lost
session, or the next process) reads the port and knows from both what is left to do: prove and
confirm what stands as after, undo everything else. There is one task a switch, so never two
changes at once, and a command that is given up does not stop it.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from agents.commands import Code, CommandFailed
from agents.pending import Pending, PendingBook, Phase, Window
from agents.repair_back import TRIES, Outcome, WayBack
from agents.repair_proof import Prover
from agents.repair_steps import Steps, cable_json, cable_words
from agents.repair_typist import Typist
from agents.repair_windows import WindowEnder
from agents.sessions import Sessions, patience
from agents.waiting import sleep_or
from drivers.cli import plans
from drivers.cli.console import Console
from drivers.cli.dialect import Dialect, PortSettings
from drivers.cli.errors import (
    LineRefusedError,
    LoginError,
    SessionLostError,
    UnreadableError,
)
from drivers.cli.hostkeys import HostKeyError
from drivers.cli.settings import same
from tenone.journal.journal import JournalError
from tenone.runtime.clock import Clock
from tenone.trust.approval import Refusal
from tenone.vocabulary.intents import MEANINGS, Indicator, Intent
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Saying, joined, said

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
MOST_RETRY_SECONDS = 8.0
REVERT_MARGIN_SECONDS = 2.0
FAR_SECONDS = 3600.0


@dataclass(slots=True)
class _Job:
    """An action this process was asked for."""

    pending: Pending
    answer: "asyncio.Future[str]"
    ready: bool = False
    """Its beginning is kept."""
    begun: bool = False


class SwitchRepairs:
    """Give :meth:`run` to a supervisor."""

    def __init__(
        self,
        switch: str,
        *,
        dialect: Dialect,
        sessions: Sessions,
        book: PendingBook,
        prover: Prover,
        steps: Steps,
        clock: Clock,
    ) -> None:
        self.switch = switch
        self.trouble = ""
        """Why what is under way does not come to its end; empty: it does, or nothing is."""
        self._dialect = dialect
        self._sessions = sessions
        self._book = book
        self._prover = prover
        self._steps = steps
        self._clock = clock
        self._job: _Job | None = None
        self._untold: Outcome | None = None
        """How what is under way ended, until that is kept: a journal that fails has nothing typed
        again."""
        self._wake = asyncio.Event()
        self._way_back = WayBack(prover=prover, steps=steps, clock=clock)
        self._windows = WindowEnder(book=book, steps=steps, clock=clock)

    async def execute(self, pending: Pending) -> str:
        """Begin, and wait for the end; a sentence. Raises :class:`CommandFailed`.

        Whoever waits may give up: what was begun goes on.
        """
        if self._book.damage or self._job is not None or self._book.of(self.switch) is not None:
            raise CommandFailed(Refusal.UNDER_WAY, f"{self.switch} is being changed already")
        job = self._job = _Job(pending, asyncio.get_running_loop().create_future())
        try:
            await self._book.put(pending)
            where = pending.port or self.switch
            sentence = said(Saying.BEGINS, intent=pending.intent.value, where=where)
            await self._steps.tell(pending, RepairStep.BEGUN, sentence)
        except (OSError, JournalError) as error:
            await self._forget(pending)
            raise CommandFailed(
                Refusal.NOT_KEPT, f"it cannot be written down that it begins: {error}"
            ) from error
        except asyncio.CancelledError:
            self._job = None  # taken up as after a restart: nothing was changed
            self._wake.set()
            raise
        job.ready = True
        self._wake.set()
        return await asyncio.shield(job.answer)

    async def run(self) -> None:
        """Bring to an end what is under way, then wait for more."""
        while True:
            self._wake.clear()
            pending, job = self._book.of(self.switch), self._job
            windows = self._book.windows(self.switch)
            if pending is not None and (job is None or job.ready):
                await self._carry(pending, job)
            elif pending is None and windows and self._left(windows[0]) <= 0:
                await self._end_window(windows[0])
            else:
                wait = min([FAR_SECONDS, *(max(self._left(one), 0.0) for one in windows)])
                await sleep_or(self._clock, wait or RETRY_SECONDS, self._wake)

    async def _forget(self, pending: Pending) -> None:
        self._job = None
        try:
            await self._book.end(pending)
        except OSError as error:
            log.warning("%s: the record of what did not begin stays: %s", self.switch, error)

    def _left(self, window: Window) -> float:
        return window.until_ms / 1000 - self._clock.wall_ns() / 1e9

    async def _carry(self, pending: Pending, job: _Job | None) -> None:
        if self._untold is None:
            if job is not None and not job.begun:
                job.begun = True
                self._untold = await self._forward(pending)
            else:
                why = said(Saying.RESTARTED)
                self._untold = await self._recover(why)
        await self._finish(self._untold, job)
        self._untold = None

    async def _finish(self, outcome: Outcome, job: _Job | None) -> None:
        """Tell it durably, then forget: told twice is better than not at all."""
        pending = self._now()
        await self._steps.tell(
            pending,
            outcome.step,
            outcome.sentence,
            transcript=outcome.transcript,
            cable=outcome.cable,
        )
        change, done = pending.change, outcome.step is RepairStep.DONE
        window = isolate = None
        if done and change.before is not None and change.after is not None:
            if pending.until_ms is not None:
                window = window_of(pending, change.before, change.after, pending.until_ms)
            if pending.intent is Intent.QUARANTINE:
                isolate = change.before
        try:
            await self._book.end(
                pending,
                window=window,
                isolate=isolate,
                release=done and pending.intent is Intent.RELEASE,
                saved=done and bool(change.keep),
            )
        except OSError as error:
            log.error("%s: what has ended cannot be written down: %s", self.switch, error)  # noqa: TRY400 - the sentence says it all
        self._job, self.trouble = None, ""
        if job is None or job.answer.done():
            return
        if done:
            job.answer.set_result(outcome.sentence)
        else:
            job.answer.set_exception(CommandFailed(Code.FAILED, outcome.sentence))
            job.answer.exception()  # the one who asked may have given up

    # -- forth -----------------------------------------------------------------------------

    async def _forward(self, pending: Pending) -> Outcome:
        try:
            async with self._sessions.hold(self.switch) as console:
                return await self._do(self._typist(console), pending)
        except (LoginError, HostKeyError, SessionLostError, UnreadableError) as error:
            return await self._recover(str(error))

    async def _do(self, typist: Typist, pending: Pending) -> Outcome:
        change = pending.change
        if MEANINGS[pending.intent].indicator is Indicator.NONE:
            return await self._measure(typist, pending)
        if otherwise := await self._otherwise(typist, pending):
            return otherwise
        try:
            await typist.type(change.prepare)
            pending = await self._phase(pending, Phase.APPLYING)
            await typist.type(change.apply)
        except LineRefusedError as error:
            return await self._back(typist, str(error))
        except OSError as error:
            return await self._back(typist, said(Saying.NOT_WRITTEN, why=str(error)))
        pending = await self._told_phase(
            replace(pending, applied_ms=self._clock.wall_ns() // 1_000_000), Phase.APPLIED
        )
        await self._steps.note(
            pending, RepairStep.APPLIED, said(Saying.TAKEN), transcript=typist.take()
        )
        return await self._prove(typist, pending)

    async def _otherwise(self, typist: Typist, pending: Pending) -> Outcome | None:
        """Whether somebody has set the port since it was approved; then nothing is typed.

        A way back to what is not so any more would undo what they did (a window that has just
        ended, too). Raises :class:`SessionLostError`.
        """
        change = pending.change
        where = {"port": pending.port, "switch": pending.switch}
        try:
            if change.before is None or same(await self._read(typist, pending), change.before):
                return None
            why = said(Saying.SET_OTHERWISE, **where)
        except UnreadableError as error:
            why = said(Saying.UNREADABLE, **where, why=str(error))
        sentence = joined(why, said(Saying.NOTHING_CHANGED))
        return Outcome(step=RepairStep.UNDONE, sentence=sentence, transcript=typist.take())

    async def _prove(self, typist: Typist, pending: Pending, *, again: bool = False) -> Outcome:
        async def first_good(words: str) -> None:
            await self._steps.note(pending, RepairStep.GOOD, words)

        try:
            proof = await self._prover.prove(
                pending, lambda: self._read(typist, pending), first_good, again=again
            )
        except UnreadableError as error:
            return await self._back(typist, str(error))
        if not proof.good:
            return await self._back(typist, proof.sentence)
        pending = await self._told_phase(pending, Phase.PROVED)
        await self._steps.note(pending, RepairStep.PROVED, proof.sentence)
        return await self._keep(typist, pending, proof.sentence, again=again)

    async def _keep(
        self, typist: Typist, pending: Pending, why: str, *, again: bool = False
    ) -> Outcome:
        """Tell the switch that it stays. :class:`SessionLostError`, :class:`UnreadableError`.

        ``again``: in another session than the one that made the change. Whether that one could
        confirm it is not known, and a second confirmation is refused by some: so it is set once
        more, for good, which does no harm and ends what may be on trial.
        """
        change = pending.change
        before, after = change.before, change.after
        blinked = before is None or after is None or same(before, after)
        try:
            if again and before is not None and after is not None and not blinked:
                await typist.type(plans.back(self._dialect, pending.port, before, after))
            else:
                await typist.type(change.confirm)
        except LineRefusedError as error:
            # A switch that would go back by itself: time tells whether it does.
            log.warning("%s: %s", self.switch, error)
            if not blinked:
                await self._wait_for_revert(pending)
        settings = await self._read(typist, pending)
        if change.after is not None and not same(settings, change.after):
            return await self._back(typist, said(Saying.TOOK_BACK))
        try:
            await typist.type(change.keep)
        except LineRefusedError as error:
            why = joined(why, said(Saying.NOT_SAVED, why=str(error)))
        return Outcome(step=RepairStep.DONE, sentence=why, transcript=typist.take())

    async def _wait_for_revert(self, pending: Pending) -> None:
        """Until a switch that goes back by itself would have done so."""
        if pending.applied_ms is None or pending.change.revert_seconds is None:
            return
        due_ms = pending.applied_ms + pending.change.revert_seconds * 1000
        left = due_ms / 1000 + REVERT_MARGIN_SECONDS - self._clock.wall_ns() / 1e9
        await self._clock.sleep(min(left, pending.change.revert_seconds))

    async def _measure(self, typist: Typist, pending: Pending) -> Outcome:
        """A cable test or a save: the answer is the proof. :class:`SessionLostError`."""
        change = pending.change
        cable, sentence = "", said(Saying.SAVED)
        try:
            answers = await typist.type(change.apply)
            if pending.intent is Intent.CABLE_DIAGNOSIS:
                pairs = self._dialect.read_cable(answers)
                cable, sentence = cable_json(pairs), cable_words(pairs)
            await typist.type(change.keep)
        except (LineRefusedError, UnreadableError) as error:
            transcript = typist.take()
            return Outcome(step=RepairStep.UNDONE, sentence=str(error), transcript=transcript)
        done = RepairStep.DONE
        return Outcome(step=done, sentence=sentence, transcript=typist.take(), cable=cable)

    async def _back(self, typist: Typist, why: str) -> Outcome:
        """Put it back. Raises :class:`SessionLostError`."""
        pending = await self._told_phase(self._now(), Phase.UNDOING)
        return await self._way_back.go(typist, pending, why)

    # -- again -----------------------------------------------------------------------------

    async def _recover(self, why: str) -> Outcome:
        """Reach the switch again, for as long as it takes, and bring it to an end."""
        pause, unread, sentence = RETRY_SECONDS, 0, why
        while True:
            self.trouble = f"{self._now().action} at {self.switch} is not at its end: {sentence}"
            log.warning("%s", self.trouble)
            try:
                async with self._sessions.hold(self.switch, fresh=True) as console:
                    return await self._settle(self._typist(console), why)
            except (LoginError, HostKeyError, SessionLostError) as error:
                sentence = str(error)
                pause = patience(error, pause)
            except UnreadableError as error:
                sentence, unread = str(error), unread + 1
                if unread >= TRIES:
                    return self._lost(why, sentence)
            await self._clock.sleep(pause)
            pause = min(2 * pause, MOST_RETRY_SECONDS)

    def _lost(self, why: str, sentence: str) -> Outcome:
        return Outcome(
            step=RepairStep.STUCK,
            sentence=joined(
                why,
                said(Saying.UNREADABLE, port=self._now().port, switch=self.switch, why=sentence),
                said(Saying.PERSON),
            ),
        )

    async def _settle(self, typist: Typist, why: str) -> Outcome:
        """What is left to do, by what the switch says now and how far it is known to have got."""
        pending = self._now()
        change = pending.change
        if change.before is None or change.after is None:
            return await self._measure(typist, pending)  # saving twice saves the same
        await typist.leave()  # a session may have been kept in the middle of something
        now = await self._read(typist, pending)
        as_after = same(now, change.after)
        over = pending.until_ms is not None and (
            pending.until_ms <= self._clock.wall_ns() // 1_000_000
        )
        measures = MEANINGS[pending.intent].indicator is Indicator.NONE
        if as_after and not (over or measures):
            if pending.phase is Phase.PROVED:
                return await self._keep(typist, pending, said(Saying.PROVED_BEFORE), again=True)
            if pending.phase in {Phase.APPLYING, Phase.APPLIED}:
                pending = await self._told_phase(pending, Phase.APPLIED)
                return await self._prove(typist, pending, again=True)
        return await self._back(typist, why)

    # -- windows ---------------------------------------------------------------------------

    async def _end_window(self, window: Window) -> None:
        self.trouble = f"{window.action} at {self.switch} should have ended"
        pause = RETRY_SECONDS
        while True:
            try:
                async with self._sessions.hold(self.switch) as console:
                    await self._windows.end(self._typist(console), window)
            except (LoginError, HostKeyError, SessionLostError) as error:
                self.trouble = f"{window.action} at {self.switch} should have ended: {error}"
                log.warning("%s", self.trouble)
                await self._clock.sleep(patience(error, pause))
                pause = min(2 * pause, MOST_RETRY_SECONDS)
            else:
                self.trouble = ""
                return

    # -- small things ----------------------------------------------------------------------

    def _now(self) -> Pending:
        """The record as it stands."""
        pending = self._book.of(self.switch)
        if pending is None:  # pragma: no cover - nothing else ends it
            raise LookupError(f"nothing is under way at {self.switch}")
        return pending

    def _typist(self, console: Console) -> Typist:
        return Typist(
            console, self._dialect, mask=lambda text: self._sessions.masked(self.switch, text)
        )

    async def _read(self, typist: Typist, pending: Pending) -> PortSettings:
        return await typist.read(pending.port)

    async def _phase(self, pending: Pending, phase: Phase) -> Pending:
        """Written down before it is so; raises ``OSError``."""
        pending = replace(pending, phase=phase)
        await self._book.put(pending)
        return pending

    async def _told_phase(self, pending: Pending, phase: Phase) -> Pending:
        """The same where it is so already, or has to be: a full disk must not stop it."""
        try:
            return await self._phase(pending, phase)
        except OSError as error:
            log.error("%s: the phase %s is not on disk: %s", self.switch, phase.value, error)  # noqa: TRY400 - the sentence says it all
            return self._now()


def window_of(pending: Pending, before: PortSettings, after: PortSettings, until_ms: int) -> Window:
    """What is left of a change that ends by itself."""
    return Window(
        action=pending.action,
        intent=pending.intent,
        switch=pending.switch,
        port=pending.port,
        before=before,
        after=after,
        until_ms=until_ms,
    )
