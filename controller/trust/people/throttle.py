"""How often a password may be guessed. Pure: a tally and the time go in, a tally comes out.

What is counted is failures *in a row*: a lock that ends takes none of them away, only a sign-in
does. Every fifth locks, each time twice as long as the last; after :attr:`Limit.most` it stays shut
until somebody opens it. NIST SP 800-63B-4 section 3.2.2 wants no more than 100 failures in a row
for an account: browsers nobody knows have :data:`UNKNOWN` together, each browser that is known its
own :data:`KNOWN`, and an account knows :data:`MOST_BROWSERS`.
"""

from dataclasses import dataclass

from controller.trust.people.model import FAILURES, LOCK_SECONDS

LONGEST_SECONDS = 86_400.0
SHUT = 32_503_680_000.0
"""The year 3000, epoch seconds: shut until somebody opens it."""
MOST_BROWSERS = 5


@dataclass(frozen=True, slots=True)
class Tally:
    """Failures in a row, and until when nothing is compared (epoch seconds)."""

    failures: int = 0
    locked_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures in a row are taken in all."""

    most: int


UNKNOWN = Limit(50)
KNOWN = Limit(10)
MOST_IN_A_ROW = UNKNOWN.most + MOST_BROWSERS * KNOWN.most
"""For one account, whoever tries and from wherever: 100."""


def wait(tally: Tally, now: float) -> float:
    """Seconds until the next password is compared; 0: at once."""
    return max(0.0, tally.locked_until - now)


def failed(tally: Tally, now: float, limit: Limit) -> Tally:
    """One more failure. What comes while it is locked was not compared and does not count."""
    if wait(tally, now) > 0:
        return tally
    failures = tally.failures + 1
    if failures >= limit.most:
        return Tally(failures, SHUT)
    if failures % FAILURES:
        return Tally(failures, tally.locked_until)
    return Tally(failures, now + lock_seconds(failures // FAILURES))


def lock_seconds(nth: int) -> float:
    """How long the ``nth`` lock of a row lasts: 15 min, 30 min, 1 h ... a day."""
    return min(LOCK_SECONDS * 2.0 ** min(nth - 1, 20), LONGEST_SECONDS)


def a_day() -> int:
    """The most guesses that browsers nobody knows get compared within 24 hours."""
    at, guesses, nth = 0.0, 0, 0
    while at < LONGEST_SECONDS:
        guesses, nth = guesses + FAILURES, nth + 1
        at += lock_seconds(nth)
    return min(guesses, UNKNOWN.most)
