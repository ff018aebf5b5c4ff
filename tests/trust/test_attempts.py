"""Failures of a minute: by caller and in all."""

import pytest

from controller.trust.attempts import Attempts, caller_of


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


def test_without_a_limit_for_all_nobody_waits_for_others() -> None:
    door = Attempts(a_client=2, in_all=None)
    for number in range(10_000):
        door.failed(0, f"10.0.{number >> 8}.{number & 255}")
    assert door.wait(0, "192.0.2.1") == 0


def test_a_flood_of_addresses_takes_a_bounded_room() -> None:
    door = Attempts(a_client=2, in_all=1000, most=500)
    for number in range(20_000):
        door.failed(number / 1000, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert (len(door), door.dropped) == (500, 19_500)
    assert door.wait(100, "10.0.0.1") == 0
    assert len(door) == 0


@pytest.mark.parametrize(
    ("client", "caller"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_who_counts_as_one(client: str, caller: str) -> None:
    assert caller_of(client) == caller


def test_a_network_of_ipv6_is_one_caller() -> None:
    door = Attempts(a_client=2, in_all=None)
    for last in range(2):
        door.failed(0, f"2001:db8::{last}")
    assert door.wait(0, "2001:db8::ffff") == 60
    assert door.wait(0, "2001:db8:0:1::1") == 0
