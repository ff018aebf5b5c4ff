"""The way back of a change that does not help, or of which nobody knows how far it got."""

from dataclasses import dataclass

from agents.pending import Pending
from agents.repair_proof import Prover
from agents.repair_steps import Steps, cable_json, cable_words
from agents.repair_typist import Typist
from drivers.cli import plans
from drivers.cli.dialect import PortSettings
from drivers.cli.errors import CliError, LineRefusedError, SessionLostError, UnreadableError
from drivers.cli.settings import same
from tenone.runtime.clock import Clock
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Saying, joined, said

TRIES = 3
"""How often something that is not understood or not taken is tried before a person has to look."""
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of an action."""

    step: RepairStep
    sentence: str
    transcript: str = ""
    cable: str = ""


class WayBack:
    """First the approved way back, then from whatever the switch says it is now."""

    def __init__(self, *, prover: Prover, steps: Steps, clock: Clock) -> None:
        self._prover = prover
        self._steps = steps
        self._clock = clock

    async def go(self, typist: Typist, pending: Pending, why: str) -> Outcome:
        """Put the port back and read that it is. Raises :class:`SessionLostError`."""
        await self._steps.note(pending, RepairStep.UNDOING, why, transcript=typist.take())
        before = pending.change.before
        if before is None:
            return Outcome(step=RepairStep.UNDONE, sentence=why, transcript=typist.take())
        where, trouble = {"port": pending.port, "switch": pending.switch}, ""
        for number in range(TRIES):
            try:
                if number == 0:
                    await typist.type(pending.change.undo)
                if await self._is_back(typist, pending, before):
                    back = said(Saying.AS_BEFORE, **where)
                    return await self._undone(typist, pending, joined(why, back))
                trouble = "it does not stay as it was set"
            except SessionLostError:
                raise
            except CliError as error:
                trouble = str(error)
            await self._clock.sleep(PAUSE_SECONDS)
        return Outcome(
            step=RepairStep.STUCK,
            sentence=joined(why, said(Saying.NOT_BACK, **where, why=trouble), said(Saying.PERSON)),
            transcript=typist.take(),
        )

    async def _is_back(self, typist: Typist, pending: Pending, before: PortSettings) -> bool:
        now = await typist.read(pending.port)
        if same(now, before):
            return True
        await typist.type(plans.back(typist.dialect, pending.port, now, before))
        return same(await typist.read(pending.port), before)

    async def _undone(self, typist: Typist, pending: Pending, sentence: str) -> Outcome:
        """As before; where the link carries nothing, the cable is looked at, as was approved."""
        cable = ""
        if pending.measure and not await self._prover.is_up(pending):
            try:
                pairs = typist.dialect.read_cable(await typist.type(pending.measure))
                cable, sentence = cable_json(pairs), joined(sentence, cable_words(pairs))
            except (LineRefusedError, UnreadableError) as error:
                sentence = joined(sentence, said(Saying.CABLE_FAILED, why=str(error)))
            except SessionLostError as error:
                # It changes nothing and needs no second try: the port is as before.
                sentence = joined(sentence, said(Saying.CABLE_FAILED, why=str(error)))
        return Outcome(
            step=RepairStep.UNDONE, sentence=sentence, transcript=typist.take(), cable=cable
        )
