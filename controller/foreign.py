"""JSON inside a text that an agent sent: read so that nothing of it can stop whoever reads on.

An agent may be broken or somebody else's. Python's reader takes what its writers, the database and
arithmetic do not: NaN, numbers without bounds, lone surrogates, NUL, a thousand lists in a row.
"""

import json
import math

MOST_DIGITS = 18
"""Of a whole number: fits 64 bits."""


def read_foreign(text: str) -> object:
    """The value; ValueError for what is no JSON, or cannot be calculated with, kept and sent on."""
    try:
        said = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_finite)
        plain = json.dumps(said, ensure_ascii=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    plain.encode()  # a lone surrogate is a UnicodeEncodeError, and that a ValueError
    if r"\u0000" in plain:
        raise ValueError("it holds NUL")
    return said


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number without bounds")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number
