"""Whether what schools keep of the ledger is so in the ledger as it is. No clock, no network.

A head fits if the ledger has that entry with that hash; then, by the chain, every entry before it
is what it was when the school took it. One that does not fit tells that something at or before it
is not, unless an entry of the ledger admits it (``ledger.admit``: put back from a backup).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from controller.trust.chain import Head, Row
from controller.trust.entries import LedgerError
from controller.trust.queries import Filter, found, hashes_of
from controller.trust.segment import Segment, SegmentError, segments
from tenone.trust.witness import Admission, HeadRefused, WitnessedHead, head_of

ADMIT = "ledger.admit"
FILE = "ledger-witnesses.jsonl"
"""Below ``store.path``: what schools said when they were asked last."""
MOST_ADMISSIONS = 100
MOST_MISFITS = 20
"""Contradicting heads kept of one school: its lowest, and its highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a school keeps, against the ledger."""

    fits: tuple[WitnessedHead, ...] = ()
    """The newest that fits; before it the newest below all that do not."""
    misfits: tuple[WitnessedHead, ...] = ()
    """Those that do not and are not excused, by number."""
    excused: int = 0
    aged: int = 0
    """Of entries that were given up in the meantime."""

    @property
    def highest(self) -> int:
        """The largest number that this school keeps of the ledger."""
        return max((one.seq for one in (*self.fits, *self.misfits)), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerNow:
    """The ledger as it lies there."""

    folder: Path
    ledger: str
    first: int
    """Number of the oldest entry that is kept."""
    head: int
    """Number of the newest entry."""
    admissions: tuple[Admission, ...] = ()
    """The newest first."""


def ledger_now(folder: Path) -> LedgerNow:
    """How it stands; raises LedgerError. Blocks."""
    try:
        files = segments(folder)
        newest = Segment(files[-1] if files else folder)
        try:
            ledger, head = newest.about.ledger, newest.head()[0]
        finally:
            newest.close()
    except SegmentError as error:
        raise LedgerError(f"the audit ledger cannot be read ({error})") from error
    return LedgerNow(
        folder=folder,
        ledger=ledger,
        first=int(files[0].stem),
        head=head,
        admissions=admissions_in(folder),
    )


def admissions_in(folder: Path) -> tuple[Admission, ...]:
    """What its entries admit, the newest first; raises LedgerError. Blocks."""
    return tuple(_admission(row) for row in found(folder, Filter(act=ADMIT), MOST_ADMISSIONS))


def compare(heads: Iterable[WitnessedHead], now: LedgerNow) -> Compared:
    """Look the heads up; raises LedgerError. Blocks."""
    several = list(heads)
    held = hashes_of(now.folder, {one.seq for one in several if one.ledger == now.ledger})
    fits: list[WitnessedHead] = []
    misfits: list[WitnessedHead] = []
    excused = aged = 0
    for one in several:
        if one.ledger == now.ledger and held.get(one.seq, b"").hex() == one.hash:
            fits.append(one)
        elif is_excused(one.ledger == now.ledger, one.seq, one.at_ns, now.admissions):
            excused += 1
        elif one.ledger == now.ledger and one.seq < now.first:
            aged += 1
        else:
            misfits.append(one)
    misfits.sort(key=lambda one: one.seq)
    if len(misfits) > MOST_MISFITS:
        misfits = [*misfits[: MOST_MISFITS - 1], misfits[-1]]
    return Compared(
        fits=_telling(fits, misfits), misfits=tuple(misfits), excused=excused, aged=aged
    )


def is_excused(
    same_ledger: bool,  # noqa: FBT001 - a fact, no switch
    seq: int,
    at_ns: int,
    admissions: Sequence[Admission],
) -> bool:
    """Whether an entry admits that what was seen at ``at_ns`` of entry ``seq`` is not so."""
    return any(at_ns < one.at_ns and one.first <= (seq if same_ledger else 1) for one in admissions)


def unexcused(heads: Iterable[Head], now: LedgerNow) -> tuple[list[Head], list[Head]]:
    """Heads that must fit, and those that an entry of the ledger excuses; LedgerError. Blocks."""
    several = list(heads)
    if not now.admissions:
        return several, []
    held = hashes_of(now.folder, {one.seq for one in several})
    must: list[Head] = []
    excused: list[Head] = []
    for one in several:
        same = one.ledger == now.ledger
        fits = same and held.get(one.seq) == one.hash
        free = not fits and is_excused(same, one.seq, one.at_ns, now.admissions)
        (excused if free else must).append(one)
    return must, excused


def sentence_of(schools: Mapping[str, Compared], now: LedgerNow) -> str:
    """What all schools together contradict, and from which entry on; empty: nothing."""
    against = {school: one for school, one in schools.items() if one.misfits}
    if not against:
        return ""
    asked = sum(1 for one in schools.values() if one.fits or one.misfits)
    who = f"{len(against)} of {asked} schools ({', '.join(sorted(against)[:3])}"
    who += ", ...)" if len(against) > 3 else ")"  # noqa: PLR2004 - as many as stand there
    misfits = [one for each in against.values() for one in each.misfits]
    foreign = [one for one in misfits if one.ledger != now.ledger]
    if foreign:
        most = max(foreign, key=lambda one: one.seq)
        return (
            f"{who} keep entry {most.seq} of ledger {most.ledger[:8]}, and this is "
            f"{now.ledger[:8]}: it was begun anew"
        )
    low, high = span(schools.values(), now)
    first = (
        f"entry {high} is"
        if low == high
        else f"one of the entries {low} to {high} is the first that is"
    )
    newest = max(one.seq for one in misfits)
    gone = f", {newest} entries were seen and it has {now.head}" if newest > now.head else ""
    return f"{who} keep what is not in the ledger: {first} not what it was{gone}"


def span(compared: Iterable[Compared], now: LedgerNow) -> tuple[int, int]:
    """Between which entries the first bad one lies, both included; there must be a misfit."""
    several = list(compared)
    high = min(one.seq for each in several for one in each.misfits if one.ledger == now.ledger)
    below = [one.seq for each in several for one in each.fits if one.seq < high]
    return max(below, default=now.first - 1) + 1, high


# -- the file of what schools said


def lines_of(schools: Mapping[str, Compared], city: str) -> bytes:
    """What :data:`FILE` holds: also lines for ``tenone audit verify --anchors``."""
    lines = [
        json.dumps({**replace(head, city=city).as_json(), "school": school})
        for school, one in sorted(schools.items())
        for head in (*one.fits, *one.misfits)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def heads_by_school(data: bytes) -> dict[str, list[WitnessedHead]]:
    """The opposite; lines that are damaged are left out: the schools have them."""
    kept: dict[str, list[WitnessedHead]] = {}
    for line in data.split(b"\n"):
        try:
            body = json.loads(line)
            school, head = body["school"], head_of(body)
        except (ValueError, TypeError, KeyError, RecursionError, HeadRefused):
            continue
        if isinstance(school, str):
            kept.setdefault(school, []).append(head)
    return kept


def _telling(fits: list[WitnessedHead], misfits: list[WitnessedHead]) -> tuple[WitnessedHead, ...]:
    """Of those that fit the ones that say something."""
    if not fits:
        return ()
    newest = max(fits, key=lambda one: one.seq)
    below = [one for one in fits if misfits and one.seq < misfits[0].seq]
    if not below:
        return (newest,)
    nearest = max(below, key=lambda one: one.seq)
    return (newest,) if nearest == newest else (nearest, newest)


def _admission(row: Row) -> Admission:
    body = json.loads(row.body)
    first = body["detail"].get("first")
    return Admission(
        at_ns=body["at_ns"],
        entry=row.seq,
        first=first if type(first) is int else row.seq,
        by=body["actor"],
        reason=str(body["detail"].get("reason", "")),
    )
