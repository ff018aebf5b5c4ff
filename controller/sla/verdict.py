"""The three-valued judgement of links (SLA.md, definition 3), for whole columns at once.

A link is good when its port's oper-status is up AND its speed is at least the contract AND its
duplex is full. The three conditions are joined as Kleene's three-valued AND: one that is false
makes the link bad whatever the others are, otherwise one that is unknown makes it unknown.
What cannot be seen now (silent agent, silent switch, stale evidence, missing port) is unknown
before anything else is asked; old values are never judged.

Full duplex by standard: IEEE 802.3 defines half duplex (CSMA/CD, clause 4) up to 1 Gb/s only;
clauses 125 (2.5 and 5 Gb/s), 44 (10 Gb/s) and 80 (40 and 100 Gb/s) are for full duplex alone.
Many 10G ports have no row in dot3StatsTable or report unknown(1): above 1 Gb/s that is taken as
full and marked in ``Judgement.duplex_by_standard``. At exactly 1 Gb/s the standard describes half
duplex but no product was built with it, so a switch that has no duplex rows at all (Ruijie, ZTE,
Huawei YunShan) is taken as full there too; one that says unknown(1) is taken at its word. Half
duplex at 1 Gb/s and above is an error of the switch's agent (SLA.md, "Counters, clocks and
identities"): unknown, not bad. See docs/decisions/0005-duplex-nobody-reports.md.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from controller.sla.severity import severity
from tenone.vocabulary.states import AdminStatus, Cause, Duplex, OperStatus, Verdict

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.uint64]

GIGABIT_MBPS: Final = 1000
"""Above this no standard has half duplex; from this on no product has it."""

NOT_SAID: Final = 0
"""An enumeration column's value where the device said nothing: no MIB enumeration uses 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of each link now; all arrays have one row a link.

    ``admin``, ``oper``, ``duplex``: the MIB's codes, 0 where nothing was said.
    ``speed_mbps``: 0 is absent. ``age_seconds``: since the values were read, inf for never.
    ``reachable``: 1 the switch answers, 0 it does not, -1 never heard of.
    ``shared``: the link carries others (uplink, backbone). ``virtual``: bound to an interface that
    is no socket (a VLAN, loopback, tunnel): it carries no contract, whatever it says of itself.
    """

    bound: Bools
    seen: Bools
    present: Bools
    agent_heard: Bools
    reachable: npt.NDArray[np.int8]
    age_seconds: npt.NDArray[np.float64]
    stale_after_seconds: npt.NDArray[np.float64]
    admin: Bytes
    oper: Bytes
    speed_mbps: npt.NDArray[np.uint32]
    duplex: Bytes
    contract_mbps: npt.NDArray[np.uint32]
    shared: Bools
    virtual: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One row a link: ``Verdict`` and ``Severity`` codes, and the mask of ``Cause`` bits.

    A bad link lists only what is bad about it, an unknown one only what is not known.
    """

    verdict: npt.NDArray[np.int8]
    severity: Bytes
    causes: Masks
    stale: Bools
    """The evidence is older than it may be; also true where there never was any."""
    duplex_by_standard: Bools
    """Taken as full because the speed leaves no other mode; the device did not say so."""


def judge(links: Evidence) -> Judgement:
    """Judge every link. Pure: the same evidence gives the same judgement."""
    stale = ~(links.age_seconds <= links.stale_after_seconds)
    blind = _blindness(links, stale)
    admin_down = (links.admin == AdminStatus.DOWN) | (links.admin == AdminStatus.TESTING)
    up = links.oper == OperStatus.UP
    oper_unknown = (
        (links.oper == NOT_SAID)
        | (links.oper == OperStatus.UNKNOWN)
        | (links.oper > OperStatus.LOWER_LAYER_DOWN)
    )
    running = up & ~admin_down
    speed = links.speed_mbps
    full, half, by_standard = _duplex(links)

    bad = _bit(admin_down, Cause.CONFIGURATION)
    bad |= _bit(~admin_down & ~up & ~oper_unknown, Cause.LINK_DOWN)
    bad |= _bit(running & (speed > 0) & (speed < links.contract_mbps), Cause.SPEED)
    bad |= _bit(running & half, Cause.DUPLEX)
    unsure = _bit(~admin_down & oper_unknown, Cause.OPER_UNKNOWN)
    unsure |= _bit(running & (speed == 0), Cause.SPEED_UNKNOWN)
    unsure |= _bit(running & ~full & ~half, Cause.DUPLEX_UNKNOWN)

    seeing = blind == 0
    is_bad = seeing & (bad != 0)
    is_good = seeing & (bad == 0) & (unsure == 0)
    causes = np.where(seeing, np.where(bad != 0, bad, unsure), blind)
    verdict = np.full(len(seeing), Verdict.UNKNOWN, np.int8)
    verdict[is_bad] = Verdict.BAD
    verdict[is_good] = Verdict.GOOD
    return Judgement(
        verdict=verdict,
        severity=severity(bad, is_bad, links.shared),
        causes=causes,
        stale=stale,
        duplex_by_standard=by_standard & running & seeing,
    )


def _blindness(links: Evidence, stale: Bools) -> Masks:
    """Why nothing can be judged now; 0 where it can."""
    bound = links.bound
    mask = _bit(~bound, Cause.NOT_BOUND)
    mask |= _bit(bound & ~links.agent_heard, Cause.AGENT_SILENT)
    mask |= _bit(bound & (links.reachable == 0), Cause.SWITCH_SILENT)
    mask |= _bit(bound & links.seen & stale, Cause.STALE)
    mask |= _bit(bound & links.virtual, Cause.VIRTUAL_PORT)
    mask |= _bit(bound & ~links.virtual & ~links.present, Cause.PORT_MISSING)
    mask |= _bit(bound & ~links.virtual & links.present & ~links.seen, Cause.NEVER_SEEN)
    return mask


def _duplex(links: Evidence) -> tuple[Bools, Bools, Bools]:
    """Which links are full, which are half, and which of the full are so by standard only."""
    mode = settled_duplex(links.duplex, links.speed_mbps)
    full, half = mode == Duplex.FULL, mode == Duplex.HALF
    return full, half, full & (links.duplex != Duplex.FULL)


def settled_duplex(duplex: Bytes, speed_mbps: npt.NDArray[np.integer[Any]]) -> Bytes:
    """``Duplex`` codes as they are judged: by what the switch says, else by the standard."""
    not_said = (duplex != Duplex.FULL) & (duplex != Duplex.HALF)
    no_row = duplex == NOT_SAID
    by_standard = (not_said & (speed_mbps > GIGABIT_MBPS)) | (no_row & (speed_mbps == GIGABIT_MBPS))
    half = (duplex == Duplex.HALF) & (speed_mbps > 0) & (speed_mbps < GIGABIT_MBPS)
    mode = np.full(len(duplex), Duplex.UNKNOWN, np.uint8)
    mode[half] = Duplex.HALF
    mode[(duplex == Duplex.FULL) | by_standard] = Duplex.FULL
    return mode


def _bit(flags: Bools, cause: Cause) -> Masks:
    return flags.astype(np.uint64) << np.uint64(cause)


@lru_cache(maxsize=4096)
def causes_of(mask: int) -> tuple[Cause, ...]:
    """The causes in a mask, by priority: the first is the one to name."""
    return tuple(cause for cause in Cause if mask >> cause & 1)
