"""What the gate remembers of what it held back."""

from controller.enforcement.gate import HeldBack


def test_of_too_many_held_back_the_oldest_is_forgotten() -> None:
    held = HeldBack(2)
    for action in ("a", "b", "a", "c"):
        held.add(action)
    assert [action for action in "abc" if action in held] == ["b", "c"]
    held.discard("b")
    held.discard("b")
    assert "b" not in held
