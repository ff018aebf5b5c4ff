"""Decisions against the oracle: none wrong; and the oracle's own table is the table."""

import random

import pytest

from tenone.cli.bench_authorise import ORACLE, compare, oracle, scopes
from tenone.vocabulary.authority import Authority
from tenone.vocabulary.roles import PERMISSIONS, Grant, Permission, Role, allowed
from tenone.vocabulary.scope import ScopePath


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_decision_is_wrong(seed: int) -> None:
    figures = compare(3000, seed)
    assert (figures["wrong_compiled"], figures["wrong_allowed"]) == (0, 0)
    granted = figures["granted"]
    assert isinstance(granted, int)
    assert 300 < granted < 2700, "both answers are asked for"


def test_every_role_permission_and_depth_of_scope() -> None:
    """What random questions may miss: all roles x permissions x pairs of some scopes."""
    some = scopes(random.Random(5))[:12]
    for role in Role:
        for held in some:
            grants = (Grant(role, held),)
            compiled = Authority(grants)
            for permission in Permission:
                for asked in some:
                    truth = oracle(grants, permission, asked)
                    assert allowed(grants, permission, asked) is truth
                    assert compiled.allows(permission, asked) is truth


def test_the_second_table_says_what_the_first_says() -> None:
    assert {role.value: {one.value for one in held} for role, held in PERMISSIONS.items()} == {
        role: set(held.split()) for role, held in ORACLE.items()
    }


def test_a_name_that_begins_alike_is_another_place() -> None:
    grants = (Grant(Role.VIEWER, ScopePath.parse("binhai/d1")),)
    for inside, seen in (("binhai/d1/s1", True), ("binhai/d10", False), ("binhai/d10/s1", False)):
        assert Authority(grants).allows(Permission.LOOK, ScopePath.parse(inside)) is seen
