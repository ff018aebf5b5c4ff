"""Whose packets do not yet prove that nothing is lost, and who is proved next. No I/O, no clock.

At one packet in 15 s a class needs 4.4 hours until its packets prove that it loses less than 0.5 %
(controller/sla/loss_window.py), and again so long after every outage: until then each of its
minutes is unknown. So the agent brings the packets that are missing in bursts, one target after
the other.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.probe_plan import Lane
from tenone.vocabulary.probes import OUTAGE_PACKETS, PROOF_LOSSES, PROOF_PACKETS

LONG_PROOF: Final = 2 * PROOF_PACKETS
"""Packets of which :data:`PROOF_LOSSES` may be lost."""
REST_NS: Final = 600 * 10**9
"""Between the first proof of a target and the second; each further one of a day waits twice as
long: a target that comes and goes, or loses a little for ever, costs at most eight a day."""
DAY_NS: Final = 86_400 * 10**9


@dataclass(slots=True)
class _Path:
    """One lane that witnesses a link."""

    lane: Lane
    run: int = 0
    """Packets since the start or the last outage that is over, those lost included."""
    lost_in_row: int = 0
    answered_in_row: int = 0
    ever: int = 0
    """Packets in all."""
    losses: deque[int] = field(default_factory=lambda: deque(maxlen=PROOF_LOSSES + 1))
    """Which packets of the run were lost, the newest of them."""
    recovered_ns: int = -1
    """When its last outage was over; -1: there was none."""
    left: int = 0
    """Packets its proof may still cost."""
    begun_ns: list[int] = field(default_factory=list)
    """When the proofs of the last day began."""

    @property
    def missing(self) -> int:
        """Packets without a loss until the newest ones are a proof; 0: they are."""
        clean = self.ever - self.losses[-1] if self.losses else self.run
        long = LONG_PROOF - self.run
        if len(self.losses) > PROOF_LOSSES:
            long = max(long, LONG_PROOF - (self.ever - self.losses[0]))
        return max(min(PROOF_PACKETS - clean, long), 0)

    @property
    def steady(self) -> bool:
        """Whether its newest packets were answered, and at least one was."""
        return self.answered_in_row >= max(1, min(OUTAGE_PACKETS, self.ever))

    def rested(self, now_ns: int) -> bool:
        self.begun_ns = [one for one in self.begun_ns if now_ns - one < DAY_NS]
        if not self.begun_ns:
            return True
        return now_ns - self.begun_ns[-1] >= REST_NS << (len(self.begun_ns) - 1)


class Proofs:
    """The queue of proofs. ``lanes``: those whose packets are somebody's evidence."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self._paths = {lane: _Path(lane) for lane in lanes}

    def saw(self, lane: Lane, lost: Sequence[bool], *, now_ns: int) -> None:
        """Take the fates of sent packets, oldest first, the way the controller will count them."""
        path = self._paths.get(lane)
        if path is None:
            return
        for one in lost:
            path.ever += 1
            path.run += 1
            if one:
                path.lost_in_row += 1
                path.answered_in_row = 0
                path.losses.append(path.ever)
                continue
            if path.lost_in_row >= OUTAGE_PACKETS:
                path.run, path.left, path.recovered_ns = 1, 0, now_ns
                path.losses.clear()
            path.lost_in_row = 0
            path.answered_in_row += 1

    def due(
        self, now_ns: int, *, most: int, ready: Callable[[Lane], bool]
    ) -> tuple[Lane, int] | None:
        """Whom to send how many packets (at most ``most``) now; they count as sent.

        The target that came back last goes first: its outage is what people look at. In class time
        classes go before what is probed at any hour. ``ready``: whether a lane may be probed now.
        """
        open_ = [
            path
            for path in self._paths.values()
            if path.missing and path.steady and ready(path.lane)
            if path.left or path.rested(now_ns)
        ]
        if not open_:
            return None
        path = max(open_, key=lambda one: (one.recovered_ns, one.lane.class_time_only, one.run))
        if not path.left:
            path.begun_ns.append(now_ns)
            path.left = LONG_PROOF
        packets = min(path.left, path.missing, most)
        path.left -= packets
        return path.lane, packets
