"""Reports and bundles from what is kept: reads files only, beside a controller or without."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from controller.evidence import bundle
from controller.evidence.aged import Archive, consecutive
from controller.evidence.days import DayJudge, speaking
from controller.evidence.inputs import (
    DayInput,
    Inputs,
    busy_of,
    known_ratio,
    line_of,
    run_json,
    to_json,
)
from controller.evidence.promises import School, Works, no_works, ports_of, service_of
from controller.evidence.quality import indicators, inspection, quality
from controller.evidence.recorder import MEAN_SECONDS, REPLAY_NS, STREAMS, Key, Source, usable
from controller.evidence.repairs import Repairs, no_repairs, repairs_json
from controller.evidence.report import CLAUSES, Busyness, Json, Line, add_days, sla_report
from controller.evidence.runs import Days, Run
from controller.sla.availability import approved
from controller.sla.repair import Repair
from controller.store.protocols import DAY_NS, NS, ChainKey, StoredBlock
from controller.store.rollup_rows import Bucket
from controller.store.rollups import Rollups
from controller.store.seals import Seals
from tenone.calendar.intervals import SECOND_NS, Intervals, Span
from tenone.calendar.zone import CITY_ZONE, day_span

EVERY_LINK = 20_000
"""A report of at most so many links lists each of them; a larger one those that are not well."""
INDICATOR_COLUMNS = frozenset({"good_ns", "measured_ns", "contract_mbps"})
QUALITY_COLUMNS = frozenset({"service_ns", "unknown_ns", "samples"})
SEAL_AFTER_NS = 600 * NS
"""Checkpoints made up to so long after the last block are looked for."""


class ReportError(Exception):
    """A report that cannot be made; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report shall be of; local days, both included."""

    first: date
    last: date
    district: str | None = None
    school: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Who made a report, when, with what."""

    by: str
    at_ns: int
    version: str


