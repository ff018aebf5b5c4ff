"""Recomputes a report from an evidence bundle and says what holds. Pure: needs no controller."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from controller.evidence import bundle
from controller.evidence.bundle import BundleError, Section
from controller.evidence.inputs import (
    Inputs,
    Pair,
    from_json,
    judge_again,
    lines_of,
    run_of,
    runs_and_means,
)
from controller.evidence.prove import Proof, prove
from controller.evidence.recorder import STREAMS
from controller.evidence.report import CLAUSES, Json, add_days, sla_report
from controller.evidence.runs import Days, LateError, Run, port_states
from controller.store.protocols import ChainKey
from tenone.blocks.block import Block, BlockError
from tenone.blocks.layout import Layout, LayoutError
from tenone.blocks.seal import key_id
from tenone.calendar.zone import day_span

MOST_DAYS = 10_000
MADE = "made"
CHECKPOINTS = "checkpoints"
REPAIRS = "repairs"
NOT_RECOMPUTED = frozenset({MADE, CHECKPOINTS, REPAIRS})
"""Who made a report, and what people did about incidents; everything else is recomputed."""


@dataclass(slots=True)
class Verdict:
    """What verification found. ``equal``: every number came out the same and nothing is wrong."""

    equal: bool = False
    faults: list[str] = field(default_factory=list)
    """What does not fit, the first one first."""
    notes: list[str] = field(default_factory=list)
    """What is proved, and what only the controller's word is for."""
    report: Json = field(default_factory=dict)
    blocks: int = 0
    sealed: int = 0
    checkpoints: int = 0
    days_raw: int = 0
    days_kept: int = 0

    def as_json(self) -> Json:
        """For ``tenone verify --json``."""
        names = ("equal", "faults", "notes", "blocks", "sealed", "checkpoints")
        return {name: getattr(self, name) for name in (*names, "days_raw", "days_kept")}


@dataclass(slots=True)
class _Contents:
    report: Json = field(default_factory=dict)
    inputs: Inputs | None = None
    first_keys: dict[bytes, bytes] = field(default_factory=dict)
    layouts: dict[bytes, Layout] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    seals: list[Block] = field(default_factory=list)
    hashes: dict[tuple[ChainKey, int], bytes] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    means: dict[tuple[int, str], float | None] = field(default_factory=dict)


def verify(data: bytes, keys: Collection[str] = ()) -> Verdict:
    """Check a bundle's bytes; never raises for what is in them.

    ``keys``: ids of the keys that the school's gateways are known to have, learnt elsewhere than
    from the bundle. Without any, whoever made the bundle may have made its keys too.
    """
    verdict = Verdict()
    try:
        sections, verdict.faults = bundle.read(data)
    except (BundleError, ValueError) as error:
        verdict.faults = [f"the bundle cannot be read: {error}"]
        return verdict
    contents = _Contents()
    for section in sections:
        try:
            _take(section, contents)
        except (BundleError, BlockError, LayoutError, KeyError, TypeError, ValueError) as error:
            verdict.faults.append(
                f"the section {section.kind!r} at byte {section.at} cannot be read: {error}"
            )
    verdict.report = contents.report
    proof = prove(contents.blocks, contents.hashes, contents.seals, contents.first_keys)
    verdict.faults += proof.faults
    verdict.blocks, verdict.checkpoints = len(contents.blocks), proof.checkpoints
    if contents.inputs is None or not contents.report:
        verdict.faults.append("the bundle has no report, or not what it was judged by")
        return verdict
    try:
        _recompute(contents, contents.inputs, verdict)
    except (ValueError, KeyError, TypeError, LateError) as error:
        verdict.faults.append(f"the report cannot be recomputed: {error}")
    _say(contents, contents.inputs, proof, verdict)
    _keys(contents, keys, proof, verdict)
    _left_out(contents, contents.inputs, verdict)
    verdict.equal = not verdict.faults
    return verdict


def _take(section: Section, into: _Contents) -> None:
    if section.kind in {"REPT", "INPT", "KEYS", "RUNS", "MEAN"}:
        _take_json(section.kind, bundle.unpack_json(section.body), into)
        return
    match section.kind:
        case "LAYT":
            layouts = [Layout.parse(document) for document in bundle.unpack_list(section.body)]
            into.layouts |= {layout.id: layout for layout in layouts}
        case "BLKS":
            into.blocks += [Block.parse(data) for data in bundle.unpack_list(section.body)]
        case "SEAL":
            into.seals += [Block.parse(data) for data in bundle.unpack_list(section.body)]
        case "HASH":
            known = bundle.unpack_hashes(section.body)
            key = ChainKey(known.journal_id, known.priority)
            into.hashes |= {
                (key, known.first + place): value for place, value in enumerate(known.hashes)
            }
        case _:
            raise BundleError("this version knows no such section")


