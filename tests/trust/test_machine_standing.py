"""Late or not, who has heard, what is remembered and for how long."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.trust.machine_standing import (
    KEPT_SECONDS,
    LOW_SECONDS,
    MOST_REFUSALS,
    ListStanding,
    Memory,
    Refusal,
    Word,
    behind,
    late,
)
from controller.trust.papers import MachineError
from controller.trust.registry import Certificate, Machine
from tenone.trust.enrolment import Token, make_csr, new_key
from tenone.vocabulary.scope import ScopePath

from .city import City

DAY = 86_400
NS = 10**9


def machine(name: str = "agent:no1", *, issued: int = 0, life: int = 7 * DAY) -> Machine:
    certificate = Certificate(
        serial="1",
        authority="a",
        key="k",
        issued_ns=issued * NS,
        not_before=issued,
        not_after=issued + life,
    )
    scope = ScopePath.parse("binhai/east/no1")
    return Machine(name=name, scope=scope, certificates=(certificate,), enrolled_ns=issued * NS)


@pytest.mark.parametrize(
    ("now", "said"), [(0, False), (4.6 * DAY, False), (4.7 * DAY, True), (7 * DAY, False)]
)
def test_late_below_a_third_and_not_once_expired(now: float, said: bool) -> None:
    assert late(machine(), now) is said


def test_the_revoked_and_the_invited_are_not_late() -> None:
    assert not late(replace(machine(), revoked_ns=1), 6 * DAY)
    assert not late(replace(machine(), certificates=(), enrolled_ns=None), 6 * DAY)


def test_who_has_not_heard_of_an_authority() -> None:
    before, after = machine("agent:no1", issued=100), machine("agent:no2", issued=102)
    same_second = machine("agent:no3", issued=101)
    server, gone = machine("server:web", issued=1), machine("agent:no4", issued=1, life=10)
    every = [before, after, same_second, server, gone]
    assert behind(every, 101, 200) == [before, same_second]


def test_what_a_gateway_says_counts_for_the_certificate_it_has() -> None:
    memory = Memory()
    memory.said("no1", Word(at=50.0, text="the certificate ends in 1.2 days"))
    said = memory.word(machine(issued=40))
    assert said is not None
    assert said.text.endswith("1.2 days")
    assert memory.word(machine(issued=60)) is None, "renewed since"
    assert memory.word(machine("device:no1/board/b-1", issued=40)) is None
    memory.said("no1", Word(at=55.0, text=""))
    assert memory.word(machine(issued=40)) is None


def test_refusals_of_a_day_newest_first_and_bounded() -> None:
    memory = Memory(since=7.0)
    for at in range(MOST_REFUSALS + 5):
        memory.refused(
            Refusal(at=float(at), act="machine.enrol", code="token", client="c", machine="")
        )
    found = memory.refusals(float(MOST_REFUSALS))
    assert (len(found), found[0].at) == (MOST_REFUSALS, MOST_REFUSALS + 4.0)
    assert memory.refusals(KEPT_SECONDS + MOST_REFUSALS * 2.0) == []


def test_a_list_is_low_before_it_ends_and_when_it_could_not_be_written() -> None:
    good = ListStanding(number=3, made=0.0, until=7.0 * DAY, written=True)
    assert not good.low(good.until - LOW_SECONDS)
    assert good.low(good.until - LOW_SECONDS + 1)
    assert replace(good, written=False).low(0.0)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.close()


async def test_of_a_whole_city(city: City) -> None:
    empty = city.desk.standing()
    assert (empty.authorities, empty.crl) == ([], None)
    await city.desk.open(make=True)
    city.clock.advance(5)  # who was enrolled in the authority's own second counts as behind
    holder = await city.enrol("agent:no3")
    city.clock.advance(3600)
    fresh = city.authorities.add(city.now)
    standing = city.desk.standing()
    first, second = standing.authorities
    assert (first.issues, first.behind, second.issues, second.behind) == (True, 0, False, 1)
    assert second.id == fresh.id
    assert first.fingerprint.count(":") == 31
    assert standing.crl is not None
    number = standing.crl.number
    await city.desk.revoke("agent:no3", why="stolen", by="account:wang")
    after = city.desk.standing()
    assert after.crl is not None
    assert after.crl.number > number
    with pytest.raises(MachineError):
        await city.desk.enrol(
            token=Token.new(city.authorities.issuing.spki).text,
            csr=make_csr(new_key(), "x"),
            client="10.9.9.9",
        )
    (refused,) = city.desk.standing().refusals
    assert (refused.act, refused.code, refused.client) == ("machine.enrol", "token", "10.9.9.9")
    assert city.desk.word(city.desk.machines()[0]) is None
    assert holder.certificate.serial_number
