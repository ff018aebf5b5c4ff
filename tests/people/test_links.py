"""An identity provider's subject is one account, and nobody's beside it."""

import pytest

from controller.trust.people.model import RefusedError, SignInError
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

from .conftest import House

PROVIDER = "oidc:0123"


async def test_a_subject_is_one_account(house: House) -> None:
    for name in ("li", "wang"):
        house.account(name, Grant(Role.VIEWER, ScopePath()), factor=False)
    house.records.edit("li", link=(PROVIDER, "s-1"))
    with pytest.raises(RefusedError, match="Another account"):
        house.records.edit("wang", link=(PROVIDER, "s-1"))
    house.records.edit("li", link=(PROVIDER, "s-1"))
    house.records.edit("wang", link=("oidc:4567", "s-1"))
    assert (await house.people.signed_in_by(PROVIDER, "s-1", {})).name == "li"
    for name in ("li", "wang"):
        house.records.edit(name, link=("", ""))
    with pytest.raises(SignInError):
        await house.people.signed_in_by("", "", {})


def test_linking_ends_the_sessions(house: House) -> None:
    house.account("li", Grant(Role.VIEWER, ScopePath()), factor=False)
    token, _ = house.sessions.open("account:li", grants=())
    house.records.edit("li", link=(PROVIDER, "s-1"))
    assert house.sessions.find(token) is None