def _take_json(kind: str, body: Any, into: _Contents) -> None:
    match kind:
        case "REPT":
            into.report = dict(body)
        case "INPT":
            into.inputs = from_json(body)
        case "KEYS":
            into.first_keys = {
                bytes.fromhex(journal): bytes.fromhex(key) for journal, key in body.items()
            }
        case "RUNS":
            into.runs += [run_of(one) for one in body]
        case _:
            into.means |= {
                (int(start), str(link)): None if ratio is None else float(ratio)
                for start, link, ratio in body
            }


def _recompute(contents: _Contents, inputs: Inputs, verdict: Verdict) -> None:
    pairs = [
        (block, layout)
        for block in contents.blocks
        for layout in [contents.layouts.get(block.layout_id)]
        if layout is not None and layout.stream in STREAMS
    ]
    unread = sum(block.layout_id not in contents.layouts for block in contents.blocks)
    if unread:
        verdict.faults.append(f"the layouts of {unread} blocks are not in the bundle")
    clauses = contents.report["about"].get("class_minutes_clauses", list(CLAUSES))
    if clauses != list(CLAUSES):
        verdict.faults.append(
            f"the report says that class-minutes are judged by {clauses}; this version judges "
            f"them by {list(CLAUSES)}"
        )
    runs, means = _evidence(contents, inputs, pairs)
    _check_windows(inputs, verdict)
    judged = judge_again(inputs, runs, means)
    wanted = contents.report["about"].get("link")
    sums = add_days(judged.buckets, None if wanted is None else lambda link: link == wanted)
    again = sla_report(
        sums,
        [out for out in judged.outages if wanted in {None, out.link}],
        lines_of(inputs),
        about=contents.report["about"],
        city=contents.report["about"]["city"],
        busy=judged.busy,
    )
    told = {k: v for k, v in contents.report.items() if k not in NOT_RECOMPUTED}
    difference = first_difference(told, bundle.unpack_json(bundle.pack_json(again)))
    if difference:
        verdict.faults.append(difference)


def _evidence(
    contents: _Contents, inputs: Inputs, pairs: Sequence[Pair]
) -> tuple[dict[str, list[Run]], dict[tuple[int, str], float | None]]:
    """Runs and means: from blocks for the days that have them, else those that were kept."""
    made, measured = runs_and_means(inputs, pairs)
    raw = [each.span for each in inputs.days if each.raw]
    kept = [each.span for each in inputs.days if not each.raw]
    runs: dict[str, list[Run]] = {}
    first = min((span.start_ns for span in raw), default=None)
    for link, found in made.items():
        own = [run for run in found if first is not None and run.last_ns >= first - inputs.hold_ns]
        runs.setdefault(link, []).extend(own)
    for run in contents.runs:
        if any(start <= run.start_ns < end for start, end in kept):
            # A run that reaches into the days with blocks is known from these, too.
            others = [one for one in runs.get(run.link, ()) if one.start_ns != run.start_ns]
            runs[run.link] = [*others, run]
    means = dict(contents.means)
    means |= {
        key: ratio
        for key, ratio in measured.items()
        if any(start <= key[0] * 10**9 < end for start, end in raw)
    }
    return runs, means


def _check_windows(inputs: Inputs, verdict: Verdict) -> None:
    zone = Days().zone
    for each in inputs.days:
        if each.span != day_span(each.day, zone):
            verdict.faults.append(f"{each.day} does not run from local midnight to midnight")
        if each.service - each.service.within(*each.span):
            verdict.faults.append(f"the service window of {each.day} lies outside of it")


def first_difference(told: Any, again: Any, where: str = "") -> str:
    """The first place where two JSON values differ, as a sentence; empty where they are equal."""
    if isinstance(told, dict) and isinstance(again, dict):
        for name in sorted({*told, *again}):
            found = first_difference(
                told.get(name), again.get(name), f"{where}.{name}" if where else name
            )
            if found:
                return found
        return ""
    if isinstance(told, list) and isinstance(again, list) and len(told) == len(again):
        for number, pair in enumerate(zip(told, again, strict=True)):
            found = first_difference(*pair, f"{where}[{number}]")
            if found:
                return found
        return ""
    if type(told) is type(again) and told == again:
        return ""
    return f"the report says {_short(told)} for {where}, its evidence gives {_short(again)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - a line's length


