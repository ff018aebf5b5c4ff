"""Names nobody has: they lock as others do, and a flood of them takes a bounded room."""

from controller.trust.people.strangers import Strangers
from controller.trust.people.throttle import wait


def lock(strangers: Strangers, name: str, now: float = 0.0) -> None:
    for _ in range(5):
        strangers.failed(name, now)


def test_five_lock_and_the_next_lock_is_longer() -> None:
    strangers = Strangers()
    for _ in range(4):
        assert wait(strangers.failed("nobody", 0.0), 0.0) == 0
    assert wait(strangers.failed("nobody", 0.0), 0.0) == 900
    assert wait(strangers.failed("nobody", 10.0), 10.0) == 890, "not counted while it is locked"
    lock(strangers, "nobody", 900.0)
    assert wait(strangers.tally("nobody"), 900.0) == 1800


def test_a_flood_of_names_forgets_what_was_tried_least() -> None:
    strangers = Strangers(most=100)
    lock(strangers, "watched")
    for number in range(100_000):
        strangers.failed(f"name {number}", 0.0)
    assert strangers.tally("watched").failures == 5, "still locked: a flood does not tell"
    assert (len(strangers), strangers.dropped) == (101, 99_900)
    for number in range(100):
        lock(strangers, f"also {number}")
    assert strangers.tally("watched").failures == 0
    assert len(strangers) <= 200


def test_names_are_cut_before_they_are_kept() -> None:
    strangers = Strangers()
    lock(strangers, "x" * 10_000)
    assert wait(strangers.tally("x" * 64), 0.0) == 900
