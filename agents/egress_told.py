"""The ``egress`` stream: what the guard refused, told when there is something new."""

from agents.egress import Guard
from agents.origin import Origin
from agents.ports import Keep
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import layout
from tenone.vocabulary.egress import EGRESS

SUBJECT = "gateway/agent"
EGRESS_LAYOUT = layout("egress", EGRESS, ["agent"])
LOOK_SECONDS = 5.0
"""A storm of refusals makes one block in this time."""


class EgressTold:
    """Makes the blocks. Give :meth:`run` to a supervisor."""

    def __init__(self, guard: Guard, *, origin: Origin, keep: Keep) -> None:
        self._guard = guard
        self._origin = origin
        self._keep = keep

    async def run(self) -> None:
        """One block at once, then one each time more has been refused."""
        told = -1
        while True:
            if self._guard.refused != told:
                told = self._guard.refused
                await self._keep([self._draft(told)])
            await self._origin.clock.sleep(LOOK_SECONDS)

    def _draft(self, refused: int) -> Draft:
        guard = self._guard
        values: tuple[Value, ...] = (
            refused,
            len(guard.by_destination),
            int(guard.enforce),
            guard.last,
        )
        columns = [Column.of(name, [value]) for name, value in zip(EGRESS, values, strict=True)]
        return Draft.of(EGRESS_LAYOUT, self._origin.stamp(SUBJECT), columns)
