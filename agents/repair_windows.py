"""The end of what was changed for a while: exam priority is taken back by the agent itself."""

from dataclasses import fields, replace

from agents.pending import PendingBook, Window
from agents.repair_steps import Steps
from agents.repair_typist import Typist
from drivers.cli import plans
from drivers.cli.dialect import PortSettings
from drivers.cli.errors import CliError, SessionLostError
from drivers.cli.settings import same
from tenone.runtime.clock import Clock
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Saying, joined, said

TRIES = 3
PAUSE_SECONDS = 2.0


class WindowEnder:
    """Ends windows, one at a time."""

    def __init__(self, *, book: PendingBook, steps: Steps, clock: Clock) -> None:
        self._book = book
        self._steps = steps
        self._clock = clock

    async def end(self, typist: Typist, window: Window) -> None:
        """Take it back, tell it, forget it. Raises :class:`SessionLostError`; may be repeated."""
        trouble = ""
        for _ in range(TRIES):
            try:
                now = await typist.read(window.port)
                await typist.type(
                    plans.back(typist.dialect, window.port, now, without(window, now))
                )
                now = await typist.read(window.port)
                if same(now, without(window, now)):
                    if window.saved:  # what it starts with has it in it
                        await typist.type(typist.dialect.save())
                    await self._over(typist, window)
                    return
                trouble = "it does not stay as it was set"
            except SessionLostError:
                raise
            except CliError as error:
                trouble = str(error)
            await self._clock.sleep(PAUSE_SECONDS)
        sentence = joined(
            said(Saying.WINDOW_STUCK, intent=window.intent.value, port=window.port, why=trouble),
            said(Saying.PERSON),
        )
        await self._steps.tell(window, RepairStep.STUCK, sentence, transcript=typist.take())
        await self._book.close_window(window)

    async def _over(self, typist: Typist, window: Window) -> None:
        sentence = said(Saying.WINDOW_OVER, intent=window.intent.value, port=window.port)
        await self._steps.tell(window, RepairStep.ENDED, sentence, transcript=typist.take())
        await self._book.close_window(window)


def without(window: Window, now: PortSettings) -> PortSettings:
    """``now`` with what the window changed as it was before; what others changed stays."""
    changed = {
        one.name: getattr(window.before, one.name)
        for one in fields(PortSettings)
        if getattr(window.before, one.name) != getattr(window.after, one.name)
    }
    return replace(now, **changed)
