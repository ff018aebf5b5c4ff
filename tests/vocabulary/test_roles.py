"""Roles: administrators are kept apart, a grant reaches inside its scope and nowhere else."""

import pytest

from tenone.vocabulary.roles import ADMINISTRATORS, PERMISSIONS, Grant, Permission, Role, allowed
from tenone.vocabulary.scope import ScopePath

CITY, EAST, WEST = (ScopePath.parse(text) for text in ("binhai", "binhai/east", "binhai/west"))


def test_every_role_has_its_row() -> None:
    assert set(PERMISSIONS) == set(Role)


def test_administrators_share_nothing() -> None:
    for one in ADMINISTRATORS:
        for other in ADMINISTRATORS - {one}:
            assert not PERMISSIONS[one] & PERMISSIONS[other]


def test_who_requests_does_not_approve() -> None:
    for permissions in PERMISSIONS.values():
        assert not {Permission.REQUEST_ACTIONS, Permission.APPROVE_ACTIONS} <= permissions


@pytest.mark.parametrize(
    ("grant", "scope", "expected"),
    [
        (EAST, EAST, True),
        (EAST, EAST.child("no3"), True),
        (CITY, WEST, True),
        (EAST, CITY, False),
        (EAST, WEST, False),
        (ScopePath(), CITY, True),
    ],
)
def test_a_grant_reaches_inside(grant: ScopePath, scope: ScopePath, *, expected: bool) -> None:
    assert allowed([Grant(Role.VIEWER, grant)], Permission.LOOK, scope) is expected
    assert not allowed([Grant(Role.VIEWER, grant)], Permission.POLL, scope)
    assert not allowed([], Permission.LOOK, scope)
