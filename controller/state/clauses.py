"""The clauses of every link, judged by its profile from what is measured of it. Columns.

Three-valued: UNKNOWN where nothing was measured, where what was measured is too old, and where the
profile does not ask (``asked`` tells the two apart).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from controller.arrays import F64, I8, I64, U64, Flags
from controller.sla.class_minutes import Clause
from controller.sla.further import Further
from controller.sla.rules import LinkRules
from controller.state.columns import NEVER
from controller.state.measures import Measures
from controller.store.protocols import NS
from tenone.vocabulary.states import Cause, Verdict

PROBES_STALE_SECONDS: Final = 600.0
"""How long a probe speaks: twice the longest window of samples."""
_MEASURED: Final = (Clause.LOSS, Clause.JITTER, Clause.RTT, Clause.DNS, Clause.BOARD)
_CAUSE_OF: Final[Mapping[Clause, Cause]] = {
    Clause.LOSS: Cause.LOSS,
    Clause.JITTER: Cause.CONGESTION,
    Clause.RTT: Cause.CONGESTION,
    Clause.DNS: Cause.DNS,
    Clause.BOARD: Cause.ENDPOINT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clauses:
    """One row a link. The fields of a class-minute's clause columns, and each clause by itself."""

    bad: U64
    """Mask of the causes of the broken clauses, besides the link's own."""
    unknown: Flags
    """A clause is asked and cannot be judged."""
    deeper: U64
    """Causes known to be there that make no minute bad by themselves, but take the blame for one:
    power, errors, congestion of the link."""
    verdicts: Mapping[Clause, I8]
    """``Verdict`` codes of the measured clauses, UNKNOWN where the profile does not ask."""


class ClauseJudge:
    """The rules of every link as columns."""

    def __init__(self, rules: Sequence[LinkRules], counters_stale_seconds: F64) -> None:
        """``counters_stale_seconds``: of each link, how old its counters may be."""
        self._counters_stale = counters_stale_seconds
        self._error = _column(rules, lambda rule: rule.error_ratio)
        self._discard = _column(rules, lambda rule: rule.discard_ratio)
        self._utilisation = _column(rules, lambda rule: rule.utilisation_ratio)
        self.loss_ratio: F64 = _column(rules, lambda rule: rule.minute.loss_ratio)
        self._ipdv = _column(rules, lambda rule: rule.minute.ipdv_p95_ms)
        self._rtt = _column(rules, lambda rule: rule.minute.rtt_ms)
        self.asked: Mapping[Clause, Flags] = {
            clause: np.array([clause in rule.minute.clauses for rule in rules], np.bool_)
            for clause in Clause
        }

    def further(self, measures: Measures, now_ns: int) -> Further:
        """What makes a link bad besides its port (:mod:`controller.sla.further`)."""
        measured = self._measured(measures, now_ns)
        errors, crowded = self._counted(measures, now_ns)
        congestion = _worst(crowded, measured[Clause.JITTER], measured[Clause.RTT])
        return Further(
            errors=errors,
            congestion=congestion,
            loss=measured[Clause.LOSS],
            dns=measured[Clause.DNS],
            endpoint=measured[Clause.BOARD],
            on_battery=measures.on_battery,
        )

    def judge(self, measures: Measures, now_ns: int) -> Clauses:
        """The clauses of a class-minute that ends ``now_ns`` (monotonic)."""
        measured = self._measured(measures, now_ns)
        errors, crowded = self._counted(measures, now_ns)
        bad = np.zeros(len(errors), np.uint64)
        unknown = np.zeros(len(errors), np.bool_)
        for clause in _MEASURED:
            verdict = measured[clause]
            bad |= _bits(verdict == Verdict.BAD, _CAUSE_OF[clause])
            unknown |= self.asked[clause] & (verdict == Verdict.UNKNOWN)
        deeper = _bits(measures.on_battery, Cause.POWER)
        deeper |= _bits(errors == Verdict.BAD, Cause.ERRORS)
        deeper |= _bits(crowded == Verdict.BAD, Cause.CONGESTION)
        return Clauses(bad=bad, unknown=unknown, deeper=deeper, verdicts=measured)

    def _measured(self, measures: Measures, now_ns: int) -> dict[Clause, I8]:
        probed = _fresh(measures.probed_ns, now_ns, PROBES_STALE_SECONDS)
        told = {
            Clause.LOSS: np.where(probed, measures.loss, _UNKNOWN),
            Clause.JITTER: _within(measures.ipdv_p95_ms, self._ipdv, probed),
            Clause.RTT: _within(measures.rtt_ms, self._rtt, probed),
            Clause.DNS: np.where(
                _fresh(measures.dns_ns, now_ns, PROBES_STALE_SECONDS), measures.dns, _UNKNOWN
            ),
            Clause.BOARD: measures.board,
        }
        return {
            clause: np.where(self.asked[clause], verdict, _UNKNOWN)
            for clause, verdict in told.items()
        }

    def _counted(self, measures: Measures, now_ns: int) -> tuple[I8, I8]:
        """Errors; congestion as the port counts it."""
        fresh = _fresh(measures.counters_ns, now_ns, self._counters_stale)
        errors = _within(measures.error_ratio, self._error, fresh)
        discards = _within(measures.discard_ratio, self._discard, fresh)
        # A whole five minutes are older than the interval that ended them.
        full = _within(measures.mean_ratio, self._utilisation, fresh)
        return errors, _worst(discards, full)


_UNKNOWN: Final = np.int8(Verdict.UNKNOWN)


def _column(rules: Sequence[LinkRules], of: Callable[[LinkRules], float]) -> F64:
    return np.array([of(rule) for rule in rules], np.float64)


def _fresh(moment_ns: I64, now_ns: int, seconds: F64 | float) -> Flags:
    fresh: Flags = (moment_ns != NEVER) & ((now_ns - moment_ns) / NS <= seconds)
    return fresh


def _within(value: F64, limit: F64, fresh: Flags) -> I8:
    verdict = np.full(len(value), Verdict.UNKNOWN, np.int8)
    verdict[fresh & (value <= limit)] = Verdict.GOOD
    verdict[fresh & (value > limit)] = Verdict.BAD
    return verdict


def _worst(*parts: I8) -> I8:
    """Kleene's AND: one that is bad decides, else one that is unknown."""
    every = np.stack(parts)
    verdict = np.full(every.shape[1], Verdict.GOOD, np.int8)
    verdict[(every == Verdict.UNKNOWN).any(axis=0)] = Verdict.UNKNOWN
    verdict[(every == Verdict.BAD).any(axis=0)] = Verdict.BAD
    return verdict


def _bits(flags: Flags, cause: Cause) -> U64:
    return flags.astype(np.uint64) << np.uint64(cause)
