"""Reports over HTTP: cut to the session's scope, sentences for what cannot be made."""

from collections.abc import Mapping, Sequence
from datetime import date

import httpx
import pytest

from controller.api.services import Services
from tenone.vocabulary.scope import ScopePath

API = "/api/v1"


class Told:
    """Remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def sla(self, *asked: object) -> Mapping[str, object]:
        self.asked.append(asked)
        return {"kind": "sla"}

    def inspection(self, *asked: object) -> Mapping[str, object]:
        self.asked.append(asked)
        return {"kind": "inspection"}

    def indicators(self, *asked: object) -> Sequence[Mapping[str, object]]:
        self.asked.append(asked)
        return [{"id": "x"}]

    def quality(self, *_asked: object) -> Sequence[Mapping[str, object]]:
        raise LookupError("nothing has been judged yet")


@pytest.fixture
def told(services: Services) -> Told:
    made = services.reports = Told()
    return made


async def test_days_and_scope_are_handed_over(operator: httpx.AsyncClient, told: Told) -> None:
    answer = await operator.get(API + "/reports/sla?month=2026-02")
    assert answer.json() == {"kind": "sla"}
    scope, first, last, by = told.asked[-1]
    assert isinstance(scope, ScopePath)
    assert (first, last) == (date(2026, 2, 1), date(2026, 2, 28))
    assert str(by) == "code"
    answer = await operator.get(API + "/indicators?first=2026-02-01&last=2026-02-03")
    assert answer.json() == {"items": [{"id": "x"}], "total": 1, "next_cursor": None}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reports/sla?month=2026-13", 400),
        ("/reports/sla?first=2026-02-02&last=2026-02-01", 400),
        ("/reports/sla?first=2020-01-01&last=2026-02-01", 400),
        ("/reports/sla?scope=nowhere", 404),
        ("/reports/inspection", 400),
        ("/reports/inspection?size=huge", 422),
        ("/reports/quality", 404),
    ],
)
async def test_what_cannot_be_answered(
    operator: httpx.AsyncClient, told: Told, path: str, status: int
) -> None:
    answer = await operator.get(API + path)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert not told.asked


async def test_without_evidence_it_is_said(operator: httpx.AsyncClient) -> None:
    answer = await operator.get(API + "/reports/sla")
    assert answer.status_code == 404
    assert "no evidence" in answer.json()["detail"]


async def test_nobody_sees_another_district(east: httpx.AsyncClient, told: Told) -> None:
    assert (await east.get(API + "/reports/sla?scope=binhai/west")).status_code == 404
    await east.get(API + "/reports/sla")
    assert told.asked[-1][0] == ScopePath.parse("binhai/east")
