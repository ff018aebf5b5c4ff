"""The gateway's care for its certificate, by a clock that is moved by hand."""

import asyncio
import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agents.identity import next_key, read_identity, take_papers
from agents.renewal import LOOK_SECONDS, Renewer
from controller.trust.ca import DAY
from drivers.wire.door import DoorError
from tenone.runtime.clock import ManualClock
from tenone.trust.enrolment import Renewal, key_of_csr, spki_hash
from tests.agents.papers import NO3, NOW, Issuer


@dataclass
class FakeController:
    """Checks the signature and issues; ``down`` and ``wrong_clock`` are its moods."""

    issuer: Issuer
    clock: ManualClock
    folder: Path
    down: bool = False
    offset_seconds: float = 0.0
    asked: list[float] = field(default_factory=list)
    lose_answers: int = 0
    keys: list[str] = field(default_factory=list)

    def __call__(self, trust: bytes, body: dict[str, object], /) -> dict[str, object]:
        assert b"BEGIN CERTIFICATE" in trust
        now = self.clock.wall_ns() / 1e9
        self.asked.append(now)
        if self.down:
            raise DoorError("https://c cannot be reached (refused)")
        theirs = self.clock.wall_ns() + round(self.offset_seconds * 1e9)
        asked = Renewal(
            serial=int(str(body["serial"]), 16),
            csr=str(body["csr"]),
            wall_ns=int(str(body["wall_ns"])),
            nonce=bytes.fromhex(str(body["nonce"])),
        )
        present = read_identity(self.folder).certificate
        assert asked.serial == present.serial_number
        assert asked.verify(base64.b64decode(str(body["signature"])), present)
        if abs(asked.wall_ns - theirs) > 300e9:
            raise DoorError("another time", status=409, code="clock", said={"wall_ns": theirs})
        self.keys.append(asked.csr)
        self.issuer.now = round(now)
        papers = self.issuer.papers(key_of_csr(asked.csr))
        if self.lose_answers:
            self.lose_answers -= 1
            raise DoorError("https://c cannot be reached (timed out)")
        return papers


@dataclass
class School:
    """A gateway with its folder and its renewer."""

    folder: Path
    lifetime: int = 7 * DAY

    def __post_init__(self) -> None:
        self.clock = ManualClock(wall_ns=NOW * 10**9)
        issuer = Issuer(lifetime=self.lifetime)
        self.city = FakeController(issuer, self.clock, self.folder)
        key = next_key(self.folder)
        take_papers(self.folder, issuer.papers(key), key, NO3, controller="https://c")
        self.reconnected = 0
        self.renewer = Renewer(
            self.folder,
            clock=self.clock,
            ask=self.city,
            controller="https://c",
            renewed=self.reconnect,
            random_source=random.Random(7),
        )

    async def reconnect(self) -> None:
        self.reconnected += 1


async def settle() -> None:
    """The renewer's file work is in threads: give them time to end."""
    for _ in range(6):
        await asyncio.sleep(0.001)


@pytest.fixture
def make_school(tmp_path: Path) -> Callable[..., School]:
    return lambda **values: School(tmp_path / "identity", **values)


async def until(condition: Callable[[], bool], school: School, step: float = 60.0) -> None:
    """Let time pass until something has happened, a whole life at most."""
    for _ in range(20_000):
        if condition():
            return
        school.clock.advance(step)
        await settle()
    raise AssertionError("it did not happen")


async def test_it_is_renewed_at_two_thirds_with_a_new_key_and_the_uplink_told(
    make_school: Callable[..., School],
) -> None:
    school = make_school(lifetime=7200)
    task = asyncio.create_task(school.renewer.run())
    await until(lambda: school.renewer.identity is not None, school, 1.0)
    first = school.renewer.identity
    assert first is not None
    assert school.renewer.finding == ""
    await until(lambda: school.reconnected == 1, school)
    second = school.renewer.identity
    assert second is not None
    assert second.certificate != first.certificate
    assert second.key.private_numbers() != first.key.private_numbers()
    whole = first.end - first.start
    share = (school.city.asked[0] - first.start) / whole
    assert 2 / 3 <= share <= 2 / 3 + 0.05 + 120 / whole
    await until(lambda: school.reconnected == 3, school)
    assert len(set(school.city.keys)) == 3
    task.cancel()


async def test_a_city_that_is_away_is_asked_again_ever_less_often_and_it_is_told(
    make_school: Callable[..., School],
) -> None:
    school = make_school()
    identity = read_identity(school.folder)
    school.renewer.identity = identity
    school.city.down = True
    school.clock.advance(identity.renew_after + 60 - NOW)
    assert "not yet tried" in school.renewer.finding
    assert not await school.renewer.renew(identity)
    assert "could not be renewed: https://c cannot be reached" in school.renewer.finding
    pauses = [school.renewer._next_pause(before, identity) for before in (0, 60, 120, 3000)]
    assert pauses == [60, 120, 240, 3600]
    school.city.down = False
    assert await school.renewer.renew(identity)
    assert school.renewer.finding == ""
    assert school.renewer.seconds_left == pytest.approx(7 * DAY, abs=2)


async def test_expired_is_said_plainly_and_not_tried(make_school: Callable[..., School]) -> None:
    school = make_school(lifetime=3600)
    school.clock.advance(3700)
    task = asyncio.create_task(school.renewer.run())
    await until(lambda: bool(school.renewer.trouble), school, 1.0)
    assert "enrol this gateway again" in school.renewer.finding
    assert (school.renewer.seconds_left or 0) < 0
    assert school.city.asked == []
    # Enrolled again beside the running agent: it is taken up by itself.
    school.city.issuer.now = round(school.clock.wall_ns() / 1e9)
    key = next_key(school.folder)
    papers = school.city.issuer.papers(key)
    take_papers(school.folder, papers, key, NO3, controller="https://c")
    await until(lambda: school.renewer.finding == "", school, LOOK_SECONDS)
    task.cancel()


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    make_school: Callable[..., School],
) -> None:
    school = make_school()
    school.city.lose_answers = 2
    identity = read_identity(school.folder)
    school.renewer.identity = identity
    outcomes = [await school.renewer.renew(identity) for _ in range(3)]
    assert outcomes == [False, False, True]
    assert len({spki_hash(key_of_csr(csr)) for csr in school.city.keys}) == 1


@pytest.mark.parametrize("offset_seconds", [-86_400.0, 86_400.0])
async def test_a_wrong_clock_is_no_reason_to_fail(
    make_school: Callable[..., School], offset_seconds: float
) -> None:
    school = make_school()
    school.city.offset_seconds = offset_seconds
    identity = read_identity(school.folder)
    assert await school.renewer.renew(identity)
    assert len(school.city.asked) == 2


async def test_without_an_identity_it_waits_for_one(tmp_path: Path) -> None:
    clock = ManualClock()

    async def never() -> None:
        raise AssertionError

    def ask(_trust: bytes, _body: dict[str, object], /) -> dict[str, object]:
        raise AssertionError

    renewer = Renewer(tmp_path, clock=clock, ask=ask, controller="https://c", renewed=never)
    assert renewer.seconds_left is None
    task = asyncio.create_task(renewer.run())
    for _ in range(100):
        await settle()
        if renewer.trouble:
            break
    assert "not enrolled" in renewer.finding
    task.cancel()
