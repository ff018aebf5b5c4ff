"""The gateway about itself: one ``agent-health`` block a minute, and when the outbox turns."""

import os
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

from agents.origin import Origin
from agents.ports import Keep
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import layout
from tenone.vocabulary.metrics import AGENT_HEALTH

SUBJECT = "gateway/agent"
HEALTH_LAYOUT = layout("agent-health", AGENT_HEALTH, ["agent"])
INTERVAL_SECONDS = 60.0
LOOK_SECONDS = 5.0
NOTICEABLE_BLOCKS = 20
"""A smaller change of the outbox in :data:`LOOK_SECONDS` is the ordinary coming and going."""


class Trend(IntEnum):
    """Whether more is kept than receipted."""

    DRAINING = -1
    STEADY = 0
    GROWING = 1


class Stock(Protocol):
    """The journal's counters."""

    @property
    def kept_bytes(self) -> int:
        """Bytes on disk."""
        ...

    @property
    def kept_blocks(self) -> int:
        """Blocks not yet receipted."""
        ...


class Refusals(Protocol):
    """The quarantine's counters."""

    @property
    def total(self) -> int:
        """Device messages put aside since start."""
        ...

    @property
    def summary(self) -> str:
        """How many for which reason, such as ``flood=3 json=1``."""
        ...


class HintCounts(Protocol):
    """What became of traps and syslog lines (:class:`agents.hints.Hints`)."""

    @property
    def total(self) -> int:
        """Hints believed since start."""
        ...

    @property
    def polls(self) -> int:
        """State sweeps asked for because of them."""
        ...

    @property
    def refused(self) -> int:
        """Datagrams not believed."""
        ...

    @property
    def reasons(self) -> str:
        """How many for which reason, such as ``community=3 flood=1``."""
        ...


class Care(Protocol):
    """What :class:`agents.passport.Passport` knows of the certificate."""

    @property
    def seconds_left(self) -> float | None:
        """How long it is valid; None: there is none."""
        ...

    @property
    def finding(self) -> str | None:
        """Why somebody should look after it; empty: nothing; None: there is none."""
        ...


class Trouble(Protocol):
    """:class:`agents.repairs.Repairs`, :class:`agents.vault_watch.VaultWatch` and the like."""

    @property
    def trouble(self) -> str:
        """What has not come to its end, or contradicts what is kept; empty: nothing."""
        ...


class Health:
    """Makes the blocks. Give :meth:`run` to a supervisor."""

    def __init__(
        self,
        *,
        origin: Origin,
        keep: Keep,
        stock: Stock,
        refusals: Refusals | None,
        hints: HintCounts | None = None,
        care: Care | None = None,
        repairs: Trouble | None = None,
        ledger: Trouble | None = None,
        vault: Trouble | None = None,
    ) -> None:
        self._origin = origin
        self._clock = origin.clock
        self._keep = keep
        self._stock = stock
        self._refusals = refusals
        self._hints = hints
        self._care = care
        self._repairs = repairs
        self._ledger = ledger
        self._vault = vault
        self._version = agent_version()
        self._start_ns = self._clock.monotonic_ns()

    async def tell(self) -> None:
        """Keep one block about this moment."""
        await self._keep([self._draft()])

    async def run(self) -> None:
        """One block at once, then every minute and at every turn of the outbox."""
        await self.tell()
        told_ns, before, told_trend = self._clock.monotonic_ns(), self._stock.kept_blocks, None
        troubles = self._troubles()
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            now = self._stock.kept_blocks
            trend, before = _trend(now - before), now
            old = self._clock.monotonic_ns() - told_ns >= INTERVAL_SECONDS * 1e9
            turned = told_trend is not None and trend is not told_trend
            if old or turned or troubles != self._troubles():
                troubles = self._troubles()
                await self.tell()
                told_ns = self._clock.monotonic_ns()
            told_trend = trend

    def _troubles(self) -> tuple[bool, ...]:
        """Whether there are any: a change is told at once."""
        told = (self._repairs, self._ledger, self._vault)
        return tuple(bool(one and one.trouble) for one in told)

    def _draft(self) -> Draft:
        hints = self._hints
        values: dict[str, Value | None] = {
            "agent_version": self._version,
            "uptime_seconds": (self._clock.monotonic_ns() - self._start_ns) / 1e9,
            "outbox_bytes": self._stock.kept_bytes,
            "outbox_blocks": self._stock.kept_blocks,
            "quarantined_total": 0 if self._refusals is None else self._refusals.total,
            "quarantine_reasons": "" if self._refusals is None else self._refusals.summary,
            "rss_bytes": rss_bytes(),
            "hints_total": None if hints is None else hints.total,
            "hint_polls_total": None if hints is None else hints.polls,
            "hints_refused_total": None if hints is None else hints.refused,
            "hint_reasons": None if hints is None else hints.reasons,
            "certificate_seconds_left": None if self._care is None else self._care.seconds_left,
            "certificate_finding": None if self._care is None else self._care.finding,
            "repair_trouble": None if self._repairs is None else self._repairs.trouble,
            "ledger_trouble": None if self._ledger is None else self._ledger.trouble,
            "vault_trouble": None if self._vault is None else self._vault.trouble,
        }
        columns = [Column.of(name, [values[name]]) for name in AGENT_HEALTH]
        return Draft.of(HEALTH_LAYOUT, self._origin.stamp(SUBJECT), columns)


def _trend(change: int) -> Trend:
    if abs(change) < NOTICEABLE_BLOCKS:
        return Trend.STEADY
    return Trend.GROWING if change > 0 else Trend.DRAINING


def agent_version() -> str:
    """The installed package's version; ``0+checkout`` where it is run without installing."""
    try:
        return version("tenone")
    except PackageNotFoundError:
        return "0+checkout"


def rss_bytes() -> int | None:
    """Resident memory of this process; None where the system does not tell (not Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
