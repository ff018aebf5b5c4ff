"""Accounts at the API: the desk, or the problem that says why not."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from controller.api.problems import Problem
from controller.api.services import Services
from controller.store.protocols import StoreError
from controller.trust.entries import LedgerError
from controller.trust.people.desk import People
from controller.trust.people.door import TooOftenError
from controller.trust.people.model import (
    BusyError,
    ForbiddenError,
    LockedError,
    PeopleError,
    SignInError,
    UnknownAccountError,
)


def people_of(services: Services) -> People:
    """The desk of accounts; 404 where none are kept."""
    if services.people is None:
        raise Problem(404, "This controller keeps no accounts.")
    return services.people


@contextmanager
def in_problems() -> Iterator[None]:
    """What goes wrong with accounts, as problems."""
    try:
        yield
    except (LockedError, TooOftenError) as error:
        wait = math.ceil(error.seconds)
        raise Problem(429, str(error), headers={"Retry-After": str(wait)}) from None
    except BusyError as error:
        raise Problem(503, str(error), headers={"Retry-After": "5"}) from None
    except SignInError as error:
        raise Problem(401, str(error)) from None
    except ForbiddenError as error:
        raise Problem(403, str(error)) from None
    except UnknownAccountError as error:
        raise Problem(404, str(error)) from None
    except PeopleError as error:
        raise Problem(409, str(error)) from None
    except (LedgerError, StoreError) as error:
        raise Problem(503, f"{error}; nothing was done.") from None
