import pytest

from controller.ingest.troubles import LONGEST_SECONDS, PATIENCE, Troubles
from tenone.runtime.clock import ManualClock


def test_held_a_few_times_then_left_to_the_agents_with_longer_and_longer_pauses() -> None:
    clock = ManualClock()
    troubles = Troubles(clock)
    for _ in range(PATIENCE):
        assert troubles.failed(["east"], "no room")
        assert not troubles.barred("east")
    assert not troubles.failed(["east"], "no room")
    pauses = []
    for _ in range(8):
        assert troubles.barred("east")
        assert not troubles.barred("west")
        waited = 0
        while troubles.barred("east"):
            clock.advance(1)
            waited += 1
        pauses.append(waited)
        troubles.failed(["east"], "no room")
    assert pauses[0] == 2
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_SECONDS


@pytest.mark.parametrize("healed", [True, False])
def test_says_which_and_forgets_when_healed(healed: bool) -> None:
    troubles = Troubles(ManualClock())
    troubles.failed(["west", "east", "east"], "no room")
    if healed:
        troubles.healed(["west", "east"])
    wanted = "" if healed else "district east: no room; district west: no room"
    assert troubles.sentence == wanted
