"""R16: without its ledger the controller refuses what must be ledgered, and goes on measuring."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.service import Controller
from controller.trust.entries import Entry, LedgerError
from controller.trust.verify import rows_of, verify
from drivers.wire.embedded import EmbeddedBroker
from tenone.config import City
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import Cause, Verdict

from .harness import SchoolAgent, city_config, until


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def config(tmp_path: Path, broker: EmbeddedBroker) -> City:
    return city_config(tmp_path / "city", broker_port=broker.port)


def entries(config: City) -> list[dict[str, object]]:
    return [json.loads(row.body) for row in rows_of(config.store.path / "ledger")]


def verdict(controller: Controller, link: str) -> tuple[Verdict, tuple[Cause, ...]]:
    found = controller.city.link(link)
    assert found is not None
    return found[1].verdict, tuple(found[1].causes)


def unready(controller: Controller) -> list[str]:
    return [word.name for word in (source() for source in controller.health()) if not word.ready]


async def test_telemetry_goes_on_without_the_ledger(
    tmp_path: Path, config: City, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.trust.ledger.RETRY_SECONDS", 0.05)
    folder = config.store.path / "ledger"
    async with (
        Controller(config, clock=SystemClock()) as controller,
        SchoolAgent(tmp_path / "agent", port=broker.port) as agent,
    ):
        folder.rename(folder.with_name("away"))
        with pytest.raises(LedgerError):
            await controller.ledger.write(Entry(act="test.write", actor="system"))
        await agent.keep_ports(speed_mbps=[100, 1000, 10_000])
        await until(
            lambda: verdict(controller, "no1/c301") == (Verdict.BAD, (Cause.SPEED,)),
            20,
            "the class is judged",
        )
        await agent.drained(20)  # committed and receipted
        assert "ledger" in unready(controller)
        controller.audit.passed("no1", "block 7 cannot be read")
        folder.with_name("away").rename(folder)
        await until(lambda: "ledger" not in unready(controller), 20, "it heals")
    acts = [str(one["act"]) for one in entries(config)]
    assert acts[:2] == ["ledger.begin", "controller.start"]
    assert "ledger.gap" in acts
    assert acts[-1] == "controller.stop"
    (passed,) = [one for one in entries(config) if one["act"] == "quarantine.pass"]
    assert passed["scope"] == "binhai/east/no1"
    assert passed["detail"] == {"sentence": "block 7 cannot be read"}
    assert verify(folder).bad is None


async def test_a_start_without_a_ledger_is_told_later(config: City) -> None:
    """A disk that is not mounted yet: everything else runs, and the start is not forgotten."""
    folder = config.store.path / "ledger"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    async with Controller(config, clock=SystemClock()) as controller:
        assert "ledger" in unready(controller)
        folder.unlink()
        await until(lambda: "ledger" not in unready(controller), 20, "it heals")
        await until(lambda: not controller.ledger.figures.held, 20, "nothing waits")
    acts = [str(one["act"]) for one in entries(config)]
    assert sorted(acts[1:]) == ["controller.start", "controller.stop", "ledger.gap"]
