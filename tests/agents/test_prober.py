"""The prober by a clock that is moved by hand, and a network that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from agents.origin import Origin
from agents.prober import ProbeError, Prober, resolve_host
from drivers.probe.sender import LATE_NS, Sample, Session
from tenone.config.probes import Probes
from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.probes import PROOF_PACKETS, ProbeOutcome
from tests.agents.conftest import Advance, Kept, settle

CORE: dict[str, object] = {"name": "core", "kind": "core", "host": "10.0.0.1"}
ROOM: dict[str, object] = {"name": "c301", "host": "10.0.3.1"}


@dataclass
class FakeNetwork:
    """Answers at once unless told otherwise."""

    clock: ManualClock
    fate: Callable[[Session, int], ProbeOutcome | None] = lambda _session, _number: (
        ProbeOutcome.ANSWERED
    )
    sent: list[tuple[Session, Sample]] = field(default_factory=list)
    refusal: str = ""

    def send(self, session: Session) -> Sample:
        sample = Sample(
            sequence=session.next_sequence,
            dscp_sent=session.dscp,
            sent_ns=self.clock.monotonic_ns(),
            wall_ns=self.clock.wall_ns(),
        )
        session.next_sequence += 1
        sample.outcome = self.fate(session, len(self.sent))
        if sample.outcome is ProbeOutcome.ANSWERED:
            sample.away_ns, sample.held_ns = 500_000, 20_000
        if sample.outcome is ProbeOutcome.NOT_SENT:
            self.refusal = "Network is unreachable"
        self.sent.append((session, sample))
        return sample

    def settle(self) -> None:
        oldest_ns = self.clock.monotonic_ns() - LATE_NS
        for _, sample in self.sent:
            if sample.outcome is None and sample.sent_ns < oldest_ns:
                sample.outcome = ProbeOutcome.LOST


@asynccontextmanager
async def running(
    origin: Origin,
    kept: Kept,
    network: FakeNetwork,
    *targets: Mapping[str, object],
    **options: object,
) -> AsyncIterator[Prober]:
    prober_options = {
        name: options.pop(name) for name in ("in_class", "resolve") if name in options
    }
    probes = Probes.model_validate({"targets": targets, **options})
    prober = Prober(probes, origin=origin, keep=kept.keep, sender=network, **prober_options)  # type: ignore[arg-type] # named by the test
    async with Supervisor(origin.clock) as tasks:
        prober.start(tasks)
        yield prober


@pytest.fixture
def network(clock: ManualClock) -> FakeNetwork:
    return FakeNetwork(clock)


async def finely(clock: ManualClock, seconds: float) -> None:
    """Let time pass in steps of a burst's packets."""
    for _ in range(round(seconds / 0.02)):
        clock.advance(0.02)
        await settle()


def burst_outcomes(kept: Kept) -> list[object]:
    drafts = range(len(kept.of("probe-burst")))
    every = [column(kept, "probe-burst", "probe_outcome", at) for at in drafts]
    return [one for part in every for one in part if one is not None]


def column(kept: Kept, stream: str, name: str, at: int = 0) -> list[object]:
    draft = kept.of(stream)[at]
    return list(draft.columns[draft.layout.columns.index(name)])


