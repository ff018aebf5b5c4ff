"""Rounds of questions by a clock that is moved by hand."""

import asyncio
from dataclasses import dataclass, field

from agents.origin import Origin
from agents.probe_rounds import Rounds
from drivers.probe.dns import DnsSample, RecordType
from drivers.probe.http import HttpSample
from drivers.probe.path import HopSample, Method
from tenone.config.probes import Probes
from tenone.runtime.clock import ManualClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.probes import DnsOutcome, HopOutcome, HttpOutcome
from tests.agents.conftest import Advance, Kept

PROBES = Probes.model_validate(
    {
        "dns": [
            {"name": "a.cn", "resolvers": ["10.0.0.53", "10.0.1.53"]},
            {"name": "b.cn", "resolvers": ["10.0.0.53"]},
        ],
        "platforms": [
            {"id": "exam", "url": "https://exam.cn/", "path": True},
            {"id": "lost", "url": "https://lost.cn/", "path": True},
        ],
        "owners": [{"network": "10.1.0.0/16", "owner": "学校"}],
        "path_hops": 2,
        "path_method": "icmp",
        "path_packets": 1,
    }
)


@dataclass
class FakeAsking:
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most: int = 0

    async def name(self, name: str, resolver: str, port: int, kind: RecordType) -> DnsSample:
        self.asked.append(f"{name}@{resolver}:{port}/{kind}")
        if name == "b.cn":
            return DnsSample(outcome=DnsOutcome.TIMEOUT)
        return DnsSample(
            outcome=DnsOutcome.ANSWERED, time_ns=2_000_000, rcode=0, answers=1, answer=resolver
        )

    async def page(self, url: str) -> HttpSample:
        assert url
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return HttpSample(outcome=HttpOutcome.ANSWERED, status=200, total_ns=5_000_000)

    async def hops(self, address: str, hops: int, packets: int, method: Method) -> list[HopSample]:
        assert (address, hops, packets, method) == ("10.5.5.5", 2, 1, "icmp")
        return [
            HopSample(
                ttl=1, number=0, outcome=HopOutcome.TRANSIT, address="10.1.0.1", rtt_ns=10**6
            ),
            HopSample(
                ttl=2, number=0, outcome=HopOutcome.REACHED, address=address, rtt_ns=2 * 10**6
            ),
        ]


async def resolve(host: str) -> str:
    if host == "lost.cn":
        raise OSError(-2, "Name or service not known")
    return "10.5.5.5"


def column(kept: Kept, stream: str, name: str) -> list[object]:
    draft = kept.of(stream)[0]
    return list(draft.columns[draft.layout.columns.index(name)])


async def test_each_kind_has_its_interval_and_its_block(
    origin: Origin, kept: Kept, advance: Advance, clock: ManualClock
) -> None:
    asking = FakeAsking()
    rounds = Rounds(PROBES, origin=origin, keep=kept.keep, asking=asking, resolve=resolve)
    async with Supervisor(clock) as tasks:
        rounds.start(tasks)
        await advance(600)
    assert 20 <= len(kept.of("dns-samples")) <= 22
    assert 10 <= len(kept.of("http-samples")) <= 12
    assert 1 <= len(kept.of("path-hops")) <= 3
    assert asking.asked[:3] == ["a.cn@10.0.0.53:53/A", "a.cn@10.0.1.53:53/A", "b.cn@10.0.0.53:53/A"]
    assert kept.of("dns-samples")[0].layout.rows == (
        "a.cn@10.0.0.53", "a.cn@10.0.1.53", "b.cn@10.0.0.53"
    )  # fmt: skip
    assert column(kept, "dns-samples", "dns_outcome") == [1, 1, 5]
    assert column(kept, "dns-samples", "dns_answer") == ["10.0.0.53", "10.0.1.53", None]
    assert column(kept, "http-samples", "http_status") == [200, 200]
    assert column(kept, "path-hops", "hop_outcome") == [1, 2, 5, 5]
    assert column(kept, "path-hops", "hop_owner") == ["学校", None, None, None]


async def test_so_many_requests_at_once_and_no_more(
    origin: Origin, kept: Kept, advance: Advance, clock: ManualClock
) -> None:
    platforms = [{"id": f"p{n}", "url": "http://x.cn/"} for n in range(20)]
    asking = FakeAsking()
    rounds = Rounds(
        Probes.model_validate({"platforms": platforms}),
        origin=origin,
        keep=kept.keep,
        asking=asking,
    )
    async with Supervisor(clock) as tasks:
        rounds.start(tasks)
        await advance(5)
    assert asking.most == 4
    assert len(kept.of("http-samples")) == 1


async def test_nothing_configured_is_no_task(
    origin: Origin, kept: Kept, clock: ManualClock
) -> None:
    async with Supervisor(clock) as tasks:
        Rounds(Probes(), origin=origin, keep=kept.keep).start(tasks)
        assert not tasks.health
