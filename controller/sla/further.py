"""What may stand behind a link or be wrong with it although its port looks right. Columns, pure.

:mod:`controller.sla.verdict` judges the port: R of SLA.md, definition 3. This joins what is
measured and what stands behind it, three-valued:

- Errors, congestion, loss, DNS and the class board each make a link bad where they are *known* to
  break their threshold. Where they are unknown they change nothing here: the link stays what its
  port says, and is not verified. A class-minute, which is a promise about each of them, is stricter
  (:mod:`controller.sla.class_minutes`).
- A link all of whose parents are down is bad by its uplink: nobody there reaches anything.
- A UPS on its battery explains a switch that is silent and a port without a link; it makes both bad
  by power. It explains no slow or faulty link, and a link that works is good whatever feeds it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.sla.severity import severity
from controller.sla.verdict import Bools, Judgement, Masks
from tenone.vocabulary.states import Cause, Verdict

Codes = npt.NDArray[np.int8]
"""``Verdict`` codes."""

_DOWN: Final = (Cause.POWER, Cause.UPLINK, Cause.CONFIGURATION, Cause.LINK_DOWN)
"""A parent that is bad for one of these carries nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """One row a link. UNKNOWN also where the profile does not ask."""

    errors: Codes
    congestion: Codes
    loss: Codes
    dns: Codes
    endpoint: Codes
    on_battery: Bools
    """The UPS that feeds its switch is known to run on its battery."""


@dataclass(frozen=True, slots=True)
class Parents:
    """Which links carry which: one row a (child, parent) pair, numbers of links."""

    child: npt.NDArray[np.int64]
    parent: npt.NDArray[np.int64]

    def all_down(self, down: Bools) -> Bools:
        """Links that have parents, all of which are down, or are themselves cut off so."""
        links = len(down)
        parents = np.bincount(self.child, minlength=links)
        cut = np.zeros(links, np.bool_)
        while True:
            lost = np.bincount(self.child[(down | cut)[self.parent]], minlength=links)
            now = (parents > 0) & (lost == parents)
            if np.array_equal(now, cut):
                return cut
            # Grows with every round, so it ends; links that carry each other in a ring stay up.
            cut = now


def join(
    judged: Judgement, further: Further, parents: Parents, *, heard: Bools, shared: Bools
) -> Judgement:
    """The judgement of the ports with what is known besides.

    ``heard``: the link is bound and its agent speaks; of others nothing can be said now.
    """
    is_bad = judged.verdict == Verdict.BAD
    bad = np.where(is_bad, judged.causes, np.uint64(0))
    silent = heard & (judged.causes & _mask(Cause.SWITCH_SILENT) != 0) & ~is_bad
    dead = silent | (is_bad & (bad & _mask(Cause.LINK_DOWN) != 0))
    bad |= _bits(further.on_battery & dead, Cause.POWER)
    for cause, codes in (
        (Cause.ERRORS, further.errors),
        (Cause.CONGESTION, further.congestion),
        (Cause.LOSS, further.loss),
        (Cause.DNS, further.dns),
        (Cause.ENDPOINT, further.endpoint),
    ):
        bad |= _bits(heard & (codes == Verdict.BAD), cause)
    down = bad & _mask(*_DOWN) != 0
    bad |= _bits(heard & parents.all_down(down), Cause.UPLINK)
    verdict = np.where(bad != 0, np.int8(Verdict.BAD), judged.verdict)
    is_bad = verdict == Verdict.BAD
    return replace(
        judged,
        verdict=verdict,
        causes=np.where(is_bad, bad, judged.causes),
        severity=severity(bad, is_bad, shared),
    )


def _mask(*causes: Cause) -> np.uint64:
    return np.uint64(sum(1 << cause for cause in causes))


def _bits(flags: Bools, cause: Cause) -> Masks:
    return flags.astype(np.uint64) << np.uint64(cause)