class Desk:
    """See the module. Methods block."""

    def __init__(
        self,
        *,
        city: str,
        schools: Mapping[str, School],
        rollups: Rollups,
        seals: Seals,
        blocks: Source,
        names: Mapping[Key, Mapping[str, str]],
        works: Works = no_works,
        repairs: Repairs = no_repairs,
        oldest_day: str | None = None,
        archive: Archive | None = None,
    ) -> None:
        """``oldest_day``: the UTC day from which on raw blocks are there; None: there are none."""
        self._city = city
        self._schools = schools
        self._rollups = rollups
        self._seals = seals
        self._blocks = blocks
        self._names = names
        self._works = works
        self._repairs = repairs
        self._oldest_day = oldest_day
        self._archive = archive
        self._days = Days()

    # -- reports

    def sla(self, asked: Asked, made: Made, *, every_link: bool | None = None) -> Json:
        """The SLA report; raises :class:`ReportError`."""
        lines = self._lines(asked)
        districts = frozenset(line.district for line in lines.values())
        sums = add_days(
            self._rollups.days(asked.first, asked.last, districts=districts), lines.__contains__
        )
        if not sums.links:
            raise ReportError(
                f"no day from {asked.first} to {asked.last} has been judged for what was asked: "
                "choose days on which the controller ran, or wait until the room of evidence has "
                "judged them (/readyz says how far it is)"
            )
        lists = len(sums.links) <= EVERY_LINK if every_link is None else every_link
        links = None if len(lines) > EVERY_LINK else frozenset(lines)
        outages = [
            out
            for out in self._rollups.outages(asked.first, asked.last, links)
            if out.link in lines
        ]
        report = sla_report(
            sums,
            outages,
            lines,
            about=self._about(asked),
            city=self._city,
            busy=self._busy(asked) if asked.school else None,
            every_link=lists,
        )
        report["made"] = {"by": made.by, "at_ns": made.at_ns, "version": made.version}
        report["checkpoints"] = self._checkpoints(asked)
        report["repairs"] = self._repaired(asked, sums.until_ns)
        return report

    def _repaired(self, asked: Asked, until_ns: int) -> Json:
        """Of the incidents opened in the period, as the records have them now."""
        start_ns, end_ns = self._span(asked)
        districts = {
            name: school.plan.district
            for name, school in self._schools.items()
            if asked.school in {None, name} and asked.district in {None, school.plan.district}
        }
        found = [
            one
            for one in self._repairs(start_ns, min(end_ns, until_ns))
            if one.school in districts and asked.link in {None, one.link}
        ]
        return repairs_json(found, districts, self._open_hours, self._city)

    def _open_hours(self, one: Repair, start_ns: int, end_ns: int) -> Intervals:
        calendar = self._schools[one.school].plan.calendar
        hours = service_of(calendar, start_ns, max(start_ns, end_ns)).hours
        return hours if one.link is None else hours - approved(self._works(one.link))

    def _about(self, asked: Asked) -> Json:
        return {
            "city": self._city,
            "district": asked.district,
            "school": asked.school,
            "link": asked.link,
            "first": asked.first.isoformat(),
            "last": asked.last.isoformat(),
            "zone": CITY_ZONE,
            "class_minutes_clauses": list(CLAUSES),
        }

    def _lines(self, asked: Asked) -> dict[str, Line]:
        lines = {
            facts.link: line_of(facts, school.plan.district)
            for name, school in self._schools.items()
            if asked.school in {None, name} and asked.district in {None, school.plan.district}
            for facts in school.links
            if asked.link in {None, facts.link}
        }
        if not lines:
            raise ReportError(
                f"there is no link in {asked.link or asked.school or asked.district or 'the city'}"
                ": check the id, as the city's configuration writes it"
            )
        return lines

    def _busy(self, asked: Asked) -> dict[str, Busyness]:
        """P95 over the period, of one school's links."""
        means: dict[str, list[float]] = {}
        judge = self._judge()
        for day in _days(asked):
            for one in judge.inputs(day, [str(asked.school)], self._until(asked, day)):
                known = [mean for mean in one.means if mean is not None]
                means.setdefault(one.facts.link, []).extend(known)
        return busy_of(means)

    def _judge(self) -> DayJudge:
        return DayJudge(self._rollups, self._schools, works=self._works, days=self._days)

    def _until(self, asked: Asked, day: date) -> int:
        """Up to where a day of the school was judged; its start where it was not."""
        school = self._schools[str(asked.school)]
        wanted = {facts.link for facts in school.links}
        until = day_span(day, self._days.zone).start_ns
        for bucket in self._rollups.days(
            day, day, districts=frozenset({school.plan.district}), names=frozenset({"until_ns"})
        ):
            told = bucket.columns["until_ns"].tolist()
            until = max(
                (at for link, at in zip(bucket.links, told, strict=True) if link in wanted),
                default=until,
            )
        return until

    def _checkpoints(self, asked: Asked) -> list[Json]:
        """The signed checkpoints of a school's period, summed up by journal and key."""
        if asked.school is None:
            return []
        start_ns, end_ns = self._span(asked)
        found: dict[tuple[bytes, bytes], list[bytes]] = {}
        spans: dict[tuple[bytes, bytes], tuple[int, int]] = {}
        for kept in self._seals.between(asked.school, start_ns, end_ns):
            key = kept.block.journal_id, kept.seal.public_key
            found.setdefault(key, []).append(kept.seal.signature)
            first, _ = spans.get(key, (kept.checkpoint.wall_ns, 0))
            spans[key] = first, kept.checkpoint.wall_ns
        return [
            {
                "journal": key[0].hex(),
                "public_key": key[1].hex(),
                "count": len(signatures),
                "first_ns": spans[key][0],
                "last_ns": spans[key][1],
                "signatures_sha256": hashlib.sha256(b"".join(signatures)).hexdigest(),
            }
            for key, signatures in found.items()
        ]

    def _span(self, asked: Asked) -> tuple[int, int]:
        zone = self._days.zone
        return day_span(asked.first, zone).start_ns, day_span(asked.last, zone).end_ns

    # -- indicators, quality, inspection

    def indicators(self, asked: Asked) -> list[Json]:
        """Schools at 10G and classes at 1G by day (R23); raises :class:`ReportError`."""
        lines = self._lines(asked)
        return indicators(self._narrow(asked, lines, INDICATOR_COLUMNS), lines, self._city)

    def quality(self, asked: Asked, duplicates: Mapping[str, int]) -> list[Json]:
        """Data quality by school (R34); raises :class:`ReportError`."""
        lines = self._lines(asked)
        rows = self._rollups.quality(asked.first, asked.last)
        return quality(self._narrow(asked, lines, QUALITY_COLUMNS), rows, lines, duplicates)

    def inspection(self, asked: Asked, made: Made, size: str) -> Json:
        """One school's sheet (R22); raises :class:`ReportError`."""
        if asked.school is None:
            raise ReportError("an inspection is of one school: name it with --school")
        report = self.sla(asked, made, every_link=True)
        (told,) = self.quality(asked, {})
        sheet = inspection(report, told, size=size)
        sheet["made"] = report["made"]
        return sheet

    def _narrow(
        self, asked: Asked, lines: Mapping[str, Line], names: frozenset[str]
    ) -> Iterator[Bucket]:
        districts = frozenset(line.district for line in lines.values())
        return self._rollups.days(asked.first, asked.last, districts=districts, names=names)

    # -- bundles

    def evidence(self, asked: Asked, report: Json) -> bytes:
        """The bundle of a school's report; raises :class:`ReportError`."""
        if asked.school is None:
            raise ReportError(
                "an evidence bundle is of one school: name it with --school; districts and cities "
                "are proved school by school, for their figures are sums"
            )
        return bundle.write(self._sections(asked, report))

    def _sections(self, asked: Asked, report: Json) -> Iterator[tuple[str, bytes]]:
        inputs = self._inputs(asked, report)
        start_ns, end_ns = self._span(asked)
        keys = self._seals.first_keys(inputs.school)
        yield "REPT", bundle.pack_json(report)
        yield "INPT", bundle.pack_json(to_json(inputs))
        yield "KEYS", bundle.pack_json({j.hex(): k.hex() for j, k in keys.items()})
        blocks, hashes = self._gathered(inputs, start_ns, end_ns)
        layouts = {stored.layout.id: stored.layout.document for stored in blocks}
        yield from bundle.chunks("LAYT", list(layouts.values()))
        yield from bundle.chunks("BLKS", [stored.data for stored in blocks])
        for one in hashes:
            yield "HASH", bundle.pack_hashes(one)
        seals = self._seals.between(inputs.school, start_ns - REPLAY_NS, end_ns + SEAL_AFTER_NS)
        yield from bundle.chunks("SEAL", [kept.block.data for kept in seals])
        aged = [each for each in inputs.days if not each.raw]
        if aged:
            runs = self._kept_runs(inputs, aged)
            if self._archive is not None:
                first, last = aged[0].day - timedelta(days=1), aged[-1].day + timedelta(days=1)
                for kept in self._archive.read(inputs.school, first, last):
                    here = [one for one in kept.layouts.values() if one.id not in layouts]
                    yield from bundle.chunks("LAYT", [one.document for one in here])
                    yield from bundle.chunks("BLKS", [one.data for one in kept.blocks])
                    for one in kept.hashes:
                        yield "HASH", bundle.pack_hashes(one)
            yield "RUNS", bundle.pack_json([run_json(run) for run in runs])
            yield "MEAN", bundle.pack_json(list(self._kept_means(inputs, aged)))

    def _inputs(self, asked: Asked, report: Json) -> Inputs:
        school = self._schools[str(asked.school)]
        judge = self._judge()
        days = []
        judged = {date.fromisoformat(day) for day in report["days"]}
        for day in _days(asked):
            if day not in judged:
                continue
            until = self._until(asked, day)
            inputs = list(judge.inputs(day, [school.plan.id], until))
            lessons = next((i.window.lessons for i in inputs if i.facts.tier == "class"), None)
            window = inputs[0].window
            days.append(
                DayInput(
                    day=day,
                    span=window.span,
                    until_ns=until,
                    service=window.service,
                    lessons=Intervals() if lessons is None else lessons,
                    maintenance={one.facts.link: one.window.maintenance for one in inputs},
                    calendar_unknown=inputs[0].calendar_unknown,
                    raw=self._has_raw(school.plan.id, window.span),
                )
            )
        return Inputs(
            school=school.plan.id,
            district=school.plan.district,
            hold_ns=school.hold_ns,
            links=school.links,
            ports=self._ports(school, *self._span(asked)),
            days=tuple(days),
        )

    def _has_raw(self, school: str, span: Span) -> bool:
        """Whether all blocks that ever came of a local day are still there."""
        if self._oldest_day is None:
            return False
        oldest = date.fromisoformat(self._oldest_day)
        oldest_ns = (oldest.toordinal() - date(1970, 1, 1).toordinal()) * DAY_NS
        if span.start_ns - REPLAY_NS >= oldest_ns:
            return True
        # The files begin within the day: either it is the first one ever, or the rest has aged out.
        before = oldest - timedelta(days=1)
        first_ever = self._archive is not None and not self._archive.has(school, before)
        return first_ever and span.end_ns > oldest_ns

    def _ports(self, school: School, start_ns: int, end_ns: int) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        switches = {one.switch for facts in school.links for one in facts.bounds if one.switch}
        for switch in sorted(switches):
            names = self._names.get((school.plan.id, switch), {})
            bound = ports_of(school.links, switch, start_ns, end_ns)
            if bound:
                found[switch] = {
                    link: names.get(port, port) for link, (port, _, _) in bound.items()
                }
        return found

    def _gathered(
        self, inputs: Inputs, start_ns: int, end_ns: int
    ) -> tuple[list[StoredBlock], list[bundle.Hashes]]:
        """The blocks of the days that have them, and the hashes of what lies between."""
        raw = [each.span for each in inputs.days if each.raw]
        wanted: dict[tuple[ChainKey, int], StoredBlock] = {}
        others: dict[ChainKey, dict[int, bytes]] = {}
        if not raw:
            return [], []
        spans = Intervals.of((start - REPLAY_NS, min(end, end_ns)) for start, end in raw)
        # A day that is not over was judged from what had come by then.
        running = [each.until_ns for each in inputs.days if each.until_ns < each.span.end_ns]
        read_ns = max(running, default=None)
        for stored in self._blocks.read(
            school=inputs.school, from_ns=max(raw[0].start_ns, start_ns) - DAY_NS
        ):
            block = stored.block
            chain = ChainKey(block.journal_id, block.priority)
            if read_ns is not None and stored.received_ns > read_ns:
                continue
            if stored.layout.stream in STREAMS and usable(stored) and block.stamp.wall_ns in spans:
                wanted[chain, block.seq] = stored
            else:
                others.setdefault(chain, {})[block.seq] = block.hash
        hashes = list(_between({chain for chain, _ in wanted}, wanted, others))
        return [wanted[place] for place in sorted(wanted)], hashes

    def _kept_runs(self, inputs: Inputs, aged: Iterable[DayInput]) -> list[Run]:
        wanted = frozenset(facts.link for facts in inputs.links)
        found: dict[tuple[str, int], Run] = {}
        for each in aged:
            rows: dict[str, list[Run]] = {}
            kept = list(self._rollups.runs(each.day - timedelta(days=1), each.day, wanted))
            for link in wanted:
                own = [row for row in kept if row.link == link]
                rows[link] = speaking(own, each.span.start_ns)
            found |= {(run.link, run.start_ns): run for runs in rows.values() for run in runs}
        return [found[key] for key in sorted(found)]

    def _kept_means(
        self, inputs: Inputs, aged: Iterable[DayInput]
    ) -> Iterator[tuple[int, str, float | None]]:
        wanted = frozenset(facts.link for facts in inputs.links)
        districts = frozenset({inputs.district})
        for each in aged:
            span = (each.span.start_ns // SECOND_NS, each.span.end_ns // SECOND_NS - 1)
            for bucket in self._rollups.means(
                MEAN_SECONDS, (each.day, each.day), span, districts=districts,
                names=frozenset({"ratio"}),
            ):  # fmt: skip
                ratios = bucket.columns["ratio"].tolist()
                for link, ratio in zip(bucket.links, ratios, strict=True):
                    if link in wanted:
                        yield bucket.start, link, known_ratio(ratio)


def _between(
    chains: Iterable[ChainKey],
    wanted: Mapping[tuple[ChainKey, int], StoredBlock],
    others: Mapping[ChainKey, Mapping[int, bytes]],
) -> Iterator[bundle.Hashes]:
    """Hashes of a chain from its first wanted block to what its last needs to be sealed."""
    near: dict[ChainKey, dict[int, bytes]] = {}
    for chain in chains:
        numbers = [seq for key, seq in wanted if key == chain]
        first, last = min(numbers) - SEAL_REACH, max(numbers) + SEAL_REACH
        own = others.get(chain, {})
        near[chain] = {seq: value for seq, value in own.items() if first <= seq <= last}
    yield from consecutive(near)


SEAL_REACH = 2000
"""So many blocks before and after go along by hash, so that the trees at the ends are whole."""


def _days(asked: Asked) -> Iterator[date]:
    for day in range(asked.first.toordinal(), asked.last.toordinal() + 1):
        yield date.fromordinal(day)
