"""Live counters against a count from all stored blocks, value by value."""

import math
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.sla import counters as one
from controller.sla import errors, utilisation
from controller.sla.counters import UPTIME_WRAP, Gap, Moment, Reading
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.state.windows import INTERVALS, LONGEST_NS, MEANS
from controller.store.protocols import NS
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.vocabulary.metrics import PORT_COUNTERS
from tenone.vocabulary.states import Duplex

from .conftest import NOON_NS, FakeJournal, small_city

NAMES = PORT_COUNTERS[:12]
PORTS = ("GE1", "GE2", "XGE1")
LINKS = {"GE1": "no1/c301", "GE2": "no1/c302", "XGE1": "no1/up"}
SPEED = {"GE1": 1000, "GE2": 1000, "XGE1": 10_000}


@dataclass(frozen=True)
class Sweep:
    """One block of counters; ``values``: by port and counter, None unknown."""

    at_ns: int
    """Since the start, by the agent's monotonic clock."""
    ticks: int | None
    values: dict[str, dict[str, int | None]]
    narrow: frozenset[str] = frozenset()
    discontinuity: int = 0
    boot: int = 1
    columns: tuple[str, ...] = PORT_COUNTERS


def block_of(sweep: Sweep, journal: FakeJournal, seq: int) -> Block:
    ports = tuple(sweep.values)
    layout = Layout("port-counters", sweep.columns, ports)
    mask = sum(1 << NAMES.index(name) for name in sweep.narrow)
    stamp = Stamp(
        agent="no1/gateway/agent",
        subject="no1/switch/sw1",
        boot_id=bytes([sweep.boot]) * 16,
        wall_ns=NOON_NS + sweep.at_ns,
        monotonic_ns=10**15 + sweep.at_ns,
        uptime_ticks=sweep.ticks,
    )
    extra = {"discontinuity_ticks": sweep.discontinuity, "narrow_counters": mask}
    columns = [
        Column.of(
            name, [extra[name] if name in extra else sweep.values[port][name] for port in ports]
        )
        for name in sweep.columns
    ]
    block = Draft.of(layout, stamp, columns).seal(journal.journal_id, seq, FIRST_PREVIOUS)
    journal.made.append((block, layout))
    return block


class Bench:
    """Live state that knows the ports and takes counters."""

    def __init__(self) -> None:
        self.live = LiveState(Numbering(small_city()), now_ns=0)
        self.live.agent_born("no1", "1", now_ns=0)
        self.journal = FakeJournal()
        self.now_ns = 0
        self.apply(self.journal.ports(), 0)

    def apply(self, block: Block, at_ns: int) -> None:
        self.now_ns = max(self.now_ns, at_ns)
        arrival = self.journal.arrival(
            block, received_ns=NOON_NS + at_ns, monotonic_ns=5 * NS + at_ns
        )
        self.live.apply(arrival)

    def give(self, sweeps: list[Sweep], order: list[int] | None = None) -> None:
        blocks = [block_of(sweep, self.journal, seq) for seq, sweep in enumerate(sweeps, 100)]
        for number in order if order is not None else range(len(sweeps)):
            self.apply(blocks[number], sweeps[number].at_ns)

    def figures(self, port: str) -> dict[str, float]:
        """What is measured now; unknown is NaN."""
        self.live.counters.settle()
        number = self.live.numbering.link_number[LINKS[port]]
        measures = self.live.measures
        return {
            name: float(getattr(measures, name)[number])
            for name in (
                "interval_seconds",
                "utilisation_in_ratio",
                "utilisation_out_ratio",
                "utilisation_ratio",
                "error_ratio",
                "discard_ratio",
            )
        }


# -- the same, value by value


def elapsed(before: Sweep, now: Sweep) -> int | Gap:
    if before.boot != now.boot or before.ticks is None or now.ticks is None:
        return Gap.NO_TIME
    shared = [
        (before.values[port][name], now.values[port][name])
        for port in set(before.values) & set(now.values)
        for name in NAMES
    ]
    restarted = one.every_counter_restarted([b for b, _ in shared], [n for _, n in shared])
    return one.elapsed_ns(
        Moment(monotonic_ns=before.at_ns, uptime_ticks=before.ticks),
        Moment(monotonic_ns=now.at_ns, uptime_ticks=now.ticks),
        restarted=restarted,
    )


def delta(before: Sweep, now: Sweep, port: str, name: str) -> int | None:
    time = elapsed(before, now)
    if isinstance(time, Gap):
        return None
    bits = [32 if name in sweep.narrow else 64 for sweep in (before, now)]
    wrap = one.octet_wrap_ns if name.endswith("octets") else one.frame_wrap_ns
    found = one.difference(
        Reading(
            value=before.values[port][name], bits=bits[0], discontinuity_ticks=before.discontinuity
        ),
        Reading(value=now.values[port][name], bits=bits[1], discontinuity_ticks=now.discontinuity),
        elapsed_ns=time,
        wrap_ns=wrap(bits[1], SPEED[port]),
    )
    return None if isinstance(found, Gap) else found


