"""Topology and drift over HTTP: cut to the session's scope, filtered, accepted by operators."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from controller.api.services import Services
from tenone.vocabulary.scope import ScopePath

API = "/api/v1"
SCOPES = {"no3": ScopePath.parse("binhai/east/no3"), "no9": ScopePath.parse("binhai/west/no9")}


def drift(school: str, kind: str, *, resolved: float | None = None) -> dict[str, Any]:
    return {
        "id": f"{school}.{kind}.1.ab",
        "school": school,
        "kind": kind,
        "subject": "f1",
        "link": None,
        "place": "f1",
        "expected": "S1",
        "seen": "S2",
        "since": 1.0,
        "resolved_at": resolved,
        "sentence": "f1 is another device than before.",
        "sentence_zh": "f1 已不是原来的设备。",
    }


class TwoSchools:
    """A topology of two schools, by scope."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str]] = []

    def schools_in(self, scope: ScopePath) -> list[str]:
        return [school for school, where in SCOPES.items() if scope.covers(where)]

    def graph(self, school: str) -> Mapping[str, object]:
        return {"id": school, "school": school, "nodes": [], "edges": []}

    def drift(self, scope: ScopePath) -> Sequence[Mapping[str, object]]:
        return [
            drift(one, kind)
            for one in self.schools_in(scope)
            for kind in ("moved", "port-missing", "switch-replaced")
        ]

    async def past_drift(self, scope: ScopePath) -> Sequence[Mapping[str, object]]:
        return [drift(one, "port-missing", resolved=9.0) for one in self.schools_in(scope)]

    async def accept(self, drift_id: str, scope: ScopePath) -> Mapping[str, object] | None:
        if "port-missing" in drift_id:
            raise ValueError("only a replaced switch can be accepted here")
        for one in self.drift(scope):
            if one["id"] == drift_id:
                self.accepted.append((drift_id, str(scope)))
                return dict(one) | {"resolved_at": 5.0}
        return None


@pytest.fixture
def topology(services: Services) -> TwoSchools:
    schools = TwoSchools()
    services.topology = schools
    return schools


async def test_lists(topology: TwoSchools, operator: httpx.AsyncClient) -> None:
    assert topology.accepted == []
    graphs = (await operator.get(f"{API}/topology")).json()
    assert [one["id"] for one in graphs["items"]] == ["no3", "no9"]
    open_now = (await operator.get(f"{API}/drift", params={"state": "open"})).json()
    assert open_now["total"] == 6
    moved = (await operator.get(f"{API}/drift", params={"state": "moved"})).json()
    assert {one["kind"] for one in moved["items"]} == {"moved"}
    past = (await operator.get(f"{API}/drift", params={"state": "resolved"})).json()
    assert [one["resolved_at"] for one in past["items"]] == [9.0, 9.0]
    refused = await operator.get(f"{API}/drift", params={"state": "worse"})
    assert refused.status_code == 400
    for path in ("topology", "drift"):
        past_time = {"as_of": "2026-01-01T00:00:00+08:00"}
        answer = await operator.get(f"{API}/{path}", params=past_time)
        assert answer.status_code == 400
        assert "as_of" in answer.json()["detail"]


async def test_accepting(topology: TwoSchools, operator: httpx.AsyncClient) -> None:
    answer = await operator.post(f"{API}/drift/no3.switch-replaced.1.ab/accept")
    assert answer.status_code == 200
    assert answer.json()["resolved_at"] == 5.0
    missing = await operator.post(f"{API}/drift/nothing/accept")
    assert missing.status_code == 404
    wrong = await operator.post(f"{API}/drift/no3.port-missing.1.ab/accept")
    assert wrong.status_code == 409
    assert len(topology.accepted) == 1


async def test_a_viewer_sees_its_district_and_accepts_nothing(
    topology: TwoSchools, east: httpx.AsyncClient
) -> None:
    for path in ("topology", "drift"):
        items = (await east.get(f"{API}/{path}")).json()["items"]
        assert {one["school"] for one in items} == {"no3"}
    outside = await east.get(f"{API}/drift", params={"scope": "binhai/west"})
    assert outside.status_code == 404
    refused = await east.post(f"{API}/drift/no3.switch-replaced.1.ab/accept")
    assert refused.status_code == 403
    assert topology.accepted == []
