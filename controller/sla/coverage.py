"""How much of the time a percentage speaks about (SLA.md, "Three-valued truth").

Coverage C = 1 - |unknown| / |W|. Every percentage carries it, and below 0.98 nothing is
certified: the sentence that refuses names the figure.
"""

from fractions import Fraction
from typing import Final

CERTIFIED_COVERAGE: Final = Fraction(98, 100)


def coverage(unknown_ns: int, service_ns: int) -> Fraction | None:
    """C, exact; None where there was no service time at all."""
    if not 0 <= unknown_ns <= max(service_ns, 0):
        raise ValueError(f"{unknown_ns} ns of {service_ns} ns cannot be unknown")
    return None if service_ns == 0 else 1 - Fraction(unknown_ns, service_ns)


def refusal(known: Fraction | None) -> str | None:
    """Why a period with this coverage is not certified, or None where it is."""
    if known is None:
        return "There was no service time in this period, so there is nothing to certify."
    if known >= CERTIFIED_COVERAGE:
        return None
    # Cut, not rounded: 97.999 % must not read as the 98 % it falls short of.
    hundredths = int(known * 10_000)
    return (
        f"Only {hundredths // 100}.{hundredths % 100:02d} % of the service time is known and "
        f"{float(CERTIFIED_COVERAGE):.0%} is needed: this period is not certified."
    )
