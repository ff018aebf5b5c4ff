"""What a report was judged by, as JSON in a bundle, and the judging of it anew. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from controller.evidence.columns import day_columns
from controller.evidence.day import DayWindow, Promise
from controller.evidence.days import LinkInput, buckets_of, judge_links
from controller.evidence.promises import Bound, LinkFacts
from controller.evidence.recorder import MEAN_SECONDS, REPLAY_NS
from controller.evidence.report import Busyness, Line
from controller.evidence.runs import Days, PortState, Run, SwitchRuns
from controller.evidence.traffic import COUNTER_STREAM, SwitchTraffic
from controller.sla.statistics import P95, nearest_rank
from controller.store.rollup_rows import Bucket, OutageRow
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.calendar.intervals import Intervals, Span

Json = dict[str, Any]
Pair = tuple[Block, Layout]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayInput:
    """One local day of a school."""

    day: date
    span: Span
    until_ns: int
    service: Intervals
    lessons: Intervals
    maintenance: Mapping[str, Intervals] = field(default_factory=dict)
    calendar_unknown: bool = False
    raw: bool = True
    """Its blocks are in the bundle; otherwise its runs and means are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything a school's report depends on beside its blocks."""

    school: str
    district: str
    hold_ns: int
    links: tuple[LinkFacts, ...]
    ports: Mapping[str, Mapping[str, str]]
    """Switch -> link -> the port's key in the blocks' layouts."""
    days: tuple[DayInput, ...]


@dataclass(slots=True)
class Judged:
    """What the days came to; for :func:`controller.evidence.report.sla_report`."""

    buckets: list[Bucket] = field(default_factory=list)
    outages: list[OutageRow] = field(default_factory=list)
    means: dict[str, list[float]] = field(default_factory=dict)

    @property
    def busy(self) -> dict[str, Busyness]:
        """P95 over the period, by link."""
        return busy_of(self.means)


def busy_of(means: Mapping[str, Sequence[float]]) -> dict[str, Busyness]:
    """P95 over all means that are known."""
    return {
        link: Busyness(p95_ratio=nearest_rank(known, P95), means=len(known))
        for link, known in means.items()
    }


def runs_and_means(
    inputs: Inputs, blocks: Iterable[Pair]
) -> tuple[dict[str, list[Run]], dict[tuple[int, str], float | None]]:
    """From blocks (of all switches) to runs by link, and means by (epoch second, link)."""
    runs: dict[str, list[Run]] = {}
    means: dict[tuple[int, str], float | None] = {}
    days = Days()
    by_switch: dict[str, list[Pair]] = {}
    for block, layout in blocks:
        parts = block.stamp.subject.split("/")
        if parts[:2] == [inputs.school, "switch"] and parts[2:] and parts[2] in inputs.ports:
            by_switch.setdefault(parts[2], []).append((block, layout))
    for switch, pairs in by_switch.items():
        ports = inputs.ports[switch]
        tracker = SwitchRuns(ports, hold_ns=inputs.hold_ns, days=days)
        traffic = SwitchTraffic(ports, tracker.state_of)
        for block, layout in sorted(pairs, key=lambda pair: (pair[0].stamp.wall_ns, pair[0].seq)):
            if layout.stream == COUNTER_STREAM:
                traffic.add(block, layout)
                # As they end: what has been told is forgotten, and a month stays linear.
                for start, by_link in traffic.take().items():
                    means.update(((start, link), mean.ratio) for link, mean in by_link.items())
            else:
                tracker.add(block, layout)
        for run in tracker.take():
            runs.setdefault(run.link, []).append(run)
    return runs, means


def judge_again(
    inputs: Inputs,
    runs: Mapping[str, Sequence[Run]],
    means: Mapping[tuple[int, str], float | None],
) -> Judged:
    """Judge every day of the inputs."""
    judged = Judged()
    for each in inputs.days:
        buckets = buckets_of(each.service, each.until_ns)
        every = []
        for facts in inputs.links:
            own = runs.get(facts.link, ())
            before = [run for run in own if run.start_ns < each.span.start_ns]
            inside = [run for run in own if each.span.start_ns <= run.start_ns < each.span.end_ns]
            told = [means.get((start, facts.link)) for start in buckets]
            judged.means.setdefault(facts.link, []).extend(m for m in told if m is not None)
            every.append(
                LinkInput(
                    facts=facts,
                    runs=[*sorted(before, key=lambda run: run.start_ns)[-1:], *inside],
                    means=told,
                    window=DayWindow(
                        span=each.span,
                        service=each.service,
                        lessons=each.lessons if facts.tier == "class" else Intervals(),
                        maintenance=each.maintenance.get(facts.link, Intervals()),
                        until_ns=each.until_ns,
                    ),
                    hold_ns=inputs.hold_ns,
                    calendar_unknown=each.calendar_unknown,
                )
            )
        day = judge_links(every)
        if not day.links:
            continue
        columns = day_columns(
            day.days, day.traffic,
            contracts_mbps=day.contracts_mbps, hold_ns=day.hold_ns, flags=day.flags,
        )  # fmt: skip
        judged.buckets.append(Bucket(inputs.district, each.day.toordinal(), day.links, columns))
        judged.outages += [
            OutageRow(
                link=link, day=each.day, start_ns=out.start_ns, end_ns=out.end_ns,
                cost_ns=out.cost_ns,
            )
            for link, one in zip(day.links, day.days, strict=True)
            for out in one.outages
        ]  # fmt: skip
    return judged


