"""What was done at a switch, step by step, as blocks of the stream ``repairs``."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from agents.origin import Origin
from agents.ports import Keep
from drivers.cli.care.masks import hidden
from drivers.cli.dialect import CableState, Pair
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column
from tenone.blocks.layout import layout
from tenone.journal.journal import JournalError
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.repairs import REPAIRS, RepairStep
from tenone.vocabulary.sayings import Clause, Said, Saying, clauses_of, said, to_json

log = logging.getLogger(__name__)

STREAM = "repairs"
SUBJECT = "gateway/repairs"
MOST_TRANSCRIPT = 16_000
"""Characters; of more the middle is left out."""


class Deed(Protocol):
    """What the step is of: a pending change, or a window that ends."""

    @property
    def action(self) -> str:
        """The action's id."""
        ...

    @property
    def intent(self) -> Intent:
        """What is wanted."""
        ...

    @property
    def switch(self) -> str:
        """Where."""
        ...

    @property
    def port(self) -> str:
        """On which port; empty where it concerns the switch."""
        ...


Heard = Callable[[Deed, RepairStep], None]


def unheard(_deed: Deed, _step: RepairStep) -> None:
    """Nobody else wants to know."""


class Steps:
    """Keeps the blocks."""

    def __init__(self, *, origin: Origin, keep: Keep) -> None:
        self._origin = origin
        self._keep = keep
        self.heard: Heard = unheard
        """Is told of each step once it is kept; must not raise."""

    async def tell(
        self, deed: Deed, step: RepairStep, sentence: str, *, transcript: str = "", cable: str = ""
    ) -> None:
        """Keep one step durably; raises :class:`JournalError`."""
        log.info("action %s at %s: %s: %s", deed.action, deed.switch, step.name, sentence)
        values: tuple[int | str, ...] = (
            deed.intent.value,
            deed.switch,
            deed.port,
            int(step),
            self._origin.clock.wall_ns() // 1_000_000,
            hidden(sentence),
            cable,
            shortened(transcript),
            to_json(tuple(_masked(one) for one in clauses_of(sentence))),
        )
        columns = [Column.of(name, [value]) for name, value in zip(REPAIRS, values, strict=True)]
        made = layout(STREAM, REPAIRS, [deed.action])
        await self._keep([Draft.of(made, self._origin.stamp(SUBJECT), columns)])
        self.heard(deed, step)

    async def note(
        self, deed: Deed, step: RepairStep, sentence: str, *, transcript: str = ""
    ) -> None:
        """The same for a step on the way: a journal that fails must not stop the way back."""
        try:
            await self.tell(deed, step, sentence, transcript=transcript)
        except JournalError as error:
            log.error("action %s: %s could not be kept: %s", deed.action, step.name, error)  # noqa: TRY400 - the sentence says it all


def _masked(clause: Clause) -> Clause:
    return Clause(clause.saying, {name: hidden(text) for name, text in clause.values.items()})


def shortened(text: str, most: int = MOST_TRANSCRIPT) -> str:
    """Beginning and end of what is too long."""
    if len(text) <= most:
        return text
    left = f"\n... {len(text) - most} characters left out ...\n"
    half = (most - len(left)) // 2
    return text[:half] + left + text[-half:]


def cable_json(pairs: Iterable[Pair]) -> str:
    """``[{"pair": "A", "state": "open", "metres": 12.0}]``; metres null where not said."""
    return json.dumps(
        [{"pair": one.name, "state": one.state.value, "metres": one.metres} for one in pairs]
    )


def cable_words(pairs: Iterable[Pair]) -> Said:
    """One clause about the pairs that are not good."""
    bad = [one for one in pairs if one.state is not CableState.OK]
    if not bad:
        return said(Saying.CABLE_WELL)
    listed = ", ".join(
        f"pair {one.name} {one.state.value}"
        + ("" if one.metres is None else f" at {one.metres:g} m")
        for one in bad
    )
    return said(Saying.CABLE_BAD, pairs=listed)
