"""A controller without actions answers every request with a sentence."""

import pytest
from fastapi import FastAPI

from controller.api.action_services import NoApprovals, own_account
from controller.api.services import Services
from controller.trust.approval_model import Action, Person, StepError
from tenone.vocabulary.roles import Role
from tests.api.conftest import client_of, opened
from tests.trust.test_approval_records import action

BODY = {"school": "no3", "intent": "port.renegotiate", "reason": "slow", "retry": "retry-0001"}


@pytest.mark.parametrize(
    ("actor", "account"),
    [
        ("account:li", "account:li"),
        ("key:7", None),
        ("code", None),
        ("", None),
        ("machine:x", None),
    ],
)
def test_whose_account_an_actor_is(actor: str, account: str | None) -> None:
    assert own_account(actor) == account


async def test_without_actions_lists_are_empty_and_nothing_is_done(
    app: FastAPI, services: Services
) -> None:
    token = opened(services, Role.OPERATOR, actor="account:li")
    async with client_of(app, token) as client:
        assert (await client.get("/api/v1/actions")).json()["items"] == []
        assert (await client.get("/api/v1/actions/a-1")).status_code == 404
        assert (await client.post("/api/v1/actions/a-1/withdrawal")).status_code == 404
        answer = await client.post("/api/v1/actions", json=BODY)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This controller has no actions."


async def test_every_step_is_refused() -> None:
    none, known = NoApprovals(), action()
    li = Person(account="account:li", name="Li", actor="account:li")
    steps = [none.approve(li, known, "x"), none.refuse(li, known, "x"), none.withdraw(li, known)]
    for step in steps:
        with pytest.raises(StepError):
            await step
    assert isinstance(known, Action)
