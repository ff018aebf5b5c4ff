from controller.trust.attempts import Attempts


def test_one_client_is_slowed_down_and_then_all() -> None:
    door = Attempts(a_client=2, in_all=4)
    assert door.wait(0, "a") == 0
    for at in (0, 10):
        door.failed(at, "a")
    assert door.wait(10, "a") == 50, "until the first of its two is a minute old"
    assert door.wait(10, "b") == 0
    for at in (20, 30):
        door.failed(at, "b")
    assert door.wait(30, "c") == 30, "four in all"
    assert door.wait(61, "a") == 0
    assert door.wait(200, "a") == 0
