"""Reboot or wrap: sysUpTime after 497 days, early and late polls, restarts."""

import pytest

from drivers.snmp.uptime import WRAP, Boot, compare

SECOND = 100
NS = 10**9


@pytest.mark.parametrize(
    ("before", "now", "elapsed_seconds", "verdict"),
    [
        (1_000 * SECOND, 1_010 * SECOND, 10, Boot.SAME),
        (1_000 * SECOND, 1_005 * SECOND, 10, Boot.SAME),  # a poll 5 s early
        (1_000 * SECOND, 1_015 * SECOND, 10, Boot.SAME),  # or late
        (1_000 * SECOND, 3 * SECOND, 10, Boot.REBOOTED),
        (1_000 * SECOND, 999 * SECOND, 10, Boot.REBOOTED),
        # Away for an hour, restarted half an hour ago: uptime grew and yet fell short.
        (100 * SECOND, 1_800 * SECOND, 3_600, Boot.REBOOTED),
        # 497 days: the clock starts over, early, on time, late.
        (WRAP - 5 * SECOND, 5 * SECOND, 10, Boot.UNCERTAIN),
        (WRAP - 5 * SECOND, 0, 10, Boot.UNCERTAIN),
        (WRAP - 5 * SECOND, 10 * SECOND, 10, Boot.UNCERTAIN),
        (WRAP - 5 * SECOND, WRAP - 1, 5, Boot.SAME),
        (WRAP - 60 * SECOND, WRAP - 50 * SECOND, 10, Boot.SAME),
        # Near the wrap, but too far off to be it.
        (WRAP - 5 * SECOND, 500 * SECOND, 10, Boot.REBOOTED),
        (WRAP - 5 * SECOND, 30 * SECOND, 3_600, Boot.REBOOTED),
        (WRAP - 3_600 * SECOND, 3 * SECOND, 10, Boot.REBOOTED),
    ],
)
def test_compare(before: int, now: int, elapsed_seconds: int, verdict: Boot) -> None:
    assert compare(before, now, elapsed_seconds * NS) is verdict
