"""What goes wrong with accounts, as problems."""

import pytest

from controller.api.people_access import in_problems, people_of
from controller.api.problems import Problem
from controller.api.schemas_people import ResetOut
from controller.api.services import Services
from controller.store.protocols import StoreError
from controller.trust.entries import LedgerError
from controller.trust.people.door import TooOftenError
from controller.trust.people.model import (
    BusyError,
    ForbiddenError,
    LockedError,
    RefusedError,
    SignInError,
    UnknownAccountError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LockedError(900.0), 429),
        (TooOftenError(3.0), 429),
        (BusyError("busy"), 503),
        (SignInError("no"), 401),
        (ForbiddenError("no"), 403),
        (UnknownAccountError("no"), 404),
        (RefusedError("no"), 409),
        (LedgerError("full"), 503),
        (StoreError("full"), 503),
    ],
)
def test_each_error_is_its_problem(error: Exception, status: int) -> None:
    with pytest.raises(Problem) as refused, in_problems():
        raise error
    assert refused.value.status == status
    assert ("Retry-After" in (refused.value.headers or {})) is (
        status == 429 or isinstance(error, BusyError)
    )


def test_without_accounts_there_are_none(services: Services) -> None:
    with pytest.raises(Problem, match="keeps no accounts"):
        people_of(services)


def test_a_reset_says_its_code_alone() -> None:
    assert ResetOut(one_time_code="7KQF-3M9X-0TBA").model_dump() == {
        "one_time_code": "7KQF-3M9X-0TBA"
    }
