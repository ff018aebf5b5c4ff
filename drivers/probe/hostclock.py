"""How far this machine's wall clock may be off, as the kernel knows it (adjtimex(2))."""

import ctypes
import struct

from drivers.probe.stamp import ErrorEstimate

TIME_ERROR = 5
"""The clock is not synchronised."""
_TIMEX_BYTES = 512  # struct timex is 208 bytes on 64-bit Linux, less elsewhere
_MAXERROR = struct.Struct("@i4xlll" if struct.calcsize("l") == 8 else "@illl")  # noqa: PLR2004 - a 64-bit machine
"""modes, offset, freq, maxerror (us)."""
UNKNOWN = ErrorEstimate()


def clock_error() -> ErrorEstimate:
    """Synchronised, and within so many seconds of UTC; not synchronised where nobody knows."""
    try:
        ask = ctypes.CDLL(None).ntp_adjtime
    except (AttributeError, OSError):
        return UNKNOWN
    answer = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: read only
    state = ask(answer)
    if state in {-1, TIME_ERROR}:
        return UNKNOWN
    *_, most_us = _MAXERROR.unpack_from(answer)
    return ErrorEstimate(synchronised=True, seconds=max(most_us, 1) / 1e6)
