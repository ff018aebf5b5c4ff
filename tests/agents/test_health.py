import asyncio
from dataclasses import dataclass

from agents.health import Health, rss_bytes
from agents.origin import Origin
from tenone.vocabulary.metrics import AGENT_HEALTH
from tenone.vocabulary.states import PriorityClass
from tests.agents.conftest import Advance, Kept


@dataclass
class FakeStock:
    kept_bytes: int = 4096
    kept_blocks: int = 0


@dataclass
class FakeRefusals:
    total: int = 4
    summary: str = "flood=3 json=1"


@dataclass
class FakeHints:
    total: int = 12
    polls: int = 5
    refused: int = 3
    reasons: str = "community=3"


async def test_says_what_became_of_hints(origin: Origin, kept: Kept) -> None:
    health = Health(
        origin=origin, keep=kept.keep, stock=FakeStock(), refusals=None, hints=FakeHints()
    )
    await health.tell()
    names = ("hints_total", "hint_polls_total", "hints_refused_total", "hint_reasons")
    assert [kept.values("agent-health", name) for name in names] == [
        [12],
        [5],
        [3],
        ["community=3"],
    ]


@dataclass
class FakeCare:
    seconds_left: float | None = 3600.0
    finding: str | None = "the certificate ends soon"


async def test_says_what_its_certificate_needs(origin: Origin, kept: Kept) -> None:
    health = Health(
        origin=origin, keep=kept.keep, stock=FakeStock(), refusals=None, care=FakeCare()
    )
    await health.tell()
    assert kept.values("agent-health", "certificate_seconds_left") == [3600.0]
    assert kept.values("agent-health", "certificate_finding") == ["the certificate ends soon"]


async def run(
    origin: Origin, kept: Kept, stock: FakeStock, refusals: FakeRefusals | None = None
) -> asyncio.Task[None]:
    health = Health(origin=origin, keep=kept.keep, stock=stock, refusals=refusals)
    return asyncio.create_task(health.run())


async def test_says_what_the_gateway_is(origin: Origin, kept: Kept, advance: Advance) -> None:
    task = await run(origin, kept, FakeStock(kept_blocks=7), FakeRefusals())
    await advance(60)
    task.cancel()
    draft = kept.drafts[-1]
    values = dict(zip(AGENT_HEALTH, (next(iter(column)) for column in draft.columns), strict=True))
    assert values.pop("rss_bytes")
    assert values.pop("agent_version")
    assert values == {
        "uptime_seconds": 60.0,
        "outbox_bytes": 4096,
        "outbox_blocks": 7,
        "quarantined_total": 4,
        "quarantine_reasons": "flood=3 json=1",
        "hints_total": None,
        "hint_polls_total": None,
        "hints_refused_total": None,
        "hint_reasons": None,
        "certificate_seconds_left": None,
        "certificate_finding": None,
        "repair_trouble": None,
        "ledger_trouble": None,
        "vault_trouble": None,
    }
    assert draft.stamp.subject == "no3/gateway/agent"
    assert draft.priority is PriorityClass.P2


async def test_one_at_once_then_one_a_minute(origin: Origin, kept: Kept, advance: Advance) -> None:
    task = await run(origin, kept, FakeStock())
    await advance(1)
    assert len(kept.drafts) == 1
    await advance(180)
    task.cancel()
    assert len(kept.drafts) == 4


async def test_tells_at_once_when_the_outbox_turns(
    origin: Origin, kept: Kept, advance: Advance
) -> None:
    stock = FakeStock()
    task = await run(origin, kept, stock)
    await advance(10)
    assert len(kept.drafts) == 1
    for _ in range(4):  # grows for 20 s: told once
        stock.kept_blocks += 100
        await advance(5)
    assert len(kept.drafts) == 2
    stock.kept_blocks -= 5  # small change: no news, but the growth has ended
    await advance(5)
    assert len(kept.drafts) == 3
    for _ in range(3):
        stock.kept_blocks -= 50
        await advance(5)
    task.cancel()
    assert kept.values("agent-health", "outbox_blocks") == [0, 100, 395, 345]


def test_resident_memory_is_that_of_this_process() -> None:
    size = rss_bytes()
    assert size is not None
    assert 5_000_000 < size < 2_000_000_000
