"""Moments that people send, as they are kept."""

from datetime import UTC, datetime, timedelta

from controller.api.problems import Problem

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_YEAR = 1970
LATEST_YEAR = 2200
"""Nanoseconds since 1970 fill 63 bits in 2262, and an offset moves a moment by a day."""


def epoch_ns(what: str, moment: datetime) -> int:
    """``moment`` in ns since 1970; without an offset it is UTC. 400 where none can be kept."""
    if not EARLIEST_YEAR < moment.year < LATEST_YEAR:
        raise Problem(
            400, f"{what}: write a moment between {EARLIEST_YEAR + 1} and {LATEST_YEAR - 1}."
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
