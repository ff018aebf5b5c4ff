from fastapi import FastAPI

from controller.api.services import Services
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened


async def test_a_controller_without_a_ledger_reads_none(app: FastAPI, services: Services) -> None:
    async with client_of(app, opened(services, Role.AUDIT_ADMIN)) as client:
        entries = await client.get("/api/v1/audit")
        head = await client.get("/api/v1/audit/head")
    assert (entries.status_code, head.status_code) == (503, 503)
    assert "keeps no audit ledger" in entries.json()["detail"]
    async with client_of(app, opened(services, Role.VIEWER)) as client:
        assert (await client.get("/api/v1/audit")).status_code == 403
    assert services.audit.figures() is None
