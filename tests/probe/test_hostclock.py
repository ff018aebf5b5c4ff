import ctypes
import struct

import pytest

from drivers.probe import hostclock
from drivers.probe.hostclock import UNKNOWN, clock_error


def test_this_machine_says_something() -> None:
    found = clock_error()
    assert found == UNKNOWN or (found.synchronised and 0 < found.seconds < 3600)


class Kernel:
    def __init__(self, state: int) -> None:
        self.state = state

    def ntp_adjtime(self, answer: ctypes.Array[ctypes.c_char]) -> int:
        struct.pack_into("@i4xlll", answer, 0, 0, 1, 2, 1500)
        return self.state


@pytest.mark.skipif(struct.calcsize("l") != 8, reason="the fields lie otherwise on 32 bits")
@pytest.mark.parametrize(("state", "known"), [(0, True), (5, False), (-1, False)])
def test_what_the_kernel_says(state: int, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Kernel(state))
    found = clock_error()
    assert found.synchronised == known
    if known:
        assert found.seconds == 0.0015
    else:
        assert found == UNKNOWN
    assert hostclock.TIME_ERROR == 5