def _keys(contents: _Contents, keys: Collection[str], proof: Proof, verdict: Verdict) -> None:
    """Whose signatures they are is for the reader to know: the bundle cannot vouch for itself."""
    used = sorted({key_id(public) for public in contents.first_keys.values()})
    if not keys:
        verdict.notes.append(
            f"the keys that signed are {', '.join(used) or 'none'}, as the bundle itself says: "
            "compare them with the gateways' own, or name those with --key"
        )
        return
    strange = [one for one in used if one not in keys]
    if strange:
        verdict.faults.append(
            f"the bundle is signed by {', '.join(strange)}, not by a key that was asked for"
        )
    signed = {chain.journal_id for chain, _ in proof.sealed}
    for journal in sorted({block.journal_id for block in contents.blocks} - signed):
        verdict.faults.append(f"no key has signed for any block of journal {journal.hex()[:8]}")


def _left_out(contents: _Contents, inputs: Inputs, verdict: Verdict) -> None:
    """Days of the period that the report passes over."""
    try:
        about = contents.report["about"]
        first, last = (date.fromisoformat(str(about[name])) for name in ("first", "last"))
    except (KeyError, TypeError, ValueError):
        verdict.faults.append("the report does not say from which day to which it is")
        return
    judged = {each.day for each in inputs.days}
    count = (last - first).days + 1
    absent = sorted(
        day
        for day in (first + timedelta(days=number) for number in range(min(count, MOST_DAYS)))
        if day not in judged
    )
    if absent:
        verdict.notes.append(
            f"{len(absent)} of the {count} days from {first} to {last} are not in the report, "
            f"the first of them {absent[0]}"
        )


def _say(contents: _Contents, inputs: Inputs, proof: Proof, verdict: Verdict) -> None:
    """What is proved by signatures, and what is not."""
    whole = {(ChainKey(b.journal_id, b.priority), b.seq): b for b in contents.blocks}
    verdict.sealed = sum(place in proof.sealed for place in whole)
    verdict.days_raw = sum(each.raw for each in inputs.days)
    verdict.days_kept = len(inputs.days) - verdict.days_raw
    notes = verdict.notes
    if any(one["incidents"] for one in contents.report.get(REPAIRS, {}).get("groups", ())):
        notes.append(
            "the times to acknowledge and to repair are the controller's record of incidents; no "
            "block says them"
        )
    notes.append(
        f"{verdict.sealed} of {verdict.blocks} blocks are signed for by {proof.checkpoints} "
        f"checkpoints"
    )
    if verdict.sealed < verdict.blocks:
        notes.append(
            f"{verdict.blocks - verdict.sealed} blocks have no checkpoint yet: they are what the "
            "controller kept, in an unbroken chain"
        )
    if proof.missing:
        notes.append(
            f"{proof.missing} numbers of the chains are in the bundle neither whole nor by hash"
        )
    by_hash = len(contents.hashes)
    if by_hash:
        notes.append(
            f"{by_hash} blocks are there by hash only: that they were, how many and in which "
            "order is proved, what they said is not"
        )
    if verdict.days_kept:
        _say_kept(contents, inputs, proof, verdict, whole)


def _say_kept(
    contents: _Contents,
    inputs: Inputs,
    proof: Proof,
    verdict: Verdict,
    whole: Mapping[tuple[ChainKey, int], Block],
) -> None:
    """Of days whose raw blocks have aged out: which runs rest on blocks that are proved."""
    by_hash = {block.hash: (place, block) for place, block in whole.items()}
    ports = {link: port for own in inputs.ports.values() for link, port in own.items()}
    proved = 0
    days = [each for each in inputs.days if not each.raw]
    runs = [
        run
        for run in contents.runs
        if any(each.span.start_ns <= run.start_ns < each.span.end_ns for each in days)
    ]
    for run in runs:
        found = by_hash.get(run.first_hash)
        if found is None:
            continue
        place, block = found
        layout = contents.layouts.get(block.layout_id)
        if layout is None:
            continue
        silent = layout.stream == "switch-status"
        said = None if silent else port_states(block, layout, ports).get(run.link)
        if block.stamp.wall_ns != run.start_ns or (said is not None and said != run.state):
            verdict.faults.append(
                f"block {block.seq} does not say what the run of {run.link} at {run.start_ns} says"
            )
        elif place in proof.sealed:
            proved += 1
    verdict.notes.append(
        f"of {verdict.days_kept} days the raw blocks have aged out: {proved} of {len(runs)} "
        "stretches begin with a signed block that says so; how long each lasted, and the traffic "
        "of those days, is the controller's word"
    )