def used(before: Sweep, now: Sweep, port: str) -> dict[str, float | None]:
    time = elapsed(before, now)
    octets = [delta(before, now, port, f"{way}_octets") for way in ("in", "out")]
    if isinstance(time, Gap):
        time = 0

    def of(first: int | None, second: int | None) -> float | None:
        return utilisation.utilisation(
            first, second, elapsed_ns=time, speed_mbps=SPEED[port], duplex=Duplex.FULL
        )

    return {
        "interval_seconds": time / NS if time else None,
        "utilisation_in_ratio": of(octets[0], octets[0]),
        "utilisation_out_ratio": of(octets[1], octets[1]),
        "utilisation_ratio": of(octets[0], octets[1]),
    }


def frames(before: Sweep, now: Sweep, port: str, way: str) -> errors.Frames:
    sorts = ("errors", "unicast", "multicast", "broadcast", "discards")
    return errors.Frames(**{sort: delta(before, now, port, f"{way}_{sort}") for sort in sorts})


def total(parts: list[errors.Frames]) -> errors.Frames:
    """All of them together."""

    def add(name: str) -> int:
        return sum(getattr(part, name) for part in parts)

    return errors.Frames(
        errors=add("errors"),
        unicast=add("unicast"),
        multicast=add("multicast"),
        broadcast=add("broadcast"),
        discards=add("discards"),
    )


def ratio(samples: list[Sweep], port: str, kind: str) -> float:
    """The worse direction over the newest intervals that reach 10^4 frames."""
    found = []
    for way in ("in", "out"):
        needed = "errors" if kind == "error_ratio" else "discards"
        taken: list[errors.Frames] = []
        kept = 0
        for back in range(len(samples) - 1, 0, -1):
            before, now = samples[back - 1], samples[back]
            newest = back == len(samples) - 1
            counted = [frames(before, now, port, each) for each in ("in", "out")]
            some = any(
                part.whole is not None
                and any(
                    more is not None and part.whole + more for more in (part.errors, part.discards)
                )
                for part in counted
            )
            if not newest:
                kept += some  # an interval without a frame takes no place
                if kept > INTERVALS or samples[-1].at_ns - before.at_ns >= LONGEST_NS:
                    break
            part = frames(before, now, port, way)
            if part.whole is None or getattr(part, needed) is None:
                continue
            taken.append(
                errors.Frames(
                    errors=part.errors or 0,
                    unicast=part.unicast,
                    multicast=part.multicast,
                    broadcast=part.broadcast,
                    discards=part.discards or 0,
                )
            )
            told = _told(total(taken), kind, way)
            if told is not None:
                found.append(told)
                break
    return max(found, default=math.nan)


def _told(part: errors.Frames, kind: str, way: str) -> float | None:
    if kind == "error_ratio":
        told = errors.error_ratio(part)
    else:
        told = errors.congestion_ratio(part, discards_counted=way == "out")
    return None if told is None else float(told)


def expected(sweeps: list[Sweep], port: str) -> dict[str, float]:
    samples = [sweep for sweep in sweeps if port in sweep.values]
    blank = dict.fromkeys(
        ("interval_seconds", "utilisation_in_ratio", "utilisation_out_ratio", "utilisation_ratio"),
        math.nan,
    )
    if len(samples) < 2:
        return {**blank, "error_ratio": math.nan, "discard_ratio": math.nan}
    newest = used(samples[-2], samples[-1], port)
    return {
        **{name: math.nan if value is None else value for name, value in newest.items()},
        "error_ratio": ratio(samples, port, "error_ratio"),
        "discard_ratio": ratio(samples, port, "discard_ratio"),
    }


# -- days of random trouble


TROUBLES = (
    *("", "", "", "", "reset", "discontinuity", "reboot", "clock", "swap", "agent", "no uptime"),
    "long",
)


