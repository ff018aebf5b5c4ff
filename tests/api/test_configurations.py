"""Configurations over HTTP: who sees them, who accepts, what the school says."""

import httpx
import pytest
from fastapi import FastAPI

from controller.api.configuration_services import NoConfigurations
from controller.api.services import Services
from controller.configurations.model import BrokenRule, Configuration, NotDoneError
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.api.conftest import client_of, opened
from tests.trust.acting import WatchedLedger

WHERE = "/api/v1/configurations"
A, B = "a" * 64, "b" * 64
RULE = BrokenRule(
    rule="no-telnet", severity="critical", en="Telnet.", zh="开着。", where=("x",), places=3
)


class FakeConfigurations(NoConfigurations):
    """One switch of no3, one of a school elsewhere."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.fails = ""
        self.known = {
            school: Configuration(
                school=school, switch="core", at_ms=2000, fetched_ms=1000, hash=B, accepted=A,
                differences="@ x\n+ y", broken=(RULE,),
            )
            for school in ("no3", "no9")
        }  # fmt: skip

    def configurations(self, scope: ScopePath) -> list[Configuration]:
        return [self.known["no3"]] if scope.covers(ScopePath.parse("binhai/east/no3")) else []

    def find(self, school: str, switch: str) -> Configuration | None:
        return self.known.get(school) if switch == "core" else None

    def has(self, school: str, switch: str) -> bool:
        return self.find(school, switch) is not None

    async def accept(self, school: str, switch: str, seen: str) -> str:
        self.asked.append((school, switch, seen))
        if self.fails:
            raise NotDoneError(self.fails)
        return "accepted"

    async def fetch(self, school: str, switch: str) -> str:
        self.asked.append((school, switch))
        return "as accepted"


@pytest.fixture
def kept(services: Services) -> FakeConfigurations:
    services.configurations = made = FakeConfigurations()
    return made


async def test_what_a_switch_says(operator: httpx.AsyncClient, kept: FakeConfigurations) -> None:
    page = (await operator.get(WHERE, params={"state": "drifted"})).json()
    (item,) = page["items"]
    assert (item["state"], item["fetched"], item["at"]) == ("drifted", 1.0, 2.0)
    assert item["broken"][0] | {"zh": ""} == {
        "rule": "no-telnet", "severity": "critical", "en": "Telnet.", "zh": "", "where": ["x"],
        "places": 3,
    }  # fmt: skip
    assert (await operator.get(f"{WHERE}/no3/core")).json() == item
    assert (await operator.get(f"{WHERE}/no3/other")).status_code == 404


async def test_accepting_is_ledgered_and_of_what_was_seen(
    operator: httpx.AsyncClient, services: Services, kept: FakeConfigurations
) -> None:
    services.ledger = ledger = WatchedLedger()
    accept = f"{WHERE}/no3/core/accept"
    assert (await operator.post(accept, json={"hash": A})).status_code == 409
    assert (await operator.post(accept, json={"hash": "x"})).status_code == 422
    assert kept.asked == []
    assert (await operator.post(accept, json={"hash": B})).json() == {"message": "accepted"}
    assert kept.asked == [("no3", "core", B)]
    kept.fails = "The agent of no3 is not connected."
    answer = await operator.post(accept, json={"hash": B})
    assert (answer.status_code, answer.json()["detail"]) == (502, kept.fails)
    assert [entry.act for entry in ledger.entries] == ["configuration.accept"] * 3


async def test_who_may(
    app: FastAPI, services: Services, operator: httpx.AsyncClient, kept: FakeConfigurations
) -> None:
    assert (await operator.post(f"{WHERE}/no3/core/fetch")).json() == {"message": "as accepted"}
    async with client_of(app, opened(services, Role.VIEWER, "binhai/east")) as viewer:
        assert (await viewer.get(f"{WHERE}/no3/core")).status_code == 200
        for word in ("accept", "fetch"):
            answer = await viewer.post(f"{WHERE}/no3/core/{word}", json={"hash": B})
            assert answer.status_code == 403
    async with client_of(app, opened(services, Role.OPERATOR, "binhai/west")) as west:
        assert (await west.get(f"{WHERE}/no3/core")).status_code == 404
        for word in ("accept", "fetch"):
            answer = await west.post(f"{WHERE}/no3/core/{word}", json={"hash": B})
            assert answer.status_code == 404
        assert (await west.get(WHERE)).json()["items"] == []
    assert (await operator.post(f"{WHERE}/no3/other/fetch")).status_code == 404
    assert kept.asked == [("no3", "core")]
