"""The room in a running controller: from an agent's journal to a report over its API's port."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from controller.evidence.answers import Answers
from controller.evidence.desk import Asked
from controller.evidence.verify import verify
from controller.service import Controller
from drivers.wire.embedded import EmbeddedBroker
from tenone.calendar.zone import CITY_ZONE, local_date
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.scope import ScopePath
from tests.controller.harness import SchoolAgent, city_config, until

SCHOOL = ScopePath.parse("binhai/east/no1")


async def test_a_report_of_a_running_city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    clock = SystemClock()
    with EmbeddedBroker() as broker:
        config = city_config(tmp_path / "city", broker_port=broker.port)
        async with (
            Controller(config, clock=clock) as running,
            SchoolAgent(tmp_path / "agent", port=broker.port) as agent,
        ):
            await agent.keep_ports()
            await agent.drained()  # else the birth brings the second before the first
            await agent.keep_ports(speed_mbps=[100, 1000, 10_000])
            await agent.drained()
            room = running.evidence
            await until(
                lambda: room._recorder is not None and room._recorder.blocks >= 2, 20, "read"
            )
            today = local_date(clock.wall_ns(), ZoneInfo(CITY_ZONE))
            await room._thread(room.judge_now, clock.wall_ns())
            answers = Answers(room, "1")
            await agent.keep_ports(speed_mbps=[1000, 1000, 10_000])  # not judged yet
            await agent.drained()
            report = answers.sla(SCHOOL, today, today, "test")
            asked = Asked(first=today, last=today, district="east", school="no1")
            found = verify(answers._desk().evidence(asked, report))
            assert found.faults == []
            assert found.equal, "a running day is proved by what it was judged from"
            assert found.days_raw == 1, "files that begin within the first day ever are whole"
            line = next(one for one in report["links"] if one["link"] == "no1/c301")
            assert 0 < line["coverage_ratio"] <= 1, "of the moments since the controller knows it"
            assert line["samples"] == 2
            assert room.health().ready
            assert answers.quality(SCHOOL, today, today)[0]["blocks"] >= 2
            assert answers.indicators(ScopePath(), today, today)
            assert answers.inspection(SCHOOL, today, today, "t", "weekly")["items"]
            with pytest.raises(LookupError, match="check the id"):
                answers.sla(ScopePath.parse("binhai/west"), today, today, "test")
