"""Live state as facts: what links, switches and gateways are, and when each was seen well."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from controller.arrays import Flags
from controller.incidents.model import DEADLY, Fact, Figure, Kind, Subject
from controller.sla.verdict import causes_of
from controller.state.columns import NEVER
from controller.state.history import changes_of
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.protocols import NS, Flap, LinkChange
from tenone.vocabulary.states import Cause, Duplex, OperStatus, Severity, Verdict

BESIDE = frozenset({Cause.POWER, Cause.UPLINK, Cause.LOSS, Cause.DNS, Cause.ENDPOINT})
"""What the switch does not say: known by others, at other moments than the port was read."""
UNSEEN = -9
"""No verdict has been handed over yet."""


def fact_of(change: LinkChange, contract_mbps: int | None, errors: int | None) -> Fact:
    """A change of a link as a fact."""
    causes = [cause for cause in causes_of(change.causes) if cause < Cause.AGENT_SILENT]
    bad = change.verdict is Verdict.BAD
    return Fact(
        subject=Subject.link(change.link),
        at_ns=change.at_ns,
        verdict=change.verdict,
        cause=causes[0] if bad and causes else None,
        severity=change.severity if bad else Severity.NONE,
        figures=_figures(change, contract_mbps, errors) if bad else (),
        proof=change.block_hash,
    )


def blink_of(flap: Flap) -> Fact:
    """A link that was away between two looks as a fact: it is well, and it was not."""
    return Fact(
        subject=Subject.link(flap.link),
        at_ns=flap.back_ns,
        verdict=Verdict.GOOD,
        proof=flap.block_hash,
        blinked=True,
    )


def _figures(
    change: LinkChange, contract_mbps: int | None, errors: int | None
) -> tuple[tuple[str, Figure], ...]:
    linked = change.oper == OperStatus.UP
    half = change.duplex == Duplex.HALF
    known: dict[str, Figure] = {
        "contract_mbps": contract_mbps,
        "errors": errors or None,
        "half": 1 if half else None,
        "speed_mbps": change.speed_mbps or None if linked else None,
    }
    return tuple(sorted((name, value) for name, value in known.items() if value is not None))


class Sampler:
    """Compares live state with what was handed over, and hands over what differs."""

    def __init__(self, live: LiveState, heard_before: Iterable[str]) -> None:
        """``heard_before``: schools that were heard of before this start."""
        self._live = live
        self._n: Numbering = live.numbering
        self._links = np.full(len(self._n.links), UNSEEN, np.int64)
        self._switches = np.full(len(self._n.switches), UNSEEN, np.int64)
        self._agents = np.full(len(self._n.schools), UNSEEN, np.int64)
        self._known = np.zeros(len(self._n.schools), np.bool_)
        """Gateways that were heard of before this start."""
        self._power = np.full(len(self._n.upses), UNSEEN, np.int64)
        patience = [school.stale_after_seconds for school in self._n.schools]
        self._patience_ns = (np.array(patience, np.float64) * NS).astype(np.int64)
        for school in heard_before:
            number = self._n.school_number.get(school)
            if number is not None:
                self._known[number] = True

    def told(self, changes: Iterable[LinkChange]) -> None:
        """These were handed over as changes already."""
        for change in changes:
            number = self._n.link_number.get(change.link)
            if number is not None:
                self._links[number] = _code(change.verdict, change.severity, change.causes)

    def links(self, at_ns: int) -> list[LinkChange]:
        """Links that are not what was handed over last, as changes at ``at_ns``."""
        links = self._live.links
        code = (
            (links.causes.astype(np.int64) << 8)
            | (links.severity.astype(np.int64) << 4)
            | (links.verdict.astype(np.int64) + 1)
        )
        numbers = np.flatnonzero(code != self._links)
        self._links[numbers] = code[numbers]
        moments = [at_ns] * len(numbers)
        return changes_of(self._n, links, numbers, moments, lambda _number: b"")

    def others(self, at_ns: int, monotonic_ns: int, *, silence_counts: bool) -> Iterator[Fact]:
        """Gateways and switches that are not what was handed over last.

        A gateway that never said a word is not missed; one that spoke before the start may take
        its time to come back (``silence_counts``), one that has spoken since is missed at once.
        Nobody knows how the switches of a silent one are.
        """
        live, n = self._live, self._n
        missed = live.agents.heard_ns != NEVER
        if silence_counts:
            missed |= self._known
        heard = live.agents.online & (monotonic_ns - live.agents.heard_ns <= self._patience_ns)
        silent = np.full(len(n.schools), int(Verdict.UNKNOWN), np.int64)
        silent[heard] = int(Verdict.GOOD)
        silent[~heard & missed] = int(Verdict.BAD)
        for number in np.flatnonzero(silent != self._agents).tolist():
            self._agents[number] = silent[number]
            subject = Subject.agent(n.schools[number].id)
            yield _fact(subject, at_ns, int(silent[number]), Cause.AGENT_SILENT)
        yield from self._powers(at_ns, heard)
        if not len(n.switches):
            return
        reachable = live.switches.reachable[: len(n.switches)].astype(np.int64)
        seen = np.where(reachable == 1, int(Verdict.GOOD), int(Verdict.BAD))
        seen[(reachable < 0) | ~heard[n.switch_school]] = int(Verdict.UNKNOWN)
        for number in np.flatnonzero(seen != self._switches).tolist():
            self._switches[number] = seen[number]
            switch = n.switches[number]
            subject = Subject(switch.school, Kind.SWITCH, switch.name)
            yield _fact(subject, at_ns, int(seen[number]), Cause.SWITCH_SILENT)

    def _powers(self, at_ns: int, heard: Flags) -> Iterator[Fact]:
        power = self._live.measures.power.astype(np.int64)
        power[~heard[self._n.ups_school]] = int(Verdict.UNKNOWN)
        for number in np.flatnonzero(power != self._power).tolist():
            self._power[number] = power[number]
            ups = self._n.upses[number]
            subject = Subject.power(ups.school, ups.serial)
            fact = _fact(subject, at_ns, int(power[number]), Cause.POWER)
            # The lights are still on; what it takes down with it makes it graver.
            bad = fact.verdict is Verdict.BAD
            yield replace(fact, severity=Severity.WARNING) if bad else fact

    def seen_well_ns(self, subject: Subject, monotonic_ns: int, wall_ns: int) -> int | None:
        """When it was last seen to carry, wall clock; None: it does not, or nobody knows."""
        live, n = self._live, self._n
        evidence_ns = NEVER
        if subject.kind is Kind.LINK:
            number = n.link_number.get(subject.link_id or "")
            if number is not None and _carries(
                int(live.links.verdict[number]), int(live.links.causes[number])
            ):
                evidence_ns = int(live.links.evidence_ns[number])
        elif subject.kind is Kind.SWITCH:
            number = n.switch_number.get((subject.school, subject.name))
            if number is not None and live.switches.reachable[number] == 1:
                evidence_ns = int(live.switches.heard_ns[number])
        elif subject.kind is Kind.POWER:
            number = n.ups_number.get((subject.school, subject.name))
            if number is not None and live.measures.power[number] == Verdict.GOOD:
                evidence_ns = int(live.measures.power_heard_ns[number])
        if evidence_ns == NEVER:
            return None
        return wall_ns - (monotonic_ns - evidence_ns)


def _carries(verdict: int, causes: int) -> bool:
    """A slow uplink still carries."""
    return verdict == Verdict.GOOD or (verdict == Verdict.BAD and not causes & _DEADLY)


_DEADLY = sum(1 << cause for cause in DEADLY)


def _code(verdict: int, severity: int, causes: int) -> int:
    return (causes << 8) | (int(severity) << 4) | (int(verdict) + 1)


def _fact(subject: Subject, at_ns: int, verdict: int, cause: Cause) -> Fact:
    bad = verdict == Verdict.BAD
    return Fact(
        subject=subject,
        at_ns=at_ns,
        verdict=Verdict(verdict),
        cause=cause if bad else None,
        severity=Severity.CRITICAL if bad else Severity.NONE,
    )
