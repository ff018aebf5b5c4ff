"""What agents tell of their actions: rows of the stream ``repairs``."""

from collections.abc import Iterable

from controller.enforcement.records import Told
from controller.state.values import rows_of
from controller.store.protocols import Arrival
from tenone.vocabulary.repairs import RepairStep

STREAM = "repairs"
MOST_SENTENCE = 2000
MOST_TRANSCRIPT = 64 * 1024
MOST_CABLE = 4096
MOST_SAID = 16 * 1024
LAST_MS = 4_102_444_800_000
"""2100: a clock that says more is wrong, and a page could not write it."""


def told(arrival: Arrival) -> Iterable[Told]:
    """The steps a block tells of; a row without action, step or time tells nothing."""
    for action, row in zip(arrival.layout.rows, rows_of(arrival), strict=True):
        step = next((one for one in RepairStep if one == row.get("repair_step")), None)
        at_ms = row.get("repair_at_ms")
        if step is None or at_ms is None or not action or len(action) > 64:  # noqa: PLR2004 - an action's id
            continue
        yield Told(
            action=action,
            step=step,
            at_ms=min(max(at_ms, 0), LAST_MS),
            sentence=(row.get("repair_sentence") or "")[:MOST_SENTENCE],
            transcript=(row.get("repair_transcript") or "")[:MOST_TRANSCRIPT],
            cable=(row.get("repair_cable") or "")[:MOST_CABLE],
            said=(row.get("repair_said") or "")[:MOST_SAID],
        )