def day(seed: int) -> list[Sweep]:
    """Polls of a switch to which everything happens that counters are known for."""
    random = Random(seed)
    start = random.choice([0, 5, 2**32 - 10**6])
    value = {port: dict.fromkeys(NAMES, start) for port in PORTS}
    narrow = random.choice([frozenset[str](), frozenset(NAMES[8:]), frozenset(NAMES)])
    at_ns, ticks, discontinuity, boot = NS, random.choice([100, UPTIME_WRAP - 3000]), 0, 1
    sweeps = []
    for _ in range(random.randint(2, 14)):
        trouble = random.choice(TROUBLES)
        step = 40 * 60 * NS if trouble == "long" else random.choice([5, 10, 60]) * NS
        at_ns += step
        ticks = (ticks + step // one.TICK_NS) % UPTIME_WRAP
        busy = random.choice([0, 300, 4000, 10**7])
        for port in PORTS:
            for name in NAMES:
                rare = name.endswith(("errors", "discards"))
                value[port][name] += random.randint(0, 9 if rare else busy)
        match trouble:
            case "reset":
                value[random.choice(PORTS)][random.choice(NAMES)] = 0
            case "reboot":
                ticks = 50
                value = {port: dict.fromkeys(NAMES, 0) for port in PORTS}
            case "discontinuity":
                discontinuity += 1
            case "clock":
                ticks = (ticks + step // one.TICK_NS // 10) % UPTIME_WRAP
            case "swap":
                narrow = frozenset(NAMES) - narrow
            case "agent":
                boot += 1
        shown = random.choice([PORTS, PORTS, PORTS, PORTS[:2], PORTS[1:]])
        lost = random.choice([*[""] * 8, *NAMES])
        sweeps.append(
            Sweep(
                at_ns=at_ns,
                ticks=None if trouble == "no uptime" else ticks,
                values={port: _shown(value[port], narrow, lost) for port in shown},
                narrow=narrow,
                discontinuity=discontinuity,
                boot=boot,
            )
        )
    return sweeps


def _shown(value: dict[str, int], narrow: frozenset[str], lost: str) -> dict[str, int | None]:
    return {
        name: None if name == lost else value[name] % (2**32 if name in narrow else 2**64)
        for name in NAMES
    }


days = st.integers(0, 2**32).map(day)


def same(seen: dict[str, float], told: dict[str, float]) -> None:
    assert seen == pytest.approx(told, rel=1e-12, abs=0, nan_ok=True)


@settings(deadline=None)
@given(sweeps=days, data=st.data())
def test_a_day_in_order_with_repeats(sweeps: list[Sweep], data: st.DataObject) -> None:
    bench = Bench()
    order: list[int] = []
    for number in range(len(sweeps)):
        again = data.draw(st.lists(st.integers(0, number), max_size=2))
        order += [number, *again]
    bench.give(sweeps, order)
    for port in PORTS:
        same(bench.figures(port), expected(sweeps, port))


@settings(deadline=None)
@given(sweeps=days, data=st.data())
def test_the_newest_interval_is_one_of_the_set(sweeps: list[Sweep], data: st.DataObject) -> None:
    bench = Bench()
    bench.give(sweeps, data.draw(st.permutations(range(len(sweeps)))))
    if all(set(sweep.values) == set(PORTS) for sweep in sweeps):
        for port in PORTS:
            seen, told = bench.figures(port), expected(sweeps, port)
            for name in ("interval_seconds", "utilisation_ratio", "utilisation_in_ratio"):
                assert seen[name] == pytest.approx(told[name], rel=1e-12, abs=0, nan_ok=True)


@settings(deadline=None)
@given(sweeps=days, late=st.integers(0, 20))
def test_one_that_comes_a_sweep_late_changes_nothing(sweeps: list[Sweep], late: int) -> None:
    bench = Bench()
    order = list(range(len(sweeps)))
    if late + 1 < len(order):
        order[late], order[late + 1] = order[late + 1], order[late]
    bench.give(sweeps, order)
    if late == 0:
        return  # what came before the first sample has nothing to be compared with
    for port in PORTS:
        same(bench.figures(port), expected(sweeps, port))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_five_minute_means(seed: int) -> None:
    random = Random(seed)
    sweeps = []
    at_ns, octets = NS, 0
    for _ in range(random.randint(3, 40)):
        step = random.choice([10, 60, 60, 60, 400, 9 * 3600]) * NS
        at_ns += step
        octets += random.randint(0, 10**9)
        blank: dict[str, int | None] = dict.fromkeys(NAMES, None)
        values = {**blank, "in_octets": octets, "out_octets": 0 if random.random() < 0.9 else None}
        sweeps.append(Sweep(at_ns=at_ns, ticks=at_ns // one.TICK_NS, values={"GE1": values}))
    bench = Bench()
    bench.give(sweeps)
    bench.live.counters.settle()
    shares = []
    for before, now in pairwise(sweeps[:-1]):  # the newest interval waits for its successor
        told = used(before, now, "GE1")["utilisation_ratio"]
        if told is not None:
            start_ns, end_ns = NOON_NS + before.at_ns, NOON_NS + now.at_ns
            shares.append(utilisation.Share(start_ns, end_ns, told))
    now_ns = NOON_NS + at_ns
    last_ns = now_ns - now_ns % utilisation.MEAN_NS
    newest = max((share.end_ns for share in shares), default=0)
    told_means = utilisation.five_minute_means(
        shares, start_ns=last_ns - MEANS * utilisation.MEAN_NS, end_ns=last_ns
    )
    # Five minutes are over for live state when it hears of something after them.
    filling = (newest - 1) // utilisation.MEAN_NS
    first = last_ns // utilisation.MEAN_NS - MEANS
    known = [
        math.nan if mean is None or place >= filling else mean
        for place, mean in enumerate(told_means, first)
    ]
    number = bench.live.numbering.link_number["no1/c301"]
    seen = bench.live.counters.means(number, now_ns)
    shown = [math.nan if mean is None else mean for mean in seen]
    assert shown == pytest.approx(known, rel=1e-6, abs=0, nan_ok=True)
    measured = sum(not math.isnan(mean) for mean in known)
    assert bench.live.counters.busy(number, now_ns).measured == measured