async def test_each_window_is_one_block_of_all_its_packets(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    async with running(origin, kept, network, CORE, ROOM):
        await advance(34)
    assert len(kept.of("probe-samples")) == 2
    (first, second) = kept.of("probe-samples")
    assert first.layout.id == second.layout.id
    assert first.stamp.subject == "no3/gateway/probe"
    assert first.stamp.received_ns - first.stamp.sent_ns == 15 * 10**9
    assert second.stamp.sent_ns == first.stamp.received_ns
    assert column(kept, "probe-samples", "probe_outcome") == [1] * 16
    assert column(kept, "probe-samples", "probe_sequence") == [*range(15), 0]
    assert column(kept, "probe-samples", "probe_sequence", 1) == [*range(15, 30), 1]
    offsets = column(kept, "probe-samples", "probe_offset_us")
    assert all(isinstance(o, int) and 0 <= o <= 15_500_000 for o in offsets)


async def test_what_is_not_answered_in_three_seconds_is_lost(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    network.fate = lambda _session, number: None if number % 5 == 4 else ProbeOutcome.ANSWERED
    async with running(origin, kept, network, CORE, burst=False):
        await advance(19)
    assert column(kept, "probe-samples", "probe_outcome") == [1, 1, 1, 1, 2] * 3


async def test_outside_of_class_time_classes_rest_and_the_core_does_not(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    async with running(origin, kept, network, CORE, ROOM, in_class=lambda _wall_ns: False):
        await advance(20)
    assert column(kept, "probe-samples", "probe_outcome") == [*[1] * 15, None]


async def test_a_name_without_address_is_a_sentence_and_no_loss(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    known: dict[str, str] = {}

    async def resolve(host: str) -> str:
        if host not in known:
            raise OSError(-2, "Name or service not known")
        return known[host]

    target = {**CORE, "host": "core.example.cn"}
    async with running(origin, kept, network, target, resolve=resolve):
        await advance(20)
        assert column(kept, "probe-targets", "probe_address") == [None]
        assert column(kept, "probe-targets", "probe_error") == [
            "core.example.cn has no address: Name or service not known"
        ]
        assert column(kept, "probe-samples", "probe_outcome") == [4] * 15
        assert not network.sent
        known["core.example.cn"] = "10.9.9.9"
        await advance(45)
    assert column(kept, "probe-targets", "probe_address", -1) == ["10.9.9.9"]
    assert column(kept, "probe-targets", "probe_error", -1) == [""]
    assert {session.host for session, _ in network.sent} == {"10.9.9.9"}


async def test_a_name_server_that_hangs_holds_nothing_up(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    async def resolve(_host: str) -> str:
        await asyncio.Event().wait()
        return ""

    named = {"name": "named", "host": "core.example.cn", "kind": "core"}
    async with running(origin, kept, network, CORE, named, resolve=resolve):
        await advance(19)
    assert column(kept, "probe-samples", "probe_outcome") == [*[1] * 15, *[4] * 15]
    errors = column(kept, "probe-targets", "probe_error")
    assert errors[1] == "core.example.cn: no name server answered within 10 s"


async def test_what_the_system_will_not_send_is_told(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    network.fate = lambda _session, _number: ProbeOutcome.NOT_SENT
    async with running(origin, kept, network, CORE):
        await advance(20)
    assert column(kept, "probe-samples", "probe_outcome") == [3] * 15
    error = "10.0.0.1 cannot be sent to: Network is unreachable"
    assert column(kept, "probe-targets", "probe_error", -1) == [error]


async def test_a_disk_that_hangs_delays_no_packet(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    gate = asyncio.Event()
    true_keep = kept.keep

    async def slow(drafts: object) -> object:
        await gate.wait()
        return await true_keep(drafts)  # type: ignore[arg-type] # handed on

    kept.keep = slow  # type: ignore[method-assign, assignment] # the disk of this test
    async with running(origin, kept, network, CORE):
        await advance(60)
        assert len(network.sent) >= 59
        gate.set()
        await advance(1)
    assert len(kept.of("probe-samples")) == 4


async def test_loss_now_and_then_brings_a_burst_and_a_rest(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    network.fate = lambda session, number: (
        None if number in {3, 7} and session.next_sequence < 16 else ProbeOutcome.ANSWERED
    )
    async with running(origin, kept, network, CORE):
        await advance(19)
        assert not kept.of("probe-burst")
        await finely(network.clock, 30)
        assert burst_outcomes(kept)[:1000] == [1] * 1000
        assert set(column(kept, "probe-burst", "probe_target")) == {"core"}
        await advance(60)
    suspicions = sum(sample.sequence == 999 for _, sample in network.sent)
    assert suspicions == 1, "the rest was a proof's"
    lane = [sample.sequence for session, sample in network.sent[:15]]
    assert lane == list(range(15)), "a burst's numbers are its own"


async def test_a_dead_target_brings_no_burst(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    network.fate = lambda _session, _number: None
    async with running(origin, kept, network, CORE):
        await advance(60)
    assert not kept.of("probe-burst")
    assert len(network.sent) <= 61, "an unreachable target costs its one small packet"


async def test_a_target_that_answers_is_proved_in_bursts(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    room = {**ROOM, "link": "class-301"}
    other = {**ROOM, "name": "printer", "host": "10.0.3.9"}
    async with running(
        origin, kept, network, room, other, window_seconds=5, burst_packets_a_second=25
    ):
        await advance(4)
        await finely(network.clock, 70)
        await advance(60)
    bursts = kept.of("probe-burst")
    targets = {column(kept, "probe-burst", "probe_target", at)[0] for at in range(len(bursts))}
    assert targets == {"c301"}, "the printer is nobody's witness"
    sent = [sample for session, sample in network.sent if session.host == "10.0.3.1"]
    assert PROOF_PACKETS <= len(sent) <= PROOF_PACKETS + 10
    gaps = [b.sent_ns - a.sent_ns for a, b in pairwise(sample for _, sample in network.sent)]
    assert sum(gap < 39_000_000 for gap in gaps) <= 20, "25 a second and no more"


@pytest.mark.parametrize("options", [{"burst": False}, {"in_class": lambda _wall_ns: False}])
async def test_no_proofs_where_they_are_not_wanted(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance, options: dict[str, object]
) -> None:
    async with running(origin, kept, network, {**ROOM, "link": "class-301"}, **options):
        await advance(60)
    assert not kept.of("probe-burst")


async def test_a_proof_stops_when_its_target_goes_down(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    network.fate = lambda _session, number: ProbeOutcome.ANSWERED if number < 100 else None
    async with running(origin, kept, network, CORE):
        await advance(20)
        await finely(network.clock, 10)
        await advance(600)
    assert len(burst_outcomes(kept)) == 250, "the part under way, then one packet a second"


async def test_suspicions_go_before_proofs(
    origin: Origin, kept: Kept, network: FakeNetwork, advance: Advance
) -> None:
    def fate(session: Session, _number: int) -> ProbeOutcome | None:
        lost = session.host == "10.0.0.1" and session.next_sequence in {4, 8}
        return None if lost else ProbeOutcome.ANSWERED

    network.fate = fate
    rooms = [
        {"name": f"c{n}", "host": f"10.0.3.{n}", "link": f"c{n}", "interval_seconds": 5}
        for n in (1, 2, 3)
    ]
    async with running(origin, kept, network, CORE, *rooms, window_seconds=5):
        await advance(9)
        await finely(network.clock, 30)
    targets = [
        column(kept, "probe-burst", "probe_target", at)[0]
        for at in range(len(kept.of("probe-burst")))
    ]
    assert targets[0] != "core"
    assert targets[1:6].count("core") == 4, "between two parts of a proof, and in one piece"


async def test_a_burst_by_command(origin: Origin, kept: Kept, network: FakeNetwork) -> None:
    target = {**CORE, "dscp": [0, 46]}
    async with running(origin, kept, network, target) as prober:
        asked = asyncio.create_task(prober.burst_now("core", dscp=46, packets=100))
        await finely(network.clock, 8)
        assert await asked == "core: 100 sent with DSCP 46, 0 lost"
        with pytest.raises(ProbeError, match="no probe target 'cor'"):
            await prober.burst_now("cor")
        with pytest.raises(ProbeError, match="not probed with DSCP 10"):
            await prober.burst_now("core", dscp=10)
    (block,) = kept.of("probe-burst")
    assert column(kept, "probe-burst", "probe_dscp_sent") == [*[46] * 100, *[None] * 150]
    assert block.stamp.sent_ns > 0


async def test_the_systems_names() -> None:
    assert await resolve_host("localhost") in {"127.0.0.1", "::1"}
    with pytest.raises(OSError, match=r"."):
        await resolve_host("no-such-host.invalid")