def lines_of(inputs: Inputs) -> dict[str, Line]:
    """Who the links are."""
    return {facts.link: line_of(facts, inputs.district) for facts in inputs.links}


def line_of(facts: LinkFacts, district: str) -> Line:
    """Who a link is; its contract is the newest."""
    return Line(
        link=facts.link,
        name=facts.name,
        school=facts.school,
        district=district,
        tier=facts.tier,
        contract_mbps=facts.bounds[-1].promise.contract_mbps if facts.bounds else 0,
    )


# -- JSON


def to_json(inputs: Inputs) -> Json:
    """For a bundle."""
    return {
        "school": inputs.school,
        "district": inputs.district,
        "hold_ns": inputs.hold_ns,
        "mean_seconds": MEAN_SECONDS,
        "replay_ns": REPLAY_NS,
        "ports": {switch: dict(ports) for switch, ports in inputs.ports.items()},
        "links": [
            {
                "link": facts.link,
                "name": facts.name,
                "tier": facts.tier,
                "room": facts.room,
                "bounds": [
                    {
                        "contract_mbps": one.promise.contract_mbps,
                        "shared": one.promise.shared,
                        "from_ns": one.promise.from_ns,
                        "to_ns": one.promise.to_ns,
                        "bound": one.promise.bound,
                        "switch": one.switch,
                        "port": one.port,
                    }
                    for one in facts.bounds
                ],
            }
            for facts in inputs.links
        ],
        "days": [
            {
                "day": each.day.isoformat(),
                "span": list(each.span),
                "until_ns": each.until_ns,
                "service": _spans(each.service),
                "lessons": _spans(each.lessons),
                "maintenance": {link: _spans(t) for link, t in each.maintenance.items() if t},
                "calendar_unknown": each.calendar_unknown,
                "raw": each.raw,
            }
            for each in inputs.days
        ],
    }


def from_json(body: Json) -> Inputs:
    """The same again; raises KeyError, TypeError or ValueError for anything else."""
    school = str(body["school"])
    return Inputs(
        school=school,
        district=str(body["district"]),
        hold_ns=int(body["hold_ns"]),
        ports={switch: dict(ports) for switch, ports in body["ports"].items()},
        links=tuple(_facts(school, one) for one in body["links"]),
        days=tuple(
            DayInput(
                day=date.fromisoformat(each["day"]),
                span=Span(*each["span"]),
                until_ns=int(each["until_ns"]),
                service=_time(each["service"]),
                lessons=_time(each["lessons"]),
                maintenance={link: _time(spans) for link, spans in each["maintenance"].items()},
                calendar_unknown=bool(each["calendar_unknown"]),
                raw=bool(each["raw"]),
            )
            for each in body["days"]
        ),
    )


def _facts(school: str, body: Json) -> LinkFacts:
    link = str(body["link"])
    return LinkFacts(
        link=link,
        school=school,
        name=str(body["name"]),
        tier=str(body["tier"]),
        room=body["room"],
        bounds=tuple(
            Bound(
                promise=Promise(
                    link=link,
                    contract_mbps=int(one["contract_mbps"]),
                    shared=bool(one["shared"]),
                    from_ns=int(one["from_ns"]),
                    to_ns=one["to_ns"],
                    bound=bool(one["bound"]),
                ),
                switch=one["switch"],
                port=one["port"],
            )
            for one in body["bounds"]
        ),
    )


def run_json(run: Run) -> list[Any]:
    """A kept run."""
    return [
        run.link, run.start_ns, run.last_ns, list(run.state), run.samples,
        run.first_hash.hex(), run.last_hash.hex(),
    ]  # fmt: skip


def run_of(body: Sequence[Any]) -> Run:
    """The same again."""
    link, start_ns, last_ns, state, samples, first, last = body
    return Run(
        link=str(link),
        start_ns=int(start_ns),
        last_ns=int(last_ns),
        state=PortState(*state),
        samples=int(samples),
        first_hash=bytes.fromhex(first),
        last_hash=bytes.fromhex(last),
    )


def known_ratio(value: float) -> float | None:
    """A ratio of the roll-ups; NaN is missing."""
    return None if np.isnan(value) else value


def _spans(time: Intervals) -> list[list[int]]:
    return [list(span) for span in time]


def _time(spans: Iterable[Sequence[int]]) -> Intervals:
    return Intervals.of((start, end) for start, end in spans)
