import ctypes

import pytest

from agents.origin import Origin, clock_quality
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.states import ClockQuality


def test_a_stamp_names_school_subject_and_both_clocks(clock: ManualClock) -> None:
    origin = Origin(
        school="no3", boot_id=bytes(16), clock=clock, quality=lambda: ClockQuality.FREE_RUNNING
    )
    stamp = origin.stamp("switch/core", uptime_ticks=5, sent_ns=1, received_ns=2)
    assert (stamp.agent, stamp.subject) == ("no3", "no3/switch/core")
    assert (stamp.wall_ns, stamp.monotonic_ns) == (clock.wall_ns(), clock.monotonic_ns())
    assert (stamp.uptime_ticks, stamp.sent_ns, stamp.received_ns) == (5, 1, 2)
    assert stamp.clock_quality is ClockQuality.FREE_RUNNING


@pytest.mark.parametrize(
    ("answer", "quality"),
    [
        (0, ClockQuality.SYNCHRONISED),
        (1, ClockQuality.SYNCHRONISED),  # a leap second is announced
        (5, ClockQuality.FREE_RUNNING),
        (-1, ClockQuality.UNKNOWN),
    ],
)
def test_the_kernel_is_asked(
    answer: int, quality: ClockQuality, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Library:
        def ntp_adjtime(self, _timex: object) -> int:
            return answer

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Library())
    assert clock_quality() is quality


def test_no_such_call_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert clock_quality() is ClockQuality.UNKNOWN


def test_this_kernel_answers() -> None:
    if not hasattr(ctypes.CDLL(None), "ntp_adjtime"):
        pytest.skip("this C library has no ntp_adjtime")
    assert clock_quality() in {ClockQuality.SYNCHRONISED, ClockQuality.FREE_RUNNING}
