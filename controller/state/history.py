"""Since when each link is what it is, and which changes the records have not got yet."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.arrays import F64, I64, Flags
from controller.state.columns import Links
from controller.state.numbering import Numbering
from controller.store.protocols import NS, LinkChange
from tenone.blocks.block import Block
from tenone.vocabulary.states import Severity, Verdict

SHOWN: Final = ("verdict", "severity", "causes", "oper", "admin", "speed_mbps", "duplex")
"""Columns of :class:`Links` whose change is a change of the link."""


class History:
    """What the records say of every link, as columns; a change is what differs from them."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        count = len(numbering.links)
        self._recorded = Links(count)
        self._known: Flags = np.zeros(count, np.bool_)
        self._moment_ns: I64 = np.zeros(count, np.int64)
        """Wall clock: when what is judged of each link was read; silence is judged now."""

    def restore(self, changes: Iterable[LinkChange]) -> None:
        """Take over the newest recorded change of every link."""
        for change in changes:
            number = self._numbering.link_number.get(change.link)
            if number is None:
                continue
            for name in (*SHOWN, "since_ns"):
                getattr(self._recorded, name)[number] = getattr(change, name)
            self._known[number] = True

    def date(self, links: Links, turned: Flags, ages: F64, wall_ns: int) -> None:
        """Set since when the verdicts hold that have ``turned``; ``ages`` in seconds.

        What was read dates a verdict, silence is dated now. A verdict that comes back to what is
        recorded (after a restart) holds since it was recorded.
        """
        known = links.verdict != Verdict.UNKNOWN
        age_ns = np.where(known & np.isfinite(ages), ages, 0.0) * NS
        self._moment_ns = np.maximum(wall_ns - age_ns.astype(np.int64), links.since_ns)
        same = self._known & (self._recorded.verdict == links.verdict)
        since = np.where(same, self._recorded.since_ns, self._moment_ns)
        links.since_ns = np.where(turned, since, links.since_ns)

    def changes(
        self, links: Links, *, silence_counts: bool, block_of: Callable[[int], Block | None]
    ) -> list[LinkChange]:
        """What the records should keep, and count it as kept.

        ``silence_counts`` False: links that are unknown are left out, they may yet come back as
        they were. ``block_of``: the block that shows a link's state.
        """
        differs: npt.NDArray[np.bool_] = ~self._known
        for name in SHOWN:
            differs = differs | (getattr(links, name) != getattr(self._recorded, name))
        if not silence_counts:
            differs &= links.verdict != Verdict.UNKNOWN
        numbers = np.flatnonzero(differs)
        for name in (*SHOWN, "since_ns"):
            getattr(self._recorded, name)[numbers] = getattr(links, name)[numbers]
        self._known[numbers] = True
        verdicts = links.verdict

        def hash_of(number: int) -> bytes:
            block = None if verdicts[number] == Verdict.UNKNOWN else block_of(number)
            return b"" if block is None else block.hash

        moments = self._moment_ns[numbers].tolist()
        return changes_of(self._numbering, links, numbers, moments, hash_of)


def changes_of(
    numbering: Numbering,
    links: Links,
    numbers: I64,
    moments_ns: Iterable[int],
    hash_of: Callable[[int], bytes],
) -> list[LinkChange]:
    """What the links with these numbers are now, as changes at ``moments_ns`` (UTC)."""
    columns = [getattr(links, name)[numbers].tolist() for name in (*SHOWN, "since_ns")]
    return [
        LinkChange(
            link=numbering.links[number].id,
            at_ns=at_ns,
            since_ns=since_ns,
            verdict=Verdict(verdict),
            severity=Severity(severity),
            causes=causes,
            oper=oper,
            admin=admin,
            speed_mbps=speed_mbps,
            duplex=duplex,
            block_hash=hash_of(number),
        )
        for number, at_ns, (
            verdict, severity, causes, oper, admin, speed_mbps, duplex, since_ns,
        ) in zip(numbers.tolist(), moments_ns, zip(*columns, strict=True), strict=True)
    ]  # fmt: skip
