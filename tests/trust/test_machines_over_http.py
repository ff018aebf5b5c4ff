"""Machines over HTTP: who may, who gets what, and what everybody may read."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.services import Services
from controller.api.sessions import Sessions
from controller.api.trend import Trend
from tenone.runtime.clock import ManualClock
from tenone.trust.enrolment import Token, load_certificates, make_csr, new_key, pinned
from tenone.vocabulary.roles import PERMISSIONS, Permission, Role
from tests.api.conftest import client_of, opened
from tests.api.fake_city import small_city

from .city import City, renewal_body

API = "/api/v1"


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.close()


@pytest.fixture
def services(machines: City) -> Services:
    clock: ManualClock = machines.clock
    city = small_city(clock.wall_ns() / 1e9)
    return Services(
        city=city,
        hub=Hub(clock, city),
        sessions=Sessions(clock),
        trend=Trend(clock, city),
        clock=clock,
        machines=machines.desk,
        ledger=machines.ledger,
    )


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services)


def keeper(app: FastAPI, services: Services, scope: str = "") -> httpx.AsyncClient:
    return client_of(app, opened(services, Role.SECURITY_ADMIN, scope, actor="account:wang"))


async def test_from_a_token_to_a_renewed_certificate_to_its_revocation(
    app: FastAPI, services: Services, machines: City
) -> None:
    key, following = new_key(), new_key()
    async with keeper(app, services) as admin, client_of(app) as machine:
        asked = await admin.post(f"{API}/machines/tokens", json={"machine": "agent:no3"})
        assert asked.status_code == 201
        token = Token.parse(asked.json()["token"])
        bundle = await machine.get(f"{API}/ca")
        assert pinned(bundle.content, token.authority)
        body = {"token": token.text, "csr": make_csr(key, "x")}
        papers = await machine.post(f"{API}/enrolments", json=body)
        assert papers.status_code == 201
        own = load_certificates(papers.json()["certificate"].encode())[0]
        again = await machine.post(f"{API}/enrolments", json=body)
        assert (again.status_code, again.json()["code"]) == (403, "token")
        request = renewal_body(own, key, following, machines.clock.wall_ns())
        renewed = await machine.post(f"{API}/renewals", json=request)
        assert renewed.status_code == 201
        late = renewal_body(own, key, new_key(), machines.clock.wall_ns() - 10**12)
        wrong = await machine.post(f"{API}/renewals", json=late)
        assert wrong.status_code == 409
        assert wrong.json()["wall_ns"] == machines.clock.wall_ns()
        (listed,) = (await admin.get(f"{API}/machines")).json()["items"]
        assert (listed["id"], listed["state"]) == ("agent:no3", "active")
        assert listed["expires_at"] == renewed.json()["not_after"]
        gone = await admin.post(f"{API}/machines/agent:no3/revoke", json={"why": "stolen"})
        assert (gone.status_code, gone.json()["state"]) == (200, "revoked")
        crl = x509.load_der_x509_crl((await machine.get(f"{API}/crl")).content)
        assert crl.get_revoked_certificate_by_serial_number(own.serial_number)
        (point,) = own.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        assert point.full_name is not None
        path = point.full_name[0].value.removeprefix("https://c.example")
        assert x509.load_der_x509_crl((await machine.get(path)).content) == crl
        assert (await machine.get(f"{API}/crl/{'f' * 16}")).status_code == 404
        refused = await machine.post(
            f"{API}/renewals",
            json=renewal_body(own, key, new_key(), machines.clock.wall_ns()),
        )
        assert refused.status_code == 403


@pytest.mark.parametrize("role", list(Role))
async def test_only_who_keeps_machines_may(app: FastAPI, services: Services, role: Role) -> None:
    await services.machines.token("agent:no3", by="account:wang", seconds=60)
    async with client_of(app, opened(services, role)) as client:
        answers = [
            await client.get(f"{API}/machines"),
            await client.post(f"{API}/machines/tokens", json={"machine": "agent:no3"}),
            await client.post(f"{API}/machines/agent:no3/revoke", json={"why": "x"}),
        ]
    codes = [one.status_code for one in answers]
    if Permission.KEEP_MACHINES in PERMISSIONS[role]:
        assert codes == [200, 201, 200]
    else:
        assert codes == [403, 403, 404]


async def test_scopes_are_kept(app: FastAPI, services: Services) -> None:
    for school in ("no1", "no3"):
        await services.machines.token(f"agent:{school}", by="account:wang", seconds=60)
    async with keeper(app, services, "binhai/east/no1") as admin:
        listed = (await admin.get(f"{API}/machines")).json()
        assert [one["id"] for one in listed["items"]] == ["agent:no1"]
        assert listed["total"] == 1
        other = await admin.post(f"{API}/machines/tokens", json={"machine": "agent:no3"})
        assert other.status_code == 403
        gone = await admin.post(f"{API}/machines/agent:no3/revoke", json={"why": "x"})
        assert gone.status_code == 404
        assert (await admin.get(f"{API}/machines?state=invited")).json()["total"] == 1
        assert (await admin.get(f"{API}/machines?state=tired")).status_code == 400
        page = (await admin.get(f"{API}/machines?limit=1")).json()
        assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("machines/tokens", {"machine": "agent:NO3"}, 400),
        ("machines/tokens", {"machine": "agent:elsewhere"}, 404),
        ("machines/tokens", {"machine": "agent:no3", "seconds": 59}, 400),
        ("machines/tokens", {"machine": "agent:no3", "x": 1}, 422),
        ("machines/agent:no9/revoke", {"why": "x"}, 404),
        ("machines/agent:no9/revoke", {"why": ""}, 422),
        ("machines/agent:no9/revoke", {"why": "a\nb"}, 422),
        ("machines/agent:no9/revoke", {"why": "\ud800"}, 422),
        ("enrolments", {"csr": "x"}, 400),
        ("enrolments", {"csr": "x" * 20_000}, 422),
        ("enrolments", {"csr": "\u202e", "token": "t1.a.b"}, 400),
        ("renewals", {"serial": "x"}, 422),
        (
            "renewals",
            {"serial": "1", "csr": "x", "wall_ns": 1, "nonce": "0" * 32, "signature": "!"},
            400,
        ),
    ],
)
async def test_bad_requests_have_their_sentence(
    app: FastAPI, services: Services, path: str, body: dict[str, object], status: int
) -> None:
    async with keeper(app, services) as admin:
        kind = {"content-type": "application/json"}  # httpx itself refuses to send a surrogate
        answer = await admin.post(f"{API}/{path}", content=json.dumps(body), headers=kind)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")


async def test_too_many_attempts_say_when_to_come_back(app: FastAPI, services: Services) -> None:
    async with client_of(app) as machine:
        for _ in range(10):
            assert (await machine.post(f"{API}/enrolments", json={"csr": "x"})).status_code == 400
        answer = await machine.post(f"{API}/enrolments", json={"csr": "x"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert services.machines.machines() == []


async def test_without_the_ledger_it_is_503(
    app: FastAPI, services: Services, machines: City
) -> None:
    await services.machines.token("agent:no3", by="account:wang", seconds=60)
    machines.ledger.broken = True
    async with keeper(app, services) as admin:
        for path, body in (
            ("machines/tokens", {"machine": "agent:no3"}),
            ("machines/agent:no3/revoke", {"why": "x"}),
        ):
            assert (await admin.post(f"{API}/{path}", json=body)).status_code == 503
    (one,) = services.machines.machines()
    assert one.revoked_ns is None
